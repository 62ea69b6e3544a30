"""What people open: the report and the executed notebooks; and the snapshot that ends a run.

Charts and pages are made in `pipelines.report`, notebooks stand in notebooks/.
"""

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import polars as pl

from data_contracts import table as promise
from pipelines.assets.given import Given
from pipelines.assets.landing import connected_tables
from pipelines.assets.program import code_version
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.ingest.expectations import expected
from pipelines.notebooks import execute_notebook, notebook_files
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
    "customer_predictions",
    "customer_profile",
    "stage_cuts",
    "stage_transitions",
    "rfm",
    "rfm_cuts",
    "campaign_lists",
)
"""Tables that the report and the notebooks show; `deliveries` is shown too, and a file that only came again changes
neither, so its row is not waited for."""


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
    """Report and page of contracts, notebooks, snapshot."""
    return [
        _Step(
            table="reports",
            # Contracts are told by faults and quarantine, and a changed share that blocks changes the latter only.
            reads=(*SHOWN, *(f"{table}_quarantine" for table in connected_tables(shop))),
            make=_reports,
            settings=("title", "attribution", "sample", "currency", "timezone", "sources", "contracts"),
            identity=_late_sources,
        ),
        _Step(table="notebooks", reads=SHOWN, make=_notebooks, identity=_notebook_sources),
        Step(
            table="snapshots",
            stage=Stage.SNAPSHOT,
            keeps=Keeps.EVERYTHING,
            reads=("reports", "notebooks", *NOT_SHOWN, "deliveries"),
            make=_snapshot,
        ),
    ]


_Pages = dict[str, tuple[str, bytes]]
_BEGUN: dict[tuple[Path, str, str], Future[_Pages]] = {}
"""Pages that are being made, by lake, run and table."""


def _reports(given: Given) -> pl.LazyFrame:
    return _kept(given, "reports", "page", _pages(given, "reports"))


def _rendered(given: Given) -> _Pages:
    """The report of the day, and beside it the page of contracts as it was then."""
    from pipelines.report.contracts import FILE_NAME, write_contracts_page
    from pipelines.report.report import render_report

    made = given.moment.now.strftime("%Y-%m-%d %H:%M UTC")
    page = render_report(given.table, given.shop, given.as_of, made).encode()
    contracts = write_contracts_page(given.lake, given.shop, given.moment.now).read_bytes()
    return {"report": ("report.html", page), "contracts": (FILE_NAME, contracts)}


def _late_sources(given: Given) -> str:
    """Name the sources that are late: time alone makes one so, and then the page of contracts must say it."""
    if given.shop.sample:
        return ""
    found = expected(given.table("deliveries"), given.moment.now).filter(~pl.col("is_fresh"))
    return ",".join(found.select("source").collect()["source"])


def _notebooks(given: Given) -> pl.LazyFrame:
    return _kept(given, "notebooks", "page", _pages(given, "notebooks"))


def _pages(given: Given, name: str) -> _Pages:
    """Make pages; with the first to be asked for the other begins too, if it is due.

    Both are made of the same tables, and a notebook's kernel is a process of its own that is mostly waited for.
    """
    run = given.lake.root, given.moment.run_id
    if (*run, name) not in _BEGUN:
        threads = ThreadPoolExecutor(max_workers=len(_MAKERS))
        for table, make in _MAKERS.items():
            if table == name or _is_due(given, table):
                _BEGUN[*run, table] = threads.submit(make, given)
        threads.shutdown(wait=False)
    return _BEGUN.pop((*run, name)).result()


def _is_due(given: Given, table: str) -> bool:
    step = given.steps.get(table)
    return step is not None and given.fingerprint(table) != given.fingerprint_of(step)


def _executed(given: Given) -> _Pages:
    return {path.stem: (f"{path.stem}.html", execute_notebook(path, given)) for path in notebook_files()}


def _notebook_sources(_: Given) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in notebook_files())).hexdigest()


_MAKERS = {"reports": _rendered, "notebooks": _executed}


def _kept(given: Given, name: str, key: str, pages: _Pages) -> pl.LazyFrame:
    """Write pages under the lake and say which."""
    folder = given.lake.root / name / given.as_of.isoformat()
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
                key: page,
                "file_name": str(Path(path).relative_to(given.lake.root)),
                "bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
            }
        )
    return pl.DataFrame(rows, schema=dict(promise(name).schema)).lazy()


def _snapshot(given: Given) -> pl.LazyFrame:
    newest_only = {step.table for step in given.steps.values() if step.keeps is Keeps.NEWEST_DAY}
    versions = {
        name: version
        for name, version in given.lake.versions().items()
        if name != "snapshots" and (name not in newest_only or given.lake.as_of(name) == given.as_of)
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
