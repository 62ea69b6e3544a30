"""The transition matrix agrees with looking everybody up at two month ends."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from models.lifecycle import CutRules, customer_stages, stage_at, stage_cuts
from models.stage_transitions import NEWCOMER, stage_transitions
from tests.models.composed_purchases import START, Shop, day, one_order_each, purchases, shops


def stages_of(shop: Shop, as_of: date) -> pl.LazyFrame:
    orders = purchases(shop)
    cuts = stage_cuts(orders, as_of, rules=CutRules(min_customers=1))
    return customer_stages(orders, cuts, as_of)


@settings(max_examples=40, deadline=None)
@given(shops(orders=8, days=700), st.integers(0, 800))
def test_agrees_with_looking_everybody_up_at_two_month_ends(shop: Shop, last: int) -> None:
    as_of = day(last)
    stages = stages_of(shop, as_of).collect().lazy()
    expected: Counter[tuple[date, str, str]] = Counter()
    month = START.replace(day=1)
    while (next_month := (month + timedelta(days=31)).replace(day=1)) <= as_of + timedelta(days=1):
        before = dict(stage_at(stages, month - timedelta(days=1)).collect().iter_rows())
        after = dict(stage_at(stages, next_month - timedelta(days=1)).collect().iter_rows())
        expected.update((month, before.get(customer, NEWCOMER), stage) for customer, stage in after.items())
        month = next_month
    matrix = stage_transitions(stages, as_of).collect()
    assert {row[:3]: row[3] for row in matrix.iter_rows()} == dict(expected)


def test_a_month_without_an_end_yet_is_left_out() -> None:
    shop = one_order_each({"a": [0]})
    until_january_30 = stage_transitions(stages_of(shop, date(2020, 1, 30)), date(2020, 1, 30)).collect()
    assert until_january_30.is_empty()
    until_january_31 = stage_transitions(stages_of(shop, date(2020, 1, 31)), date(2020, 1, 31)).collect()
    assert until_january_31.rows() == [(date(2020, 1, 1), NEWCOMER, "new", 1)]


def test_an_earlier_as_of_reads_the_same_matrix_from_later_stages() -> None:
    stages = stages_of(one_order_each({"a": [0, 200], "b": [10]}), day(500))
    all_months = stage_transitions(stages, day(500)).collect()
    some = stage_transitions(stages, date(2020, 6, 30)).collect()
    assert some.rows() == all_months.filter(pl.col("month") <= date(2020, 6, 1)).rows()
