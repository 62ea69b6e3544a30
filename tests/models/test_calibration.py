"""Calibration by decile agrees with means taken by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from models.calibration import calibration_by_cohort, calibration_by_decile, outcomes
from models.intervals import wilson


def predictions(**columns: object) -> pl.LazyFrame:
    empty = {"predicted_value": None, "purchase_probability": None, "actual_value": 0.0, "has_bought": False}
    frame = pl.DataFrame({"model": ["m"] * 40, "row": range(40), **columns})  # pyright: ignore[reportArgumentType]
    missing = [
        pl.lit(value, pl.Boolean if name == "has_bought" else pl.Float64).alias(name)
        for name, value in empty.items()
        if name not in frame.columns
    ]
    return frame.lazy().with_columns(missing)


def test_values_agree_with_means_by_hand() -> None:
    actual = np.arange(40.0) ** 2
    table = calibration_by_decile(
        predictions(predicted_value=np.arange(40.0)[::-1], actual_value=actual)
    ).collect()
    assert table["quantity"].unique().to_list() == ["value"]
    assert table["customers"].to_list() == [4] * 10
    for row in table.iter_rows(named=True):
        # The predictions run the other way, so the first decile holds the last four customers.
        last = 40 - 4 * (row["decile"] - 1)
        mine = actual[last - 4 : last]
        assert row["predicted_mean"] == 4 * (row["decile"] - 1) + 1.5
        assert row["actual_mean"] == mine.mean()
        half = 1.959964 * mine.std(ddof=1) / 2
        assert (row["low"], row["high"]) == pytest.approx((mine.mean() - half, mine.mean() + half))


def test_probabilities_have_wilsons_interval_and_equal_predictions_share_a_decile() -> None:
    table = calibration_by_decile(
        predictions(purchase_probability=[0.2] * 30 + [0.8] * 10, has_bought=[True, False] * 20)
    ).collect()
    assert table.select("quantity", "decile", "customers", "actual_mean").rows() == [
        ("probability", 4, 30, 0.5),
        ("probability", 9, 10, 0.5),
    ]
    assert table.select("low", "high").row(1) == pytest.approx(wilson(5, 10))


def test_models_are_ranked_apart() -> None:
    one = predictions(predicted_value=np.arange(40.0))
    both = pl.concat(
        [one, one.with_columns(model=pl.lit("n"), predicted_value=pl.col("predicted_value") + 100)]
    )
    table = calibration_by_decile(both).collect()
    assert table.group_by("model").len().sort("model").rows() == [("m", 10), ("n", 10)]


def test_outcomes_hold_nine_of_ten_of_each_group() -> None:
    actual = np.arange(40.0) + 1
    table = outcomes(predictions(predicted_value=[1.0] * 40, actual_value=actual)).collect()
    assert table.select("model", "place", "groups", "customers").rows() == [("m", 1, 1, 40)]
    assert table.select("outcome_low", "outcome_high").row(0) == (2.0, 39.0)
    # Where the lowest are all 0, nobody is cut off below.
    bought = np.where(np.arange(40) < 10, 0.0, np.arange(40.0))
    some = outcomes(predictions(predicted_value=[1.0] * 40, actual_value=bought)).collect()
    assert some.select("outcome_low", "outcome_high").row(0) == (0.0, 36.0)


def test_cohorts_are_quarters_of_the_first_order() -> None:
    days = [date(2023, 1, 1), date(2023, 3, 31), date(2023, 4, 1), date(2024, 12, 31)]
    first_days = pl.LazyFrame({"customer_key": [f"c{row}" for row in range(40)], "first_day": days * 10})
    rows = predictions(predicted_value=[2.0] * 40, actual_value=np.arange(40.0))
    keyed = rows.with_columns(customer_key=pl.format("c{}", "row"))
    table = calibration_by_cohort(keyed, first_days).collect()
    assert table.select("cohort", "customers").rows() == [
        (date(2023, 1, 1), 20),
        (date(2023, 4, 1), 10),
        (date(2024, 10, 1), 10),
    ]
    assert table["actual_mean"].to_list() == pytest.approx([18.5, 20.0, 21.0])
