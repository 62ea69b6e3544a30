"""The main job in one process under the lake's lock: ingest, publish for one day, notebooks on what was published.

What is done stands in `pipelines.assets`; this module decides the day, looks before it leaps, and turns what Dagster
raises back into the fault that a person can mend.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from data_contracts.dictionary import delivered_columns
from pipelines.assets.step import Stage
from pipelines.delivery.lists import check_lists
from pipelines.environment import environment
from pipelines.errors import AsOfError, DeliveryError, LabError
from pipelines.ingest.receipts import receipts
from pipelines.ingest.values import local_day, typed
from pipelines.lake import Lake
from pipelines.notebooks.files import Which, some_of
from pipelines.publishable import choose_as_of, refuse_blocked
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot, newest_snapshot
from pipelines.sources.arrivals import Arrival, arrivals

if TYPE_CHECKING:
    from pipelines.assets.build import Reporter


class CheckError(LabError):
    """Tables contradict each other, so nothing is published from them."""


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
    notebooks
        Notebooks that are run on the finished snapshot.
    """

    ready: list[Arrival]
    known: frozenset[str]
    as_of: date | None
    starts_at: Stage
    notebooks: dict[str, Path] = field(default_factory=dict)


def plan_run(
    shop: Shop,
    lake_root: Path,
    as_of: date | None,
    starts_at: Stage = Stage.LANDING,
    now: datetime | None = None,
    notebooks: Which = Which.NONE,
) -> Plan:
    """Look at everything that could stop a run, without changing anything.

    Raises
    ------
    DeliveryError, ShopError
        A file cannot be taken, a list's rule cannot be asked, or two notebooks have one name.
    AsOfError
        The day lies before the first order or in the future.
    LakeError
        The folder is something else than a lake, or not there to go on from.
    """
    today = (now or datetime.now(UTC)).astimezone(shop.zone).date()
    if as_of is not None and as_of > today:
        raise AsOfError(
            f"--as-of {as_of} lies in the future (today is {today}). Give a past day or leave it out."
        )
    ready = arrivals(shop) if starts_at is Stage.LANDING else []
    known: frozenset[str] = frozenset()
    if starts_at is not Stage.LANDING or (lake_root.exists() and any(lake_root.iterdir())):
        known = frozenset(receipt.delivery_id for receipt in receipts(Lake.open(lake_root, shop.name)))
    check_lists(shop)
    if as_of is not None:
        _check_not_before_first_order(shop, ready, as_of)
    return Plan(ready, known, as_of, starts_at, some_of(shop, notebooks))


def run_shop(
    shop: Shop,
    lake_root: Path,
    plan: Plan,
    reporter: "Reporter | None" = None,
    now: datetime | None = None,
    *,
    refit: bool = False,
) -> Snapshot:
    """Ingest, publish and run notebooks as planned; returns the finished snapshot.

    ``refit`` fits the models before their week is over. Notebooks that fail are noted in the table ``notebooks``; the
    snapshot stands.

    Raises
    ------
    LabError
        Something that a person can mend; the newest snapshot is as it was.
    """
    lake = Lake.make(lake_root, shop.name)
    started = now or datetime.now(UTC)
    with lake.lock("retention run"), _dagster_home(lake_root):
        import dagster as dg
        from dagster._core.errors import DagsterAssetCheckFailedError

        from pipelines.assets.build import Overrides
        from pipelines.assets.notebooks import keys_of_notebooks
        from pipelines.definitions import build_defs, job_name

        overrides = Overrides(lake=lake_root, reporter=reporter, holds_lock=True, now=now, refit=refit)
        defs = build_defs(shop=shop, overrides=overrides)
        with dg.DagsterInstance.get() as instance:

            def execute(job: str, chosen: list[dg.AssetKey], partition: str | None = None) -> None:
                if not chosen:
                    return
                try:
                    defs.resolve_job_def(job_name(shop, job)).execute_in_process(
                        instance=instance,
                        partition_key=partition,
                        asset_selection=chosen,
                        # A failed step is told once, by the command; Dagster keeps its own record of it.
                        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                    )
                except DagsterAssetCheckFailedError as error:
                    raise CheckError(
                        f"{' '.join(str(error).split())}. Nothing was published; the newest finished run is as it "
                        "was. This is a fault of the program: please report it."
                    ) from error

            def steps_of_job(job: str) -> list[dg.AssetKey]:
                return [dg.AssetKey([shop.name, name]) for name in _selection(shop, plan.starts_at, job)]

            execute("ingest", steps_of_job("ingest"))
            _refuse_blocked(shop, lake, started)
            as_of = choose_as_of(shop, lake, plan.as_of)
            execute("publish", steps_of_job("publish"), as_of.isoformat())
            # Which failed stands in their table; the run itself has succeeded.
            with suppress(dg.Failure):
                execute("notebooks", keys_of_notebooks(shop, plan.notebooks), as_of.isoformat())
    return newest_snapshot(lake, as_of)


def _refuse_blocked(shop: Shop, lake: Lake, started: datetime) -> None:
    """Stop where a delivery was set aside as a whole, and show it: the page is most wanted then."""
    from pipelines.report.contracts import write_contracts_page

    try:
        refuse_blocked(lake, started)
    except DeliveryError as error:
        page = write_contracts_page(lake, shop, started)
        raise DeliveryError(f"{error} See {page}.") from error


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
    # Twenty events a write: SQLite would otherwise commit each of some six hundred, a third of a quick run's time.
    with environment({"DAGSTER_HOME": str(home), "DAGSTER_EVENT_BATCH_SIZE": "20"}):
        yield
