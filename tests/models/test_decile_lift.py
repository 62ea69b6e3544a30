"""Tenths are exact, ties are fair, and the order of rows changes nothing."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.decile_lift import decile_lift
from models.metrics import ValueAccuracy

Numbers = list[float]


def predictions(predicted: Numbers, actual: Numbers, *, model: str = "m") -> pl.DataFrame:
    """A back-test of values alone."""
    return pl.DataFrame(
        {
            "cut": [date(2023, 1, 1)] * len(actual),
            "customer_key": [f"c{number:03}" for number in range(len(actual))],
            "model": [model] * len(actual),
            "predicted_value": predicted,
            "purchase_probability": pl.Series([None] * len(actual), dtype=pl.Float64),
            "actual_value": actual,
            "has_bought": [value > 0 for value in actual],
        },
        schema_overrides={"cut": pl.Date, "predicted_value": pl.Float64, "actual_value": pl.Float64},
    )


def shares(table: pl.DataFrame) -> Numbers:
    return table.sort("decile", descending=True)["share"].to_list()


def by_tenths_of_customers(predicted: Numbers, actual: Numbers) -> Numbers:
    """The slow way: cut everybody into ten equal parts, equals sharing alike, and deal them out in order."""
    parts: list[float] = []
    for value in sorted(set(predicted), reverse=True):
        tied = [a for p, a in zip(predicted, actual, strict=True) if p == value]
        parts += [sum(tied) / len(tied) / 10] * (10 * len(tied))
    size = len(actual)
    return [sum(parts[at : at + size]) / sum(actual) for at in range(0, 10 * size, size)]


pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), min_size=1, max_size=25)


@settings(max_examples=40, deadline=None)
@given(pairs)
def test_shares_agree_with_customers_cut_into_tenths(pairs: list[tuple[int, int]]) -> None:
    predicted, actual = [float(p) for p, _ in pairs], [float(a) for _, a in pairs]
    found = decile_lift(predictions(predicted, actual), seed=1, draws=3)
    if not sum(actual):
        assert found["share"].null_count() == found["best_share"].null_count() == 10
        return
    assert shares(found) == pytest.approx(by_tenths_of_customers(predicted, actual))
    perfect = found.sort("decile", descending=True)["best_share"].to_list()
    assert perfect == pytest.approx(by_tenths_of_customers(actual, actual))
    assert found["cumulative_share"].to_list()[0] == pytest.approx(1)
    np.testing.assert_allclose(found["lift"], found["share"] * 10)


def test_top_decile_agrees_with_the_headline_metric() -> None:
    rng = np.random.default_rng(7)
    actual = rng.exponential(size=403).round(1) * (rng.random(403) < 0.5)
    predicted = (actual * rng.lognormal(size=403)).round()
    found = decile_lift(predictions(predicted.tolist(), actual.tolist()), seed=1, draws=200)
    top = found.filter(decile=10).row(0, named=True)
    assert top["share"] == pytest.approx(ValueAccuracy(actual, predicted).measure()["top_decile_share"])
    assert top["share_low"] < top["share"] < top["share_high"] <= 1
    assert top["cumulative_share"] == top["share"] <= top["best_share"]
    assert top["n"] == 403


def test_order_of_rows_changes_nothing_not_even_intervals() -> None:
    both = pl.concat(
        [predictions([1.0, 1.0, 2.0, 3.0] * 9, [0.0, 5.0, 2.0, 9.0] * 9, model=name) for name in "ba"]
    )
    once = decile_lift(both, seed=3, draws=20)
    again = decile_lift(both.sample(fraction=1, shuffle=True, seed=1), seed=3, draws=20)
    # Sums of floats depend on their order in the last bit only.
    assert_frame_equal(once, again)
    assert once["model"].unique(maintain_order=True).to_list() == ["a", "b"]


def test_who_says_the_same_of_everybody_is_no_better_than_chance() -> None:
    found = decile_lift(predictions([4.0] * 37, [0.0, 3.0, 1.0, 80.0] * 9 + [1.0]), seed=1, draws=20)
    for column in ("lift", "lift_low", "lift_high"):
        assert found[column].to_list() == pytest.approx([1.0] * 10)


def test_buyers_are_counted_by_probability_and_models_without_one_left_out() -> None:
    value = predictions([float(n) for n in range(20)], [1.0] * 20, model="value only")
    chance = value.with_columns(
        model=pl.lit("chance only"),
        predicted_value=pl.lit(None, pl.Float64),
        purchase_probability=pl.Series(np.linspace(0, 1, 20)),
        has_bought=pl.Series([False] * 10 + [True] * 10),
    )
    found = decile_lift(pl.concat([value, chance]), seed=1, draws=20)
    assert found.select("quantity", "model").unique(maintain_order=True).rows() == [
        ("probability", "chance only"),
        ("value", "value only"),
    ]
    assert shares(found.filter(quantity="probability")) == pytest.approx([0.2] * 5 + [0.0] * 5)


def test_origins_are_taken_together_and_customers_stay_whole() -> None:
    one = predictions([1.0, 2.0, 3.0, 4.0] * 8, [0.0, 1.0, 4.0, 2.0] * 8)
    twice = pl.concat([one, one.with_columns(cut=pl.lit(date(2024, 1, 1)))])
    once, both = (decile_lift(rows, seed=1, draws=50) for rows in (one, twice))
    # The second origin says the same of the same people, so nothing is any surer.
    numbers = pl.exclude("n")
    assert_frame_equal(once.select(numbers), both.select(numbers))
    assert both["n"].unique().to_list() == [64]
    with pytest.raises(ValueError, match="other has predictions for other customers"):
        decile_lift(pl.concat([twice, one.with_columns(model=pl.lit("other"))]), seed=1)


def test_nobody_measured_gives_no_rows() -> None:
    assert decile_lift(predictions([], []), seed=1).is_empty()
