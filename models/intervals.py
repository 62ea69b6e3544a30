"""Wilson's score interval for a proportion, as Polars expressions and for single numbers.

The one interval of all rates in this project: it stays inside [0, 1], is sensible for 0 of n and n of n,
and holds its level for the small cohorts that shops have. It takes observations as independent.

What does not belong here: intervals of survival curves (`models.latency`) and of NPS
(`models.satisfaction`), which are no proportions.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import polars as pl

__all__ = ["SMALL_GROUP", "Bounds", "BoundsExpressions", "normal_quantile", "wilson", "wilson_interval"]

SMALL_GROUP = 30
"""Groups below this size are flagged as small wherever a rate is shown (ours)."""


class Bounds(NamedTuple):
    """Lower and upper end of an interval."""

    low: float
    high: float


class BoundsExpressions(NamedTuple):
    """Lower and upper end of an interval, as Float64 expressions."""

    low: pl.Expr
    high: pl.Expr


def normal_quantile(confidence: float) -> float:
    """Two-sided quantile of the standard normal: 1.959963984540054 for 0.95.

    Raises
    ------
    ValueError
        If `confidence` is not strictly between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"The confidence level must be between 0 and 1, not {confidence}.")
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson_interval(successes: pl.Expr, n: pl.Expr, *, confidence: float = 0.95) -> BoundsExpressions:
    """Wilson score interval of `successes / n`, row by row.

    Null where either is null, where n is 0, and where `successes` is no count out of n (below 0 or
    above n): no interval is better than one for something that is no proportion.

    References
    ----------
    Wilson (1927), JASA 22, 209-212; method 3 in Newcombe (1998), Statistics in Medicine 17, 857-872.
    """
    z = normal_quantile(confidence)
    count, size = successes.cast(pl.Float64), n.cast(pl.Float64)
    rate = count / size
    middle = (count + z * z / 2) / (size + z * z)
    half = z * (size * rate * (1 - rate) + z * z / 4).sqrt() / (size + z * z)
    is_proportion = (size > 0) & (count >= 0) & (count <= size)
    # Rounding alone would leave 0 of n a hair off 0, and n of n a hair off 1.
    low = pl.when(count == 0).then(0.0).otherwise(middle - half)
    high = pl.when(count == size).then(1.0).otherwise(middle + half)
    return BoundsExpressions(low=pl.when(is_proportion).then(low), high=pl.when(is_proportion).then(high))


def wilson(successes: int, n: int, *, confidence: float = 0.95) -> Bounds:
    """Wilson score interval of one proportion; see `wilson_interval`.

    Raises
    ------
    ValueError
        If n is not positive or `successes` is not between 0 and n.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"No proportion: {successes} of {n}.")
    z = normal_quantile(confidence)
    rate = successes / n
    middle = (successes + z * z / 2) / (n + z * z)
    half = z * (n * rate * (1 - rate) + z * z / 4) ** 0.5 / (n + z * z)
    return Bounds(
        low=0.0 if successes == 0 else middle - half,
        high=1.0 if successes == n else middle + half,
    )
