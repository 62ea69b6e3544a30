"""Repeat purchase rate: of the customers who bought, how many bought again, ever and within some days.

Two bases, and a number without its basis is half a number: `orders` counts a second valid order, also on
the first day; `order_days` counts a second day with a valid order, as the purchase models do. On shops
where people split a basket into two orders the first is a point or more higher.

What does not belong here: *when* people come back, with those who have not yet come counted properly
(`models.latency`), and rates by cohort (`models.cohorts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from models.intervals import SMALL_GROUP, wilson_interval
from models.order_days import in_sequence

__all__ = ["BASES", "WITHIN_DAYS", "repeat_purchase"]

BASES = ("orders", "order_days")
WITHIN_DAYS = (30, 60, 90, 180, 365)


def repeat_purchase(
    purchases: pl.LazyFrame, as_of: date, *, within_days: Sequence[int] = WITHIN_DAYS
) -> pl.LazyFrame:
    """Share of customers with a second purchase, overall and within days of the first.

    Within h days, only customers observed for all of them count: first order day + h <= `as_of`. The
    days run from the first order day, which is day 0; day h counts.

    Parameters
    ----------
    purchases
        One row per customer and order day: customer_key, order_day, orders.
    as_of
        Last day included; later purchases change nothing.
    within_days
        Horizons h in days.

    Returns
    -------
    LazyFrame
        One row per basis and horizon, overall first: as_of, basis (`BASES`), within_days (Int32; null
        is overall), customers (those who bought again) and n (Int64), rate, low, high (95 % Wilson; null
        when n is 0), is_small (n < 30).

    Raises
    ------
    ValueError
        If a horizon is not positive.
    """
    if any(days <= 0 for days in within_days):
        raise ValueError(f"Horizons must be positive days, not {list(within_days)}.")
    next_day, first_day = pl.col("next_day"), pl.col("order_day")
    again_on = {
        "orders": pl.when("is_one_order").then(next_day).otherwise(first_day),
        "order_days": next_day,
    }
    firsts = in_sequence(purchases, as_of).filter("is_first").select(first_day="order_day", **again_on)
    cells = [(basis, days) for basis in BASES for days in (None, *within_days)]
    counts = firsts.select(
        pl.concat_list(_counts(basis, days, as_of)[part].cast(pl.Int64) for basis, days in cells).alias(part)
        for part in ("customers", "n")
    )
    named = pl.LazyFrame(
        {"basis": [basis for basis, _ in cells], "within_days": [days for _, days in cells]},
        schema={"basis": pl.String, "within_days": pl.Int32},
    )
    interval = wilson_interval(pl.col("customers"), pl.col("n"))
    return pl.concat([named, counts.explode("customers", "n")], how="horizontal").select(
        pl.lit(as_of).alias("as_of"),
        "basis",
        "within_days",
        "customers",
        "n",
        rate=pl.when(pl.col("n") > 0).then(pl.col("customers") / pl.col("n")),
        low=interval.low,
        high=interval.high,
        is_small=pl.col("n") < SMALL_GROUP,
    )


def _counts(basis: str, days: int | None, as_of: date) -> dict[str, pl.Expr]:
    again_on = pl.col(basis)
    if days is None:
        return {"customers": again_on.is_not_null().sum(), "n": pl.len()}
    is_observed = pl.col("first_day") <= as_of - timedelta(days)
    is_within = (again_on - pl.col("first_day")).dt.total_days() <= days
    return {"customers": (is_observed & is_within).sum(), "n": is_observed.sum()}
