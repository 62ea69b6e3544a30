"""The passes over all orders against their floor: a bare scan and group_by of the same file in the same run."""

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data_contracts import table
from models.cohorts import cohort_retention
from models.summary import customer_summary, distinct_triples, purchases_at
from tests.benchmarks.composed_orders import orders
from tests.benchmarks.conftest import Figures

AS_OF = date(2023, 12, 31)
CUSTOMERS = 1_000_000


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A million customers' orders as a Parquet file."""
    path = tmp_path_factory.mktemp("composed") / "orders.parquet"
    orders(CUSTOMERS).write_parquet(path)
    return path


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _floor(path: Path) -> pl.DataFrame:
    plain = (
        pl.scan_parquet(path)
        .group_by("customer_key")
        .agg(
            pl.len(),
            pl.col("order_day").min().alias("first"),
            pl.col("order_day").max().alias("last"),
            pl.col("gross").sum(),
        )
    )
    return plain.collect(engine="streaming")


def test_summary_and_cohorts_against_the_floor(benchmark: Any, figures: Figures, composed: Path) -> None:
    returns = table("returns").empty().lazy()

    def purchases() -> pl.LazyFrame:
        return purchases_at(pl.scan_parquet(composed), returns, AS_OF)

    def summary() -> pl.DataFrame:
        return customer_summary(purchases(), AS_OF).collect(engine="streaming")

    floor = min(_seconds(lambda: _floor(composed)) for _ in range(3))
    taken = _seconds(lambda: benchmark.pedantic(summary, rounds=1))
    kept = purchases().collect(engine="streaming").lazy()
    cohorts = _seconds(lambda: cohort_retention(kept, AS_OF).collect())
    count = pl.scan_parquet(composed).select(pl.len()).collect().item()
    triples = distinct_triples(summary().lazy()).select(pl.len()).collect().item()
    figures.add(f"floor: scan + group_by of {count:,} orders", f"{floor:.2f} s")
    figures.add("orders -> purchases -> customer summary / floor", f"{taken / floor:.1f} x")
    figures.add("purchases -> four cohort rates by month / floor", f"{cohorts / floor:.1f} x", "<= 3 x")
    figures.add(f"distinct (x, t_x, T) of {CUSTOMERS:,} customers", f"{triples:,}")
