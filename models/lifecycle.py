"""Lifecycle stages as intervals: which customer was in which stage on which days.

Exclusive and exhaustive: from the first order day to `as_of` everybody is in exactly one stage on every
day (before it, people the shop already knows are prospects). With d = days since the last order day,
0 on the day itself, the first match wins:

1. `reactivated`: for p75 days after a comeback, an order after more than p90 days of silence;
2. `new` (one order so far) or `active` (two or more): d <= p75;
3. `dormant`: d > max(365, 2 x p90);  4. `lapsed`: d > p90;  5. `at_risk`: the rest.

**Which cuts.** Those of the month of the customer's *last order*, first-gap cuts while the customer has
one order, later-gap cuts after. They stay until the next order. Were the cuts of the running month
used instead, thousands would change stage on the first of a month because *others* had bought sooner or
later, and the transition matrix would report a change of the ruler as a change of the customers. So a
customer's path depends on their own orders, the calendar, and quantiles that were final at their order.
Orders are counted as orders (two on the first day make `active`), gaps run between order days.

The cuts themselves are computed in `models.stage_cuts`, month-to-month movements in
`models.stage_transitions`; reasons to write to a customer belong to segments, not here.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from models.stage_cuts import CutRules, stage_cuts
from models.stage_transitions import stage_transitions

__all__ = ["STAGES", "CutRules", "customer_stages", "stage_at", "stage_cuts", "stage_transitions"]

STAGES = ("prospect", "reactivated", "new", "active", "at_risk", "lapsed", "dormant")

_EPOCH = date(1970, 1, 1)
_CUTS = ("p75", "p90", "dormant_after")


def customer_stages(
    purchases: pl.LazyFrame,
    cuts: pl.LazyFrame,
    as_of: date,
    *,
    customers: pl.LazyFrame | None = None,
) -> pl.LazyFrame:
    """Every customer's stages from the first order day to `as_of`, as intervals of days.

    Parameters
    ----------
    purchases
        One row per customer and order day: customer_key, order_day, orders.
    cuts
        One row a month (`stage_cuts`), covering every month that has an order.
    as_of
        Last day included.
    customers
        Everybody the shop knows, one row each: customer_key, first_seen_day (Date, never null). Adds the
        prospects: from the day first seen to the day before the first order. Without it there are none.

    Returns
    -------
    pl.LazyFrame
        One row per customer and interval: customer_key, stage, from_day, to_day (both days included;
        to_day null = still open at `as_of`). Intervals of a customer neither overlap nor leave gaps, and
        neighbours differ in stage.

    Raises
    ------
    ValueError
        On collecting: a month with orders has no row in `cuts`, or first_seen_day is null.
    """
    orders = _orders_with_cuts(purchases, cuts, as_of)
    starts = _interval_starts(_with_boundaries(orders, as_of))
    same_after = pl.col("customer").eq_missing(pl.col("customer").shift(-1))
    intervals = starts.sort("customer", "day").select(
        "customer_key",
        "stage",
        from_day=pl.col("day").cast(pl.Date),
        to_day=pl.when(same_after).then(pl.col("day").shift(-1) - 1).cast(pl.Date),
    )
    if customers is None:
        return intervals
    return pl.concat([_prospects(customers, purchases, as_of), intervals])


def stage_at(stages: pl.LazyFrame, day: date) -> pl.LazyFrame:
    """Everybody's stage on one day.

    Parameters
    ----------
    stages
        Intervals from `customer_stages`, computed at an as_of on or after `day`.
    day
        The day asked about.

    Returns
    -------
    pl.LazyFrame
        One row per customer who had a stage on that day: customer_key, stage.
    """
    still_open = pl.col("to_day").is_null() | (pl.col("to_day") >= day)
    return stages.filter((pl.col("from_day") <= day) & still_open).select("customer_key", "stage")


def _orders_with_cuts(purchases: pl.LazyFrame, cuts: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Order days in customer order, each with the whole days of its three cuts."""
    key = pl.col("customer_key")
    joined = (
        purchases.filter(pl.col("order_day") <= as_of)
        .select("customer_key", "orders", "order_day", month=pl.col("order_day").dt.month_start())
        .join(cuts.select("month", *(f"{cut}_{kind}" for cut in _CUTS for kind in ("first", "later"))),
              on="month", how="left", validate="m:1")
        .sort("customer_key", "order_day")
    )  # fmt: skip
    has_one_order = ~key.eq_missing(key.shift(1)) & (pl.col("orders") == 1)
    chosen = joined.select(
        "customer_key",
        # A running number per customer: cheaper to sort and compare than the key from here on.
        customer=(~key.eq_missing(key.shift(1))).cum_sum().cast(pl.Int64),
        day=pl.col("order_day").cast(pl.Int32),
        fresh_stage=pl.when(has_one_order).then(pl.lit("new")).otherwise(pl.lit("active")),
        **{cut: pl.when(has_one_order).then(f"{cut}_first").otherwise(f"{cut}_later") for cut in _CUTS},
    )
    # d is whole days, so d <= cut and d <= floor(cut) are the same.
    return chosen.with_columns(
        _complete(cut, "compute stage_cuts from the same purchases and as_of").floor().cast(pl.Int32)
        for cut in _CUTS
    )


def _with_boundaries(orders: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Per order day: the last day before the next order, and the first day of each later stage."""
    day, p75, p90 = pl.col("day"), pl.col("p75"), pl.col("p90")
    same_before = pl.col("customer").eq_missing(pl.col("customer").shift(1))
    same_after = pl.col("customer").eq_missing(pl.col("customer").shift(-1))
    is_comeback = same_before & (day - day.shift(1) > p90.shift(1))
    window_end = pl.when(is_comeback).then(day + p75).otherwise(0).cast(pl.Int64)
    # Running maximum of window_end within the customer: the customer number in the high bits restarts it.
    reactivated_until = ((pl.col("customer") * 2**32 + window_end).cum_max() % 2**32).cast(pl.Int32)
    as_of_day = (as_of - _EPOCH).days
    return (
        orders.with_columns(
            has_earlier=same_before,
            last_day=pl.when(same_after).then(day.shift(-1) - 1).otherwise(as_of_day).cast(pl.Int32),
            fresh_from=pl.max_horizontal(day, reactivated_until + 1),
        )
        .with_columns(at_risk_from=pl.max_horizontal("fresh_from", day + p75 + 1))
        .with_columns(lapsed_from=pl.max_horizontal("at_risk_from", day + p90 + 1))
        .with_columns(dormant_from=pl.max_horizontal("lapsed_from", day + pl.col("dormant_after") + 1))
    )


def _interval_starts(orders: pl.LazyFrame) -> pl.LazyFrame:
    """Days on which a customer's stage changes: customer_key, customer, day, stage.

    An order that leaves its customer in the same stage starts nothing, which is what makes neighbouring
    intervals differ.
    """
    last_day = pl.col("last_day")
    boundaries = ("fresh_from", "at_risk_from", "lapsed_from", "dormant_from")
    stages = (pl.col("fresh_stage"), pl.lit("at_risk"), pl.lit("lapsed"), pl.lit("dormant"))
    opening = (
        pl.when(pl.col("fresh_from") > pl.col("day")).then(pl.lit("reactivated")).otherwise("fresh_stage")
    )
    closing = pl.lit("reactivated")
    for boundary, stage in zip(boundaries, stages, strict=True):
        closing = pl.when(pl.col(boundary) <= last_day).then(stage).otherwise(closing)
    orders = orders.with_columns(opening=opening, closing=closing)
    carries_on = pl.col("has_earlier") & (pl.col("opening") == pl.col("closing").shift(1))
    parts = [orders.filter(~carries_on).select("customer_key", "customer", "day", stage="opening")]
    for position, (boundary, stage) in enumerate(zip(boundaries, stages, strict=True)):
        begins = (pl.col(boundary) > pl.col("day")) & (pl.col(boundary) <= last_day)
        if boundary != "dormant_from":
            begins &= pl.col(boundary) < pl.col(boundaries[position + 1])
        parts.append(
            orders.filter(begins).select("customer_key", "customer", day=boundary, stage=stage)
        )  # fmt: skip
    return pl.concat(parts)


def _prospects(customers: pl.LazyFrame, purchases: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Intervals of people known to the shop before, or without, a first order."""
    first_orders = (
        purchases.filter(pl.col("order_day") <= as_of)
        .group_by("customer_key")
        .agg(first_order_day=pl.col("order_day").min())
    )
    return (
        customers.select(
            "customer_key", from_day=_complete("first_seen_day", "give the day the shop first knew of them")
        )
        .filter(pl.col("from_day") <= as_of)
        .join(first_orders, on="customer_key", how="left")
        .filter(pl.col("first_order_day").is_null() | (pl.col("first_order_day") > pl.col("from_day")))
        .select(
            "customer_key",
            pl.lit("prospect").alias("stage"),
            "from_day",
            to_day=pl.col("first_order_day").dt.offset_by("-1d"),
        )
    )


def _complete(name: str, remedy: str) -> pl.Expr:
    """Return the column, refusing nulls: a missing cut or day must not silently become a stage."""

    def refuse_nulls(column: pl.Series) -> pl.Series:
        if missing := column.null_count():
            raise ValueError(f"{missing} rows have no {name}: {remedy}.")
        return column

    return pl.col(name).map_batches(refuse_nulls, is_elementwise=True)
