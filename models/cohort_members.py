"""The customers behind one cell of the cohort table.

Written from the definitions, order day by order day, rather than from the table's own counting: it reads
one cohort and can afford to, and so each checks the other.

What does not belong here: rates, and whether a list may hold these customers.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, get_args

import polars as pl

from models.periods import (
    AGE_DAYS,
    PERIOD_YEAR,
    PeriodUnit,
    calendar_unit,
    check_period_unit,
    index_of,
    is_complete,
    period_index,
    start_of,
)

__all__ = ["MEASURES", "UNKNOWN", "Measure", "cohort_members"]

Measure = Literal["active_rate", "repurchased_by", "retained_from", "period_retention"]

MEASURES: tuple[Measure, ...] = get_args(Measure)
UNKNOWN = "unknown"
"""Value of a break-down for customers whose attribute is missing."""


def cohort_members(
    purchases: pl.LazyFrame,
    as_of: date,
    cohort: date,
    k: int,
    measure: Measure,
    *,
    period_unit: PeriodUnit = "month",
    first_order_attributes: pl.LazyFrame | None = None,
    break_down: str = "all",
    break_down_value: str = "all",
) -> pl.LazyFrame:
    """List everybody in the n of one cell, and say who of them it counts.

    Parameters
    ----------
    purchases, as_of, period_unit, first_order_attributes
        As given to `models.cohorts.cohort_retention`.
    cohort, k, measure, break_down, break_down_value
        The cell, as its row in the cohort table names it.

    Returns
    -------
    LazyFrame
        One row per customer of the cell's n, in no particular order: customer_key, is_counted (null
        where the cell is not complete, as its `customers` is).

    Raises
    ------
    ValueError
        For an unknown measure or period unit, a `cohort` that is no first day of a period, a
        `period_retention` cell that does not exist, or a break-down without attributes.
    """
    unit = check_period_unit(period_unit)
    calendar = calendar_unit(unit)
    index = index_of(cohort, calendar)
    if measure not in MEASURES:
        raise ValueError(f"Unknown measure {measure!r}: use one of {', '.join(MEASURES)}.")
    if start_of(index, calendar) != cohort:
        raise ValueError(
            f"{cohort} is not the first day of a {calendar}: that is {start_of(index, calendar)}."
        )
    if measure == "period_retention" and (unit == "age_30d" or k != PERIOD_YEAR[calendar]):
        raise ValueError(f"period_retention is year on year: there is no k = {k} for {unit}.")

    days = purchases.filter(pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of)).select(
        "customer_key", "order_day", "orders", period=period_index(pl.col("order_day"), calendar)
    )
    members = _buyers(days, index) if measure == "period_retention" else _newcomers(days, index)
    if break_down != "all":
        members = _with_value(members, first_order_attributes, break_down, break_down_value)
    counted = (
        days.join(members, on="customer_key")
        .filter(_is_evidence(measure, k, unit))
        .group_by("customer_key")
        .agg(orders=pl.col("orders").sum())
        .filter(pl.col("orders") >= (2 if measure == "repurchased_by" else 1))
        .select("customer_key", is_counted=True)
    )
    complete = is_complete(pl.lit(index), pl.lit(k), as_of, unit)
    return members.join(counted, on="customer_key", how="left").select(
        "customer_key", is_counted=pl.when(complete).then(pl.col("is_counted").fill_null(False))
    )


def _newcomers(days: pl.LazyFrame, index: int) -> pl.LazyFrame:
    return (
        days.group_by("customer_key")
        .agg(start=pl.col("period").min(), first_day=pl.col("order_day").min())
        .filter(pl.col("start") == index)
    )


def _buyers(days: pl.LazyFrame, index: int) -> pl.LazyFrame:
    return (
        days.filter(pl.col("period") == index)
        .group_by("customer_key")
        .agg(start=pl.col("period").min(), first_day=pl.col("order_day").min())
    )


def _with_value(
    members: pl.LazyFrame, attributes: pl.LazyFrame | None, break_down: str, value: str
) -> pl.LazyFrame:
    if attributes is None:
        raise ValueError(f"The break-down {break_down!r} needs `first_order_attributes`.")
    named = attributes.select("customer_key", value=pl.col(break_down).cast(pl.String))
    having = members.join(named, on="customer_key", how="left").filter(
        pl.col("value").fill_null(UNKNOWN) == value
    )
    return members.join(having, on="customer_key", how="semi")


def _is_evidence(measure: Measure, k: int, unit: PeriodUnit) -> pl.Expr:
    """Tell whether an order day speaks for counting its customer."""
    reached = pl.col("period") - pl.col("start")
    if unit == "age_30d":
        reached = (pl.col("order_day") - pl.col("first_day")).dt.total_days() // AGE_DAYS
    if measure == "repurchased_by":
        return reached <= k
    if measure == "retained_from":
        return reached >= k
    return reached == k
