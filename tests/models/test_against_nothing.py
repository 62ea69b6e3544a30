"""Against nothing: the errors by hand, and the case in which expecting nothing wins. All customers are made up."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.against_nothing import NOTHING, against_nothing

SCHEMA = {"model": pl.String, "predicted_value": pl.Float64, "actual_value": pl.Float64}


def predictions(actual: list[float], **predicted: list[float]) -> pl.LazyFrame:
    rows = [
        (model, one, other)
        for model, values in predicted.items()
        for one, other in zip(values, actual, strict=True)
    ]
    return pl.LazyFrame(rows, schema=SCHEMA, orient="row")


amounts = st.floats(0, 1e5, allow_nan=False).map(lambda value: round(value, 2))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(amounts, amounts, amounts), min_size=1, max_size=20))
def test_agrees_with_sums_by_hand(rows: list[tuple[float, float, float]]) -> None:
    actual, one, other = (list(column) for column in zip(*rows, strict=True))
    found = {row["model"]: row for row in against_nothing(predictions(actual, a=one, b=other)).to_dicts()}
    for name, values in (("a", one), ("b", other), (NOTHING, [0.0] * len(rows))):
        errors = [value - truth for value, truth in zip(values, actual, strict=True)]
        row, total = found[name], sum(actual)
        assert row["n"] == len(rows)
        assert row["mae"] == pytest.approx(sum(map(abs, errors)) / len(rows))
        assert row["rmse"] == pytest.approx((sum(error**2 for error in errors) / len(rows)) ** 0.5)
        assert row["buyers"] == pytest.approx(sum(value > 0 for value in actual) / len(rows))
        assert row["total_off_by"] == (pytest.approx(sum(errors) / total) if total else None)
        assert row["mae_of_nothing"] == (pytest.approx(sum(map(abs, errors)) / total) if total else None)


def test_where_few_buy_expecting_nothing_has_the_smallest_absolute_error_and_no_revenue() -> None:
    actual = [0.0] * 8 + [50.0] * 2
    found = against_nothing(predictions(actual, true_mean=[10.0] * 10))
    assert found["model"].to_list() == [NOTHING, "true_mean"]
    assert found["total_off_by"].to_list() == [-1.0, 0.0]
    assert found["rmse"][0] > found["rmse"][1]


def test_no_predictions_give_no_rows() -> None:
    assert against_nothing(predictions([])).is_empty()
