"""Arithmetic of retention periods: calendar months, ISO weeks, quarters, and 30-day ages.

A calendar period is a plain integer that counts periods, so that "k periods later" is an addition and
never a date calculation: months and quarters count from the year 0, weeks from the Monday before
1970-01-01. Periods are counted on shop-local days, never as spans of 24 hours. An *age* is no calendar
period: it counts blocks of 30 days since a customer's own first order day, and its cohorts are the
calendar months of that day.

What does not belong here: who bought when (`models.order_days`), and what is counted in a period
(`models.cohorts`).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, get_args

import polars as pl

__all__ = [
    "AGE_DAYS",
    "PERIOD_UNITS",
    "PERIOD_YEAR",
    "CalendarUnit",
    "PeriodUnit",
    "calendar_unit",
    "check_period_unit",
    "first_incomplete",
    "index_of",
    "is_complete",
    "last_k",
    "period_index",
    "period_start",
    "start_of",
]

CalendarUnit = Literal["month", "week", "quarter"]
PeriodUnit = Literal["month", "week", "quarter", "age_30d"]

PERIOD_UNITS: tuple[PeriodUnit, ...] = get_args(PeriodUnit)

AGE_DAYS = 30
PERIOD_YEAR: dict[CalendarUnit, int] = {"month": 12, "week": 52, "quarter": 4}
"""Periods in "the same period a year later". 52 weeks are 364 days: the same weekdays, not the same dates."""

_EPOCH = date(1970, 1, 1)
_MONDAY = 3  # 1970-01-01 was a Thursday, so the week that holds day 0 began three days earlier.
_MONTHS: dict[CalendarUnit, int] = {"month": 1, "quarter": 3}


def check_period_unit(unit: str) -> PeriodUnit:
    """Return `unit` if it is a known period unit.

    Raises
    ------
    ValueError
        If it is not one of `PERIOD_UNITS`.
    """
    for known in PERIOD_UNITS:
        if unit == known:
            return known
    raise ValueError(f"Unknown period unit {unit!r}: use one of {', '.join(PERIOD_UNITS)}.")


def calendar_unit(unit: PeriodUnit) -> CalendarUnit:
    """Give the calendar unit of the cohorts of `unit`: ages are counted within monthly cohorts."""
    return "month" if unit == "age_30d" else unit


def period_index(day: pl.Expr, unit: CalendarUnit) -> pl.Expr:
    """Give the number (Int32) of the calendar period that holds `day` (Date)."""
    if unit == "week":
        return (day.cast(pl.Int32) + _MONDAY) // 7
    months = day.dt.year().cast(pl.Int32) * 12 + day.dt.month().cast(pl.Int32) - 1
    return months // _MONTHS[unit]


def period_start(index: pl.Expr, unit: CalendarUnit) -> pl.Expr:
    """First day (Date) of the calendar period with number `index`."""
    if unit == "week":
        return (index.cast(pl.Int32) * 7 - _MONDAY).cast(pl.Date)
    month = index.cast(pl.Int32) * _MONTHS[unit]
    return pl.date(month // 12, month % 12 + 1, 1)


def index_of(day: date, unit: CalendarUnit) -> int:
    """Give the number of the calendar period that holds `day`; agrees with `period_index`."""
    if unit == "week":
        return ((day - _EPOCH).days + _MONDAY) // 7
    return (day.year * 12 + day.month - 1) // _MONTHS[unit]


def start_of(index: int, unit: CalendarUnit) -> date:
    """First day of the calendar period with number `index`; agrees with `period_start`."""
    if unit == "week":
        return _EPOCH + timedelta(days=index * 7 - _MONDAY)
    month = index * _MONTHS[unit]
    return date(month // 12, month % 12 + 1, 1)


def first_incomplete(as_of: date, unit: CalendarUnit) -> int:
    """Give the number of the first calendar period that has not ended by the end of `as_of`."""
    return index_of(as_of + timedelta(days=1), unit)


def last_k(cohort: pl.Expr, as_of: date, unit: PeriodUnit) -> pl.Expr:
    """Last k that has begun by `as_of` for the oldest possible member of the cohort; Int32.

    Parameters
    ----------
    cohort
        Number of the cohort's calendar period.
    """
    if unit == "age_30d":
        first_day = period_start(cohort, "month").cast(pl.Int32)
        return (pl.lit((as_of - _EPOCH).days, pl.Int32) - first_day) // AGE_DAYS
    return pl.lit(index_of(as_of, unit), pl.Int32) - cohort


def is_complete(cohort: pl.Expr, k: pl.Expr, as_of: date, unit: PeriodUnit) -> pl.Expr:
    """Tell whether the whole cohort has had all of period `k` by the end of `as_of`.

    For ages this waits for whoever could have joined on the cohort's last day, whether or not somebody
    did: completeness is a matter of the calendar, not of the data.

    Parameters
    ----------
    cohort
        Number of the cohort's calendar period.
    k
        0 is the first period.
    """
    if unit == "age_30d":
        last_to_join = period_start(cohort + 1, "month").cast(pl.Int32) - 1
        last_day = last_to_join + AGE_DAYS * (k + 1) - 1
        return last_day <= (as_of - _EPOCH).days
    return cohort + k < first_incomplete(as_of, unit)
