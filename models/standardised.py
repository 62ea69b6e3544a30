"""Direct standardisation: rates of groups as they would be if each had the same mix of strata.

People who answer well, or whose parcel came late, may have ordered more often before, and who ordered more often
orders again more often. So rates are taken stratum by stratum, and averaged with the same weights for both sides:
what is left of a difference is not due to the strata. It may still be due to what no stratum holds.

What does not belong here: what a stratum or an event is (`models.score_behaviour`, `models.aftermath`), and any
model of the outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.intervals import normal_quantile

__all__ = [
    "AT_LEAST",
    "EARLIER_BANDS",
    "Difference",
    "earlier_band",
    "standardised_difference",
    "standardised_rates",
]

EARLIER_BANDS = (0, 1, 2, 3, 6)
"""Lower ends of the strata of earlier orders: none, 1, 2, 3 to 5, 6 and more (ours)."""

AT_LEAST = 5
"""Rows without the event that a stratum needs to stand for what would have happened without it (ours)."""


class Difference(NamedTuple):
    """Outcome with an event against without, over the strata that hold both; NaN where nothing can be said.

    Attributes
    ----------
    overlap
        Share of the rows with the event that are in such strata.
    rate_with, rate_without
        Rate of these rows, and rate of the rows without the event at the same mix of strata.
    difference, low, high
        rate_with - rate_without with its 95 % interval.
    """

    overlap: float
    rate_with: float
    rate_without: float
    difference: float
    low: float
    high: float


def earlier_band(orders: pl.Expr) -> pl.Expr:
    """Give the number (Int32) of the band in `EARLIER_BANDS` that holds a number of earlier orders."""
    return pl.sum_horizontal((orders >= low).cast(pl.Int32) for low in EARLIER_BANDS) - 1


def standardised_rates(cells: pl.LazyFrame, by: Sequence[str], stratum: Sequence[str]) -> pl.LazyFrame:
    """Rate of every group at the mix of strata of the standard population.

    Parameters
    ----------
    cells
        One row per group and stratum: `by`, `stratum`, n and count (of n), and standard, the people of the standard
        population in the stratum.
    by, stratum
        Columns that tell groups, and strata, apart. A standard population of each group: of what `by` says.

    Returns
    -------
    LazyFrame
        One row per group: `by`, rate, low, high (95 %), overlap (share of the standard population that is in strata
        where the group has anybody, over which alone the rate is averaged).

    Notes
    -----
    Rate sum(w p) with w = standard / its sum and variance sum(w^2 p' (1 - p') / n), p' = (count + 1) / (n + 2), so
    that a stratum in which all or none did has a variance, too; normal interval, cut at 0 and 1. Fleiss, Levin & Paik
    (2003), Statistical Methods for Rates and Proportions, ch. 19.
    """
    n, count, weight = pl.col("n"), pl.col("count"), pl.col("standard")
    guess = (count + 1) / (n + 2)
    half = normal_quantile(0.95) * pl.col("variance").sqrt()
    return (
        cells.filter(n > 0)
        .sort(*by, *stratum)
        .group_by(by, maintain_order=True)
        .agg(
            rate=(weight * count / n).sum() / weight.sum(),
            variance=(weight**2 * guess * (1 - guess) / n).sum() / weight.sum() ** 2,
            covered=weight.sum(),
            whole=pl.col("whole").first(),
        )
        .filter(pl.col("covered") > 0)
        .select(
            *by,
            "rate",
            low=(pl.col("rate") - half).clip(lower_bound=0.0),
            high=(pl.col("rate") + half).clip(upper_bound=1.0),
            overlap=pl.col("covered") / pl.col("whole"),
        )
    )


def standardised_difference(
    stratum: NDArray[np.int64],
    has_event: NDArray[np.bool_],
    outcome: NDArray[np.bool_],
    person: NDArray[np.int64],
) -> Difference:
    """Compare the outcome with an event to that of alike rows without it.

    Standardised to the rows *with* the event: what would have become of them without it, if only the strata mattered.
    A stratum counts if it has a row with the event and `AT_LEAST` without.

    Parameters
    ----------
    stratum, has_event, outcome, person
        One element per row; strata and persons are small whole numbers from 0.

    Notes
    -----
    Difference of directly standardised rates; weights are the strata's rows with the event. Its variance is that of
    the stratified difference by linearisation (the influence function of the effect on the treated, Hahn 1998,
    Econometrica 66, 315-331), summed by person before it is squared: several rows of one person are not independent.
    """
    size = int(stratum.max()) + 1 if stratum.size else 0
    # Rows of one stratum that share event and outcome are alike: all but the last sum is over few cells.
    cell = (2 * stratum + has_event) * 2 + outcome
    counts = np.bincount(cell, minlength=4 * size).reshape(size, 2, 2)
    without, with_it = counts.sum(axis=2).T
    is_common = (with_it > 0) & (without >= AT_LEAST)
    total, everybody = int(with_it[is_common].sum()), int(with_it.sum())
    if total == 0:
        return Difference(0.0 if everybody else np.nan, *(np.nan,) * 5)
    expected = np.divide(counts[:, 0, 1], without, out=np.zeros(size), where=is_common)
    rate_with = int(counts[is_common, 1, 1].sum()) / total
    rate_without = float((with_it * expected).sum() / total)
    difference = rate_with - rate_without
    # The without-rates are estimated from the same rows, which takes a degree of freedom from each stratum.
    counterweight = np.divide(
        with_it, np.sqrt(without * (without - 1.0)), out=np.zeros(size), where=is_common
    )
    residual = np.arange(2) - expected[:, None]
    influence = np.stack([-counterweight[:, None] * residual, residual - difference], axis=1) / total
    influence[~is_common] = 0.0
    by_person = np.bincount(person, weights=influence.ravel()[cell])
    half = normal_quantile(0.95) * float(np.sqrt((by_person * by_person).sum()))
    low, high = max(-1.0, difference - half), min(1.0, difference + half)
    return Difference(total / everybody, rate_with, rate_without, difference, low, high)
