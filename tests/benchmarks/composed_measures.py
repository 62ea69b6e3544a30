"""One pass over all orders of composed customers, in a process of its own: seconds, processor time, peak memory.

`python -m tests.benchmarks.composed_measures MEASURE FOLDER [TIMES]` reads what the same put into FOLDER before
with `write` for MEASURE and a number of customers for TIMES.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl

from data_contracts import table
from models.cohorts import cohort_retention
from models.periods import PERIOD_UNITS
from models.summary import customer_summary, distinct_triples, purchases_at
from tests.benchmarks.composed_orders import orders

AS_OF = date(2023, 12, 31)
PART = 1_000_000
"""Customers a file: a shop of ten million is never in memory as a whole."""


def write_orders(folder: Path, customers: int) -> None:
    """Write the orders of ``customers`` people as Parquet files."""
    folder.mkdir()
    for number, start in enumerate(range(0, customers, PART)):
        part = orders(min(PART, customers - start), seed=1 + number).with_columns(
            pl.format("{}-{}", pl.lit(number), "order_id").alias("order_id"),
            pl.format("{}-{}", pl.lit(number), "customer_key").alias("customer_key"),
        )
        # As shops have them: by day, no customer's orders together.
        part.sort("order_day").write_parquet(folder / f"orders-{number:02}.parquet")


def _orders(folder: Path) -> pl.LazyFrame:
    return pl.scan_parquet(folder / "orders-*.parquet")


def _stored(folder: Path) -> pl.LazyFrame:
    return pl.scan_parquet(folder / "purchases.parquet")


def _purchases(folder: Path) -> pl.LazyFrame:
    return purchases_at(_orders(folder), table("returns").empty().lazy(), AS_OF)


def _floor(folder: Path) -> int:
    plain = _orders(folder).group_by("customer_key")
    named = {
        "orders": pl.len(),
        "first": pl.col("order_day").min(),
        "last": pl.col("order_day").max(),
        "gross": pl.col("gross").sum(),
    }
    return plain.agg(**named).collect(engine="streaming").height


def _store(folder: Path) -> int:
    _purchases(folder).sink_parquet(folder / "purchases.parquet")
    return _stored(folder).select(pl.len()).collect().item()


def _summary(folder: Path) -> int:
    return customer_summary(_purchases(folder), AS_OF).collect(engine="streaming").height


def _triples(folder: Path) -> int:
    return distinct_triples(customer_summary(_stored(folder), AS_OF)).collect(engine="streaming").height


def _cohorts(folder: Path) -> int:
    return cohort_retention(_stored(folder), AS_OF).collect().height


def _all_units(folder: Path) -> int:
    tables = [cohort_retention(_stored(folder), AS_OF, period_unit=unit) for unit in PERIOD_UNITS]
    return pl.concat(tables).collect().height


def _broken_down(folder: Path) -> int:
    """Five attributes of eleven values each, which have nothing to do with anything."""
    names = [f"attribute_{number}" for number in range(5)]
    attributes = (
        _stored(folder)
        .select(pl.col("customer_key").unique())
        .with_columns(
            pl.format("value {}", pl.col("customer_key").hash(number) % 11).alias(name)
            for number, name in enumerate(names)
        )
    )
    made = cohort_retention(_stored(folder), AS_OF, first_order_attributes=attributes, break_downs=names)
    return made.collect().height


MEASURES: dict[str, Callable[[Path], int]] = {
    "floor": _floor,
    "store": _store,
    "summary": _summary,
    "triples": _triples,
    "cohorts": _cohorts,
    "all_units": _all_units,
    "broken_down": _broken_down,
}


def _measured(measure: Callable[[Path], int], folder: Path, times: int) -> dict[str, float]:
    """Give the least of some times, as a busy machine makes them longer and nothing makes them shorter."""
    seconds: list[float] = []
    of_processors: list[float] = []
    rows = 0
    for _ in range(times):
        started, worked = time.perf_counter(), time.process_time()
        rows = measure(folder)
        seconds.append(time.perf_counter() - started)
        of_processors.append(time.process_time() - worked)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"seconds": min(seconds), "processor": min(of_processors), "peak_gb": peak, "rows": rows}


if __name__ == "__main__":
    name, where, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if name == "write":
        write_orders(where, count)
    else:
        sys.stdout.write(json.dumps(_measured(MEASURES[name], where, count)))
