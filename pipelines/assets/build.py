"""Make Dagster assets of steps: keys prefixed by the shop, checks, counts and a preview as metadata.

Nothing is computed here. Which steps there are is said by `pipelines.assets.catalogue`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import dagster as dg
import polars as pl

from data_contracts import Privacy
from data_contracts import table as promise
from pipelines.assets.given import Given
from pipelines.assets.run import UNIQUE_KEY, carry_out
from pipelines.assets.step import Keeps, Moment, Outcome, Step
from pipelines.lake import Lake, find_lake_folder
from pipelines.notebooks.night import Listener
from pipelines.shop import Shop

REFIT_TAG = "retention/refit"
"""Tag of a run, "true" where models are to be fitted anew: how Dagster's page asks for it."""
PREVIEW_ROWS = 5
ANONYMOUS = (Privacy.NONE,)


class Reporter(Listener, Protocol):
    """Who wants to hear how a run gets on, its notebooks included."""

    def started(self, step: Step) -> None:
        """A step begins."""
        ...

    def finished(self, step: Step, outcome: Outcome) -> None:
        """A step is done."""
        ...


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a caller may set otherwise than the deployment does.

    Attributes
    ----------
    lake
        The lake's folder; see `pipelines.lake.find_lake_folder` for the default.
    reporter
        Hears of every step.
    holds_lock
        The caller holds the lake's lock already.
    now
        The time that the run takes as the present.
    refit
        Fit the models anew, whether it is time or not.
    """

    lake: Path | None = None
    reporter: Reporter | None = None
    holds_lock: bool = False
    now: datetime | None = None
    refit: bool = False


class LakeLock(dg.ConfigurableResource):
    """Holds the lake for one run, so that two runs never write at once."""

    shop_folder: str
    lake: str
    is_held: bool = False

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["LakeLock"]:
        """Hold the lock while the run lasts."""
        shop = Shop.open(self.shop_folder)
        lake = Lake.make(Path(self.lake), shop.name)
        with nullcontext() if self.is_held else lake.lock("a scheduled run"):
            yield self


def partitions(shop: Shop) -> dg.DailyPartitionsDefinition:
    """One partition a day from the start of the shop's history, today included: the partition is the as_of."""
    return dg.DailyPartitionsDefinition(
        start_date=shop.history_start.isoformat(), timezone=shop.timezone, end_offset=1
    )


def lock_name(shop: Shop) -> str:
    """Name of the shop's lock among the resources."""
    return f"{shop.name}_lake"


def asset_of(step: Step, steps: Mapping[str, Step], shop: Shop, overrides: Overrides) -> dg.AssetsDefinition:
    """One Dagster asset that carries one step out."""
    key = dg.AssetKey([shop.name, step.table])
    table = promise(step.table)

    @dg.asset(
        key=key,
        deps=[dg.AssetKey([shop.name, name]) for name in step.reads if name in steps],
        group_name=step.stage.value,
        description=f"One row per {table.grain}. {table.meaning}",
        partitions_def=None if step.stage.is_ingest else partitions(shop),
        check_specs=[
            dg.AssetCheckSpec(name, asset=key, description=name.replace("_", " "), blocking=True)
            for name in (UNIQUE_KEY, *step.check_names)
        ],
        required_resource_keys={lock_name(shop)},
        kinds={"polars", "delta"},
        metadata={"dagster/column_schema": _column_schema(step.table)},
    )
    def _asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        lake = Lake.make(overrides.lake or find_lake_folder(shop.name), shop.name)
        as_of = None if step.stage.is_ingest else date.fromisoformat(context.partition_key)
        refit = overrides.refit or context.run.tags.get(REFIT_TAG) == "true"
        moment = Moment(context.run.run_id, overrides.now or datetime.now(UTC), as_of, refit)
        given = Given(shop, lake, moment, steps)
        if overrides.reporter:
            overrides.reporter.started(step)
        outcome = carry_out(step, given)
        if overrides.reporter:
            overrides.reporter.finished(step, outcome)
        return _result(step, given, outcome)

    return _asset


def _result(step: Step, given: Given, outcome: Outcome) -> dg.MaterializeResult:
    metadata: dict[str, Any] = {
        "dagster/row_count": outcome.rows,
        "version": outcome.version,
        "was_unchanged": outcome.was_unchanged,
        "seconds": round(outcome.seconds, 3),
    }
    if not outcome.was_unchanged:
        metadata["preview"] = dg.MetadataValue.md(_preview(step, given))
        if step.picture and outcome.rows:
            metadata["picture"] = dg.MetadataValue.md(_picture(step, given))
    return dg.MaterializeResult(
        metadata=metadata,
        check_results=[
            dg.AssetCheckResult(
                passed=verdict.passed,
                check_name=verdict.check,
                severity=dg.AssetCheckSeverity.ERROR if verdict.is_error else dg.AssetCheckSeverity.WARN,
                description=verdict.says,
            )
            for verdict in outcome.verdicts
        ],
    )


def _rows(step: Step, given: Given) -> pl.LazyFrame:
    return given.lake.scan(step.table, as_of=given.as_of if step.keeps is Keeps.OTHER_DAYS else None)


def _preview(step: Step, given: Given) -> str:
    """The first rows as a table, without any column that says something of a person."""
    shown = promise(step.table).columns_of(*ANONYMOUS)
    frame = _rows(step, given).select(shown).head(PREVIEW_ROWS).collect()
    with pl.Config(
        tbl_formatting="MARKDOWN", tbl_hide_column_data_types=True, tbl_cols=-1, tbl_hide_dataframe_shape=True
    ):
        return str(frame)


def _picture(step: Step, given: Given) -> str:
    import base64

    from pipelines.report import charts
    from pipelines.report.pictures import to_svg

    assert step.picture is not None
    # A picture of lines takes half the time of one of dots, and a third of the space among Dagster's records.
    drawn = to_svg(getattr(charts, step.picture)(_rows(step, given)))
    image = base64.b64encode(drawn.encode()).decode()
    return f"![{step.table}](data:image/svg+xml;base64,{image})"


def _column_schema(name: str) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                type=column.kind,
                description=f"{column.meaning}{f' [{column.unit}]' if column.unit else ''} ({column.privacy})",
            )
            for column in promise(name).columns
        ]
    )


def yesterday(shop: Shop, tick: datetime) -> date:
    """The shop-local day before a tick: the day that a nightly run computes."""
    return tick.astimezone(shop.zone).date() - timedelta(days=1)
