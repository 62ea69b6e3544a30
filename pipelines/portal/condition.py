"""In what condition the data are: how fresh, what came in, what was set aside, which sources are late."""

from datetime import datetime

import polars as pl

from pipelines.delivery.departures import is_stale, newest_order_day
from pipelines.ingest.expectations import expected
from pipelines.portal.facts import BrokenRule, Freshness, Quality, SourceState, TableState
from pipelines.portal.newest import Newest
from pipelines.shop import Shop

FATES = ("accepted", "quarantined", "replayed", "erased")


def freshness(newest: Newest, shop: Shop, now: datetime) -> Freshness:
    """How old the newest finished run's data are at a time."""
    last_order = newest_order_day(newest.lake)
    deliveries = newest.remembered("deliveries", lambda: _deliveries(newest))
    age = (now.astimezone(shop.zone).date() - last_order).days if last_order else None
    last = deliveries.filter(~pl.col("is_repeat").fill_null(False))
    last = last.filter(pl.col("received_at") == pl.col("received_at").max())
    # Every page asks, and a source is no later a second after.
    minute = now.replace(second=0, microsecond=0)
    late = () if shop.sample else newest.remembered(("late", minute), lambda: _late(deliveries, minute))
    snapshot = newest.snapshot
    return Freshness(
        as_of=snapshot.as_of,
        finished_at=snapshot.finished_at,
        newest_order=last_order,
        age_days=age,
        is_stale=is_stale(shop, last_order, now),
        is_sample=shop.sample,
        max_age_days=shop.max_age_days,
        late_sources=late,
        blocked=int(last["is_blocked"].fill_null(False).sum()),
        set_aside=int(last["quarantined"].sum()),
    )


def quality(newest: Newest, shop: Shop, now: datetime) -> Quality:
    """What was delivered, where every row went, which rules were broken and what predictions still lack."""
    deliveries = newest.remembered("deliveries", lambda: _deliveries(newest))
    rules = newest.remembered("rules", lambda: newest.scan("contract_results").collect())
    return Quality(
        freshness=freshness(newest, shop, now),
        sources=_sources(deliveries, shop, now),
        tables=_tables(deliveries),
        broken=_broken(rules),
        predictions_lack=predictions_lack(newest),
    )


def predictions_lack(newest: Newest) -> str:
    """Why there are no predictions, in words; empty where there are."""
    readiness = newest.remembered("readiness", lambda: newest.scan("readiness").collect())
    today = readiness.filter(pl.col("as_of") == newest.snapshot.as_of)
    if today.is_empty():
        return "whether there is enough data for predictions was not computed"
    return "" if today["is_ready"].all() else str(today["reasons"].drop_nulls().max() or "not enough data")


def _deliveries(newest: Newest) -> pl.DataFrame:
    return newest.scan("deliveries").sort("received_at", "receipt_id").collect()


def _late(deliveries: pl.DataFrame, now: datetime) -> tuple[str, ...]:
    found = expected(deliveries.lazy(), now).filter(~pl.col("is_fresh")).select("source").collect()
    return tuple(found["source"])


def _sources(deliveries: pl.DataFrame, shop: Shop, now: datetime) -> tuple[SourceState, ...]:
    known = {row["source"]: row for row in expected(deliveries.lazy(), now).collect().to_dicts()}
    found: list[SourceState] = []
    for source in shop.sources:
        row = known.get(source.name)
        if row is None:
            found.append(SourceState(source.name, source.table, None, None, False, True))
            continue
        is_late = not shop.sample and not row["is_fresh"]
        found.append(
            SourceState(
                source.name, source.table, row["received_at"], int(row["rows"]), is_late, row["is_usual"]
            )
        )
    return tuple(found)


def _tables(deliveries: pl.DataFrame) -> tuple[TableState, ...]:
    summed = (
        deliveries.group_by("table")
        .agg(pl.len().alias("deliveries"), pl.col("rows", *FATES).sum())
        .sort("table")
    )
    return tuple(TableState(**row) for row in summed.to_dicts())


def _broken(rules: pl.DataFrame) -> tuple[BrokenRule, ...]:
    broken = rules.filter(pl.col("failed") > 0).sort(
        "failed", "table", "rule", descending=[True, False, False]
    )
    return tuple(
        BrokenRule(row["table"], row["says"], row["severity"] == "critical", row["failed"], row["checked"])
        for row in broken.to_dicts()
    )
