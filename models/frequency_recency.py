"""Frequency-recency matrix: what a purchase model expects of customers of one age, by how often and how lately.

The grid of questions is laid over what customers of nearly that age did, and each cell says how many of them
stand in it: a model answers for every cell, and only where people stand does the answer matter.

What does not belong here: fitting, and predictions of single customers (`models.prediction`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from models.purchases import PurchaseModel
from models.purchases._histories import DAYS_PER_UNIT, check_horizon
from models.summary import distinct_triples

__all__ = ["MATRIX", "frequency_recency"]

MATRIX: Final = {
    "model": pl.String(),
    "horizon_days": pl.Int32(),
    "age_days": pl.Int32(),
    "frequency_from": pl.Int32(),
    "frequency_to": pl.Int32(),
    "recency_from": pl.Int32(),
    "recency_to": pl.Int32(),
    "customers": pl.Int64(),
    "expected_orders": pl.Float64(),
    "purchase_probability": pl.Float64(),
}
"""Columns of the matrix."""

TYPICAL_AGE: Final = 0.9
"""Quantile of the ages of customers that is shown, so that there was time for a history (ours)."""
NEARLY: Final = 0.1
"""Customers whose age differs by at most this share count as of that age (ours)."""
_ALL_BUT_FEW: Final = 0.99
LARGEST_GRID: Final = 25


def frequency_recency(
    summary: pl.LazyFrame,
    models: Mapping[str, PurchaseModel],
    *,
    horizon_days: int = 365,
    age_days: int | None = None,
    cells: int = 12,
) -> pl.DataFrame:
    """Ask each model about every kind of history that customers of one age can have.

    Parameters
    ----------
    summary
        One row per customer, in days: frequency, recency, T.
    models
        Fitted, by name; any unit of time.
    horizon_days
        Days after today that are asked about.
    age_days
        Days since the first order. Default: the age that nine in ten customers don't exceed.
    cells
        Most rows and columns of the grid, 2 to 25. Frequencies have a row each up to the 99th percentile of
        these customers, if there are that many rows; the last row holds all higher ones, and is asked
        about at their median.

    Returns
    -------
    DataFrame
        One row per model and cell, sorted: model, horizon_days, age_days, frequency_from and frequency_to (repeat order
        days), recency_from and recency_to (days from the first order to the last; both ends belong to the
        cell, which is asked about at its middle), customers (of nearly `age_days`, that is within a tenth
        of it, with their recency in proportion), expected_orders and purchase_probability in the
        horizon (null where no history can lie: without a repeat order recency is 0, and more repeat order
        days than days there cannot be). No rows where nobody is a day old.

    Raises
    ------
    ValueError
        A grid of fewer than 2 or more than 25 cells a side, or an age below one day.
    """
    horizon = float(check_horizon(horizon_days))
    if not 2 <= cells <= LARGEST_GRID:
        raise ValueError(f"The grid takes 2 to {LARGEST_GRID} cells a side, not {cells}.")
    if age_days is not None and age_days < 1:
        raise ValueError(f"An age of {age_days} days leaves no room for a history: ask about a day or more.")
    histories = distinct_triples(summary.filter(pl.col("T") > 0)).collect(engine="streaming")
    if age_days is None:
        ages = histories.sort("T")
        age_days = _quantile(ages["T"].to_numpy(), ages["customers"].to_numpy(), TYPICAL_AGE)
        if not age_days:
            return pl.DataFrame(schema=MATRIX)
    width = -(-(age_days + 1) // cells)
    of_age = _of_age(histories, age_days, width)
    grid = _grid(of_age, age_days, width, cells)
    x, t_x = (grid[name].to_numpy() for name in ("x", "t_x"))
    asked = np.isfinite(t_x)
    result = [pl.DataFrame(schema=MATRIX)]
    for name in sorted(models):
        process, unit = models[name].process, DAYS_PER_UNIT[models[name].time_unit]
        history = (x[asked], t_x[asked] / unit, np.full(asked.sum(), age_days / unit))
        answers = {
            "expected_orders": process.expected(*history, horizon / unit),
            "purchase_probability": process.at_least_one(*history, horizon / unit),
        }
        columns: list[pl.Series] = []
        for question, answer in answers.items():
            values = np.full(len(x), np.nan)
            values[asked] = answer
            columns.append(pl.Series(question, values).fill_nan(None))
        answered = grid.with_columns(
            *columns, model=pl.lit(name), age_days=pl.lit(age_days), horizon_days=pl.lit(horizon_days)
        )
        result.append(answered.select(pl.col(column).cast(dtype) for column, dtype in MATRIX.items()))
    return pl.concat(result)


def _of_age(histories: pl.DataFrame, age_days: int, width: int) -> pl.DataFrame:
    """Count customers of nearly that age by frequency and column of the grid."""
    near = (pl.col("T") - age_days).abs() <= NEARLY * age_days
    # a hair more, since a quotient of whole days may fall a rounding error short of one
    in_proportion = (pl.col("recency") * age_days / pl.col("T") + 1e-6).floor().cast(pl.Int32)
    return (
        histories.filter(near)
        .group_by(pl.col("frequency").cast(pl.Int32), (in_proportion // width).alias("column"))
        .agg(pl.col("customers").sum())
        .sort("frequency", "column")
    )


def _grid(of_age: pl.DataFrame, age_days: int, width: int, cells: int) -> pl.DataFrame:
    """Lay out the cells with their customers, and the history (x, t_x; NaN where none) each is asked about."""
    repeats = of_age["frequency"].to_numpy().astype(np.int64)
    people = of_age["customers"].to_numpy()
    highest = int(repeats.max()) if len(repeats) else 0
    last = min(max(_quantile(repeats, people, _ALL_BUT_FEW), 1), cells - 1)
    tail = repeats >= last
    # where nobody is beyond the last row, it is a row like the others
    typical = _quantile(repeats[tail], people[tail], 0.5) or last
    rows = pl.DataFrame(
        {
            "frequency_from": range(last + 1),
            "frequency_to": [*range(last), max(last, highest)],
            "x": [float(value) for value in (*range(last), typical)],
        }
    )
    starts = range(0, age_days + 1, width)
    columns = pl.DataFrame(
        {
            "column": range(len(starts)),
            "recency_from": starts,
            "recency_to": [min(start + width - 1, age_days) for start in starts],
        },
        schema_overrides={"column": pl.Int32},
    )
    counted = (
        of_age.with_columns(frequency_from=pl.col("frequency").clip(upper_bound=last).cast(pl.Int64))
        .group_by("frequency_from", "column")
        .agg(pl.col("customers").sum())
    )
    x, start, end = pl.col("x"), pl.col("recency_from"), pl.col("recency_to")
    middle = pl.max_horizontal((start + end) / 2, x)
    t_x = pl.when(x == 0).then(pl.when(start == 0).then(0.0)).when(x <= end).then(middle)
    return (
        rows.join(columns, how="cross")
        .join(counted, on=["frequency_from", "column"], how="left")
        .with_columns(pl.col("customers").fill_null(0), t_x=t_x.cast(pl.Float64).fill_null(float("nan")))
        .sort("frequency_from", "recency_from")
    )


def _quantile(values: np.ndarray, weights: np.ndarray, share: float) -> int:
    """Smallest value that at least this share of customers don't exceed; 0 of nobody. Values are sorted."""
    if not len(values):
        return 0
    return int(values[np.searchsorted(weights.cumsum(), share * weights.sum())])
