"""A lake with a table of 28 million composed orders, and what a lab takes to show of it; no person behind any row.

Run as ``python -m tests.benchmarks.composed_lab write|head|chart ...``: each measure in a process of its own.
"""

import json
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from data_contracts import table
from pipelines.lab import Lab
from pipelines.lake import Lake
from pipelines.snapshots import Snapshot
from tests.benchmarks.composed_orders import orders

AS_OF = date(2023, 12, 31)
SHOP = """
name = "composed"
title = "Composed shop"
timezone = "UTC"
currency = "EUR"
history_start = 2022-01-01

[[sources]]
name = "orders"
table = "orders"
format = "csv"
path = "deliveries/*.csv"
"""
QUERY = "SELECT order_day, count(*) AS orders, sum(gross) AS gross FROM orders GROUP BY 1 ORDER BY 1 LIMIT 5"


def write(folder: Path, customers: int) -> None:
    """Make the shop, and a lake with its orders, its customers' profiles, and a snapshot of both."""
    shop = folder / "shop"
    (shop / "deliveries").mkdir(parents=True)
    (shop / "shop.toml").write_text(SHOP, encoding="utf-8")
    lake = Lake.make(folder / "lake", "composed")
    facts = orders(customers)
    lake.replace("orders", _promised("orders", facts), fingerprint="composed")
    people = facts.select("customer_key").unique().with_columns(as_of=pl.lit(AS_OF), valid_orders=pl.lit(1))
    lake.replace(
        "customer_profile", _promised("customer_profile", people), fingerprint="composed", as_of=AS_OF
    )
    versions = lake.versions()
    snapshot = Snapshot("composed", "composed", AS_OF, datetime(2024, 1, 1, tzinfo=UTC), versions, "", "")
    lake.append("snapshots", snapshot.row().lazy(), fingerprint="composed")
    sys.stdout.write(json.dumps({"orders": facts.height, "customers": people.height}))


def _promised(name: str, rows: pl.DataFrame) -> pl.LazyFrame:
    columns = (
        pl.col(column).cast(kind) if column in rows.columns else pl.lit(None, kind).alias(column)
        for column, kind in table(name).schema.items()
    )
    return rows.lazy().select(*columns)


def seconds(folder: Path) -> dict[str, float]:
    """Time the first rows of both tables, the first ever and once warm, and one question in SQL."""
    lab = Lab.open(folder / "shop", folder / "lake")
    asked = {
        "head of orders, first": lambda: lab.read("orders").head().collect(),
        "head of orders, again": lambda: lab.read("orders").head().collect(),
        "head of customer_profile (by as_of)": lambda: lab.read("customer_profile").head().collect(),
        "lab.has": lambda: lab.has("orders"),
        "orders by day in SQL": lambda: lab.sql(QUERY),
        "lab.tables()": lab.tables,
    }
    seen: dict[str, float] = {}
    for what, ask in asked.items():
        started = time.perf_counter()
        ask()
        seen[what] = time.perf_counter() - started
    return seen


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.stdout.write(json.dumps(seconds(Path(sys.argv[2]))))
