"""Bounds of the purchase probability from the uncertainty of a model's parameters.

Belongs here: the interval of a probability, i.e. of an expectation; whether one customer then buys is a coin
toss that no interval describes. Does not belong here: intervals of orders and value (`models.clv`).
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from models._parameter_draws import Intervals, draw_parameters
from models.purchases import PurchaseModel
from models.purchases._histories import COLUMNS, DAYS_PER_UNIT, check_horizon, read_histories

__all__ = ["ProbabilityBounds", "purchase_probability_bounds"]

FloatArray = npt.NDArray[np.float64]

_ROWS_AT_ONCE: Final = 4_096


class ProbabilityBounds(NamedTuple):
    """Lower and upper bounds, one a customer."""

    low: FloatArray
    high: FloatArray


def purchase_probability_bounds(
    summary: pl.DataFrame | pl.LazyFrame,
    purchases: PurchaseModel,
    *,
    horizon_days: float,
    intervals: Intervals,
) -> ProbabilityBounds:
    """Bound the probability of a purchase in the next `horizon_days`.

    Parameters
    ----------
    summary
        One row per customer: frequency, recency, T in the model's unit of time.
    purchases
        Fitted model.
    intervals
        Draws, level and seed; `predictive` has no meaning for a probability.

    Returns
    -------
    ProbabilityBounds
        (rows,) arrays, in row order. The probability that no order comes has the bounds 1 - high, 1 - low.
    """
    frame = read_histories(summary)
    horizon = float(check_horizon(horizon_days)) / DAYS_PER_UNIT[purchases.time_unit]
    distinct = frame.unique().sort(COLUMNS)
    parameters = draw_parameters(
        np.random.default_rng(intervals.seed),
        purchases.estimates(),
        purchases.log_covariance_,
        intervals.draws,
        model="purchase",
    )
    processes = [purchases.process_at(drawn) for drawn in parameters]
    tails = (1 - intervals.level) / 2, (1 + intervals.level) / 2
    bounds = np.empty((2, distinct.height))
    for first in range(0, distinct.height, _ROWS_AT_ONCE):
        rows = distinct.slice(first, _ROWS_AT_ONCE)
        x, t_x, age = (rows[name].to_numpy() for name in COLUMNS)
        drawn = np.column_stack([process.at_least_one(x, t_x, age, horizon) for process in processes])
        bounds[:, first : first + rows.height] = np.quantile(drawn, tails, axis=1)
    spread = frame.join(
        distinct.with_columns(low=pl.Series(bounds[0]), high=pl.Series(bounds[1])),
        on=COLUMNS,
        how="left",
        maintain_order="left",
    )
    return ProbabilityBounds(spread["low"].to_numpy(), spread["high"].to_numpy())
