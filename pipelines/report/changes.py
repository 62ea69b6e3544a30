"""What changed: the last month that is over beside the month before it and the same month a year earlier.

Only months that are over are compared, and a change is called one only where the intervals do not overlap. What the
numbers are stands in `models`; this only lays them side by side.
"""

from datetime import date
from typing import Any, NamedTuple

import polars as pl

from pipelines.report import words
from pipelines.report.sections import Tables


class Number(NamedTuple):
    """A month's number, with its interval where it has one."""

    value: float
    low: float | None = None
    high: float | None = None


def changes(tables: Tables, currency: str) -> dict[str, Any] | None:
    """Give the month, its numbers beside those of two earlier months, and what moved; None before a month is over."""
    measures = _measures(tables)
    months = sorted(measures["Valid orders"])
    if not months:
        return None
    month = months[-1]
    beside = (_earlier(month, 1), _earlier(month, 12))
    rows = tuple(
        (name, *(_text(name, of.get(day), currency) for day in (month, *beside)))
        for name, of in measures.items()
        if month in of
    )
    return {
        "month": month,
        "header": ("", *(words.long_month(day) for day in (month, *beside))),
        "rows": rows,
        "says": _moved(measures, month, beside),
    }


def _measures(tables: Tables) -> dict[str, dict[date, Number]]:
    """Every number by month; months that are not over are left out."""
    revenue = tables("revenue").filter("is_complete", period="month").collect()
    cohorts = (
        tables("cohort_retention")
        .filter("is_complete", period_unit="month", break_down="all", measure="active_rate", k=0)
        .collect()
    )
    nps = tables("satisfaction").filter("is_complete", measure="nps", period="month").collect()
    late = tables("service_rates").filter("is_complete", measure="late_rate", break_down="all").collect()
    return {
        "Valid orders": _by_month(revenue, "period_start", "orders"),
        "Net revenue": _by_month(revenue, "period_start", "net_by_event_date"),
        "Average order value": _by_month(revenue, "period_start", "aov", "aov_low", "aov_high"),
        "Customers who ordered": _by_month(revenue, "period_start", "customers"),
        "New customers": _new_customers(cohorts, revenue["period_start"].to_list()),
        "NPS": _by_month(nps, "period_start", "value", "low", "high"),
        "Parcels late": _by_month(late, "month", "value", "low", "high"),
    }


def _new_customers(cohorts: pl.DataFrame, months: list[date]) -> dict[date, Number]:
    """New customers of each month; a month without any is no cohort, and in one cut off nobody knows."""
    if cohorts.is_empty():
        return {}
    none = {month: Number(0.0) for month in months if month >= min(cohorts["cohort"].to_list())}
    known = none | _by_month(cohorts, "cohort", "n")
    cut_off = set(cohorts.filter("is_left_truncated")["cohort"])
    return {month: number for month, number in known.items() if month not in cut_off}


def _by_month(rows: pl.DataFrame, month: str, value: str, *bounds: str) -> dict[date, Number]:
    return {
        row[month]: Number(float(row[value]), *(row[bound] for bound in bounds))
        for row in rows.iter_rows(named=True)
        if row[value] is not None
    }


def _text(name: str, number: Number | None, currency: str) -> str:
    if number is None:
        return words.UNKNOWN
    match name:
        case "Net revenue" | "Average order value":
            return words.exact_money(number.value, currency)
        case "NPS":
            return f"{number.value:+.0f}".replace("-", words.MINUS)
        case "Parcels late":
            return words.percent(number.value)
        case _:
            return words.number(number.value)


def _moved(measures: dict[str, dict[date, Number]], month: date, beside: tuple[date, date]) -> str:
    """Name the numbers whose interval lies beside that of the month before or of a year before."""
    moved = [
        f"{name if name == 'NPS' else name.lower()} {'rose' if now.value > then.value else 'fell'} {against}"
        for name, of in measures.items()
        for day, against in zip(beside, ("against the month before", "against the year before"), strict=True)
        if (now := of.get(month)) and (then := of.get(day)) and _lie_apart(now, then)
    ]
    if not moved:
        return "No rate or average moved by more than chance alone would move it; counts are as they are."
    said = words.listed(moved)
    return f"More than chance alone would do: {said}."


def _lie_apart(one: Number, other: Number) -> bool:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low > other.high or one.high < other.low


def _earlier(month: date, months: int) -> date:
    index = month.year * 12 + month.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)
