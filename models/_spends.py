"""Spends of returning customers: which rows of a summary say something, and what.

Belongs here: reading and counting. Does not belong here: the model of them (`models.spend`).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from models.errors import InvalidSummaryError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spends:
    """Returning customers: repeat order days, positive mean spend, number of customers per row."""

    frequency: FloatArray
    mean_spend: FloatArray
    weight: FloatArray


def read_spends(
    summary: pl.DataFrame | pl.LazyFrame, weights: npt.ArrayLike | pl.Series | None
) -> tuple[Spends, dict[str, float]]:
    """Take the rows the model can use, and count the customers it leaves out by reason.

    Raises
    ------
    InvalidSummaryError
        Missing columns, frequencies that are no counts, or weights that are no weights.
    """
    missing = {"frequency", "monetary_value"} - set(summary.collect_schema().names())
    if missing:
        raise InvalidSummaryError(
            f"The summary lacks the column(s) {', '.join(sorted(missing))}. "
            "Build it with models.summary.customer_summary(purchases, as_of)."
        )
    frame = (
        summary.lazy()
        .select(
            x=pl.col("frequency").cast(pl.Float64),
            spend=pl.col("monetary_value").cast(pl.Float64),
        )
        .collect()
    )
    weight = np.ones(frame.height) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != (frame.height,) or not bool(np.all(np.isfinite(weight) & (weight >= 0))):
        raise InvalidSummaryError(
            f"weights must be one finite number >= 0 for each of the {frame.height:,} rows of the summary."
        )
    x = frame["x"]
    bad = int(
        (~x.is_finite().fill_null(False) | (x < 0).fill_null(False) | (x != x.round()).fill_null(False)).sum()
    )
    if bad:
        raise InvalidSummaryError(
            f"frequency is missing, negative or not a whole number in {bad:,} of {frame.height:,} rows. "
            "Correct or drop them; models.summary.customer_summary never makes such rows."
        )
    reason = frame.select(
        pl.when(pl.col("x") == 0)
        .then(pl.lit("one_time"))
        .when(~pl.col("spend").is_finite().fill_null(False))
        .then(pl.lit("missing"))
        .when(pl.col("spend") <= 0)
        .then(pl.lit("zero_or_negative"))
        .otherwise(pl.lit("used"))
        .alias("reason")
    )["reason"]
    excluded = {
        name: float(weight[(reason == name).to_numpy()].sum())
        for name in ("one_time", "zero_or_negative", "missing")
    }
    used = (
        frame.with_columns(weight=pl.Series(weight))
        .filter((reason == "used") & (pl.col("weight") > 0))
        .group_by("x", "spend")
        .agg(pl.col("weight").sum())
        .sort("x", "spend")  # a sum of floats depends on its order: the same data give the same bits
    )
    return Spends(*(used[name].to_numpy() for name in ("x", "spend", "weight"))), excluded


def known_spend(frame: pl.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Take frequency and mean spend as far as they say something: unknown spend counts as no repeats."""
    known = frame.select(
        x=pl.when(pl.col("monetary_value").is_finite()).then("frequency").fill_null(0.0),
        mean_spend=pl.when(pl.col("frequency") > 0, pl.col("monetary_value").is_finite())
        .then(pl.col("monetary_value").clip(lower_bound=0.0))
        .fill_null(0.0),
    )
    return known["x"].to_numpy(), known["mean_spend"].to_numpy()


def correlation(spends: Spends) -> float:
    """Give the weighted Pearson correlation of frequency and mean spend; NaN where one is constant."""
    if float(np.ptp(spends.frequency)) == 0 or float(np.ptp(spends.mean_spend)) == 0:
        return math.nan
    covariance = np.cov(spends.frequency, spends.mean_spend, aweights=spends.weight)
    return float(covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1]))
