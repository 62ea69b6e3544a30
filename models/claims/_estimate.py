"""Estimates with their limits, and what follows for the difference and the ratio of two independent ones.

Limits are combined by recovering variances from them (MOVER), so that whatever interval suits each number (Wilson's of
a share, the normal one of a mean) lives on in that of their difference or ratio: of two shares the difference is
Newcombe's, of two means the ratio is Fieller's.

What does not belong here: numbers of the same people, which are not independent (`models.claims.three_purchases`).

References
----------
Zou & Donner (2008), Construction of confidence limits about effect measures: a general approach, Statistics in Medicine
27, 1693-1702. Donner & Zou (2012), Closed-form confidence intervals for functions of the normal mean and standard
deviation, Statistical Methods in Medical Research 21, 347-359.
"""

from __future__ import annotations

from math import hypot, sqrt
from typing import NamedTuple

from models.intervals import normal_quantile, wilson

__all__ = ["Estimate", "difference", "ratio", "ratio_of_sums", "remainder", "share"]

_Z = normal_quantile(0.95)


class Estimate(NamedTuple):
    """A number with its 95 % limits; None where they are unknown or have no end."""

    value: float
    low: float | None
    high: float | None


def share(count: int, n: int) -> Estimate:
    """Give `count / n` with Wilson's interval; n is positive."""
    return Estimate(count / n, *wilson(count, n))


def remainder(found: Estimate) -> Estimate:
    """Give the share of those who did not."""
    low, high = found.low, found.high
    return Estimate(1 - found.value, None if high is None else 1 - high, None if low is None else 1 - low)


def ratio_of_sums(
    n: int, total: int, squares: int, of: int | None = None, of_squares: int = 0, products: int = 0
) -> Estimate:
    """Mean of `n` people, or what they come to per something that each has a number of, such as orders.

    Parameters
    ----------
    n
        People, at least two.
    total, squares, products
        Sums over people of the amount, its square, and the amount times the number.
    of, of_squares
        Sums over people of the number and of its square; by default each has one.

    Notes
    -----
    total / of, with the linearised variance sum((amount - ratio * number)^2) / of^2 * n / (n - 1): people, not their
    orders, are what is independent. Cochran (1977), Sampling Techniques, section 6.4.
    """
    count, count_squares, both = (n, n, total) if of is None else (of, of_squares, products)
    value = total / count
    spread = max(squares - 2 * value * both + value * value * count_squares, 0.0) * n / (n - 1)
    half = _Z * sqrt(spread) / count
    return Estimate(value, value - half, value + half)


def difference(one: Estimate, other: Estimate) -> Estimate:
    """Subtract two independent estimates."""
    value = one.value - other.value
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return Estimate(value, None, None)
    return Estimate(
        value,
        value - hypot(one.value - one.low, other.high - other.value),
        value + hypot(one.high - one.value, other.value - other.low),
    )


def ratio(one: Estimate, other: Estimate) -> Estimate | None:
    """Divide two independent estimates; None where the second is not positive.

    Limits are None where the second may be 0, since the ratio then has no upper end.
    """
    if other.value <= 0:
        return None
    value = one.value / other.value
    if one.low is None or one.high is None or other.low is None or other.high is None or other.low <= 0:
        return Estimate(value, None, None)
    product = one.value * other.value
    first, second = one.low * (2 * one.value - one.low), other.high * (2 * other.value - other.high)
    # Multiplied by its conjugate, so that nothing is divided by the second's part, which may vanish.
    denominator = product + sqrt(max(product * product - first * second, 0.0))
    low = first / denominator if denominator > 0 else 0.0
    first, second = one.high * (2 * one.value - one.high), other.low * (2 * other.value - other.low)
    high = (product + sqrt(max(product * product - first * second, 0.0))) / second
    return Estimate(value, low, high)
