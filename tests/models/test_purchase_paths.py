"""A path says on each day what the model says of the customer as known on that day."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.purchase_paths import MOST_DAYS, purchase_path, typical_paths
from models.purchases import BetaGeo, ModifiedBetaGeo, PurchaseModel
from models.summary import customer_summary
from tests.models.composed_purchases import day, one_order_each, purchases
from tests.models.composed_stories import TODAY, story_shop

BG = BetaGeo.from_parameters({"r": 0.6, "alpha": 50.0, "a": 0.7, "b": 2.5})
MBG_IN_WEEKS = ModifiedBetaGeo.from_parameters(
    {"r": 0.5, "alpha": 6.2, "a": 0.9, "b": 1.6}, time_unit="weeks"
)
BOUGHT = [5, 30, 31, 80]


@pytest.mark.parametrize(("model", "unit"), [(BG, 1), (MBG_IN_WEEKS, 7)])
def test_each_day_agrees_with_the_summary_of_that_day(model: PurchaseModel, unit: int) -> None:
    path = purchase_path([day(number) for number in BOUGHT], model, until=day(120), horizon_days=30)
    assert path["day"].to_list() == [day(number) for number in range(5, 121)]
    orders = purchases(one_order_each({"a": BOUGHT}))
    for row in path.iter_rows(named=True):
        known = customer_summary(orders, row["day"]).collect().with_columns(pl.col("recency", "T") / unit)
        assert row["purchase_probability"] == pytest.approx(model.purchase_probability(known, 30 / unit)[0])
        assert row["probability_alive"] == pytest.approx(model.probability_alive(known)[0])
        assert row["order_days"] == known["frequency"][0] + 1
        assert row["age_days"] == pytest.approx(known["T"][0] * unit)
    assert path.filter("is_order_day")["day"].to_list() == [day(number) for number in BOUGHT]


def test_an_order_lifts_the_chance_and_silence_lowers_it() -> None:
    path = purchase_path([day(number) for number in BOUGHT], BG, until=day(300))
    moves = path.with_columns(move=pl.col("purchase_probability").diff()).drop_nulls("move")
    assert (moves.filter("is_order_day")["move"] > 0).all()
    assert (moves.filter(~pl.col("is_order_day"))["move"] < 0).all()


def test_a_long_path_is_thinned_and_keeps_every_jump() -> None:
    bought = [0, 7, 1111, 2999]
    path = purchase_path([day(number) for number in bought], BG, until=day(3000))
    assert path.height <= MOST_DAYS + 2 * len(bought)
    ages = path["age_days"].to_list()
    assert {*bought, 6, 1110, 2998, 3000} <= set(ages)
    assert ages == sorted(set(ages))
    daily = purchase_path([day(number) for number in bought[:1]], BG, until=day(MOST_DAYS - 1))
    assert daily.height == MOST_DAYS


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 500), min_size=1, max_size=12), st.integers(0, 500))
def test_later_orders_repeats_and_their_order_change_nothing(bought: list[int], today: int) -> None:
    if min(bought) > today:
        with pytest.raises(ValueError, match="no order up to"):
            purchase_path([day(number) for number in bought], BG, until=day(today))
        return
    path = purchase_path([day(number) for number in bought], BG, until=day(today))
    known = sorted({number for number in bought if number <= today})
    assert_frame_equal(path, purchase_path([day(number) for number in known], BG, until=day(today)))
    assert_frame_equal(
        path, purchase_path(pl.Series([day(number) for number in known]), BG, until=day(today))
    )
    assert path["day"].to_list()[-1] == day(today)
    assert path["purchase_probability"].is_between(0, 1).all()


def test_typical_paths_are_those_of_the_typical_histories() -> None:
    paths = typical_paths(purchases(story_shop(30)), BG, day(TODAY), horizon_days=60)
    back = paths.filter(story="came_back")
    assert back.filter("is_order_day")["age_days"].to_list() == [0, 20, 40, 60, 300, 320, 340]
    own = purchase_path(
        [day(number) for number in (0, 20, 40, 60, 300, 320, 340)], BG, until=day(400), horizon_days=60
    )
    shared = ["horizon_days", "age_days", "order_days", "purchase_probability", "probability_alive"]
    assert_frame_equal(back.select(shared), own.select(shared))
    assert set(back["customers"]) == {30}


def test_no_story_gives_no_rows() -> None:
    paths = typical_paths(purchases({}), BG, day(10))
    assert paths.is_empty()
    assert {"story", "age_days", "purchase_probability"} <= set(paths.columns)
