"""Bought next: which product people go on to buy after another, for lists that offer it to who has not bought it yet.

A pair counts customers, not orders: who bought the first product, came back on a later day, and did not have the
other yet, either bought it then for the first time, or did not. That share is held against what is to be expected of
somebody who came back: the share of all who did, raised by how much more the first product's buyers go on to buy of
everything. Without that step nearly every product seems to lead to nearly every other, since whoever bought any
particular one buys more in general.

What does not belong here: what was bought at once (a basket is no order in time), what counts as bought
(`models.products_bought`), which next product a customer is offered (`models.next_products`).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import polars as pl

from models._next_rates import CODES, counts_together, rated, rates_alone
from models.intervals import SMALL_GROUP
from models.products_bought import customer_identity, known_lines, wholly_returned

__all__ = ["PAIRS_COUNTED", "PAIRS_SHOWN", "PRODUCTS", "STILL_SOLD_DAYS", "bought_next"]

PRODUCTS: Final = 500
"""Products, the most ordered ones, among which pairs are looked for (ours): the count grows with the square."""
PAIRS_SHOWN: Final = 5
"""Next products that are kept of each product (ours)."""
PAIRS_COUNTED: Final = 100_000_000
"""Pairs of products of one person that are counted at most; of more customers a share is drawn (ours)."""
STILL_SOLD_DAYS: Final = 90
"""Days without an order after which a product is taken to be gone, or out of season (ours)."""
_LOTS: Final = 2**20
_PEOPLE: Final = 2**63
"""Room for numbers that stand for people where they are only counted: cheaper to join than all bits of an identity."""


def bought_next(
    orders: pl.LazyFrame,
    order_lines: pl.LazyFrame,
    returns: pl.LazyFrame,
    as_of: date,
    *,
    products: int = PRODUCTS,
    best: int = PAIRS_SHOWN,
    at_least: int = SMALL_GROUP,
    pairs_counted: int = PAIRS_COUNTED,
    still_sold_days: int = STILL_SOLD_DAYS,
) -> pl.LazyFrame:
    """Count which product customers bought first after another, and keep the pairs that are no chance.

    A product that came back to the last piece was not bought (`models.products_bought.wholly_returned`). A customer
    with orders on one day only has not come back and is in no count.

    Parameters
    ----------
    orders
        order_id, customer_key, order_day, is_valid.
    order_lines
        order_id, product_id, product_name, category, kind, quantity, net.
    returns
        order_id, product_id, kind, quantity, outcome, returned_day, refunded_day.
    as_of
        Last day included.
    products
        How many products, by orders' lines, are looked at.
    best
        Next products kept of each product, by `lift_low`.
    at_least
        Customers who must have made a pair for it to be kept.
    pairs_counted
        With more pairs of products among the customers than that, only a share of them, drawn by a hash, is counted.
    still_sold_days
        A next product is one that anybody ordered in so many days up to `as_of`: nobody should be offered what is gone.

    Returns
    -------
    LazyFrame
        One row per pair kept, sorted: product, product_name; position (1 is best), next_product, next_product_name;
        customers (bought the next product on a later day, for the first time), n (bought the first, came back later and
        did not have the next yet), rate, low, high (customers / n with its 95 % Wilson interval); base_rate (the same
        share of all who came back, after their first order day), expected_rate (base_rate times how much more of
        everything the first product's buyers go on to buy), lift, lift_low, lift_high (rate and its interval over
        expected_rate, which is taken as exact). Kept are pairs whose lift is above 1 even by a bound that holds
        for all pairs looked at: of 250,000, thousands have a lift_low above 1 for no reason.

    Raises
    ------
    ValueError
        `products` is below 2, or more than can be numbered.
    """
    if not 2 <= products < CODES // 2:
        raise ValueError(f"Pairs are looked for among 2 to {CODES // 2 - 1:,} products, not {products:,}.")
    catalogue = _catalogue(known_lines(order_lines, orders, as_of), products)
    chosen = catalogue.lazy()
    came_back = _came_back(orders, as_of)
    own = known_lines(order_lines.join(chosen, on="product_id", how="semi"), orders, as_of)
    firsts = _first_days(own, wholly_returned(order_lines, returns, as_of), chosen, came_back)
    is_counted = _lot(firsts, pairs_counted)
    counted, people = firsts.filter(is_counted), came_back.filter(is_counted)
    looked_at = catalogue.height * (catalogue.height - 1)
    pairs = rated(counts_together(counted), rates_alone(counted, people), compared=looked_at)
    since = as_of - timedelta(still_sold_days)
    sold = chosen.filter(pl.col("last_day") > since).select(next_code="code")
    return _named(_best(pairs.join(sold, on="next_code", how="semi"), best, at_least), chosen)


def _catalogue(lines: pl.LazyFrame, products: int) -> pl.DataFrame:
    """Number the most ordered products and name them as their latest orders did.

    Of several names of one day it is the alphabet's first, of products ordered equally often too.
    """
    named = (
        lines.group_by("product_id", "product_name")
        .agg(lines=pl.len(), last_day=pl.col("order_day").max())
        .collect(engine="streaming")
    )
    chosen = (
        named.group_by("product_id")
        .agg(pl.col("lines").sum(), pl.col("last_day").max())
        .sort("lines", "product_id", descending=[True, False])
        .head(products)
        .sort("product_id")
    )
    names = (
        named.filter(pl.col("product_name").is_not_null())
        .sort("last_day", "product_name", descending=[True, False])
        .unique("product_id", keep="first", maintain_order=True)
        .select("product_id", "product_name")
    )
    return chosen.join(names, on="product_id", how="left", maintain_order="left").select(
        "product_id", "product_name", "last_day", code=pl.int_range(pl.len(), dtype=pl.Int32)
    )


def _came_back(orders: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """In memory, first and last order day of each customer with orders on two days or more."""
    is_known = pl.col("is_valid") & pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of)
    return (
        orders.filter(is_known)
        .select("order_day", identity=customer_identity(pl.col("customer_key")))
        .group_by("identity")
        .agg(first_day=pl.col("order_day").min(), last_day=pl.col("order_day").max())
        .filter(pl.col("first_day") < pl.col("last_day"))
        .with_columns(_as_counted())
        .collect(engine="streaming")
        .lazy()
    )


def _as_counted() -> pl.Expr:
    return (pl.col("identity") % _PEOPLE).cast(pl.Int64)


def _first_days(
    lines: pl.LazyFrame, returned: pl.LazyFrame, chosen: pl.LazyFrame, came_back: pl.LazyFrame
) -> pl.LazyFrame:
    """In memory, of each customer who came back and each chosen product: the day they first bought it."""
    return (
        lines.join(chosen.select("product_id", "code"), on="product_id")
        .join(returned, on=["order", "product_id"], how="anti")
        .select("order_day", bought=pl.col("identity") * CODES + pl.col("code"))
        .group_by("bought")
        .agg(day=pl.col("order_day").min())
        .select("day", identity=pl.col("bought") // CODES, code=(pl.col("bought") % CODES).cast(pl.Int32))
        .with_columns(_as_counted())
        .join(came_back, on="identity")
        .collect(engine="streaming")
        .lazy()
    )


def _lot(firsts: pl.LazyFrame, pairs_counted: int) -> pl.Expr:
    """Who is counted: everybody, or by lot so many that their pairs are about `pairs_counted`."""
    products = firsts.group_by("identity").agg(products=pl.len().cast(pl.Int64))
    pairs = (
        products.select((pl.col("products") * pl.col("products")).sum()).collect(engine="streaming").item()
    )
    share = min(1.0, pairs_counted / pairs) if pairs else 1.0
    return pl.col("identity") % _LOTS < round(share * _LOTS)


def _best(pairs: pl.LazyFrame, best: int, at_least: int) -> pl.LazyFrame:
    return (
        pairs.filter((pl.col("customers") >= at_least) & (pl.col("lift_surely") > 1))
        .sort("code", "lift_low", "next_code", descending=[False, True, False])
        .with_columns(position=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("code"))
        .filter(pl.col("position") <= best)
    )


def _named(pairs: pl.LazyFrame, chosen: pl.LazyFrame) -> pl.LazyFrame:
    first = chosen.rename({"product_id": "product"})
    other = chosen.select(next_code="code", next_product="product_id", next_product_name="product_name")
    columns = ("customers", "n", "rate", "low", "high", "base_rate", "expected_rate")
    return (
        pairs.join(first, on="code")
        .join(other, on="next_code")
        .select(
            "product",
            "product_name",
            "position",
            "next_product",
            "next_product_name",
            *columns,
            "lift",
            "lift_low",
            "lift_high",
        )
        .sort("product", "position")
    )
