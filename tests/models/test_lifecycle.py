"""Lifecycle stages agree with a day-by-day reading of the glossary, and never look ahead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.lifecycle import STAGES, CutRules, customer_stages, stage_at, stage_cuts
from tests.models.composed_purchases import Shop, day, one_order_each, purchases, shops

ANY_NUMBER = CutRules(min_customers=1)
Cuts = Mapping[date, dict[str, float]]


def cuts_by_month(cuts: pl.DataFrame) -> Cuts:
    return {row["month"]: row for row in cuts.iter_rows(named=True)}


def cuts_after(days: Mapping[int, int], last: int, cuts: Cuts) -> tuple[float, float, float]:
    """p75, p90 and dormant_after in force for a customer whose latest order day is `last`."""
    kind = "first" if sum(orders for number, orders in days.items() if number <= last) == 1 else "later"
    row = cuts[day(last).replace(day=1)]
    return row[f"p75_{kind}"], row[f"p90_{kind}"], row[f"dormant_after_{kind}"]


def slow_stage(days: Mapping[int, int], today: int, cuts: Cuts) -> str | None:
    """The glossary's list, read from the top for one customer and one day."""
    known = [number for number in sorted(days) if number <= today]
    if not known:
        return None
    for before, comeback in pairwise(known):
        was_lapsed = comeback - before > cuts_after(days, before, cuts)[1]
        if was_lapsed and today - comeback <= cuts_after(days, comeback, cuts)[0]:
            return "reactivated"
    silence = today - known[-1]
    p75, p90, dormant_after = cuts_after(days, known[-1], cuts)
    if silence <= p75:
        return "new" if sum(days[number] for number in known) == 1 else "active"
    if silence > dormant_after:
        return "dormant"
    return "lapsed" if silence > p90 else "at_risk"


def unfold(stages: pl.DataFrame, as_of: date) -> dict[tuple[str, date], list[str]]:
    """Every (customer, day) and the stages that claim it."""
    claimed: dict[tuple[str, date], list[str]] = {}
    for row in stages.iter_rows(named=True):
        current = row["from_day"]
        while current <= (row["to_day"] or as_of):
            claimed.setdefault((row["customer_key"], current), []).append(row["stage"])
            current += timedelta(days=1)
    return claimed


def own_stages(shop: Shop, as_of: date, rules: CutRules = ANY_NUMBER) -> pl.DataFrame:
    orders = purchases(shop)
    return customer_stages(orders, stage_cuts(orders, as_of, rules=rules), as_of).collect()


@settings(max_examples=40, deadline=None)
@given(shops(customers=4, orders=8), st.integers(0, 1600))
def test_agrees_with_a_day_by_day_reading_of_the_glossary(shop: Shop, last: int) -> None:
    orders, as_of = purchases(shop), day(last)
    cuts = cuts_by_month(stage_cuts(orders, as_of, rules=ANY_NUMBER).collect())
    expected = {
        (customer, day(today)): [stage]
        for customer, days in shop.items()
        for today in range(last + 1)
        if (stage := slow_stage(days, today, cuts)) is not None
    }
    # Equal as a whole: no day is missing, none has two stages, none lies outside.
    assert unfold(own_stages(shop, as_of), as_of) == expected


@settings(max_examples=40, deadline=None)
@given(
    shops(customers=4, days=300, orders=12),
    st.lists(st.tuples(st.floats(1, 60), st.floats(0, 60), st.floats(0, 90)), min_size=24, max_size=24),
    st.integers(0, 350),
)
def test_agrees_whatever_the_cuts_do_from_month_to_month(
    shop: Shop, numbers: list[tuple[float, float, float]], last: int
) -> None:
    months = [date(2020, month, 1) for month in range(1, 13)]
    rows: list[dict[str, object]] = []
    for position, month in enumerate(months):
        row: dict[str, object] = {"month": month}
        for kind, (p75, to_p90, to_dormant) in zip(
            ("first", "later"), numbers[2 * position : 2 * position + 2], strict=True
        ):
            row |= {f"p75_{kind}": p75, f"p90_{kind}": p75 + to_p90}
            row[f"dormant_after_{kind}"] = p75 + to_p90 + to_dormant
        rows.append(row)
    table = pl.DataFrame(rows)
    as_of = day(last)
    stages = customer_stages(purchases(shop), table.lazy(), as_of).collect()
    cuts = cuts_by_month(table)
    expected = {
        (customer, day(today)): [stage]
        for customer, days in shop.items()
        for today in range(last + 1)
        if (stage := slow_stage(days, today, cuts)) is not None
    }
    assert unfold(stages, as_of) == expected


@settings(max_examples=40, deadline=None)
@given(shops(orders=8), st.integers(0, 1500), st.integers(0, 500))
def test_later_orders_change_no_earlier_day(shop: Shop, last: int, further: int) -> None:
    earlier = own_stages(shop, day(last))
    later = own_stages(shop, day(last + further))
    cut_back = later.filter(pl.col("from_day") <= day(last)).with_columns(
        to_day=pl.when(pl.col("to_day") < day(last)).then("to_day")
    )
    # An interval that ends exactly on the earlier as_of was still open then.
    assert_frame_equal(earlier, cut_back)


@settings(max_examples=30, deadline=None)
@given(shops(orders=8), st.integers(0, 1600))
def test_neighbours_differ_and_only_the_last_interval_is_open(shop: Shop, last: int) -> None:
    stages = own_stages(shop, day(last))
    assert set(stages["stage"]) <= set(STAGES)
    for (_,), rows in stages.group_by("customer_key", maintain_order=True):
        assert rows["to_day"].is_null().to_list() == [False] * (rows.height - 1) + [True]
        assert (rows["stage"] != rows["stage"].shift(1)).fill_null(True).all()
        assert (rows["from_day"][1:] - timedelta(days=1) == rows["to_day"][:-1]).all()


def test_one_time_buyer_walks_from_new_to_dormant_on_the_fallback_days() -> None:
    stages = own_stages(one_order_each({"a": [0]}), day(400), CutRules())
    assert stages.rows() == [
        ("a", "new", day(0), day(90)),
        ("a", "at_risk", day(91), day(180)),
        ("a", "lapsed", day(181), day(365)),
        ("a", "dormant", day(366), None),
    ]


def test_a_comeback_is_reactivated_for_p75_days_even_if_more_orders_follow() -> None:
    stages = own_stages(one_order_each({"a": [0, 200, 250]}), day(345), CutRules())
    assert stages.rows() == [
        ("a", "new", day(0), day(90)),
        ("a", "at_risk", day(91), day(180)),
        ("a", "lapsed", day(181), day(199)),
        ("a", "reactivated", day(200), day(290)),
        ("a", "active", day(291), day(340)),
        ("a", "at_risk", day(341), None),
    ]


def test_nobody_changes_stage_because_others_did() -> None:
    # A hundred quick returners bring the cuts from 90 days to 10 in February; "slow" bought in January.
    quick = {f"quick {number}": [0, 10] for number in range(100)}
    shop = one_order_each({"slow": [1], **quick})
    alone = own_stages(one_order_each({"slow": [1]}), day(60), CutRules())
    together = own_stages(shop, day(60), CutRules())
    assert_frame_equal(together.filter(pl.col("customer_key") == "slow"), alone)


def test_two_orders_on_the_first_day_make_an_active_customer() -> None:
    assert own_stages({"a": {0: 2}}, day(1))["stage"].to_list() == ["active"]


def test_prospects_are_people_known_before_or_without_an_order() -> None:
    orders = purchases(one_order_each({"buyer": [5], "walk-in": [5], "tomorrow": [8]}))
    customers = pl.DataFrame(
        {
            "customer_key": ["buyer", "walk-in", "tomorrow", "reader", "not yet known"],
            "first_seen_day": [day(2), day(5), day(3), day(1), day(9)],
        }
    )
    cuts = stage_cuts(orders, day(7))
    stages = customer_stages(orders, cuts, day(7), customers=customers.lazy()).collect()
    prospects = stages.filter(pl.col("stage") == "prospect").sort("customer_key")
    assert prospects.rows() == [
        ("buyer", "prospect", day(2), day(4)),
        ("reader", "prospect", day(1), None),
        ("tomorrow", "prospect", day(3), None),
    ]
    assert stages.filter(pl.col("customer_key") == "walk-in")["stage"].to_list() == ["new"]


def test_stage_at_finds_closed_and_open_intervals() -> None:
    stages = own_stages(one_order_each({"a": [0], "b": [100]}), day(120), CutRules()).lazy()

    def at(number: int) -> list[tuple[str, str]]:
        return stage_at(stages, day(number)).sort("customer_key").collect().rows()

    assert at(90) == [("a", "new")]
    assert at(91) == [("a", "at_risk")]
    assert at(100) == [("a", "at_risk"), ("b", "new")]


def test_cuts_that_miss_a_month_are_refused() -> None:
    orders = purchases(one_order_each({"a": [0, 40]}))
    cuts = stage_cuts(orders, day(5))
    with pytest.raises(ValueError, match="have no p75: compute stage_cuts from the same"):
        customer_stages(orders, cuts, day(50)).collect()


def test_an_unknown_first_seen_day_is_refused() -> None:
    orders = purchases(one_order_each({"a": [0]}))
    customers = pl.DataFrame(
        {"customer_key": ["b"], "first_seen_day": [None]}, schema_overrides={"first_seen_day": pl.Date}
    )
    with pytest.raises(ValueError, match="give the day the shop"):
        customer_stages(orders, stage_cuts(orders, day(1)), day(1), customers=customers.lazy()).collect()


def test_a_shop_without_orders_has_no_stages() -> None:
    assert own_stages({}, day(3)).is_empty()
