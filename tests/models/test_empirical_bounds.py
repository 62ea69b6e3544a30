"""Bounds from the back-test hold as many outcomes as they say, and never leave what is possible."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from models.calibration import calibration_by_decile, outcomes
from models.empirical_bounds import probability_bounds, value_bounds


def shop(customers: int, seed: int) -> pl.DataFrame:
    """Composed customers whose value scatters around what is predicted, and one half who buy nothing."""
    rng = np.random.default_rng(seed)
    worth = rng.gamma(2.0, 50.0, customers)
    probability = rng.uniform(0.05, 0.95, customers)
    bought = rng.uniform(size=customers) < probability
    return pl.DataFrame(
        {
            "model": "m",
            "predicted_value": worth * probability,
            "purchase_probability": probability,
            "actual_value": np.where(bought, worth * rng.gamma(4.0, 0.25, customers), 0.0),
            "has_bought": bought,
        }
    )


def calibration(seed: int = 1) -> pl.DataFrame:
    return calibration_by_decile(shop(20_000, seed).lazy()).collect().filter(quantity="probability")


def turned_out(seed: int = 1) -> pl.DataFrame:
    return outcomes(shop(20_000, seed).lazy()).collect()


def test_nine_of_ten_outcomes_lie_within_the_bounds_of_values() -> None:
    now = shop(20_000, seed=2)
    bounds = value_bounds(now["predicted_value"], turned_out())
    inside = now["actual_value"].is_between(bounds["low"], bounds["high"])
    assert inside.sum() / inside.len() == pytest.approx(0.90, abs=0.02)
    for tenth in np.array_split(np.argsort(now["predicted_value"].to_numpy()), 10):
        assert inside.gather(tenth).sum() / len(tenth) >= 0.86


def test_probabilities_stay_probabilities_around_themselves() -> None:
    predicted = pl.Series([0.0, 0.02, 0.5, 0.99, 1.0] * 20)
    bounds = probability_bounds(predicted, calibration())
    assert (bounds["low"] >= 0).all() and (bounds["high"] <= 1).all()
    assert (bounds["low"] <= bounds["high"]).all()


def test_a_tenth_that_was_predicted_nothing_keeps_its_outcomes_as_they_stand() -> None:
    rows = pl.DataFrame(
        {
            "model": "m",
            "predicted_value": [0.0] * 50 + [100.0] * 50,
            "purchase_probability": pl.Series([None] * 100, dtype=pl.Float64),
            "actual_value": [0.0] * 40 + [30.0] * 10 + [50.0] * 5 + [100.0] * 40 + [200.0] * 5,
            "has_bought": [False] * 40 + [True] * 60,
        }
    )
    found = outcomes(rows.lazy()).collect()
    bounds = value_bounds(pl.Series([0.0] * 5 + [10.0] * 5), found)
    assert bounds.rows() == [(0.0, 30.0)] * 5 + [(5.0, 20.0)] * 5


def test_without_calibration_nothing_is_bounded() -> None:
    bounds = value_bounds(pl.Series([1.0, 2.0]), turned_out().clear())
    assert bounds.rows() == [(None, None)] * 2


@pytest.mark.parametrize("predicted", [[-10.0, -5.0, 20.0]])
def test_low_lies_below_high_where_more_came_back_than_was_bought(predicted: list[float]) -> None:
    bounds = value_bounds(pl.Series(predicted), turned_out())
    assert (bounds["low"] <= bounds["high"]).all()
