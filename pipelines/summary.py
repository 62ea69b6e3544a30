"""What a run came to, for a terminal and for scripts: conservation, orders, retention, predictions, lists."""

import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.lake import Lake
from pipelines.notebooks.files import notebooks_of
from pipelines.notebooks.kept import outcomes
from pipelines.own_models.left_out import left_out
from pipelines.report.numbers import valid_orders
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot

MOST_LETTERS = 200
"""Of a reason why a model took no part; table ``backtest_candidates`` has all of it."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run's figures as a dictionary and as text."""

    facts: dict[str, Any]
    text: str


def summarise(shop: Shop, lake: Lake, snapshot: Snapshot, seconds: float) -> RunSummary:
    """Gather a finished run's figures from its tables."""

    def table(name: str) -> pl.LazyFrame:
        return lake.scan(name, version=snapshot.versions.get(name))

    def of_day(name: str) -> pl.DataFrame:
        return table(name).filter(pl.col("as_of") == snapshot.as_of).collect()

    def pages(page: str) -> list[str]:
        return [str(lake.root / name) for name in of_day("reports").filter(page=page)["file_name"]]

    went = ["rows", "accepted", "quarantined", "replayed", "erased"]
    conserved = (
        table("deliveries")
        .select(pl.len().alias("deliveries"), pl.col(went).sum())
        .collect()
        .row(0, named=True)
    )
    orders = table("orders")
    counted = (
        orders.select(
            pl.len().alias("orders"),
            pl.col("is_valid").sum().alias("valid"),
            (pl.col("is_valid") & pl.col("customer_key").is_null()).sum().alias("valid_without_customer"),
        )
        .collect()
        .row(0, named=True)
    )
    # As the report says it: less the refunds that were known on the day.
    known = valid_orders(orders, table("returns"), snapshot.as_of)
    counted["net"] = known.select(pl.col("net_by_as_of").sum().cast(pl.Float64)).collect().item()
    notebooks = outcomes(lake, shop, snapshot, notebooks_of(shop)).values()
    facts: dict[str, Any] = {
        "shop": shop.name,
        "as_of": snapshot.as_of,
        "snapshot": snapshot.snapshot_id,
        "conservation": conserved,
        "rules": table("contract_results")
        .filter(pl.col("failed") > 0)
        .select("table", "rule", "severity", "failed")
        .collect()
        .to_dicts(),
        "orders": counted,
        "excluded": _counts(orders, "excluded_because"),
        "returns": _counts(table("returns").filter(pl.col("kind") == "merchandise"), "match_rule"),
        "customers": of_day("customer_profile").height,
        "stages": _counts(of_day("customer_profile").lazy(), "stage"),
        "readiness": of_day("readiness").to_dicts(),
        "champions": of_day("champions").select("quantity", "model", "reason").to_dicts(),
        "left_out": _own_left_out(shop, of_day("backtest_candidates")) if shop.models else [],
        "lists": of_day("campaign_lists")
        .select("list_id", "title", "deliverable", "held_out", "base_rate", "detectable_lift")
        .to_dicts(),
        "files": [str(lake.root / name) for name in of_day("list_files")["file_name"]],
        "report": pages("report"),
        "contracts": pages("contracts"),
        "notebooks": [str(one.page) for one in notebooks if one.error is None],
        "failed_notebooks": [
            {"notebook": one.name, "error": one.error, "page": str(one.page)}
            for one in notebooks
            if one.error
        ],
        "seconds": round(seconds, 1),
        "peak_memory_gb": round(_peak_memory(), 2),
    }
    return RunSummary(facts, _text(shop, facts))


def _own_left_out(shop: Shop, candidates: pl.DataFrame) -> list[dict[str, str]]:
    """The shop's own models that were not measured, and why; of the program's the report tells."""
    own = candidates.filter(pl.col("model").is_in([one.name for one in shop.models]))
    return [{"model": one.model, "says": one.says(MOST_LETTERS)} for one in left_out(own)]


def _counts(frame: pl.LazyFrame, column: str) -> dict[str, int]:
    counted = (
        frame.filter(pl.col(column).is_not_null())
        .group_by(column)
        .len()
        .sort("len", column, descending=[True, False])
    )
    return dict(counted.collect().iter_rows())


def _peak_memory() -> float:
    """Largest memory of this process or one it started, in GB."""
    used = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return used * (1 if sys.platform == "darwin" else 1024) / 1e9


def _text(shop: Shop, facts: dict[str, Any]) -> str:
    kept, orders = facts["conservation"], facts["orders"]
    lines = [
        f"{shop.title}, as of {facts['as_of']} (snapshot {facts['snapshot']})",
        "",
        f"Delivered      {kept['rows']:,} rows in {kept['deliveries']} deliveries = {kept['accepted']:,} accepted "
        f"+ {kept['quarantined']:,} quarantined + {kept['replayed']:,} replayed + {kept['erased']:,} erased",
        *(
            f"               {rule['rule']}: {rule['failed']:,} rows ({rule['severity']})"
            for rule in facts["rules"]
        ),
        f"Orders         {orders['orders']:,}, of which {orders['valid']:,} valid "
        f"({orders['valid_without_customer']:,} without a customer), net {orders['net']:,.2f} {shop.currency}",
        *(f"               not counted: {count:,} {reason}" for reason, count in facts["excluded"].items()),
        "Returns        "
        + (
            ", ".join(f"{count:,} {rule.replace('_', ' ')}" for rule, count in facts["returns"].items())
            or "none"
        ),
        f"Customers      {facts['customers']:,}: "
        + ", ".join(f"{count:,} {stage.replace('_', ' ')}" for stage, count in facts["stages"].items()),
    ]
    if facts["champions"]:
        lines += [f"Champion       {row['quantity']}: {row['reason']}" for row in facts["champions"]]
    elif facts["readiness"]:
        lines.append(f"Predictions    not ready because {facts['readiness'][0]['reasons']}")
    lines += [f"Own models     {one['says']}" for one in facts["left_out"]]
    for row in facts["lists"]:
        lift = row["detectable_lift"]
        told = (
            "no lift can be shown"
            if lift is None
            else f"detects +{100 * lift:.1f} points on {100 * row['base_rate']:.1f} %"
        )
        lines.append(
            f"List           {row['title']}: {row['deliverable']:,} people, {row['held_out']:,} held out, {told}"
        )
    lines += [
        *_files(facts["files"]),
        *(f"Report         {path}" for path in facts["report"]),
        *(f"Contracts      {path}" for path in facts["contracts"]),
        *(f"Notebook       {path}" for path in facts["notebooks"]),
        *(
            f"Notebook       {one['notebook']} failed: {one['error']}. As far as it got: {one['page']}; "
            "open it with `retention lab`"
            for one in facts["failed_notebooks"]
        ),
        f"Took           {facts['seconds']:.1f} s, at most {facts['peak_memory_gb']:.2f} GB",
    ]
    return "\n".join(lines)


def _files(paths: list[str]) -> list[str]:
    """Say where the lists' files lie, and how people come by them."""
    if not paths:
        return []
    folder = Path(paths[0]).parents[1]
    return [
        f"Files          {len(paths)} in {folder}; to hand out: `retention portal`, `retention download LIST`"
    ]
