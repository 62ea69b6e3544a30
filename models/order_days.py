"""Each customer's order days in sequence: the common ground of cohorts, repeat purchase and latency.

One sort and then straight passes over the sorted rows say of every order day whether it is its
customer's first or last, which came before, and on which the second order fell. At tens of millions of
rows that is several times cheaper than joining each customer's first day back.

Which retention period each order day falls into is said here as well, since that needs the sequence.

What does not belong here: any measure. What is counted stands in `models.cohorts`,
`models.repeat_purchase` and `models.latency`.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from models.periods import AGE_DAYS, PERIOD_YEAR, PeriodUnit, calendar_unit, period_index

__all__ = ["in_periods", "in_sequence"]

_HASHES = ("_hash", "_other_hash")


def in_sequence(purchases: pl.LazyFrame, as_of: date | None = None) -> pl.LazyFrame:
    """Put each customer's order days in sequence.

    Customers come in no meaningful order, but each one's rows stand together, by day. They are sorted by
    two independent 64-bit hashes of the key, not by the key: strings take several times as long to sort,
    and for two of 100 million customers to share both has a chance of about 1 in 10^23.

    Parameters
    ----------
    purchases
        customer_key, order_day, orders; one row per customer and order day.
    as_of
        Last day included; None takes all there is.

    Returns
    -------
    LazyFrame
        One row per customer and order day: customer_key, order_day, orders, customer (UInt32, a running
        number, cheaper to join than the key; no identity beyond this frame), is_first, is_last,
        is_second_order (the day of the customer's second valid *order*, which can be the first day),
        first_day, and next_day (Date; null on the last).
    """
    known = pl.col("customer_key").is_not_null()
    if as_of is not None:
        known &= pl.col("order_day") <= as_of
    is_first = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in _HASHES)
    first, last = pl.col("is_first"), pl.col("is_last")
    one_order = pl.col("orders") == 1
    return (
        purchases.filter(known)
        .select(
            "customer_key",
            "order_day",
            "orders",
            _hash=pl.col("customer_key").hash(0),
            _other_hash=pl.col("customer_key").hash(1),
        )
        .sort(*_HASHES, "order_day")
        .with_columns(is_first=is_first)
        .with_columns(is_last=first.shift(-1).fill_null(True))
        .select(
            "customer_key",
            "order_day",
            "orders",
            "is_first",
            "is_last",
            customer=first.cum_sum().cast(pl.UInt32),
            is_second_order=pl.when(first).then(~one_order).otherwise((first & one_order).shift(1)),
            first_day=pl.when(first).then("order_day").forward_fill(),
            next_day=pl.when(~last).then(pl.col("order_day").shift(-1)),
        )
    )


def in_periods(purchases: pl.LazyFrame, as_of: date, unit: PeriodUnit) -> pl.LazyFrame:
    """Say of every order day in which cohort, calendar period and k it is, and what is new with it.

    Returns
    -------
    LazyFrame
        One row per customer and order day, each customer's by day: customer_key, customer (UInt32),
        cohort and period (Int32, numbers of calendar periods), k (Int32), is_first, is_last,
        is_second_order, is_new_period and is_new_k (the customer's first day in that period, or k),
        is_bought_again (is_new_period, and the customer also bought in the period a year later).
    """
    calendar = calendar_unit(unit)
    age = (pl.col("order_day") - pl.col("first_day")).dt.total_days().cast(pl.Int32) // AGE_DAYS
    k = age if unit == "age_30d" else pl.col("period") - pl.col("cohort")
    is_new = [
        (pl.col("is_first") | (pl.col(name) != pl.col(name).shift(1))).alias(f"is_new_{name}")
        for name in ("period", "k")
    ]
    return (
        in_sequence(purchases, as_of)
        .with_columns(period=period_index(pl.col("order_day"), calendar))
        .with_columns(cohort=pl.when("is_first").then("period").forward_fill())
        .with_columns(k=k)
        .with_columns(is_new)
        .with_columns(is_bought_again=pl.col("is_new_period") & _has_order_day(PERIOD_YEAR[calendar]))
        .drop("order_day", "orders", "first_day", "next_day")
    )


def _has_order_day(lag: int) -> pl.Expr:
    """Tell whether the row's customer has an order day `lag` periods later."""
    # Customers and their days are sorted, so the pair in one integer is, too: a binary search finds what
    # a join would need a hash table of all order days for.
    place = pl.col("customer").cast(pl.Int64) * 2**17 + pl.col("period").cast(pl.Int64)
    found = place.gather(place.search_sorted(place + lag, side="left").clip(upper_bound=pl.len() - 1))
    return found == place + lag
