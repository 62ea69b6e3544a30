"""Orders and their lines, from the current version of what was delivered.

A line of kind merchandise is worth something; postage, fees, gift cards and bookkeeping are not net revenue.
Refunds reach an order from `returns`; they change its net, never whether it happened.
"""

import polars as pl

from data_contracts import MONEY, table
from pipelines.ingest.identity import with_customer_key
from pipelines.ingest.order_rules import STANDINGS
from pipelines.shop import Shop

ZERO = pl.lit(0).cast(MONEY)


def order_lines(current: pl.LazyFrame) -> pl.LazyFrame:
    """Give the lines of orders, in the shape of ``order_lines``; returns are no order lines."""
    return current.filter(pl.col("record") != "return").select(table("order_lines").schema.keys())


def orders(
    current: pl.LazyFrame, returns: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop
) -> pl.LazyFrame:
    """One row per order with its value, refunds so far and whether it counts, in the shape of ``orders``."""
    is_merchandise = pl.col("kind") == "merchandise"
    value = pl.col("quantity").cast(MONEY) * pl.col("unit_price")
    added = (
        current.filter(pl.col("record") != "return")
        .group_by("order_id")
        .agg(
            pl.col("record", "source", "ordered_at", "order_day", "order_day_number", "currency").first(),
            pl.col("status", "channel", "country", "customer_numbers", "customer_id", "email", "phone").min(),
            pl.len().alias("lines"),
            value.filter(is_merchandise).sum().cast(MONEY).alias("gross"),
            pl.col("discount").filter(is_merchandise).sum().cast(MONEY).alias("discount"),
            is_merchandise.any().alias("_has_merchandise"),
            (pl.col("kind") == "gift_card").any().alias("_has_gift_card"),
            (pl.col("kind") == "test").all().alias("_is_test"),
            *((pl.col("standing") == why).any().alias(f"_is_{why}") for why in STANDINGS),
            (pl.col("quantity") < 0).all().alias("_is_write_off"),
        )
    )
    # An exchange gives no money back: the sale stands (`models.summary.known_refunds` says the same).
    is_refund = (pl.col("kind") == "merchandise") & pl.col("outcome").ne_missing("exchange")
    refunds = (
        returns.filter(pl.col("order_id").is_not_null() & is_refund)
        .group_by("order_id")
        .agg(pl.col("amount").sum().cast(MONEY).alias("refunded"))
    )
    return (
        added.join(refunds, on="order_id", how="left")
        .with_columns(pl.col("refunded").fill_null(ZERO), _excluded_because().alias("excluded_because"))
        .with_columns(
            (pl.col("gross") - pl.col("discount") - pl.col("refunded")).cast(MONEY).alias("net"),
            pl.col("excluded_because").is_null().alias("is_valid"),
        )
        .with_columns((pl.col("is_valid") & (pl.col("net") <= 0)).alias("fully_returned"))
        .pipe(with_customer_key, identities, shop.identity)
        .select(table("orders").schema.keys())
        .sort("order_id")
    )


def _excluded_because() -> pl.Expr:
    """Why an order does not count; the first reason holds."""
    reasons = {
        "bookkeeping adjustment": pl.col("record") == "adjustment",
        "test order": pl.col("_is_test") | pl.col("_is_test order"),
        **{why: pl.col(f"_is_{why}") for why in STANDINGS if why != "test order"},
        "stock write-off": pl.col("_is_write_off"),
        "only gift cards": ~pl.col("_has_merchandise") & pl.col("_has_gift_card"),
        "no merchandise": ~pl.col("_has_merchandise"),
        "no value": pl.col("gross") - pl.col("discount") <= 0,
    }
    found = pl.lit(None, pl.String)
    for why, holds in reversed(reasons.items()):
        found = pl.when(holds).then(pl.lit(why)).otherwise(found)
    return found
