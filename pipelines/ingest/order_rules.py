"""What a shop's rules say of one delivered order line: what it records, what it sells, how its order stands.

Expressions over delivered columns; whether an order counts in the end is decided by `orders`.
"""

import re

import polars as pl

from pipelines.ingest.numbers import plain_order_id
from pipelines.ingest.patterns import matches
from pipelines.settings import OrderRules
from pipelines.shop import Shop

STANDINGS = ("test order", "exchange replacement", "cancelled", "not placed yet")
"""Why an order does not count, as far as its lines tell; the first that any line tells holds."""


def record(shop: Shop) -> pl.Expr:
    """Whether a line is part of an order, takes goods back (return), or is bookkeeping (adjustment)."""
    number = plain_order_id(shop)
    return (
        pl.when(matches(number, shop.orders.adjustment_order_ids))
        .then(pl.lit("adjustment"))
        .when(matches(number, shop.orders.return_order_ids))
        .then(pl.lit("return"))
        .otherwise(pl.lit("order"))
    )


def kind(rules: OrderRules) -> pl.Expr:
    """What a line sells: as delivered, else by product code, else by product name."""
    found = pl.lit(rules.kind_when_unmatched)
    for column, patterns in (("product_name", rules.kinds_by_name), ("product_id", rules.kinds)):
        for pattern, name in reversed(patterns.items()):
            found = pl.when(pl.col(column).str.contains(pattern)).then(pl.lit(name)).otherwise(found)
    delivered = pl.col("kind").str.to_lowercase()
    return pl.when(delivered.is_in(KINDS)).then(delivered).otherwise(found)


def standing(shop: Shop) -> pl.Expr:
    """One of `STANDINGS`; null for an order that stands as placed."""
    rules, status = shop.orders, pl.col("status").str.to_lowercase()
    is_test = (
        pl.col("is_test").fill_null(False) | _is_one_of(status, rules.test_statuses) | _bears(rules.test_tags)
    )
    is_replacement = matches(plain_order_id(shop), rules.replacement_order_ids) | _bears(
        rules.replacement_tags
    )
    is_cancelled = pl.col("cancelled_at").is_not_null() | _is_one_of(status, rules.cancelled_statuses)
    is_pending = _is_one_of(status, rules.pending_statuses)
    found = pl.lit(None, pl.String)
    for name, holds in reversed(
        list(zip(STANDINGS, (is_test, is_replacement, is_cancelled, is_pending), strict=True))
    ):
        found = pl.when(holds).then(pl.lit(name)).otherwise(found)
    return found


def is_known_status(shop: Shop) -> pl.Expr:
    """Whether the settings say what an order's status means; true where none is delivered."""
    rules = shop.orders
    known = (*rules.placed_statuses, *rules.cancelled_statuses, *rules.pending_statuses, *rules.test_statuses)
    status = pl.col("status").str.to_lowercase()
    return status.is_null() | _is_one_of(status, known)


def _bears(tags: tuple[str, ...]) -> pl.Expr:
    """Whether one of a row's tags, parted by commas, is among ``tags``."""
    if not tags:
        return pl.lit(False)
    wanted = "|".join(re.escape(spelling) for tag in tags for spelling in _spellings(tag))
    pattern = rf"(?:^|,)\s*(?:{wanted})\s*(?:,|$)"
    return pl.col("tags").str.to_lowercase().str.contains(pattern).fill_null(False)


def _is_one_of(status: pl.Expr, names: tuple[str, ...]) -> pl.Expr:
    spellings = [spelling for name in names for spelling in _spellings(name)]
    return status.is_in([*spellings, *(f"{WOOCOMMERCE}{one}" for one in spellings)]).fill_null(False)


def _spellings(words: str) -> list[str]:
    """Spell one status in all the ways of shop systems: "on hold", "on-hold", "on_hold", "onhold"."""
    parts = re.split(r"[\s_-]+", words.strip().lower().removeprefix(WOOCOMMERCE))
    return list(dict.fromkeys(separator.join(parts) for separator in (" ", "-", "_", "")))


WOOCOMMERCE = "wc-"
"""What WooCommerce's tables put before a status."""
KINDS = ("merchandise", "postage", "fee", "gift_card", "discount", "test", "other")
