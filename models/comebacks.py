"""Coming back by what the first order held: who was kept as a customer, net of returns, and what it brought.

A customer has come back if a day after the first one has an order of which something was kept: an order that went
back to the last piece is no success of the product that began it all. The money is net of returns as well. Everybody
is watched for the same number of days, and whoever has not been a customer for as long is in no count: otherwise
products that are new in the shop would look bad.

**It describes; it does not say what causes what.** Who buys many products at once is in many groups, and comes back
for other reasons. And of a hundred products the best one of a list is partly lucky: read `low`, not `rate`.

What does not belong here: cohorts by month (`models.cohorts`), what is bought next (`models.bought_next`), and the
attributes of which every first order has one (`models.first_orders`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from models.first_orders import first_orders
from models.intervals import SMALL_GROUP, wilson_interval

__all__ = ["HORIZON_DAYS", "comebacks", "first_products"]

HORIZON_DAYS = 365


def comebacks(
    purchases: pl.LazyFrame,
    attributes: pl.LazyFrame,
    as_of: date,
    *,
    by: str | Sequence[str],
    horizon_days: int = HORIZON_DAYS,
    since: date | None = None,
) -> pl.LazyFrame:
    """Share of customers with a kept order after their first day, by an attribute, and the net revenue that followed.

    Parameters
    ----------
    purchases
        One row per customer and order day as known at `as_of`: customer_key, order_day, net.
    attributes
        customer_key and the columns `by`. A customer with several rows (a first order of three products) counts once
        in each group, so groups need not add up to all; who has none is in no group.
    as_of
        Last day included; later purchases change nothing.
    by
        Columns that tell groups apart.
    horizon_days
        Days after the first order day, each customer's own; the first day itself does not count.
    since
        First order days before it are left out: in the first weeks of a loaded history old customers look new.

    Returns
    -------
    LazyFrame
        One row per group, sorted by `low`, highest first: `by`; customers (who came back), n (watched for the whole
        horizon), rate, low, high (95 % Wilson), net_after (mean net revenue of the horizon per customer of n, Float64,
        shop currency; null money counts as none), is_small (n < 30).

    Raises
    ------
    ValueError
        If the horizon is not positive.
    """
    if horizon_days <= 0:
        raise ValueError(f"The horizon must be a positive number of days, not {horizon_days}.")
    group = [by] if isinstance(by, str) else list(by)
    known = purchases.filter(pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of)).select(
        "customer_key", "order_day", "net"
    )
    watched = (
        known.group_by("customer_key")
        .agg(first_day=pl.col("order_day").min())
        .filter(pl.col("first_day").is_between(since or date.min, as_of - timedelta(horizon_days)))
    )
    wait = (pl.col("order_day") - pl.col("first_day")).dt.total_days()
    later = (
        known.join(watched, on="customer_key")
        .filter(wait.is_between(1, horizon_days))
        .group_by("customer_key")
        .agg(is_back=(pl.col("net") > 0).any(), net=pl.col("net").sum())
    )
    customers, n = pl.col("customers"), pl.col("n")
    interval = wilson_interval(customers, n)
    return (
        attributes.select("customer_key", *group)
        .unique()
        .join(watched.join(later, on="customer_key", how="left"), on="customer_key")
        .group_by(group)
        .agg(
            customers=pl.col("is_back").fill_null(False).sum().cast(pl.Int64),
            n=pl.len().cast(pl.Int64),
            # Decimals add up exactly in any order; floats would tell runs apart.
            net=pl.col("net").sum().cast(pl.Float64),
        )
        .select(
            *group,
            "customers",
            "n",
            rate=customers / n,
            low=interval.low,
            high=interval.high,
            net_after=pl.col("net") / n,
            is_small=n < SMALL_GROUP,
        )
        .sort("low", *group, descending=[True, *(False for _ in group)], nulls_last=True)
    )


def first_products(orders: pl.LazyFrame, order_lines: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """List the products of each customer's first order, and how many there were.

    Parameters
    ----------
    orders
        See `models.first_orders.first_orders`.
    order_lines
        order_id, product_id, product_name, kind; merchandise only counts, and lines without a product don't.
    as_of
        Last day included.

    Returns
    -------
    LazyFrame
        One row per customer and product of the first order, in no particular order: customer_key, product_id,
        product_name (one for each product: of several names that which most of these lines have, of equals the
        alphabet's first; the product's id where none is told), products (Int64; how many the first order held).
    """
    lines = (
        order_lines.filter((pl.col("kind") == "merchandise") & pl.col("product_id").is_not_null())
        .select("order_id", "product_id", "product_name")
        .join(first_orders(orders, as_of).select("order_id", "customer_key"), on="order_id")
        .select("customer_key", "product_id", "product_name")
    )
    names = (
        lines.filter(pl.col("product_name").is_not_null())
        .group_by("product_id", "product_name")
        .len()
        .sort(["len", "product_name"], descending=[True, False])
        .unique("product_id", keep="first", maintain_order=True)
        .select("product_id", "product_name")
    )
    held = lines.select("customer_key", "product_id").unique()
    counts = held.group_by("customer_key").agg(products=pl.len().cast(pl.Int64))
    return (
        held.join(names, on="product_id", how="left")
        .join(counts, on="customer_key")
        .select("customer_key", "product_id", pl.coalesce("product_name", "product_id"), "products")
    )
