"""Deliveries become raw tables, and in the end the record of where every row went.

Which files lie ready is said by `pipelines.sources.arrivals`; how rows are taken in by `pipelines.ingest.landing`.
"""

import hashlib
from functools import partial

import polars as pl

from pipelines.assets.given import Given
from pipelines.assets.step import Keeps, Stage, Step, Verdict
from pipelines.ingest.expectations import expected
from pipelines.ingest.extracts import extracts
from pipelines.ingest.landing import Landed, land
from pipelines.ingest.quarantine import BLOCKED
from pipelines.ingest.receipts import Receipt, receipts
from pipelines.shop import Shop
from pipelines.sources.arrivals import arrivals


def connected_tables(shop: Shop) -> list[str]:
    """The delivered tables that a shop has sources for, in the order of its settings."""
    return list(dict.fromkeys(source.table for source in shop.sources))


def steps(shop: Shop) -> list[Step]:
    """One raw table per connected table, and ``deliveries``."""
    tables = connected_tables(shop)
    return [
        *(
            Step(
                table=f"raw_{table}",
                stage=Stage.LANDING,
                keeps=Keeps.LANDINGS,
                reads=(),
                make=partial(_raw, table=table),
            )
            for table in tables
        ),
        Step(
            table="deliveries",
            stage=Stage.CONTRACT,
            keeps=Keeps.NOTHING,
            reads=tuple(f"{shape}_{table}" for table in tables for shape in ("raw", "valid"))
            + tuple(f"{table}_quarantine" for table in tables),
            make=_deliveries,
            identity=_first_receipts,
            always=True,
            checks=_conservation,
            check_names=("nothing_is_lost", "no_delivery_is_blocked", "volume_is_usual", "sources_are_fresh"),
        ),
    ]


def _raw(given: Given, table: str) -> Landed | None:
    ready = [*arrivals(given.shop, table), *extracts(given.lake, given.shop, table)]
    return land(given.lake, given.shop, ready, table, given.moment.now)


def _first_receipts(given: Given) -> str:
    """Checksum of what was delivered; a file that comes again adds nothing to it."""
    first = sorted(f"{one.delivery_id} {one.reading}" for one in receipts(given.lake) if not one.is_repeat)
    return hashlib.sha256("\n".join(first).encode()).hexdigest()


def _deliveries(given: Given) -> pl.LazyFrame:
    tables = connected_tables(given.shop)
    count = pl.len().cast(pl.Int64)
    accepted = pl.concat(
        given.table(f"valid_{table}")
        .filter(~pl.col("is_replay"))
        .group_by("delivery_id")
        .agg(count.alias("accepted"))
        for table in tables
    )
    quarantined = pl.concat(
        given.table(f"{table}_quarantine")
        .join(
            given.table(f"raw_{table}").filter("is_replay").select("delivery_id", "row_number"),
            on=["delivery_id", "row_number"],
            how="anti",
        )
        .group_by("delivery_id")
        .agg(count.alias("quarantined"), pl.col("rules").str.contains(BLOCKED).any().alias("is_blocked"))
        for table in tables
    )
    taken = pl.LazyFrame(receipts(given.lake), schema=_RECEIPT)
    counted = taken.join(accepted, on="delivery_id", how="left").join(
        quarantined, on="delivery_id", how="left"
    )
    is_first = ~pl.col("is_repeat")
    return counted.with_columns(
        pl.col("received_at").str.to_datetime(time_unit="us", time_zone="UTC"),
        pl.when(is_first).then(pl.col("accepted").fill_null(0)).otherwise(0).alias("accepted"),
        pl.when(is_first).then(pl.col("quarantined").fill_null(0)).otherwise(0).alias("quarantined"),
        (is_first & pl.col("is_blocked").fill_null(False)).alias("is_blocked"),
    ).sort("received_at", "receipt_id")


_RECEIPT = {
    name: {str: pl.String, str | None: pl.String, int: pl.Int64, bool: pl.Boolean}[kind]
    for name, kind in Receipt.__annotations__.items()
}


def _conservation(given: Given) -> list[Verdict]:
    went = ["accepted", "quarantined", "replayed", "erased"]
    totals = given.table("deliveries").select(pl.col("rows", *went).sum()).collect().row(0, named=True)
    blocked = given.table("deliveries").filter("is_blocked").collect()["delivery_id"].to_list()
    says = f"{totals['rows']:,} delivered = " + " + ".join(f"{totals[name]:,} {name}" for name in went)
    return [
        Verdict("nothing_is_lost", totals["rows"] == sum(totals[name] for name in went), says),
        Verdict(
            "no_delivery_is_blocked",
            not blocked,
            f"set aside as a whole: {', '.join(blocked)}"
            if blocked
            else "no delivery was set aside as a whole",
            # It stays so after a corrected file came; whether to publish is asked of the new deliveries only.
            is_error=False,
        ),
        *_usual(given),
    ]


def _usual(given: Given) -> list[Verdict]:
    """Warn of what is unusual for this shop; a night with half the orders may still be right."""
    found = expected(given.table("deliveries"), given.moment.now).collect()
    odd = found.filter(~pl.col("is_usual"))
    late = found.filter(~pl.col("is_fresh"))
    told_odd = [
        f"{row['source']}: {row['rows']:,} rows, usually {row['usual_low']:,.0f} to {row['usual_high']:,.0f}"
        for row in odd.iter_rows(named=True)
    ]
    told_late = [
        f"{row['source']}: nothing new for {row['age_days']:.1f} days, usually every {row['usual_gap_days']:.1f}"
        for row in late.iter_rows(named=True)
    ]
    return [
        Verdict(
            "volume_is_usual", odd.is_empty(), "; ".join(told_odd) or "as many rows as usual", is_error=False
        ),
        Verdict(
            "sources_are_fresh",
            given.shop.sample or late.is_empty(),
            "; ".join(told_late) or "every source came when it usually does",
            is_error=False,
        ),
    ]
