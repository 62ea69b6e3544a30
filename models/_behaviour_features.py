"""Features of how somebody buys: order days, their gaps, money, discounts, channel, country, season.

From orders alone, and refunds where returns are told. What does not belong here: what people met with after an
order (`models._experience_features`), putting the parts together (`models.features`).
"""

from __future__ import annotations

import math
from datetime import date, timedelta

import polars as pl

from models.order_days import in_sequence
from models.summary import MONEY, known_refunds, purchases_at

__all__ = ["behaviour", "known_orders", "known_purchases"]

_YEAR = 365
_RECENT_DAYS = 90
_DAYS_OF_SEASONS = 365.25
_EPOCH = date(1970, 1, 1)
_NO_RETURNS = {
    "order_id": pl.String,
    "kind": pl.String,
    "outcome": pl.String,
    "amount": MONEY,
    "returned_day": pl.Date,
    "refunded_day": pl.Date,
}


def known_orders(orders: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Keep the valid orders of known customers up to `as_of`."""
    return orders.filter(
        pl.col("is_valid") & pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of)
    )


def known_purchases(orders: pl.LazyFrame, returns: pl.LazyFrame | None, as_of: date) -> pl.LazyFrame:
    """Collapse orders by customer and day as known at `as_of`; without returns, net is before them."""
    return purchases_at(orders, pl.LazyFrame(schema=_NO_RETURNS) if returns is None else returns, as_of)


def behaviour(orders: pl.LazyFrame, returns: pl.LazyFrame | None, as_of: date) -> pl.LazyFrame:
    """One row per customer with a valid order by `as_of`; columns as told in `models.features`.

    Returns
    -------
    LazyFrame
        Beside the features, customer_key and sold (Float64, merchandise after discount, before returns).
    """
    days = _order_days(known_orders(orders, as_of), returns, as_of)
    n, total = pl.col("gaps"), pl.col("gap_sum")
    return (
        _by_customer(days, as_of)
        .join(_gaps(days), on="customer_key", how="left")
        .select(
            pl.exclude("gaps", "gap_sum", "gap_squares"),
            gap_mean=total / n,
            gap_sd=_spread(n, total, pl.col("gap_squares")),
            recency_over_gap=pl.col("days_since_last_order") * n / total,
        )
    )


def _order_days(known: pl.LazyFrame, returns: pl.LazyFrame | None, as_of: date) -> pl.LazyFrame:
    """Collapse orders to customer and day, so that two orders of one day leave nothing to chance."""
    # Not all columns: orders tell in `refunded` what is known now.
    own = known.select("order_id", "customer_key", "order_day", "gross", "discount", "channel", "country")
    net = pl.col("gross") - pl.col("discount")
    if returns is not None:
        own = own.join(known_refunds(returns, as_of), on="order_id", how="left")
        net = net - pl.col("refunded").fill_null(0)
    return (
        own.select(
            "customer_key",
            "order_day",
            "gross",
            "discount",
            "channel",
            "country",
            net=net,
            is_discounted=pl.col("discount") > 0,
        )
        .group_by("customer_key", "order_day")
        .agg(
            pl.col("gross", "discount", "net").sum().cast(MONEY),
            # Several on one day: the first in the alphabet, since the day tells no order among them.
            pl.col("channel", "country").min(),
            orders=pl.len().cast(pl.Int32),
            discounted=pl.col("is_discounted").sum().cast(pl.Int32),
        )
    )


def _by_customer(days: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    year_ago, recently = as_of - timedelta(_YEAR), as_of - timedelta(_RECENT_DAYS)
    day = pl.col("order_day")
    made = (
        days.with_columns(
            in_year=day > year_ago,
            is_recent=day > recently,
            net_in_year=pl.when(day > year_ago).then("net").otherwise(0).cast(MONEY),
        )
        .group_by("customer_key")
        .agg(
            pl.col("gross", "discount", "net", "net_in_year", "orders", "discounted").sum(),
            *(
                pl.col(name).min_by("order_day").alias(f"{name}_first_order")
                for name in ("channel", "country")
            ),
            *(
                pl.col(name).max_by("order_day").alias(f"{name}_last_order")
                for name in ("channel", "country")
            ),
            first_day=day.min(),
            last_day=day.max(),
            order_days=pl.len(),
            order_days_365d=pl.col("in_year").sum(),
            order_days_90d=pl.col("is_recent").sum(),
            net_last_day=pl.col("net").max_by("order_day"),
        )
    )
    today = (as_of - _EPOCH).days
    money = {name: pl.col(name).cast(pl.Float64) for name in ("gross", "discount", "net")}
    counts = ("order_days", "orders", "order_days_365d", "order_days_90d")
    return made.select(
        "customer_key",
        (pl.col("gross") - pl.col("discount")).cast(pl.Float64).alias("sold"),
        (today - pl.col("last_day").cast(pl.Int32)).cast(pl.Float64).alias("days_since_last_order"),
        (today - pl.col("first_day").cast(pl.Int32)).cast(pl.Float64).alias("T"),
        *(pl.col(name).cast(pl.Float64) for name in counts),
        *season(pl.lit(as_of), "as_of"),
        *season(pl.col("last_day"), "last_order"),
        "channel_first_order",
        "channel_last_order",
        "country_first_order",
        "country_last_order",
        historic_net=money["net"],
        net_365d=pl.col("net_in_year").cast(pl.Float64),
        net_mean=money["net"] / pl.col("orders"),
        net_last_day=pl.col("net_last_day").cast(pl.Float64),
        discount_share=pl.when(money["gross"] > 0).then(money["discount"] / money["gross"]),
        discounted_order_share=pl.col("discounted") / pl.col("orders"),
    )


def season(day: pl.Expr, name: str) -> list[pl.Expr]:
    """Place of a day in the year on a circle: 31 December lies beside 1 January."""
    angle = day.dt.ordinal_day() * (2 * math.pi / _DAYS_OF_SEASONS)
    return [angle.sin().alias(f"{name}_season_sin"), angle.cos().alias(f"{name}_season_cos")]


def _gaps(days: pl.LazyFrame) -> pl.LazyFrame:
    """Count and sums of the gaps between order days, in whole numbers; and the last gap."""
    gap = (pl.col("next_day") - pl.col("order_day")).dt.total_days()
    return (
        in_sequence(days)
        .filter(~pl.col("is_last"))
        .select("customer_key", "order_day", gap=gap)
        .group_by("customer_key")
        .agg(
            gaps=pl.len().cast(pl.Int64),
            gap_sum=pl.col("gap").sum(),
            gap_squares=(pl.col("gap") * pl.col("gap")).sum(),
            gap_last=pl.col("gap").max_by("order_day").cast(pl.Float64),
        )
    )


def _spread(n: pl.Expr, total: pl.Expr, squares: pl.Expr) -> pl.Expr:
    """Standard deviation from whole numbers, so that it does not depend on the order of rows."""
    return pl.when(n > 1).then(((n * squares - total * total) / (n * (n - 1))).sqrt())
