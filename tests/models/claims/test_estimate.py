"""Limits of differences and ratios against the methods they are told to be."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models._group_difference import Group, plain_difference
from models.claims._estimate import Estimate, difference, ratio, ratio_of_sums, remainder, share
from models.intervals import normal_quantile

COUNTS = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
Z = normal_quantile(0.95)


@given(COUNTS, COUNTS)
def test_the_difference_of_two_shares_is_newcombes(one: tuple[int, int], other: tuple[int, int]) -> None:
    groups = [Group(n, count, count, 0, 0, 0) for count, n in (one, other)]
    expected = plain_difference(groups[0], groups[1], is_share=True)
    found = difference(share(*one), share(*other))
    assert tuple(found) == pytest.approx((expected.value, expected.low, expected.high))


def test_the_ratio_of_two_means_is_fiellers() -> None:
    one, other, errors = 5.0, 2.0, (0.4, 0.3)
    found = ratio(
        Estimate(one, one - Z * errors[0], one + Z * errors[0]),
        Estimate(other, other - Z * errors[1], other + Z * errors[1]),
    )
    assert found is not None
    # Roots of (one - r other)^2 = z^2 (se1^2 + r^2 se2^2).
    roots = np.roots(
        [
            other**2 - (Z * errors[1]) ** 2,
            -2 * one * other,
            one**2 - (Z * errors[0]) ** 2,
        ]
    )
    assert (found.low, found.high) == pytest.approx((roots.min(), roots.max()))


@given(COUNTS, COUNTS)
def test_a_ratio_lies_within_its_limits(one: tuple[int, int], other: tuple[int, int]) -> None:
    found = ratio(share(*one), share(*other))
    if other[0] == 0:
        assert found is None
        return
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert -1e-9 <= found.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.high < float("inf")


def test_a_ratio_to_what_may_be_nothing_has_no_limits() -> None:
    assert ratio(share(5, 10), Estimate(0.1, -0.1, 0.3)) == (5.0, None, None)
    assert difference(share(5, 10), Estimate(0.1, None, None)) == (0.4, None, None)
    assert remainder(Estimate(0.25, None, None)) == (0.75, None, None)


def test_a_mean_has_the_usual_interval_and_orders_of_one_customer_are_taken_together() -> None:
    rng = np.random.default_rng(5)
    orders = rng.integers(1, 6, 400)
    amounts = rng.integers(1, 100, 400) * orders
    plain = ratio_of_sums(400, int(amounts.sum()), int((amounts**2).sum()))
    half = Z * amounts.std(ddof=1) / sqrt(400)
    assert tuple(plain) == pytest.approx((amounts.mean(), amounts.mean() - half, amounts.mean() + half))
    found = ratio_of_sums(
        400,
        int(amounts.sum()),
        int((amounts**2).sum()),
        int(orders.sum()),
        int((orders**2).sum()),
        int((amounts * orders).sum()),
    )
    residual = amounts - amounts.sum() / orders.sum() * orders
    half = Z * sqrt((residual**2).sum() * 400 / 399) / orders.sum()
    assert found.value == pytest.approx(amounts.sum() / orders.sum())
    assert found.high == pytest.approx(found.value + half)
