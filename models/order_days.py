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

__all__ = ["identity_of", "in_periods", "in_sequence", "packed", "unpacked"]

_FLAG_BITS, _DAY_BITS = 1, 23
_LOW_BITS = _FLAG_BITS + _DAY_BITS
_LOW_HASH_BITS = 63 - _LOW_BITS
_DAY_ZERO = 2 ** (_DAY_BITS - 1)
"""Added to days, so that those before 1970 are not negative; the days of the years 1 to 9999 fit."""


def in_sequence(purchases: pl.LazyFrame, as_of: date | None = None) -> pl.LazyFrame:
    """Put each customer's order days in sequence.

    Customers come in no meaningful order, but each one's rows stand together, by day. Customer, day and
    whether it holds more than one order are packed into one integer, and that is sorted: strings, or several
    columns, take eight times as long. The customer's part is 103 bits of two independent hashes of the
    key: for two of 100 million customers to share them has a chance of about 1 in 10^15.

    Parameters
    ----------
    purchases
        customer_key, order_day, orders; one row per customer and order day.
    as_of
        Last day included; None takes all there is.

    Returns
    -------
    LazyFrame
        One row per customer and order day: customer_key (which costs as much as all the rest, so leave it
        where you can), identity (`identity_of` the key), order_day, is_one_order (the day holds a single
        order), customer (UInt32, a running number from 1; no identity beyond this frame), is_first, is_last,
        is_second_order (the day of the customer's second valid *order*, which can be the first day),
        first_day, and next_day (Date; null on the last).
    """
    known = pl.col("customer_key").is_not_null()
    if as_of is not None:
        known &= pl.col("order_day") <= as_of
    who, first, last = pl.col("identity"), pl.col("is_first"), pl.col("is_last")
    one_order = pl.col("is_one_order")
    identity, low = unpacked(pl.col("_place"))
    return (
        purchases.filter(known)
        .select("customer_key", _place=_place())
        .sort("_place")
        .with_columns(identity=identity)
        .with_columns(
            is_first=(who != who.shift(1)).fill_null(True),
            is_one_order=low % 2 == 0,
            order_day=(low // 2 - _DAY_ZERO).cast(pl.Date),
        )
        .with_columns(is_last=first.shift(-1).fill_null(True))
        .select(
            "customer_key",
            "identity",
            "order_day",
            "is_one_order",
            "is_first",
            "is_last",
            customer=first.cum_sum().cast(pl.UInt32),
            is_second_order=pl.when(first).then(~one_order).otherwise((first & one_order).shift(1)),
            first_day=pl.when(first).then("order_day").forward_fill(),
            next_day=pl.when(~last).then(pl.col("order_day").shift(-1)),
        )
    )


def identity_of(customer_key: pl.Expr) -> pl.Expr:
    """Turn a customer's key into 103 bits (Int128) that stand for it: far cheaper to sort and join."""
    high, low = customer_key.hash(0).cast(pl.Int128), customer_key.hash(1) // 2 ** (64 - _LOW_HASH_BITS)
    return high * 2**_LOW_HASH_BITS + low.cast(pl.Int128)


def packed(identity: pl.Expr, low: pl.Expr) -> pl.Expr:
    """Put an identity and a number below 2^24 (no day of the calendar is larger) into one integer.

    It sorts by both, and grouping by it costs half of grouping by two columns.
    """
    return identity * 2**_LOW_BITS + low.cast(pl.Int128)


def unpacked(place: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Take apart what `packed` put together: identity (Int128) and number (Int32)."""
    return place // 2**_LOW_BITS, (place % 2**_LOW_BITS).cast(pl.Int32)


def _place() -> pl.Expr:
    """Pack customer, day and the mark of several orders into one integer that sorts as they do."""
    day = pl.col("order_day").cast(pl.Int32) + _DAY_ZERO
    return packed(identity_of(pl.col("customer_key")), day * 2 + (pl.col("orders") > 1))


def in_periods(purchases: pl.LazyFrame, as_of: date, unit: PeriodUnit) -> pl.LazyFrame:
    """Say of every order day in which cohort, calendar period and k it is, and what is new with it.

    Returns
    -------
    LazyFrame
        One row per customer and order day, each customer's by day: customer_key, identity, customer (UInt32),
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
        .drop("order_day", "is_one_order", "first_day", "next_day")
    )


def _has_order_day(lag: int) -> pl.Expr:
    """Tell whether the row's customer has an order day `lag` periods later."""
    # Customers and their days are sorted, so the pair in one integer is, too: a binary search finds what
    # a join would need a hash table of all order days for.
    place = pl.col("customer").cast(pl.Int64) * 2**17 + pl.col("period").cast(pl.Int64)
    found = place.gather(place.search_sorted(place + lag, side="left").clip(upper_bound=pl.len() - 1))
    return found == place + lag
