"""The main job in one process: ingest, then publish for one day, under the lake's lock.

What is done stands in `pipelines.assets`; this module decides the day, looks before it leaps, and turns what Dagster
raises back into the fault that a person can mend.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from data_contracts.dictionary import delivered_columns
from pipelines.assets.step import Stage
from pipelines.errors import AsOfError, DeliveryError
from pipelines.ingest.values import local_day, typed
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot, newest_snapshot
from pipelines.sources.arrivals import Arrival, arrivals

if TYPE_CHECKING:
    from pipelines.assets.build import Reporter


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    Attributes
    ----------
    ready
        Deliveries that lie ready, in the order in which they would be taken.
    known
        Ids of those that were taken before.
    as_of
        The day asked for; None means the day of the newest order.
    """

    ready: list[Arrival]
    known: frozenset[str]
    as_of: date | None
    starts_at: Stage


def plan_run(
    shop: Shop,
    lake_root: Path,
    as_of: date | None,
    starts_at: Stage = Stage.LANDING,
    now: datetime | None = None,
) -> Plan:
    """Look at everything that could stop a run, without changing anything.

    Raises
    ------
    DeliveryError, ShopError
        A file cannot be taken.
    AsOfError
        The day lies before the first order or in the future.
    LakeError
        The folder is something else than a lake.
    """
    today = (now or datetime.now(UTC)).astimezone(shop.zone).date()
    if as_of is not None and as_of > today:
        raise AsOfError(
            f"--as-of {as_of} lies in the future (today is {today}). Give a past day or leave it out."
        )
    ready = arrivals(shop) if starts_at is Stage.LANDING else []
    known: frozenset[str] = frozenset()
    if lake_root.exists() and any(lake_root.iterdir()):
        lake = Lake.open(lake_root)
        known = frozenset(
            delivery
            for name in lake.names()
            if name.startswith("raw_")
            for delivery in lake.scan(name).select(pl.col("delivery_id").unique()).collect().to_series()
        )
    if as_of is not None:
        _check_not_before_first_order(shop, ready, as_of)
    return Plan(ready, known, as_of, starts_at)


def run_shop(
    shop: Shop, lake_root: Path, plan: Plan, reporter: "Reporter | None" = None, now: datetime | None = None
) -> Snapshot:
    """Ingest and publish as planned; returns the finished snapshot.

    Raises
    ------
    LabError
        Something that a person can mend; the newest snapshot is as it was.
    """
    lake = Lake.make(lake_root, shop.name)
    with lake.lock("retention run"), _dagster_home(lake_root):
        import dagster as dg

        from pipelines.assets.build import Overrides
        from pipelines.definitions import build_defs, job_name

        overrides = Overrides(lake=lake_root, reporter=reporter, holds_lock=True, now=now)
        defs = build_defs(shop=shop, overrides=overrides)
        with dg.DagsterInstance.get() as instance:

            def execute(job: str, partition: str | None = None) -> None:
                chosen = _selection(shop, plan.starts_at, job)
                if not chosen:
                    return
                defs.resolve_job_def(job_name(shop, job)).execute_in_process(
                    instance=instance,
                    partition_key=partition,
                    asset_selection=[dg.AssetKey([shop.name, name]) for name in chosen],
                    # A failed step is told once, by the command; Dagster keeps its own record of it.
                    run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                )

            execute("ingest")
            _refuse_blocked(lake, plan)
            as_of = choose_as_of(shop, lake, plan.as_of)
            execute("publish", as_of.isoformat())
    return newest_snapshot(lake, as_of)


def choose_as_of(shop: Shop, lake: Lake, asked: date | None) -> date:
    """The day to publish: the one asked for, else that of the newest order.

    Raises
    ------
    AsOfError
        There is no order yet, or the newest is older than the shop's max_age_days at that day.
    """
    days = (
        lake.scan("orders")
        .filter("is_valid")
        .select(pl.col("order_day").min().alias("first"), pl.col("order_day").max().alias("last"))
    )
    first, last = days.collect().row(0)
    if last is None:
        raise AsOfError(f"{shop.title} has no valid order yet, so there is nothing to publish.")
    if asked is None:
        return last
    if asked < first:
        raise AsOfError(f"--as-of {asked} lies before the first order ({first}). Give a later day.")
    if not shop.sample and (asked - last).days > shop.max_age_days:
        raise AsOfError(
            f"The newest order is of {last}, {(asked - last).days} days before --as-of {asked}; the shop allows "
            f"{shop.max_age_days} (max_age_days). Deliver newer orders first, or publish for {last}."
        )
    return asked


def _check_not_before_first_order(shop: Shop, ready: list[Arrival], as_of: date) -> None:
    if as_of < shop.history_start:
        raise AsOfError(
            f"--as-of {as_of} lies before the shop's history, which starts on {shop.history_start}. Give a later day."
        )
    column = tuple(column for column in delivered_columns("orders") if column.name == "ordered_at")
    firsts = [
        typed(arrival.rows().select("ordered_at"), column, shop.zone)
        .select(local_day(pl.col("ordered_at").min(), shop.zone))
        .collect()
        .item()
        for arrival in ready
        if arrival.source.table == "orders"
    ]
    known = [first for first in firsts if first is not None]
    if known and as_of < min(known):
        raise AsOfError(f"--as-of {as_of} lies before the first order ({min(known)}). Give a later day.")


def _selection(shop: Shop, starts_at: Stage, job: str) -> list[str]:
    from pipelines.assets.catalogue import steps_of

    order = list(Stage)
    return [
        name
        for name, step in steps_of(shop).items()
        if step.stage.is_ingest == (job == "ingest") and order.index(step.stage) >= order.index(starts_at)
    ]


def _refuse_blocked(lake: Lake, plan: Plan) -> None:
    """Stop before publishing when a delivery of this run was set aside as a whole."""
    new = [arrival.delivery_id for arrival in plan.ready if arrival.delivery_id not in plan.known]
    blocked = (
        lake.scan("deliveries").filter(pl.col("is_blocked") & pl.col("delivery_id").is_in(new)).collect()
    )
    if blocked.is_empty():
        return
    told = [
        f"{row['file_name']} ({row['source']}): {row['quarantined']:,} of {row['rows']:,} rows"
        for row in blocked.iter_rows(named=True)
    ]
    table = blocked["table"][0]
    worst = (
        lake.scan(f"{table}_faults")
        .filter(pl.col("severity") == "critical")
        .group_by("rule")
        .len()
        .sort("len", descending=True)
        .collect()
    )
    rules = ", ".join(f"{rule} on {count:,} rows" for rule, count in worst.iter_rows())
    raise DeliveryError(
        f"Set aside as a whole: {'; '.join(told)}. Rules that failed: {rules}. Nothing was published. "
        "Deliver a corrected file and run again; the rows wait in quarantine meanwhile."
    )


def prepare_dagster_home(lake_root: Path) -> Path:
    """Dagster keeps its records in the lake, so that nothing is written elsewhere."""
    home = lake_root / ".dagster"
    home.mkdir(exist_ok=True)
    if not (home / "dagster.yaml").exists():
        shutil.copyfile(Path(__file__).parent / "dagster.yaml", home / "dagster.yaml")
    return home


@contextmanager
def _dagster_home(lake_root: Path) -> Iterator[None]:
    home = prepare_dagster_home(lake_root)
    before = os.environ.get("DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(home)
    try:
        yield
    finally:
        if before is None:
            del os.environ["DAGSTER_HOME"]
        else:
            os.environ["DAGSTER_HOME"] = before
