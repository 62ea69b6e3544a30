"""Differences of two groups: agreement with published limits and with SciPy, coverage of composed campaigns."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from models._group_difference import Adjusted, Difference, Group, adjusted_difference, plain_difference
from tests.models.composed_campaigns import Plan, group_of

NEWCOMBE = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
]
"""Successes and sizes of two groups, and limits by method 10: Newcombe (1998), Statistics in Medicine 17, table II."""
CAMPAIGNS = 400


def shares(successes: int, n: int) -> Group:
    return group_of([1] * successes + [0] * (n - successes), [0] * n)


@pytest.mark.parametrize(("one", "n", "other", "m", "low", "high"), NEWCOMBE)
def test_shares_agree_with_newcombe(one: int, n: int, other: int, m: int, low: float, high: float) -> None:
    found = plain_difference(shares(one, n), shares(other, m), is_share=True)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


values = st.lists(st.integers(-(10**6), 10**9), min_size=2, max_size=12)


@settings(max_examples=60, deadline=None)
@given(values, values)
def test_means_agree_with_welch_as_scipy_has_it(one: list[int], other: list[int]) -> None:
    found = plain_difference(group_of(one, one), group_of(other, other), is_share=False)
    if len(set(one)) == len(set(other)) == 1:
        assert (found.low, found.high) == (None, None)
        return
    if 1 in (len(set(one)), len(set(other))):
        return  # SciPy's limits are not numbers where a group does not vary.
    theirs = ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    scale = max(map(abs, (*one, *other, 1)))
    assert found.low == pytest.approx(theirs.low, rel=1e-6, abs=1e-6 * scale)
    assert found.high == pytest.approx(theirs.high, rel=1e-6, abs=1e-6 * scale)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 40), st.integers(3, 40))
def test_the_adjusted_difference_is_that_of_the_residuals(seed: int, n: int, m: int) -> None:
    generator = np.random.default_rng(seed)
    x = generator.poisson(3, n + m)
    y = generator.poisson(x + 1)
    treated, held_out = group_of(y[:n], x[:n]), group_of(y[n:], x[n:])
    found = adjusted_difference(treated, held_out, is_share=False)
    if len(set(x.tolist())) == 1:
        assert found is None
        return
    assert found is not None
    theta = np.cov(x, y)[0, 1] / x.var(ddof=1)
    residuals = y - theta * x
    theirs = ttest_ind(residuals[:n], residuals[n:], equal_var=False).confidence_interval(0.95)
    assert found.theta == pytest.approx(theta)
    assert found.difference.value == pytest.approx(residuals[:n].mean() - residuals[n:].mean(), abs=1e-9)
    assert (found.difference.low, found.difference.high) == pytest.approx((theirs.low, theirs.high), abs=1e-7)


def test_a_unit_changes_nothing_but_the_unit() -> None:
    generator = np.random.default_rng(1)
    x, y = generator.poisson(4, (2, 90))
    one = adjusted_difference(group_of(y[:60], x[:60]), group_of(y[60:], x[60:]), is_share=False)
    in_cents = adjusted_difference(
        group_of(y[:60] * 100, x[:60] * 7), group_of(y[60:] * 100, x[60:] * 7), is_share=False
    )
    assert one is not None and in_cents is not None
    assert in_cents.difference.low is not None and one.difference.low is not None
    assert in_cents.difference.value == pytest.approx(100 * one.difference.value)
    assert in_cents.difference.low == pytest.approx(100 * one.difference.low)
    assert in_cents.variance_left == pytest.approx(one.variance_left)


def test_nobody_of_a_group_ordering_is_not_certainty() -> None:
    generator = np.random.default_rng(2)
    x = generator.poisson(1, 440)
    y = (np.arange(440) % 20 == 0) & (np.arange(440) < 400)
    found = adjusted_difference(group_of(y[:400], x[:400]), group_of(y[400:], x[400:]), is_share=True)
    assert found is not None and found.difference.low is not None
    # 0 of 40 could well be 5 of 100.
    assert found.difference.low < 0 < found.difference.value


def test_a_past_that_everybody_shares_adjusts_nothing() -> None:
    assert adjusted_difference(shares(5, 50), shares(4, 40), is_share=True) is None


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[tuple[float, Difference, Adjusted]]]:
    """400 campaigns of 800 people written to and 200 held out, half of them without any effect."""
    found: dict[str, list[tuple[float, Difference, Adjusted]]] = {}
    generator = np.random.default_rng(20240217)
    for number in range(CAMPAIGNS):
        plan = Plan(multiple=1.0 if number % 2 else 1.5)
        treated = plan.draw(800, generator, is_treated=True)
        held_out = plan.draw(200, generator, is_treated=False)
        for name, truth in plan.effects.items():
            is_share = name == "ordered"
            scale = 10_000 if name == "net_revenue" else 1
            plain = plain_difference(treated[name], held_out[name], is_share=is_share)
            adjusted = adjusted_difference(treated[name], held_out[name], is_share=is_share)
            assert adjusted is not None
            found.setdefault(name, []).append((truth * scale, plain, adjusted))
    return found


def coverage(rows: list[Any]) -> float:
    return sum(found.low <= truth <= found.high for truth, found in rows) / len(rows)


@pytest.mark.parametrize("name", ["ordered", "orders", "net_revenue"])
def test_intervals_hold_the_true_effect_as_often_as_they_say(name: str, drawn: dict[str, list[Any]]) -> None:
    plain = coverage([(truth, found) for truth, found, _ in drawn[name]])
    adjusted = coverage([(truth, found.difference) for truth, _, found in drawn[name]])
    assert 0.92 <= plain <= 0.98
    assert 0.92 <= adjusted <= 0.98


@pytest.mark.parametrize("name", ["ordered", "orders", "net_revenue"])
def test_adjusting_narrows_where_the_past_tells_something(name: str, drawn: dict[str, list[Any]]) -> None:
    # What is best for both groups together need not be best for the smaller one, where few orders decide.
    assert sum(found.variance_left < 1 for _, _, found in drawn[name]) >= 0.98 * CAMPAIGNS
    widths = [
        (found.difference.high - found.difference.low) / (plain.high - plain.low)
        for _, plain, found in drawn[name]
    ]
    assert sum(width < 1 for width in widths) >= 0.98 * CAMPAIGNS
    assert float(np.mean(widths)) < 0.97


@pytest.mark.parametrize("name", ["ordered", "orders", "net_revenue"])
def test_adjusting_does_no_harm_where_the_past_tells_nothing(name: str) -> None:
    plan = Plan(is_forgetful=True)
    generator = np.random.default_rng(3)
    left: list[float] = []
    for _ in range(60):
        treated = plan.draw(800, generator, is_treated=True)
        held_out = plan.draw(200, generator, is_treated=False)
        found = adjusted_difference(treated[name], held_out[name], is_share=name == "ordered")
        assert found is not None and found.variance_left is not None
        left.append(found.variance_left)
    assert math.isclose(float(np.mean(left)), 1, abs_tol=0.02)


def test_a_true_effect_is_not_shrunk_by_adjusting() -> None:
    """Over many draws the adjusted difference is as large as the effect, plain or adjusted."""
    plan = replace(Plan(), multiple=2.0)
    generator = np.random.default_rng(4)
    found: list[float] = []
    for _ in range(150):
        treated = plan.draw(300, generator, is_treated=True)
        held_out = plan.draw(300, generator, is_treated=False)
        adjusted = adjusted_difference(treated["orders"], held_out["orders"], is_share=False)
        assert adjusted is not None
        found.append(adjusted.difference.value)
    error = float(np.std(found)) / math.sqrt(len(found))
    assert abs(float(np.mean(found)) - plan.effects["orders"]) < 3 * error
