"""How many times as often: the ratio of two rates, plain and between alike rows, with its interval.

The claims speak of ratios ("37 % better"), while `models.standardised` gives differences; the strata, the weights and
the sums by person are the same here as there, only the interval is made for a ratio.

What does not belong here: what a stratum, an event or an outcome is, and how the limits of two rates become those of
their ratio (`models.claims._estimate`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.claims._estimate import Estimate, ratio
from models.intervals import SMALL_GROUP, wilson_interval
from models.standardised import AT_LEAST

__all__ = ["Ratio", "alike_ratio", "numbered", "text_code"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Rows with something against rows without it.

    Attributes
    ----------
    n_with, n_without
        Rows that are compared.
    overlap
        Share of the rows with it that have alike rows without it.
    rate_with, rate_without
        Their rates; None where there are no rows.
    ratio
        rate_with / rate_without with its 95 % interval; None where nothing can be said.
    """

    n_with: int
    n_without: int
    overlap: float
    rate_with: float | None = None
    rate_without: float | None = None
    ratio: Estimate | None = None

    @property
    def is_small(self) -> bool:
        """Either side has fewer rows than a rate should be shown for."""
        return min(self.n_with, self.n_without) < SMALL_GROUP


def alike_ratio(
    stratum: NDArray[np.int64],
    has_event: NDArray[np.bool_],
    outcome: NDArray[np.bool_],
    person: NDArray[np.int64],
) -> Ratio:
    """Compare how often the outcome follows with an event and, at the same mix of strata, without it.

    Parameters
    ----------
    stratum, has_event, outcome, person
        One element per row; strata and persons are small whole numbers from 0. A stratum counts if it has a row with
        the event and `models.standardised.AT_LEAST` without.

    Notes
    -----
    Rows of one person are taken together: each rate's variance is the sum over persons of their squared influence, and
    its Wilson limits are those of so many independent rows as would have this variance. That both rates may hold the
    same persons is left out, which makes the interval wider rather than narrower.
    """
    size = int(stratum.max()) + 1 if stratum.size else 0
    cell = (2 * stratum + has_event) * 2 + outcome
    counts = np.bincount(cell, minlength=4 * size).reshape(size, 2, 2)
    without, with_it = counts.sum(axis=2).T
    is_common = (with_it > 0) & (without >= AT_LEAST)
    total, everybody = int(with_it[is_common].sum()), int(with_it.sum())
    rows_without = int(without[is_common].sum())
    overlap = total / everybody if everybody else 0.0
    if total == 0:
        return Ratio(n_with=everybody, n_without=int(without.sum()), overlap=overlap)
    expected = np.divide(counts[:, 0, 1], without, out=np.zeros(size), where=is_common)
    rate_with = int(counts[is_common, 1, 1].sum()) / total
    rate_without = float((with_it * expected).sum() / total)
    # The without-rates are estimated from the same rows, which takes a degree of freedom from each stratum.
    weight = np.divide(with_it, np.sqrt(without * (without - 1.0)), out=np.zeros(size), where=is_common)
    side = np.zeros((size, 2, 2))
    side[:, 0, :] = weight[:, None] * (np.arange(2) - expected[:, None]) / total
    side[:, 1, :] = (np.arange(2) - rate_with) / total
    side[~is_common] = 0.0
    influence = side.ravel()[cell]
    sizes = [
        _effective(rate, rows, person[chosen], influence[chosen])
        for rate, rows, chosen in (
            (rate_with, total, has_event & is_common[stratum]),
            (rate_without, rows_without, ~has_event & is_common[stratum]),
        )
    ]
    return Ratio(
        n_with=total,
        n_without=rows_without,
        overlap=overlap,
        rate_with=rate_with,
        rate_without=rate_without,
        ratio=ratio(_share(rate_with, sizes[0]), _share(rate_without, sizes[1])),
    )


def numbered(*traits: pl.Expr) -> pl.Expr:
    """Number (Int64, from 0) each combination of some whole numbers from 0 up; null is a value of its own."""
    number = pl.lit(0, pl.Int64)
    for trait in traits:
        code = trait.cast(pl.Int64).fill_null(-1) + 1
        number = number * (code.max() + 1) + code
    return number.rank("dense").cast(pl.Int64) - 1


def text_code(name: str) -> pl.Expr:
    """A whole number from 1 for each text of a column, and for null."""
    # Hashes of 64 bits sort several times as fast as texts; that two of 10 million are the same has a chance of 3 in
    # a million, and would put two people into one.
    return pl.col(name).hash(0).rank("dense").cast(pl.Int64)


def _effective(rate: float, rows: int, person: NDArray[np.int64], influence: NDArray[np.float64]) -> float:
    """So many independent rows would have this variance; never more than there are."""
    by_person = np.bincount(person, weights=influence)
    variance = float((by_person * by_person).sum())
    if variance > 0:
        return min(float(rows), rate * (1 - rate) / variance)
    # All or none did, which says nothing of how alike the rows of one person are: each person counts once.
    return float(np.count_nonzero(np.bincount(person)))


def _share(rate: float, n: float) -> Estimate:
    limits = wilson_interval(pl.lit(rate * n), pl.lit(n))
    low, high = pl.select(low=limits.low, high=limits.high).row(0)
    return Estimate(rate, float(low), float(high))
