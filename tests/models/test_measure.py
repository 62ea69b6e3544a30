"""Models are compared over the origins that have all of them, and people are drawn whole."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from models.measure import compared, measure
from models.metrics import ProbabilityAccuracy, ValueAccuracy

AS_OF = date(2024, 12, 31)
CUTS = (date(2024, 7, 1), date(2024, 1, 1))


def predictions(
    model: str, cuts: tuple[date, ...] = CUTS, *, people: int = 300, seed: int = 0, repeat: bool = False
) -> pl.DataFrame:
    """Composed predictions of one model; with `repeat` every origin shows the same."""
    frames: list[pl.DataFrame] = []
    for number, cut in enumerate(cuts):
        outcome = np.random.default_rng(0 if repeat else 100 + CUTS.index(cut))
        noise = np.random.default_rng(seed if repeat else 10 * seed + number)
        probability = outcome.uniform(0.1, 0.9, people)
        bought = outcome.random(people) < probability
        value = np.where(bought, outcome.gamma(2, 20, people), 0.0)
        frames.append(
            pl.DataFrame(
                {
                    "as_of": [AS_OF] * people,
                    "cut": [cut] * people,
                    "horizon_days": pl.Series([182] * people, dtype=pl.Int32),
                    "customer_key": [f"c{place:04}" for place in range(people)],
                    "model": [model] * people,
                    "predicted_value": 40 * probability + noise.normal(0, 5 + seed, people),
                    "purchase_probability": np.clip(
                        probability + noise.normal(0, 0.05 * (1 + seed), people), 0.01, 0.99
                    ),
                    "actual_value": value,
                    "has_bought": bought,
                }
            )
        )
    return pl.concat(frames)


def value_of(metrics: pl.DataFrame, quantity: str, model: str, metric: str) -> float:
    return metrics.filter(quantity=quantity, model=model, metric=metric)["value"].item()


def test_origins_are_taken_together_and_told_apart() -> None:
    rows = pl.concat([predictions("one"), predictions("two", seed=1)])
    measured = measure(rows, seed=1, draws=20)
    assert measured.metrics["origins"].unique().to_list() == [2]
    assert measured.metrics["n"].unique().to_list() == [600]
    own = rows.filter(model="two").sort("cut", "customer_key")
    together = ValueAccuracy(own["actual_value"].to_numpy(), own["predicted_value"].to_numpy()).measure()
    for metric, value in together.items():
        assert value_of(measured.metrics, "value", "two", metric) == pytest.approx(value)
    for cut in CUTS:
        part = own.filter(pl.col("cut") == cut)
        apart = ProbabilityAccuracy(
            part["has_bought"].cast(pl.Float64).to_numpy(), part["purchase_probability"].to_numpy()
        ).measure()
        at = measured.origins.filter(pl.col("cut") == cut)
        for metric, value in apart.items():
            assert value_of(at, "probability", "two", metric) == pytest.approx(value)


def test_models_are_compared_where_all_of_the_newest_origin_predicted() -> None:
    both = predictions("both")
    only_new, only_old = predictions("only new", CUTS[:1]), predictions("only old", CUTS[1:])
    without = compared(pl.concat([both, only_old]))
    assert set(without["model"]) == {"both"}
    assert without["cut"].n_unique() == 2
    newest = compared(pl.concat([both, only_new]))
    assert set(newest["model"]) == {"both", "only new"}
    assert newest["cut"].unique().to_list() == [CUTS[0]]
    measured = measure(pl.concat([both, only_new, only_old]), seed=1, draws=5)
    assert set(measured.metrics["model"]) == {"both", "only new"}
    # What cannot be compared is measured all the same.
    assert set(measured.origins["model"]) == {"both", "only new", "only old"}


def test_seeing_the_same_people_twice_makes_nothing_surer() -> None:
    once = measure(predictions("m", CUTS[:1], repeat=True), seed=3, draws=100).metrics
    twice = measure(predictions("m", repeat=True), seed=3, draws=100).metrics
    assert_frame_equal(
        once.drop("origins", "n"), twice.drop("origins", "n"), check_exact=False, rel_tol=1e-9, abs_tol=1e-9
    )


def test_the_order_of_rows_changes_nothing() -> None:
    rows = pl.concat([predictions("one"), predictions("two", seed=1)])
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=9)
    one, other = measure(rows, seed=2, draws=10), measure(shuffled, seed=2, draws=10)
    assert_frame_equal(one.metrics, other.metrics)
    assert_frame_equal(one.origins, other.origins)
    assert_frame_equal(one.comparisons, other.comparisons)
