"""Wilson's interval against Newcombe's published table, and at the edges."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from models.intervals import normal_quantile, wilson, wilson_interval

# Newcombe (1998), "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17,
# 857-872, table I, method 3 (score, without continuity correction).
NEWCOMBE = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


def _frame(successes: list[int | None], n: list[int | None]) -> pl.DataFrame:
    bounds = wilson_interval(pl.col("successes"), pl.col("n"))
    frame = pl.DataFrame({"successes": successes, "n": n}, schema={"successes": pl.Int64, "n": pl.Int64})
    return frame.select(low=bounds.low, high=bounds.high)


@pytest.mark.parametrize(("successes", "n", "low", "high"), NEWCOMBE)
def test_agrees_with_newcombe_1998(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)
    assert _frame([successes], [n]).row(0) == pytest.approx((low, high), abs=5e-5)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_agrees_with_scipy_and_holds_the_rate(case: tuple[int, int]) -> None:
    successes, n = case
    bounds = wilson(successes, n)
    expected = binomtest(successes, n).proportion_ci(method="wilson")
    assert bounds == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert _frame([successes], [n]).row(0) == pytest.approx(bounds, abs=1e-12)
    assert 0 <= bounds.low <= successes / n <= bounds.high <= 1


def test_what_is_no_proportion_has_no_interval() -> None:
    bounds = _frame([0, 5, -1, None, 3], [0, 4, 4, 4, None])
    assert bounds["low"].null_count() == bounds["high"].null_count() == 5
    for successes, n in [(0, 0), (5, 4), (-1, 4)]:
        with pytest.raises(ValueError, match="No proportion"):
            wilson(successes, n)


def test_normal_quantile_of_95_percent_is_the_one_in_every_table() -> None:
    assert normal_quantile(0.95) == pytest.approx(1.959963984540054, abs=1e-12)
    with pytest.raises(ValueError, match="confidence"):
        normal_quantile(1.0)
