"""Cohort tables against the definitions, spelt out customer by customer in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.cohorts import MEASURES, UNKNOWN, cohort_members, cohort_retention
from models.intervals import wilson
from models.periods import PERIOD_UNITS, PeriodUnit
from tests.models.shops import OPENED, as_of_days, purchase_days, purchases_of

Rows = list[tuple[str, date, int]]
FEW = settings(max_examples=40, deadline=None)
units = st.sampled_from(PERIOD_UNITS)
YEAR_ON_YEAR = {"month": 12, "week": 52, "quarter": 4}


def _start(day: date, unit: PeriodUnit) -> date:
    if unit == "week":
        return day - timedelta(day.weekday())
    return day.replace(day=1) if unit != "quarter" else date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)


def _next(start: date, unit: PeriodUnit) -> date:
    return _start(start + timedelta({"week": 7, "quarter": 95}.get(unit, 31)), unit)


def _plus(start: date, k: int, unit: PeriodUnit) -> date:
    for _ in range(k):
        start = _next(start, unit)
    return start


@dataclass(frozen=True)
class _Customer:
    """One customer's valid orders, one entry an order, sorted."""

    orders: list[date]

    def k(self, day: date, unit: PeriodUnit) -> int:
        if unit == "age_30d":
            return (day - self.orders[0]).days // 30
        start, steps = _start(self.orders[0], unit), 0
        while _next(start, unit) <= day:
            start, steps = _next(start, unit), steps + 1
        return steps

    def ks(self, unit: PeriodUnit) -> list[int]:
        return [self.k(day, unit) for day in self.orders]


def _customers(rows: Rows, as_of: date) -> dict[str, _Customer]:
    orders: dict[str, list[date]] = defaultdict(list)
    for key, day, count in sorted(rows, key=lambda row: row[1]):
        if day <= as_of:
            orders[key] += [day] * count
    return {key: _Customer(days) for key, days in orders.items()}


COUNTED: dict[str, Callable[[list[int], int], bool]] = {
    "active_rate": lambda ks, k: k in ks,
    "repurchased_by": lambda ks, k: len(ks) > 1 and ks[1] <= k,
    "retained_from": lambda ks, k: max(ks) >= k,
}


def _slow_cells(
    rows: Rows, as_of: date, unit: PeriodUnit
) -> dict[tuple[date, int, str], tuple[set[str], set[str], bool]]:
    """(cohort, k, measure) -> (members counted, all members, is_complete)."""
    customers = _customers(rows, as_of)
    cells: dict[tuple[date, int, str], tuple[set[str], set[str], bool]] = {}
    for cohort in {_start(customer.orders[0], unit) for customer in customers.values()}:
        members = {key for key, customer in customers.items() if _start(customer.orders[0], unit) == cohort}
        for k in range(10_000):
            if unit == "age_30d":
                begins = cohort + timedelta(30 * k)
                ends = _next(cohort, unit) - timedelta(1) + timedelta(30 * (k + 1) - 1)
            else:
                begins, ends = _plus(cohort, k, unit), _plus(cohort, k + 1, unit) - timedelta(1)
            if begins > as_of:
                break
            for measure, counts in COUNTED.items():
                counted = {key for key in members if counts(customers[key].ks(unit), k)}
                cells[cohort, k, measure] = (counted, members, ends <= as_of)
    if unit != "age_30d":
        lag = YEAR_ON_YEAR[unit]
        buyers: dict[date, set[str]] = defaultdict(set)
        for key, customer in customers.items():
            for day in customer.orders:
                buyers[_start(day, unit)].add(key)
        for start in list(buyers):
            again = _plus(start, lag, unit)
            if again <= as_of:
                both = buyers[start] & buyers.get(again, set())
                is_complete = _next(again, unit) - timedelta(1) <= as_of
                cells[start, lag, "period_retention"] = (both, buyers[start], is_complete)
    return cells


def _by_cell(table: pl.DataFrame) -> dict[tuple[date, int, str], dict[str, Any]]:
    return {(row["cohort"], row["k"], row["measure"]): row for row in table.to_dicts()}


@settings(max_examples=200, deadline=None)
@given(purchase_days(), as_of_days(), units)
def test_the_table_equals_the_recomputation_cell_by_cell(rows: Rows, as_of: date, unit: PeriodUnit) -> None:
    table = cohort_retention(purchases_of(rows), as_of, period_unit=unit).collect()
    found, expected = _by_cell(table), _slow_cells(rows, as_of, unit)
    assert table.height == len(found)
    assert found.keys() == expected.keys()
    for cell, (counted, members, is_complete) in expected.items():
        row = found[cell]
        assert row["n"] == len(members)
        assert row["is_complete"] == is_complete
        assert row["is_small"]
        if is_complete:
            assert row["customers"] == len(counted)
            assert row["rate"] == pytest.approx(len(counted) / len(members))
            assert (row["low"], row["high"]) == pytest.approx(wilson(len(counted), len(members)))
        else:
            assert [row[name] for name in ("customers", "rate", "low", "high")] == [None] * 4


@settings(max_examples=15, deadline=None)
@given(purchase_days(customers=4, days=500), as_of_days(500), units, st.data())
def test_every_cell_drills_to_exactly_its_members(
    rows: Rows, as_of: date, unit: PeriodUnit, data: st.DataObject
) -> None:
    cells = _slow_cells(rows, as_of, unit)
    if not cells:
        return
    drawn = data.draw(st.lists(st.sampled_from(sorted(cells)), min_size=1, max_size=8))
    for cohort, k, measure in drawn:
        members = cohort_members(
            purchases_of(rows), as_of, cohort, k, cast(Any, measure), period_unit=unit
        ).collect()
        counted, everybody, is_complete = cells[cohort, k, measure]
        assert sorted(members["customer_key"]) == sorted(everybody)
        assert set(members.filter("is_counted")["customer_key"]) == (counted if is_complete else set())
        assert (members["is_counted"].null_count() == 0) == is_complete


@FEW
@given(purchase_days(), as_of_days(), units)
def test_later_purchases_change_nothing(rows: Rows, as_of: date, unit: PeriodUnit) -> None:
    known = [row for row in rows if row[1] <= as_of]
    assert_frame_equal(
        cohort_retention(purchases_of(rows), as_of, period_unit=unit),
        cohort_retention(purchases_of(known), as_of, period_unit=unit),
    )


@FEW
@given(purchase_days(), as_of_days(), units)
def test_repurchased_never_falls_retained_never_rises_and_nobody_active_is_gone(
    rows: Rows, as_of: date, unit: PeriodUnit
) -> None:
    table = cohort_retention(purchases_of(rows), as_of, period_unit=unit).collect()
    wide = (
        table.filter("is_complete", pl.col("measure") != "period_retention")
        .pivot("measure", index=["cohort", "k"], values="rate")
        .sort("cohort", "k")
    )
    if wide.is_empty():
        return
    step = wide.with_columns(
        rise=pl.col("repurchased_by").diff().over("cohort"),
        fall=pl.col("retained_from").diff().over("cohort"),
    )
    assert step.filter((pl.col("rise") < 0) | (pl.col("fall") > 0)).is_empty()
    assert wide.filter(pl.col("active_rate") > pl.col("retained_from")).is_empty()
    # Whoever is active after the first period has bought twice by then.
    assert wide.filter((pl.col("k") > 0) & (pl.col("active_rate") > pl.col("repurchased_by"))).is_empty()
    assert wide.filter((pl.col("k") == 0) & (pl.col("active_rate") != 1)).is_empty()


@FEW
@given(purchase_days(), as_of_days(), units)
def test_an_attribute_everybody_shares_breaks_nothing_down(rows: Rows, as_of: date, unit: PeriodUnit) -> None:
    shared = pl.LazyFrame(
        {"customer_key": sorted({row[0] for row in rows})}, schema={"customer_key": pl.String}
    )
    table = cohort_retention(
        purchases_of(rows),
        as_of,
        period_unit=unit,
        first_order_attributes=shared.with_columns(channel=pl.lit("web")),
        break_downs=["channel"],
    ).collect()
    group = ["break_down", "break_down_value"]
    everybody = table.filter(pl.col("break_down") == "all").drop(group)
    web = table.filter(pl.col("break_down") == "channel").drop(group)
    assert_frame_equal(everybody, web)


@FEW
@given(purchase_days(), as_of_days(), units)
def test_a_value_of_a_break_down_is_the_table_of_its_customers(
    rows: Rows, as_of: date, unit: PeriodUnit
) -> None:
    # c1's first order has two categories, and c2's is not known.
    attributes = pl.LazyFrame(
        {"customer_key": ["c0", "c1", "c1", "c1", "c3"], "category": ["toys", "toys", "home", "home", None]}
    )
    table = cohort_retention(
        purchases_of(rows),
        as_of,
        period_unit=unit,
        first_order_attributes=attributes,
        break_downs=["category"],
    ).collect()
    own = {"toys": {"c0", "c1"}, "home": {"c1"}, UNKNOWN: {"c2", "c3", "c4"}}
    for value, keys in own.items():
        expected = _slow_cells([row for row in rows if row[0] in keys], as_of, unit)
        found = _by_cell(table.filter(pl.col("break_down_value") == value))
        assert found.keys() == expected.keys()
        for cell, (counted, members, is_complete) in expected.items():
            assert found[cell]["n"] == len(members)
            assert found[cell]["customers"] == (len(counted) if is_complete else None)


def test_a_cell_of_a_break_down_drills_to_its_members() -> None:
    rows = [
        ("a", date(2026, 1, 3)),
        ("b", date(2026, 1, 4)),
        ("c", date(2026, 1, 5)),
        ("a", date(2026, 2, 1)),
    ]
    attributes = pl.LazyFrame({"customer_key": ["a", "b", "b"], "category": ["toys", "toys", "home"]})

    def members(value: str) -> dict[str, bool]:
        frame = cohort_members(
            purchases_of(rows),
            date(2026, 2, 28),
            date(2026, 1, 1),
            1,
            "active_rate",
            first_order_attributes=attributes,
            break_down="category",
            break_down_value=value,
        )
        return dict(frame.collect().rows())

    assert members("toys") == {"a": True, "b": False}
    assert members("home") == {"b": False}
    assert members(UNKNOWN) == {"c": False}


def _marked(rows: Rows, history_start: date | None, unit: PeriodUnit = "month") -> list[date]:
    table = cohort_retention(
        purchases_of(rows), date(2026, 6, 30), period_unit=unit, history_start=history_start
    )
    return sorted(table.filter("is_left_truncated").collect()["cohort"].unique())


@pytest.mark.parametrize("unit", ["month", "age_30d"])
def test_the_cohort_of_the_first_loaded_period_is_marked_when_nearly_all_its_buyers_look_new(
    unit: PeriodUnit,
) -> None:
    stray = [("s", date(2025, 11, 5), 1)]
    january = [(f"c{number}", date(2026, 1, 5), 1) for number in range(10)]
    rows = [*january, ("x", date(2026, 2, 7), 1)]
    assert _marked(rows, None, unit) == [date(2026, 1, 1)]
    assert _marked(rows, date(2026, 1, 20), unit) == [date(2026, 1, 1)]
    # A history that begins before the first order saw the shop open.
    assert _marked(rows, date(2025, 12, 1), unit) == []
    # One of eleven buyers was known before: still nearly all look new, and the stray cohort is no better.
    known = ("s", date(2026, 1, 9), 1)
    assert _marked([*stray, *rows, known], date(2026, 1, 1), unit) == [date(2025, 11, 1), date(2026, 1, 1)]
    # Two of eleven: their history reaches back.
    old_hands = [("c0", date(2025, 11, 7), 1), known]
    assert _marked([*stray, *rows, *old_hands], date(2026, 1, 1), unit) == []


def test_an_empty_shop_has_an_empty_table_of_the_same_schema() -> None:
    for unit in PERIOD_UNITS:
        empty = cohort_retention(purchases_of([]), OPENED, period_unit=unit).collect()
        full = cohort_retention(purchases_of([("a", OPENED)]), OPENED, period_unit=unit).collect()
        assert empty.is_empty()
        assert empty.schema == full.schema == cohort_retention(purchases_of([]), OPENED).collect_schema()
        nobody = cohort_members(purchases_of([]), OPENED, date(2024, 1, 1), 0, "active_rate")
        assert nobody.collect().is_empty()


def test_a_shop_with_one_month_of_data_has_one_row_a_measure_null_until_the_month_ends() -> None:
    rows = purchases_of([("a", date(2026, 1, 3)), ("b", date(2026, 1, 4), 2), ("c", date(2026, 1, 30))])
    running = cohort_retention(rows, date(2026, 1, 30)).collect()
    ended = cohort_retention(rows, date(2026, 1, 31)).collect()
    assert running.select("measure", "k", "customers", "n").rows() == [
        (measure, 0, None, 3) for measure in sorted(MEASURES[:3])
    ]
    assert dict(ended.select("measure", "customers").rows()) == {
        "active_rate": 3,
        "repurchased_by": 1,
        "retained_from": 3,
    }


def test_two_orders_on_the_first_day_are_a_repurchase_in_the_first_period() -> None:
    rows = purchases_of([("a", date(2026, 1, 3), 2), ("b", date(2026, 1, 3), 1)])
    table = _by_cell(cohort_retention(rows, date(2026, 2, 28)).collect())
    assert [table[date(2026, 1, 1), k, "repurchased_by"]["customers"] for k in (0, 1)] == [1, 1]


def test_a_group_of_thirty_is_not_small() -> None:
    rows = purchases_of([(f"c{number}", OPENED) for number in range(30)])
    assert not cohort_retention(rows, OPENED).collect()["is_small"].any()


def test_questions_without_an_answer_are_refused_in_plain_words() -> None:
    rows = purchases_of([("a", OPENED)])
    attributes = pl.LazyFrame({"customer_key": ["a"], "channel": ["web"]})
    with pytest.raises(ValueError, match="Unknown period unit 'year'"):
        cohort_retention(rows, OPENED, period_unit=cast(Any, "year"))
    with pytest.raises(ValueError, match="need `first_order_attributes`"):
        cohort_retention(rows, OPENED, break_downs=["channel"])
    with pytest.raises(
        ValueError, match="no first-order attribute 'country'; there are: customer_key, channel"
    ):
        cohort_retention(rows, OPENED, first_order_attributes=attributes, break_downs=["country"])
    with pytest.raises(ValueError, match="2024-01-17 is not the first day of a month: that is 2024-01-01"):
        cohort_members(rows, OPENED, OPENED, 0, "active_rate")
    with pytest.raises(ValueError, match="Unknown measure 'churn'"):
        cohort_members(rows, OPENED, date(2024, 1, 1), 0, cast(Any, "churn"))
    with pytest.raises(ValueError, match="period_retention is year on year"):
        cohort_members(rows, OPENED, date(2024, 1, 1), 1, "period_retention")
    with pytest.raises(ValueError, match="needs `first_order_attributes`"):
        cohort_members(rows, OPENED, date(2024, 1, 1), 0, "active_rate", break_down="channel")
