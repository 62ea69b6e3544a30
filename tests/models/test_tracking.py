"""The tracking curve agrees with every customer counted alone, and knows nothing after as_of."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.purchases import BetaGeo, ModifiedBetaGeo, ParetoNBD, PurchaseModel
from models.tracking import TRACKING, tracking
from tests.models.cdnow import END_OF_CALIBRATION, daily_summary, order_days, weekly_summary
from tests.models.composed_purchases import Shop, day, one_order_each, purchases, shops

END = date(1998, 6, 30)
WEEKS = BetaGeo.from_parameters({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, time_unit="weeks")


def test_cdnow_agrees_with_every_customer_counted_alone() -> None:
    models: dict[str, PurchaseModel] = {
        "pareto": ParetoNBD(time_unit="weeks").fit(weekly_summary()),
        "bg": BetaGeo().fit(daily_summary()),
    }
    found = tracking(order_days().lazy(), models, END_OF_CALIBRATION, END)
    assert found["model"].unique(maintain_order=True).to_list() == ["bg", "pareto"]
    histories = order_days().group_by("customer_key").agg(pl.col("order_day").sort())["order_day"].to_list()
    for name, per_unit in (("pareto", 7), ("bg", 1)):
        rows = found.filter(model=name)
        ends = rows["week_ending"].to_list()
        actual, expected = np.zeros(len(ends)), np.zeros(len(ends))
        for bought in histories:
            ages = np.array([max((end - bought[0]).days, 0) for end in ends])
            expected += models[name].expected_purchases_new(ages / per_unit)
            repeats = np.array([(again - bought[0]).days for again in bought[1:]])
            actual += (repeats[None, :] <= ages[:, None]).sum(axis=1)
        np.testing.assert_array_equal(rows["cumulative_actual"], actual)
        np.testing.assert_allclose(rows["cumulative_expected"], expected, rtol=1e-9)
        np.testing.assert_allclose(rows["expected"].cum_sum(), expected, rtol=1e-9)
        assert rows["actual"].cum_sum().to_list() == actual.tolist()


def test_cdnow_weeks_are_39_seen_and_39_not() -> None:
    # Fader, Hardie & Lee (2005): 39 weeks of calibration, 39 of hold-out, 2,357 customers.
    found = tracking(order_days().lazy(), {"bg": WEEKS}, END_OF_CALIBRATION, END)
    assert found.group_by("is_held_out", maintain_order=True).len().rows() == [(False, 39), (True, 39)]
    assert found.filter(week_ending=END_OF_CALIBRATION).height == 1
    assert found["customers"][-1] == 2357
    last = found.row(-1, named=True)
    assert last["cumulative_expected"] == pytest.approx(last["cumulative_actual"], rel=0.05)


def test_a_week_that_is_not_over_and_newcomers_after_the_cut_are_left_out() -> None:
    shop = one_order_each({"a": [0, 3, 9, 12], "newcomer": [8, 9, 10]})
    found = tracking(purchases(shop), {"m": WEEKS}, day(6), day(18))
    assert found.select("week_ending", "is_held_out", "customers", "actual").rows() == [
        (day(6), False, 1, 1),
        (day(13), True, 1, 2),
    ]


def test_a_new_customer_brings_what_the_model_expects_of_one() -> None:
    found = tracking(purchases(one_order_each({"a": [0]})), {"m": WEEKS}, day(0), day(14))
    expected = WEEKS.expected_purchases_new([0.0, 1.0, 2.0])
    assert found["cumulative_expected"].to_list() == pytest.approx(expected)
    assert found["actual"].to_list() == [0, 0, 0]


@settings(max_examples=25, deadline=None)
@given(shops(days=120), st.integers(0, 60), st.integers(0, 60))
def test_later_purchases_change_nothing_and_every_repeat_order_day_is_counted(
    shop: Shop, cut_day: int, more: int
) -> None:
    cut, as_of = day(cut_day), day(cut_day + 7 * (more // 7))
    models: dict[str, PurchaseModel] = {"m": WEEKS}
    known = purchases(shop).filter(pl.col("order_day") <= as_of)
    found = tracking(purchases(shop), models, cut, as_of)
    assert_frame_equal(found, tracking(known, models, cut, as_of))
    repeats = sum(
        sum(1 for number in days if min(days) < number <= (as_of - day(0)).days)
        for days in shop.values()
        if min(days) <= cut_day
    )
    assert found["actual"].sum() == repeats


def test_nobody_before_the_cut_gives_no_rows_and_a_cut_after_as_of_is_refused() -> None:
    late = purchases(one_order_each({"a": [50]}))
    empty = tracking(late, {"m": WEEKS}, day(10), day(60))
    assert empty.is_empty()
    assert empty.schema == pl.Schema(TRACKING)
    with pytest.raises(ValueError, match="lies after as_of"):
        tracking(late, {"m": WEEKS}, day(61), day(60))


def test_one_time_buyers_alone_are_tracked() -> None:
    shop = one_order_each({f"c{number}": [number] for number in range(30)})
    model = ModifiedBetaGeo.from_parameters({"r": 0.5, "alpha": 6.0, "a": 0.9, "b": 1.6})
    found = tracking(purchases(shop), {"m": model}, day(28), day(28) + timedelta(7))
    assert found["actual"].sum() == 0
    assert (found["expected"].drop_nulls() >= 0).all()
