"""Next products: what each customer may be offered, of the pairs that `models.bought_next` found.

What does not belong here: the pairs, and who may be written to at all.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from models._next_rates import CODES
from models.products_bought import known_lines, wholly_returned

__all__ = ["next_products"]


def next_products(
    pairs: pl.LazyFrame,
    orders: pl.LazyFrame,
    order_lines: pl.LazyFrame,
    returns: pl.LazyFrame,
    as_of: date,
) -> pl.LazyFrame:
    """Choose for each customer the best next product of what they bought and kept that they never bought.

    Parameters
    ----------
    pairs
        product, next_product, next_product_name, lift_low: from `bought_next`.
    orders, order_lines, returns, as_of
        As in `bought_next`.

    Returns
    -------
    LazyFrame
        One row per customer for whom there is one, in no particular order: identity
        (`models.products_bought.customer_identity`), next_product, next_product_name (of the pair with the highest
        lift_low).
    """
    # From worst to best, so that the best of several is the largest number.
    ranked = (
        pairs.select("product", "next_product", "next_product_name", "lift_low")
        .sort("lift_low", "next_product", "product", descending=[False, True, True])
        .with_columns(strength=pl.int_range(pl.len(), dtype=pl.Int64))
        .collect(engine="streaming")
        .lazy()
    )
    named = pl.concat([ranked.select(product_id="product"), ranked.select(product_id="next_product")])
    codes = named.unique().with_columns(code=pl.col("product_id").rank("dense").cast(pl.Int128))
    bought = _bought_and_kept(
        known_lines(order_lines.join(codes, on="product_id", how="semi"), orders, as_of),
        wholly_returned(order_lines, returns, as_of),
        codes,
    )
    offers = ranked.join(codes, left_on="product", right_on="product_id").join(
        codes.rename({"code": "next_code"}), left_on="next_product", right_on="product_id"
    )
    return (
        bought.filter("is_kept")
        .select(identity=pl.col("bought") // CODES, code=pl.col("bought") % CODES)
        .join(offers.select("code", "next_code", "strength"), on="code")
        .select("strength", bought=pl.col("identity") * CODES + pl.col("next_code"))
        .join(bought, on="bought", how="anti")
        .group_by(identity=pl.col("bought") // CODES)
        .agg(pl.col("strength").max())
        .join(ranked.select("strength", "next_product", "next_product_name"), on="strength")
        .drop("strength")
    )


def _bought_and_kept(lines: pl.LazyFrame, returned: pl.LazyFrame, codes: pl.LazyFrame) -> pl.LazyFrame:
    """In memory, each product of each customer once, as one number, and whether any of it was kept."""
    is_kept = pl.col("is_returned").is_null()
    return (
        lines.join(codes, on="product_id")
        .join(returned.with_columns(is_returned=True), on=["order", "product_id"], how="left")
        .select(bought=pl.col("identity") * CODES + pl.col("code"), is_kept=is_kept)
        .group_by("bought")
        .agg(pl.col("is_kept").max())
        .collect(engine="streaming")
        .lazy()
    )
