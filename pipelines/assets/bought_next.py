"""Bought next: the pairs for cross-sell lists, and what each customer bought, for the profile.

How pairs are counted stands in `models.bought_next`, what a purchase is in `models.products_bought`. What everybody
bought is more than fits in memory in a large shop, so it is worked on a part of the customers at a time.
"""

from collections.abc import Callable

import polars as pl

from models.bought_next import bought_next
from models.next_products import next_products
from models.products_bought import customer_goods
from pipelines.assets.given import Given
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.shop import Shop

FACTS = ("orders", "order_lines", "returns")
CUSTOMERS_AT_ONCE = 2_000_000
"""Customers whose goods are worked on at once: some four gigabytes (ours)."""


def steps(_: Shop) -> list[Step]:
    """The pairs of a day."""
    return [
        Step(
            table="bought_next",
            stage=Stage.RETENTION,
            keeps=Keeps.OTHER_DAYS,
            reads=FACTS,
            make=_pairs,
        )
    ]


def _pairs(given: Given) -> pl.LazyFrame:
    orders, lines, returns = (given.table(name) for name in FACTS)
    return bought_next(orders, lines, returns, given.as_of).with_columns(pl.lit(given.as_of).alias("as_of"))


def goods_of_customers(given: Given) -> pl.LazyFrame:
    """What each customer bought by the run's day, as `models.products_bought.customer_goods` tells it."""
    lines = given.table("order_lines")
    return _part_by_part(given, lambda orders: customer_goods(lines, orders, given.as_of))


def next_products_of_customers(given: Given) -> pl.LazyFrame:
    """What each customer may be offered next, as `models.next_products` tells it."""
    pairs, lines, returns = (given.table(name) for name in ("bought_next", "order_lines", "returns"))
    return _part_by_part(given, lambda orders: next_products(pairs, orders, lines, returns, given.as_of))


def _part_by_part(given: Given, make: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.LazyFrame:
    customers = given.table("customer_summary").select(pl.len()).collect().item()
    parts = max(1, round(customers / CUSTOMERS_AT_ONCE))
    lot = pl.col("customer_key").hash(parts) % parts
    orders = given.table("orders")
    # One after the other: together they would take the memory that parts are there to save.
    made = [make(orders.filter(lot == part)).collect(engine="streaming") for part in range(parts)]
    return pl.concat(made).lazy()
