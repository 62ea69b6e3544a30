"""The difference between two groups drawn by lot, with intervals, from sums of whole numbers; plain and adjusted.

Shares get Newcombe's interval from Wilson's limits, means Welch's. The adjusted difference (CUPED) takes out what
people did before and the lot did not spread evenly: it has the same expectation and less variance.

What does not belong here: what the groups did (`models._campaign_outcomes`) and what follows (`models._verdict`).

References
----------
Newcombe (1998), Interval estimation for the difference between independent proportions, Statistics in Medicine 17,
873-890, method 10. Welch (1947), Biometrika 34, 28-35. Deng, Xu, Kohavi & Walker (2013), Improving the sensitivity of
online controlled experiments by utilizing pre-experiment data, WSDM '13, equations 4 and 5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from models.intervals import wilson

__all__ = ["Adjusted", "Difference", "Group", "adjusted_difference", "plain_difference"]

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Group:
    """Sums over the people of one group, exact.

    Attributes
    ----------
    n
        People.
    total, squares
        Of the outcome.
    before, before_squares
        Of what the same people did before.
    products
        Of both.
    """

    n: int
    total: int
    squares: int
    before: int
    before_squares: int
    products: int

    def __add__(self, other: Group) -> Group:
        """Pool two groups."""
        return Group(
            self.n + other.n,
            self.total + other.total,
            self.squares + other.squares,
            self.before + other.before,
            self.before_squares + other.before_squares,
            self.products + other.products,
        )

    @property
    def mean(self) -> float:
        """Outcome per person."""
        return self.total / self.n

    @property
    def mean_before(self) -> float:
        """The same of what came before."""
        return self.before / self.n

    @property
    def variance(self) -> float:
        """Of the outcome, between people."""
        return self._per_degree(self.n * self.squares - self.total * self.total)

    def adjusted_variance(self, theta: float) -> float:
        """Of the outcome less theta times what came before."""
        before = self._per_degree(self.n * self.before_squares - self.before * self.before)
        both = self._per_degree(self.n * self.products - self.total * self.before)
        return max(self.variance - 2 * theta * both + theta * theta * before, 0.0)

    def _per_degree(self, centred: int) -> float:
        return centred / (self.n * (self.n - 1))


@dataclass(frozen=True, slots=True)
class Difference:
    """First group less second; limits of 95 %, None where nothing varies and so nothing tells how sure it is."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The difference at equal past.

    Attributes
    ----------
    theta
        What one more before goes with in the outcome, over both groups pooled.
    variance_left
        Variance of the adjusted difference over that of the plain one; None where the plain one has none.
    """

    difference: Difference
    theta: float
    variance_left: float | None


def plain_difference(treated: Group, held_out: Group, *, is_share: bool) -> Difference:
    """Difference of the groups' means; each has at least two people."""
    value = treated.mean - held_out.mean
    if is_share:
        one, other = wilson(treated.total, treated.n), wilson(held_out.total, held_out.n)
        below = math.hypot(treated.mean - one.low, other.high - held_out.mean)
        above = math.hypot(one.high - treated.mean, held_out.mean - other.low)
        return Difference(value, value - below, value + above)
    return _welch(value, (treated.variance, treated.n), (held_out.variance, held_out.n))


def adjusted_difference(treated: Group, held_out: Group, *, is_share: bool) -> Adjusted | None:
    """Difference of the groups' means at equal past (CUPED); None where all have the same past.

    Theta is estimated on both groups pooled. Limits of a share are Newcombe's, moved along and narrowed as the standard
    error is: Welch's would vanish where nobody of a small group ordered (ours).
    """
    pooled = treated + held_out
    spread = pooled.n * pooled.before_squares - pooled.before * pooled.before
    if spread == 0:
        return None
    theta = (pooled.n * pooled.products - pooled.total * pooled.before) / spread
    plain = plain_difference(treated, held_out, is_share=is_share)
    value = plain.value - theta * (treated.mean_before - held_out.mean_before)
    variances = treated.adjusted_variance(theta), held_out.adjusted_variance(theta)
    before = treated.variance / treated.n + held_out.variance / held_out.n
    after = variances[0] / treated.n + variances[1] / held_out.n
    left = after / before if before > 0 else None
    if not is_share:
        return Adjusted(_welch(value, (variances[0], treated.n), (variances[1], held_out.n)), theta, left)
    assert plain.low is not None and plain.high is not None, "a share has limits"
    narrowed = 1.0 if left is None else math.sqrt(left)
    low, high = value - narrowed * (plain.value - plain.low), value + narrowed * (plain.high - plain.value)
    return Adjusted(Difference(value, max(low, -1.0), min(high, 1.0)), theta, left)


def _welch(value: float, one: tuple[float, int], other: tuple[float, int]) -> Difference:
    from scipy.stats import t

    parts = [variance / n for variance, n in (one, other)]
    error = sum(parts)
    if error == 0:
        return Difference(value, None, None)
    degrees = error**2 / sum(part**2 / (n - 1) for part, (_, n) in zip(parts, (one, other), strict=True))
    half = float(t.ppf((1 + CONFIDENCE) / 2, degrees)) * math.sqrt(error)
    return Difference(value, value - half, value + half)
