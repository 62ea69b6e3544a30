"""Claim 14: what a shop cannot test is said, and its own back-test answers the rest."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from models.claims import Facts, Status
from models.claims.market_surveys import findings

AS_OF = date(2024, 6, 30)


def _facts(bias: tuple[float, float, float], *, as_of: date = AS_OF, right: int = 9, n: int = 4_000) -> Facts:
    metrics = [
        ("bias", *bias, n),
        ("normalised_gini", 0.71, 0.66, 0.75, n),
    ]
    backtest = [
        {
            "as_of": as_of,
            "quantity": "value",
            "model": model,
            "metric": metric,
            "value": value,
            "low": low,
            "high": high,
            "n": size,
            "horizon_days": 182,
        }
        for model in ("champion", "another")
        for metric, value, low, high, size in metrics
    ]
    deciles = [
        {
            "as_of": as_of,
            "quantity": "value",
            "model": "champion",
            "decile": decile,
            "predicted_mean": 10.0 if decile <= right else 30.0,
            "low": 8.0,
            "high": 12.0,
        }
        for decile in range(1, 11)
    ]
    champions = [
        {"as_of": as_of, "quantity": quantity, "model": "champion"} for quantity in ("value", "probability")
    ]
    return Facts(
        {
            "champions": pl.LazyFrame(champions),
            "backtest": pl.LazyFrame(backtest),
            "backtest_calibration": pl.LazyFrame(deciles),
        }
    )


@pytest.mark.parametrize(
    ("bias", "status"),
    [
        ((-0.02, -0.07, 0.04), Status.HOLDS),
        ((-0.08, -0.16, 0.01), Status.CANNOT_TELL),
        ((0.30, 0.20, 0.40), Status.DOES_NOT_HOLD),
    ],
)
def test_the_champion_s_bias_says_whether_the_total_is_accurate(
    bias: tuple[float, float, float], status: Status
) -> None:
    *surveys, own = findings(_facts(bias), AS_OF)
    assert {found.status for found in surveys} == {Status.CANNOT_BE_TESTED}
    assert all(not found.needs and found.claimed is not None for found in surveys)
    assert own.status is status
    assert (own.number, own.low, own.high) == bias
    assert "9 of 10 groups" in own.says and "0.71" in own.says


def test_a_back_test_of_a_later_day_is_not_read() -> None:
    own = findings(_facts((0.0, -0.01, 0.01), as_of=date(2024, 7, 1)), AS_OF)[-1]
    assert own.status is Status.CANNOT_BE_TESTED


def test_without_a_back_test_it_says_what_one_takes() -> None:
    own = findings(Facts({}), AS_OF)[-1]
    assert own.needs == ("champions", "backtest")
    assert "500 customers" in own.says


def test_too_few_customers_cannot_tell() -> None:
    assert findings(_facts((0.0, -0.01, 0.01), n=20), AS_OF)[-1].status is Status.CANNOT_TELL


def test_a_right_total_of_wrong_groups_is_called_no_more_than_that() -> None:
    own = findings(_facts((-0.02, -0.07, 0.04), right=6), AS_OF)[-1]
    assert own.status is Status.HOLDS
    assert "6 of 10 groups" in own.says and "not that of every group" in own.says
