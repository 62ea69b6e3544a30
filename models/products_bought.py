"""What customers bought, product by product: the lines that count, what came back whole, and a customer's goods.

A purchase of a product is a line of merchandise of a valid order of a known customer, and the line names a product.
That it came back does not undo that it was bought; where it matters that it stayed, `wholly_returned` says what did
not.

What does not belong here: which product follows which (`models.bought_next`), rates of returns (`models.returns`),
numbers for trees (`models.features`).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from models.order_days import identity_of
from models.return_window import known_returns

__all__ = ["customer_goods", "customer_identity", "known_lines", "wholly_returned"]

_MONEY_STEPS = 10**4
"""Money has four places: so many whole steps make one unit of currency."""
_HASH_RANGE = 2**64
_PRODUCT_BITS = 47
"""Bits of a product's hash beside a customer's 80: two of 1,000 products of one person are the same once in 10^8."""


def known_lines(order_lines: pl.LazyFrame, orders: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Keep the lines by which known customers bought a product up to `as_of`.

    Parameters
    ----------
    order_lines
        order_id, product_id, product_name, category, kind, net.
    orders
        order_id, customer_key, order_day, is_valid.
    as_of
        Last day included.

    Returns
    -------
    LazyFrame
        One row per line, in no particular order: identity (Int128, `customer_identity`), order (Int128, stands for
        the order: joining it costs half of joining text), order_day, product_id, product_name, category, net.
    """
    own = _known_orders(orders, as_of).select(
        "order_day",
        identity=customer_identity(pl.col("customer_key")),
        order=identity_of(pl.col("order_id")),
    )
    return _lines_of_products(order_lines).join(own, on="order")


def customer_identity(customer_key: pl.Expr) -> pl.Expr:
    """Turn a customer's key into 80 bits (Int128): for two of 10 million to share them has a chance of 4 in 10^11."""
    return identity_of(customer_key) // 2**23


def wholly_returned(order_lines: pl.LazyFrame, returns: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Say which products of which orders came back to the last piece by `as_of`.

    An exchange does not count: who takes another size wanted the product. Neither does a return that names no
    order, no product or no pieces, since nobody can tell what was left.

    Parameters
    ----------
    order_lines
        order_id, product_id, kind, quantity.
    returns
        order_id, product_id, kind, quantity, outcome, returned_day, refunded_day.

    Returns
    -------
    LazyFrame
        order (as in `known_lines`), product_id; each pair once.
    """
    product = ["order_id", "product_id"]
    back = (
        known_returns(returns.with_columns(amount=None, reason=None), as_of)
        .filter(pl.col("outcome").ne_missing("exchange"))
        .group_by(product)
        .agg(back=pl.col("quantity").sum())
        .filter(pl.col("back") > 0)
    )
    return (
        order_lines.filter(_IS_OF_A_PRODUCT)
        .select(*product, "quantity")
        .join(back, on=product)
        .group_by(product)
        .agg(pl.col("quantity").sum(), pl.col("back").first())
        .filter(pl.col("back") >= pl.col("quantity"))
        .select("product_id", order=identity_of(pl.col("order_id")))
    )


def customer_goods(order_lines: pl.LazyFrame, orders: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Say what each customer bought: how many products and categories, the main one, and the last product.

    It holds what every customer bought in memory: two gigabytes a million. Give the orders of a part of the customers
    where there are more.

    Parameters
    ----------
    order_lines
        As in `known_lines`.
    orders
        As in `known_lines`, and ordered_at.
    as_of
        Last day included.

    Returns
    -------
    LazyFrame
        One row per customer who bought a product that is named, in no particular order: identity; products,
        categories (Int32, distinct; categories null where none is told); main_category (by value before returns; of
        equals the alphabet's first); last_product and last_product_name (the line worth most of the latest order, null
        if that order names no product; of equals one by lot, always the same).
    """
    lines = known_lines(order_lines, orders, as_of)
    last = _last_product(_lines_of_products(order_lines), _known_orders(orders, as_of))
    return (
        _distinct_products(lines)
        .join(_categories(lines), on="identity", how="left")
        .join(last, on="identity", how="left")
    )


_IS_OF_A_PRODUCT = (pl.col("kind") == "merchandise") & pl.col("product_id").is_not_null()


def _lines_of_products(order_lines: pl.LazyFrame) -> pl.LazyFrame:
    return order_lines.filter(_IS_OF_A_PRODUCT).select(
        "product_id", "product_name", "category", "net", order=identity_of(pl.col("order_id"))
    )


def _known_orders(orders: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    return orders.filter(
        pl.col("is_valid") & pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of)
    )


def _distinct_products(lines: pl.LazyFrame) -> pl.LazyFrame:
    """Count distinct products in two plain passes over one packed integer: a set a customer would be held in memory."""
    product = (pl.col("product_id").hash() // 2 ** (64 - _PRODUCT_BITS)).cast(pl.Int128)
    return (
        lines.select(bought=pl.col("identity") * 2**_PRODUCT_BITS + product)
        .unique()
        .group_by(identity=pl.col("bought") // 2**_PRODUCT_BITS)
        .agg(products=pl.len().cast(pl.Int32))
    )


def _categories(lines: pl.LazyFrame) -> pl.LazyFrame:
    values = (
        lines.filter(pl.col("category").is_not_null())
        .group_by("identity", "category")
        .agg(pl.col("net").sum())
    )
    most = values.group_by("identity").agg(categories=pl.len().cast(pl.Int32), net=pl.col("net").max())
    return (
        values.join(most, on=["identity", "net"])
        .group_by("identity")
        .agg(pl.col("categories").first(), main_category=pl.col("category").min())
    )


def _last_product(lines: pl.LazyFrame, known: pl.LazyFrame) -> pl.LazyFrame:
    """Find the latest order, then its dearest line; equals are told apart by hashes, so that row order is nothing."""
    moment = pl.col("ordered_at").dt.epoch("us").cast(pl.Int128)
    latest = (
        known.select("ordered_at", "order_id", identity=customer_identity(pl.col("customer_key")))
        .group_by("identity")
        .agg(
            order=identity_of(pl.col("order_id")).max_by(
                moment * _HASH_RANGE + pl.col("order_id").hash().cast(pl.Int128)
            )
        )
    )
    lot = (pl.col("product_id").hash(1) ^ pl.col("product_name").fill_null("").hash(2)).cast(pl.Int128)
    worth = (pl.col("net") * _MONEY_STEPS).cast(pl.Int64).cast(pl.Int128)
    return (
        lines.join(latest, on="order")
        .select("identity", "product_id", "product_name", worth=worth * _HASH_RANGE + lot)
        .group_by("identity")
        .agg(
            last_product=pl.col("product_id").max_by("worth"),
            last_product_name=pl.col("product_name").max_by("worth"),
        )
    )
