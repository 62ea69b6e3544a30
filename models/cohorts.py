"""Cohort retention: of the customers who first bought in a period, who came back, and when.

A cohort is the calendar period of the first valid order, n its customers, k = 0 its first period.

==================  ==================================================================  ===================
measure             counts, over n                                                      along k
==================  ==================================================================  ===================
active_rate         bought in period k                                                  free
repurchased_by      had their second valid *order* by the end of period k               never falls
retained_from       bought in period k or later (the running period too)                never rises,
                                                                                        changes backwards
period_retention    bought in P1 and again in P2, over *all* who bought in P1           one cell: k = P2-P1
==================  ==================================================================  ===================

`period_retention` is year on year: k is 12 months, 4 quarters, or 52 weeks (the same weekdays, 364
days). Its `cohort` is P1 and its n are P1's buyers, new or not. An age has no calendar year, so
`age_30d` has no such rows.

**A cell that its whole cohort has not completed is null, never 0**, and so is the running period.
Everything else is on a dense grid: every k from 0 to the running period, counted zeros included.

The customers behind a cell stand in `models.cohort_members`; pivoting and colours belong to the pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from models._cohort_counts import checked_attributes, counts_by, counts_of_all
from models.cohort_members import MEASURES, UNKNOWN, cohort_members
from models.intervals import SMALL_GROUP, wilson_interval
from models.order_days import in_periods
from models.periods import (
    PERIOD_YEAR,
    PeriodUnit,
    calendar_unit,
    check_period_unit,
    index_of,
    is_complete,
    last_k,
    period_start,
)

__all__ = ["MEASURES", "TRUNCATED_FROM", "UNKNOWN", "cohort_members", "cohort_retention"]

TRUNCATED_FROM = 0.9
"""Share of new customers in the first loaded period from which it looks cut off on the left (ours)."""

_SCHEMA = pl.Schema(
    {
        "as_of": pl.Date(),
        "period_unit": pl.String(),
        "cohort": pl.Date(),
        "k": pl.Int32(),
        "measure": pl.String(),
        "break_down": pl.String(),
        "break_down_value": pl.String(),
        "customers": pl.Int64(),
        "n": pl.Int64(),
        "rate": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "is_complete": pl.Boolean(),
        "is_left_truncated": pl.Boolean(),
        "is_small": pl.Boolean(),
    }
)
_GROUP = ("break_down", "break_down_value")


def cohort_retention(
    purchases: pl.LazyFrame,
    as_of: date,
    *,
    period_unit: PeriodUnit = "month",
    first_order_attributes: pl.LazyFrame | None = None,
    break_downs: Sequence[str] = (),
    history_start: date | None = None,
) -> pl.LazyFrame:
    """Cohort table of all four measures, with 95 % Wilson intervals.

    Parameters
    ----------
    purchases
        One row per customer and order day: customer_key, order_day, orders.
    as_of
        Last day included; later purchases change nothing.
    period_unit
        Calendar month, week (from Monday) or quarter; or `age_30d`: k counts blocks of 30 days since
        each customer's own first order day, within monthly cohorts.
    first_order_attributes
        customer_key and one column per break-down, attributes of the *first* order. A customer may have
        several rows (a first order of three categories) and is then counted once under each value, so
        values need not add up to all; the cost grows with these rows.
    break_downs
        Columns of `first_order_attributes` to break down by, besides "all".
    history_start
        First day of the loaded history; None takes the first order day. Customers of that period look
        new without being so. Its cohort, and any before, is marked `is_left_truncated` if at least
        `TRUNCATED_FROM` of the period's buyers look new; without `history_start` that is always so.

    Returns
    -------
    LazyFrame
        One row per cohort, k, measure, break-down and value, sorted by these: as_of, period_unit, cohort
        (Date, first day of the period), k (Int32), measure, break_down, break_down_value ("all" and
        "all" for everybody, `UNKNOWN` where the attribute is null), customers and n (Int64), rate, low,
        high, is_complete, is_left_truncated, is_small (n < 30). customers, rate, low and high are null
        where not complete; n of a running cohort is its size so far. A period without new customers is
        no cohort and has no rows.

    Raises
    ------
    ValueError
        For an unknown period unit, or break-downs without attributes or not among their columns.
    """
    unit = check_period_unit(period_unit)
    days = in_periods(purchases, as_of, unit)
    if break_downs:
        counts = counts_by(days, checked_attributes(first_order_attributes, break_downs), break_downs)
    else:
        counts = counts_of_all(days)

    def as_table(counted: pl.DataFrame) -> pl.DataFrame:
        return _table(counted.lazy(), as_of, unit, history_start).collect()

    # The table needs the counts several times over. As one opaque step it can't make the engine sort all
    # order days several times over as well.
    return counts.map_batches(
        as_table, schema=_SCHEMA, predicate_pushdown=False, projection_pushdown=False, slice_pushdown=False
    )


def _table(counts: pl.LazyFrame, as_of: date, unit: PeriodUnit, history_start: date | None) -> pl.LazyFrame:
    cells = [_cells(counts, as_of, unit)]
    if unit != "age_30d":
        cells.append(_period_retention_cells(counts, PERIOD_YEAR[unit], as_of, unit))
    return _rates(pl.concat(cells), _truncated_until(counts, unit, history_start), as_of, unit)


def _cells(counts: pl.LazyFrame, as_of: date, unit: PeriodUnit) -> pl.LazyFrame:
    """Lay the cohorts' counts on the dense grid and add them up along k."""
    key = (*_GROUP, "cohort")
    flags = ("is_new_k", "is_second_order", "is_last")
    grid = (
        counts.group_by(key)
        .agg(n=pl.col("is_first").sum())
        .with_columns(k=pl.int_ranges(0, last_k(pl.col("cohort"), as_of, unit) + 1, dtype=pl.Int32))
        .explode("k")
    )
    upto_k = pl.col("is_second_order", "is_last").cum_sum().over(key, order_by="k").name.prefix("upto_")
    return (
        grid.join(counts.group_by(*key, "k").agg(pl.col(flags).sum()), on=[*key, "k"], how="left")
        .with_columns(pl.col(flags).fill_null(0))
        .with_columns(upto_k)
        .with_columns(
            active_rate="is_new_k",
            repurchased_by="upto_is_second_order",
            retained_from=pl.col("n") - pl.col("upto_is_last") + pl.col("is_last"),
        )
        .unpivot(list(MEASURES[:3]), index=[*key, "k", "n"], variable_name="measure", value_name="customers")
        .select(*key, "k", "n", "measure", "customers")
    )


def _period_retention_cells(counts: pl.LazyFrame, lag: int, as_of: date, unit: PeriodUnit) -> pl.LazyFrame:
    has_begun = last_k(pl.col("period"), as_of, unit) >= lag
    return (
        counts.filter(has_begun)
        .group_by(*_GROUP, cohort="period")
        .agg(n=pl.col("is_new_period").sum(), customers=pl.col("is_bought_again").sum())
        .with_columns(k=pl.lit(lag, pl.Int32), measure=pl.lit("period_retention"))
        .select(*_GROUP, "cohort", "k", "n", "measure", "customers")
    )


def _truncated_until(counts: pl.LazyFrame, unit: PeriodUnit, history_start: date | None) -> pl.LazyFrame:
    """Give the last cohort that looks new only because loading began there, as one row (null if none)."""
    everybody = counts.filter(pl.col("break_down") == "all")
    first = pl.col("period").min() if history_start is None else index_of(history_start, calendar_unit(unit))
    # A history that starts a full period before the first order is one that saw the shop open: no row here.
    looks_cut = pl.col("is_first") >= TRUNCATED_FROM * pl.col("is_new_period")
    return (
        everybody.filter(pl.col("period") == first)
        .group_by("period")
        .agg(pl.col("is_first", "is_new_period").sum())
        .filter(looks_cut)
        .select(truncated_until=pl.col("period").max())
    )


def _rates(cells: pl.LazyFrame, truncated: pl.LazyFrame, as_of: date, unit: PeriodUnit) -> pl.LazyFrame:
    calendar = calendar_unit(unit)
    cohort, n = pl.col("cohort"), pl.col("n")
    interval = wilson_interval(pl.col("customers"), n)
    looks_new = (cohort <= pl.col("truncated_until")).fill_null(False)
    return (
        cells.join(truncated, how="cross")
        .with_columns(is_complete=is_complete(cohort, pl.col("k"), as_of, unit))
        .with_columns(customers=pl.when("is_complete").then("customers"))
        .with_columns(
            as_of=pl.lit(as_of),
            period_unit=pl.lit(unit),
            rate=pl.col("customers") / n,
            low=interval.low,
            high=interval.high,
            # Whoever bought in P1 did buy in P1: only being new in it is in doubt.
            is_left_truncated=looks_new & (pl.col("measure") != "period_retention"),
            is_small=n < SMALL_GROUP,
            cohort=period_start(cohort, calendar),
        )
        .select(list(_SCHEMA))
        .sort("break_down", "break_down_value", "measure", "cohort", "k")
    )
