"""Period numbers against the calendar, day by day."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.periods import (
    CalendarUnit,
    check_period_unit,
    first_incomplete,
    index_of,
    is_complete,
    last_k,
    period_index,
    period_start,
    start_of,
)

UNITS: list[CalendarUnit] = ["month", "week", "quarter"]


def _value(expression: pl.Expr) -> object:
    return pl.select(expression).item()


@pytest.mark.parametrize("unit", UNITS)
@settings(max_examples=80, deadline=None)
@given(day=st.dates(date(1950, 1, 1), date(2100, 1, 1)))
def test_expressions_agree_with_dates(unit: CalendarUnit, day: date) -> None:
    index = index_of(day, unit)
    start = start_of(index, unit)
    assert _value(period_index(pl.lit(day), unit)) == index
    assert _value(period_start(pl.lit(index), unit)) == start
    assert start <= day < start_of(index + 1, unit)
    assert index_of(start, unit) == index
    assert index_of(start - timedelta(1), unit) == index - 1
    if unit == "week":
        assert start.isocalendar()[2] == 1
        assert start.isocalendar()[:2] == day.isocalendar()[:2]
    else:
        assert start.day == 1
        assert unit == "month" or start.month in (1, 4, 7, 10)


@pytest.mark.parametrize("unit", UNITS)
def test_a_period_is_complete_on_its_last_day_and_not_the_day_before(unit: CalendarUnit) -> None:
    index = index_of(date(2026, 3, 31), unit)
    last_day = start_of(index + 1, unit) - timedelta(1)
    assert first_incomplete(last_day, unit) == index + 1
    assert first_incomplete(last_day - timedelta(1), unit) == index
    assert _value(is_complete(pl.lit(index), pl.lit(0), last_day, unit)) is True
    assert _value(is_complete(pl.lit(index), pl.lit(1), last_day, unit)) is False
    assert _value(last_k(pl.lit(index), last_day, unit)) == 0


def test_an_age_is_complete_when_whoever_came_on_the_cohorts_last_day_has_completed_it() -> None:
    january = index_of(date(2026, 1, 1), "month")
    # 31 January + 30 days: day 0 to day 29 of the first age end on 1 March.
    assert _value(is_complete(pl.lit(january), pl.lit(0), date(2026, 3, 1), "age_30d")) is True
    assert _value(is_complete(pl.lit(january), pl.lit(0), date(2026, 2, 28), "age_30d")) is False
    assert _value(last_k(pl.lit(january), date(2026, 1, 30), "age_30d")) == 0
    assert _value(last_k(pl.lit(january), date(2026, 1, 31), "age_30d")) == 1


def test_an_unknown_unit_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'fortnight': use one of month, week, quarter, age_30d"):
        check_period_unit("fortnight")
