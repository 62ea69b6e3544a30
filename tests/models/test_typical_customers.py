"""Stories are told by rule, with medians, of groups large enough to hide everybody in them."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.purchase_paths import typical_paths
from models.purchases import BetaGeo
from models.typical_customers import TypicalCustomer, typical_customers
from tests.models.composed_purchases import Shop, day, one_order_each, purchases, shops
from tests.models.composed_stories import TODAY, story_shop

MODEL = BetaGeo.from_parameters({"r": 0.6, "alpha": 50.0, "a": 0.7, "b": 2.5})


def test_each_story_is_told_with_the_medians_of_its_customers() -> None:
    assert typical_customers(purchases(story_shop(42)), day(TODAY)) == [
        TypicalCustomer("regular", 42, tuple(range(0, 10 * 30, 30)), 280),
        TypicalCustomer("overdue", 42, (0, 30, 60, 90, 120), 400),
        TypicalCustomer("came_back", 42, (0, 20, 40, 60, 300, 320, 340), 400),
    ]


def test_groups_in_which_somebody_could_be_seen_are_left_out() -> None:
    assert typical_customers(purchases(story_shop(29)), day(TODAY)) == []
    assert {typical.customers for typical in typical_customers(purchases(story_shop(30)), day(TODAY))} == {30}


def test_a_sample_is_drawn_of_many() -> None:
    found = typical_customers(purchases(story_shop(200)), day(TODAY), max_customers=300)
    assert sum(typical.customers for typical in found) == 300
    assert [typical.story for typical in found] == ["regular", "overdue", "came_back"]


def test_few_orders_tell_no_story() -> None:
    few = one_order_each({f"c{number}": [0, 30, 60, 90] for number in range(50)})
    assert typical_customers(purchases(few), day(100)) == []
    assert typical_customers(purchases({}), day(100)) == []


@settings(max_examples=15, deadline=None)
@given(shops(customers=4, days=TODAY + 200, orders=8), st.integers(0, TODAY + 100))
def test_later_purchases_change_nothing(more: Shop, today: int) -> None:
    everybody = purchases({**story_shop(31), **more})
    known = everybody.filter(pl.col("order_day") <= day(today))
    assert typical_customers(everybody, day(today)) == typical_customers(known, day(today))
    assert_frame_equal(typical_paths(everybody, MODEL, day(today)), typical_paths(known, MODEL, day(today)))
