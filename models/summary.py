"""From orders to purchases (customer and order day) to one summary row per customer.

These are the only passes over all orders, and everything statistical starts from their results. They
know of an order what was known at the end of `as_of` and nothing else: the columns `refunded` and `net`
of `orders` say what is known *now*, so they are not read here; refunds are taken from `returns` by their
own date.

What does not belong here: what makes an order valid (ingest decides), a customer's order days in
sequence (`models.order_days`), anything fitted.
"""

from __future__ import annotations

from datetime import date

import polars as pl

__all__ = ["MONEY", "customer_summary", "distinct_triples", "known_refunds", "purchases_at"]

MONEY = pl.Decimal(18, 4)

_EPOCH = date(1970, 1, 1)


def known_refunds(returns: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Merchandise refunded by the end of `as_of`, one row per order that has any.

    An exchange is a return but no refund: the shop keeps the money, and the free replacement is no order
    of its own, so subtracting it would make the sale vanish. A refund as store credit does count, since
    what is later paid with the credit is revenue of a normal order. A return with neither a refund day
    nor a return day was known at no time and counts at none; unmatched ones have no order to reduce.

    Parameters
    ----------
    returns
        order_id, kind, outcome, amount (positive), returned_day, refunded_day.

    Returns
    -------
    LazyFrame
        order_id, refunded (Decimal(18, 4)).
    """
    known_on = pl.coalesce("refunded_day", "returned_day")
    is_refund = (pl.col("kind") == "merchandise") & pl.col("outcome").ne_missing("exchange")
    return (
        returns.filter(is_refund & (known_on <= as_of) & pl.col("order_id").is_not_null())
        .group_by("order_id")
        .agg(refunded=pl.col("amount").sum().cast(MONEY))
    )


def purchases_at(orders: pl.LazyFrame, returns: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Collapse the valid orders of known customers up to `as_of` to customer and order day.

    Parameters
    ----------
    orders
        order_id, customer_key, order_day, is_valid, gross, discount.
    returns
        See `known_refunds`.
    as_of
        Last day included; later orders and refunds change nothing.

    Returns
    -------
    LazyFrame
        One row per customer and order day, in no particular order: customer_key, order_day,
        order_day_number (Int32), net (Decimal(18, 4); gross - discount - refunds known by `as_of`, by
        order date) and orders (Int32, valid orders of that day). A fully refunded order stays: it
        happened, and its net is 0.
    """
    refunded = pl.col("refunded").fill_null(0)
    return (
        orders.filter(
            pl.col("is_valid") & pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of)
        )
        .select("order_id", "customer_key", "order_day", "gross", "discount")
        .join(known_refunds(returns, as_of), on="order_id", how="left")
        .group_by("customer_key", "order_day")
        .agg(
            net=(pl.col("gross") - pl.col("discount") - refunded).sum().cast(MONEY),
            orders=pl.len().cast(pl.Int32),
        )
        .select(
            "customer_key",
            "order_day",
            pl.col("order_day").cast(pl.Int32).alias("order_day_number"),
            "net",
            "orders",
        )
    )


def customer_summary(purchases: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Summarise each customer for the purchase and spend models, in days.

    A frame without the column `orders` is not from `purchases_at`, so it may have several rows per
    customer and day (one per order): it is collapsed by day first, which costs a second pass.

    Parameters
    ----------
    purchases
        customer_key, order_day, net; one row per customer and order day.
    as_of
        Last day included; later purchases change nothing.

    Returns
    -------
    LazyFrame
        One row per customer, in no particular order: customer_key; frequency (repeat order days: all but
        the first), recency (first to last order day), T (first order day to `as_of`), all Float64;
        monetary_value (Float64, mean net of the repeat order days; null when frequency is 0, since there
        is nothing to average); first_day and last_day (Date).

    References
    ----------
    Fader, Hardie & Lee (2005), "Counting your customers" the easy way, Marketing Science 24, 275-284:
    (x, t_x, T). Fader & Hardie, note 025 (2013), for leaving the first purchase out of the mean.
    """
    known = purchases.filter(pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of))
    if "orders" not in purchases.collect_schema():
        known = known.group_by("customer_key", "order_day").agg(pl.col("net").sum())
    repeat_net = (pl.col("net") - pl.col("first_net")).cast(pl.Float64)
    first, last = pl.col("first_day").cast(pl.Int32), pl.col("last_day").cast(pl.Int32)
    frequency = pl.col("order_days").cast(pl.Float64) - 1
    return (
        # min_by, since a filter or a sort inside agg holds a list per group and costs ten times as much.
        known.group_by("customer_key")
        .agg(
            order_days=pl.len(),
            first_day=pl.col("order_day").min(),
            last_day=pl.col("order_day").max(),
            net=pl.col("net").sum(),
            first_net=pl.col("net").min_by("order_day"),
        )
        .select(
            "customer_key",
            frequency=frequency,
            recency=(last - first).cast(pl.Float64),
            T=((as_of - _EPOCH).days - first).cast(pl.Float64),
            monetary_value=pl.when(pl.col("order_days") > 1).then(repeat_net / frequency),
            first_day="first_day",
            last_day="last_day",
        )
    )


def distinct_triples(summary: pl.LazyFrame) -> pl.LazyFrame:
    """Count the customers of each distinct (frequency, recency, T), sorted by these.

    The purchase models depend on nothing else, so a fit on the triples weighted by `customers` equals a
    fit on all customers. Sorted, so that sums of floats come out the same on every run.

    Returns
    -------
    LazyFrame
        One row per triple: frequency, recency, T (Float64), customers (Int64).
    """
    triple = ("frequency", "recency", "T")
    return summary.group_by(triple).agg(customers=pl.len().cast(pl.Int64)).sort(triple)
