"""Cells of the service measures: months and break-downs, what is counted in them, and rates with their limits.

What does not belong here: which measures there are (`models.service`).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from models.intervals import normal_quantile, wilson_interval
from models.periods import period_index, period_start

__all__ = ["CELL", "UNKNOWN", "counted", "in_cells", "per_order", "share"]

CELL = ("month", "break_down", "break_down_value")
UNKNOWN = "unknown"
"""Value of a break-down where it is missing."""


def in_cells(events: pl.LazyFrame, break_downs: Mapping[str, str | None]) -> pl.LazyFrame:
    """Repeat events for every break-down: month of `day`, break_down and its value."""
    month = period_start(period_index(pl.col("day"), "month"), "month")
    return pl.concat(
        events.with_columns(
            month=month,
            break_down=pl.lit(name),
            break_down_value=pl.lit("all") if column is None else pl.col(column).fill_null(UNKNOWN),
        )
        for name, column in break_downs.items()
    )


def counted(events: pl.LazyFrame, break_downs: Mapping[str, str | None], holds: pl.Expr) -> pl.LazyFrame:
    """Count the events of each cell (n), and those for which something holds (count)."""
    columns = [column for column in break_downs.values() if column is not None]
    # All rows once; what is repeated for every break-down is small then.
    days = events.group_by("day", *columns).agg(n=pl.len().cast(pl.Int64), count=holds.sum().cast(pl.Int64))
    return (
        in_cells(days, break_downs).group_by(CELL).agg(pl.col("n", "count").sum()).select(*CELL, "n", "count")
    )


def share(counts: pl.LazyFrame, measure: str) -> pl.LazyFrame:
    """Share count / n with its Wilson interval."""
    count, n = pl.col("count"), pl.col("n")
    interval = wilson_interval(count, n)
    return counts.select(
        *CELL,
        pl.lit(measure).alias("measure"),
        "count",
        "n",
        value=pl.when(n > 0).then(count / n),
        low=interval.low,
        high=interval.high,
    )


def per_order(counts: pl.LazyFrame, measure: str, counted: str) -> pl.LazyFrame:
    """Rate per order with Byar's limits of a Poisson count; `counted` is the column of the count."""
    count, n, z = pl.col(counted).cast(pl.Float64), pl.col("n"), normal_quantile(0.95)
    above = count + 1
    low = pl.when(count > 0).then(count * (1 - 1 / (9 * count) - z / (3 * count.sqrt())) ** 3).otherwise(0.0)
    high = above * (1 - 1 / (9 * above) + z / (3 * above.sqrt())) ** 3
    return counts.select(
        *CELL,
        pl.lit(measure).alias("measure"),
        pl.col(counted).alias("count"),
        "n",
        value=pl.when(n > 0).then(count / n),
        low=pl.when(n > 0).then(low.clip(lower_bound=0.0) / n),
        high=pl.when(n > 0).then(high / n),
    )
