"""The tables that claims on buying again start from, as known at the end of a day, whatever the shop has delivered.

What does not belong here: what is counted of them (one module a claim).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from data_contracts import table
from models.claims._finding import Facts
from models.summary import purchases_at

__all__ = ["known_purchases", "order_days", "rows_of", "single_orders"]


def rows_of(facts: Facts, name: str) -> pl.LazyFrame:
    """Read a table, without rows where it is not there."""
    return facts.tables[name] if name in facts.tables else table(name).empty().lazy()


def single_orders(facts: Facts, as_of: date) -> pl.LazyFrame:
    """Give valid orders by customer and day, not collapsed: cheaper, where only days are asked for."""
    is_known = pl.col("is_valid") & pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of)
    one = pl.lit(1, pl.Int32)
    return rows_of(facts, "orders").filter(is_known).select("customer_key", "order_day", orders=one)


def known_purchases(facts: Facts, as_of: date) -> pl.LazyFrame:
    """Collapse valid orders to customer and order day, net of refunds known by `as_of`.

    The table `purchases` is not read: its net is the one of the day it was made for.
    """
    return purchases_at(rows_of(facts, "orders"), rows_of(facts, "returns"), as_of)


def order_days(facts: Facts, as_of: date) -> pl.LazyFrame:
    """Give the same where money does not matter, without reading returns; its net is before refunds."""
    return purchases_at(rows_of(facts, "orders"), table("returns").empty().lazy(), as_of)
