"""Orders that count, and who was won and kept in a year: what several claims share.

What does not belong here: any claim.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import polars as pl

__all__ = ["REPURCHASE_DAYS", "YEAR_DAYS", "People", "valid_orders", "won_and_kept"]

REPURCHASE_DAYS = 365
YEAR_DAYS = 365


class People(NamedTuple):
    """Customers of a window: won is new in it, kept had ordered before it and did again."""

    won: int
    kept: int


def valid_orders(orders: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Keep the orders that count, of known customers, up to `as_of`."""
    return orders.filter(
        pl.col("is_valid") & pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of)
    )


def won_and_kept(orders: pl.LazyFrame, as_of: date) -> People:
    """Count the customers who are new in the last 365 days, and those who had ordered before and did again."""
    start = as_of - timedelta(YEAR_DAYS)
    counts = (
        valid_orders(orders, as_of)
        .group_by("customer_key")
        .agg(first=pl.col("order_day").min(), last=pl.col("order_day").max())
        .select(
            won=(pl.col("first") > start).sum(),
            kept=((pl.col("first") <= start) & (pl.col("last") > start)).sum(),
        )
        .collect(engine="streaming")
    )
    return People(*counts.row(0))
