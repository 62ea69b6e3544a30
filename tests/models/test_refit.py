"""Models are fitted weekly, on drift, on request and when the program changed, and not otherwise."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from models.refit import LARGEST_SHIFT, REFIT_DAYS, LastFit, Shape, why_refit

TODAY = date(2024, 5, 10)


def summary(customers: int = 2_000, seed: int = 1, *, rate: float = 0.4, days: int = 0) -> pl.DataFrame:
    """Composed customers."""
    rng = np.random.default_rng(seed)
    frequency = rng.geometric(rate, customers) - 1.0
    age = rng.uniform(10, 500, customers) + days
    spend = np.where(frequency > 0, rng.gamma(4, 10, customers), np.nan)
    return pl.DataFrame(
        {
            "frequency": frequency,
            "recency": np.where(frequency > 0, rng.uniform(0, 1, customers) * age, 0.0),
            "T": age,
            "monetary_value": spend,
        }
    ).with_columns(pl.col("monetary_value").fill_nan(None))


def last(days_ago: int = 1, *, program: str = "p") -> LastFit:
    return LastFit(TODAY - timedelta(days_ago), program, Shape.of(summary()))


def test_a_fit_of_this_week_scores_on() -> None:
    for days in range(1, REFIT_DAYS):
        assert why_refit(TODAY, last(days), summary(seed=2, days=days), program="p") is None


def test_the_reasons_are_told_with_their_numbers() -> None:
    def why(last_fit: LastFit | None, today: pl.DataFrame, *, requested: bool = False) -> str | None:
        return why_refit(TODAY, last_fit, today, program="p", is_requested=requested)

    assert why(None, summary()) == "no models were fitted before"
    assert why(last(REFIT_DAYS), summary()) == "weekly: the last fit is 7 days old"
    assert why(last(), summary(), requested=True) == "requested"
    assert why(last(program="another"), summary()) == (
        "the program, its settings or the contract of the data changed"
    )
    drifted = why(last(), summary(rate=0.9))
    assert drifted is not None
    assert drifted.startswith("drift: frequency of the 2,000 customers moved by a stability index of")


def test_a_shift_is_nothing_between_equal_shops_and_agrees_with_a_sum_by_hand() -> None:
    assert max(Shape.of(summary()).shift(summary()).values()) == 0.0
    then, now = summary(seed=1), summary(seed=3, rate=0.6)
    found = Shape.of(then).shift(now)["frequency"]
    edges = np.unique(np.quantile(then["frequency"], np.arange(1, 10) / 10))

    def shares(values: pl.Series) -> np.ndarray:
        # Half a customer in each tenth, and in the empty place of those without a value.
        counts = [
            sum(1 for value in values if (low < value <= high)) + 0.5
            for low, high in zip([-np.inf, *edges], [*edges, np.inf], strict=True)
        ] + [0.5]
        return np.array(counts) / sum(counts)

    p, q = shares(now["frequency"]), shares(then["frequency"])
    assert found == pytest.approx(float(((p - q) * np.log(p / q)).sum()))
    assert found > LARGEST_SHIFT / 5


def test_a_shape_can_be_kept() -> None:
    shape = Shape.of(summary())
    assert Shape.from_json(shape.to_json()) == shape


def test_a_shop_in_which_nobody_came_back_has_a_shape() -> None:
    once = summary(50).with_columns(frequency=0.0, recency=0.0, monetary_value=pl.lit(None, pl.Float64))
    assert max(Shape.of(once).shift(once).values()) == 0.0
