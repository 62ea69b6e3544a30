"""What people open: the report; and the snapshot that ends a run.

Charts and pages are made in `pipelines.report`. Notebooks are run on the finished snapshot, by
`pipelines.assets.notebooks`.
"""

import hashlib
from functools import partial
from pathlib import Path

import polars as pl

from data_contracts import table as promise
from pipelines.assets.given import Given
from pipelines.assets.landing import connected_tables
from pipelines.assets.program import code_version
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.ingest.expectations import expected
from pipelines.notebooks import kept
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot

_Step = partial(Step, stage=Stage.PRESENTATION, keeps=Keeps.OTHER_DAYS)

SHOWN = (
    "contract_results",
    "orders",
    "order_lines",
    "returns",
    "survey_answers",
    "purchases",
    "cohort_retention",
    "purchase_latency",
    "repeat_purchase",
    "revenue",
    "revenue_bridge",
    "return_rates",
    "refund_speed",
    "satisfaction",
    "score_behaviour",
    "service_rates",
    "aftermath",
    "readiness",
    "purchase_models",
    "backtest",
    "backtest_calibration",
    "decile_lift",
    "tracking",
    "frequency_recency",
    "purchase_paths",
    "churn_importances",
    "champions",
    "claims",
    "customer_predictions",
    "customer_profile",
    "stage_cuts",
    "stage_transitions",
    "rfm",
    "rfm_cuts",
    "campaign_lists",
)
"""Tables that the report shows; `deliveries` is shown too, and a file that only came again does not change the
report, so its row is not waited for."""


NOT_SHOWN = (
    "list_files",
    "campaign_results",
    "contact_pressure",
    "expired_files",
    "segment_members",
    "customer_summary",
    "latency_quantiles",
    "satisfaction_break_downs",
    "backtest_candidates",
    "backtest_origins",
    "backtest_cohorts",
    "prediction_drivers",
)
"""Tables that no page shows and no other table is made from: the run waits for them before its snapshot."""


def steps(shop: Shop) -> list[Step]:
    """Report and page of contracts, snapshot."""
    return [
        _Step(
            table="reports",
            # Contracts are told by faults and quarantine, and a changed share that blocks changes the latter only.
            reads=(*SHOWN, *(f"{table}_quarantine" for table in connected_tables(shop))),
            make=_reports,
            settings=("title", "attribution", "sample", "currency", "timezone", "sources", "contracts"),
            identity=_late_sources,
        ),
        Step(
            table="snapshots",
            stage=Stage.SNAPSHOT,
            keeps=Keeps.EVERYTHING,
            reads=("reports", *NOT_SHOWN, "deliveries"),
            make=_snapshot,
        ),
    ]


def _reports(given: Given) -> pl.LazyFrame:
    """The report of the day, and beside it the page of contracts as it was then."""
    from pipelines.report.contracts import FILE_NAME, write_contracts_page
    from pipelines.report.report import render_report

    made = given.moment.now.strftime("%Y-%m-%d %H:%M UTC")
    page = render_report(given.table, given.shop, given.as_of, made).encode()
    contracts = write_contracts_page(given.lake, given.shop, given.moment.now).read_bytes()
    return _kept(given, {"report": ("report.html", page), "contracts": (FILE_NAME, contracts)})


def _late_sources(given: Given) -> str:
    """Name the sources that are late: time alone makes one so, and then the page of contracts must say it."""
    if given.shop.sample:
        return ""
    found = expected(given.table("deliveries"), given.moment.now).filter(~pl.col("is_fresh"))
    return ",".join(found.select("source").collect()["source"])


def _kept(given: Given, pages: dict[str, tuple[str, bytes]]) -> pl.LazyFrame:
    """Write pages under the lake and say which."""
    folder = given.lake.root / "reports" / given.as_of.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    for page, (file_name, data) in pages.items():
        path = folder / file_name
        draft = path.with_suffix(".draft")
        draft.write_bytes(data)
        draft.replace(path)
        rows.append(
            {
                "as_of": given.as_of,
                "page": page,
                "file_name": str(Path(path).relative_to(given.lake.root)),
                "bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
            }
        )
    return pl.DataFrame(rows, schema=dict(promise("reports").schema)).lazy()


def _snapshot(given: Given) -> pl.LazyFrame:
    newest_only = {step.table for step in given.steps.values() if step.keeps is Keeps.NEWEST_DAY}
    versions = {
        name: version
        for name, version in given.lake.versions().items()
        # What notebooks come to is written after it.
        if name not in ("snapshots", kept.TABLE)
        and (name not in newest_only or given.lake.as_of(name) == given.as_of)
    }
    return (
        Snapshot(
            snapshot_id=f"{given.as_of.isoformat()}-{given.moment.run_id[:8]}",
            run_id=given.moment.run_id,
            as_of=given.as_of,
            finished_at=given.moment.now,
            versions=versions,
            settings_hash=given.shop.settings_hash(),
            code_version=code_version(),
        )
        .row()
        .lazy()
    )
