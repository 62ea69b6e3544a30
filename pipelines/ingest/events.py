"""Facts of the optional tables: shipments, tickets, messages, points, referrals, reviews, mentions, costs, campaigns.

Each is the newest version of every delivered row, with its customer's key and shop-local days. What is measured on
them is `models`' business.
"""

from collections.abc import Mapping

import polars as pl

from data_contracts import table
from data_contracts.dictionary import delivered_columns
from pipelines.ingest.currency import currency_code, in_shop_currency
from pipelines.ingest.derived import CUSTOMER_CELLS, FRIEND_CELLS
from pipelines.ingest.identity import with_customer_key
from pipelines.ingest.newest import newest
from pipelines.ingest.numbers import by_delivery
from pipelines.ingest.values import local_day
from pipelines.shop import Shop

WISMO = ("wismo", "where_is_my_order")
"""Topics of tickets that ask where an order is."""
COST_FIGURE = ("source", "day", "kind", "order_id", "product_id", "campaign")
"""What tells a cost without a number of its own from others."""


def events(name: str, delivered: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop) -> pl.LazyFrame:
    """Give the fact table ``name``: the newest version of each row of ``valid_<name>``.

    For tables whose rows have one number: shipments, tickets, messages, loyalty_ledger, referrals, reviews and
    mentions.

    Parameters
    ----------
    delivered
        With numbers told apart (`pipelines.ingest.numbers`).
    """
    fact = table(name)
    rows = delivered.pipe(newest, fact.key)
    if "customer_key" in fact.schema:
        rows = rows.pipe(with_customer_key, identities, shop.identity)
    if name == "referrals":
        rows = _with_friend_key(rows, identities, shop)
    return (
        rows.with_columns(_days(name, shop))
        .with_columns(_told(name))
        .select(fact.schema.keys())
        .sort(fact.key)
    )


def costs(
    delivered: pl.LazyFrame, shop: Shop, source_of: Mapping[str, str], rates: pl.LazyFrame | None
) -> pl.LazyFrame:
    """Give the costs in shop currency, in the shape of ``costs``.

    A cost with a number is one booking. One without is a figure: what a source says last of its day, kind, order,
    product and campaign holds.

    Parameters
    ----------
    source_of
        Delivery id to source name.
    """
    source = by_delivery(source_of)
    rows = delivered.with_columns(source.alias("source"), pl.col("kind").str.to_lowercase())
    is_numbered = pl.col("cost_id").is_not_null()
    return (
        pl.concat(
            [
                rows.filter(is_numbered).pipe(newest, ["cost_id"]),
                rows.filter(~is_numbered).pipe(newest, COST_FIGURE),
            ]
        )
        .pipe(in_shop_currency, "costs", shop, rates)
        .select(table("costs").schema.keys())
        .sort("day", "source", "cost_id", *COST_FIGURE[2:])
    )


def campaign_assignments(delivered: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop) -> pl.LazyFrame:
    """One row per campaign and customer; whoever was written to under one address was not held out."""
    unit = ["campaign", "customer_key"]
    return (
        delivered.pipe(newest, ["campaign", "customer_numbers", *CUSTOMER_CELLS])
        .pipe(with_customer_key, identities, shop.identity)
        .filter(pl.col("customer_key").is_not_null())
        .sort(*unit, "assignment", "assigned_at", "channel", "list_id")  # deliver goes before hold_out
        .unique(unit, keep="first", maintain_order=True)
        .with_columns(_days("campaign_assignments", shop))
        .select(table("campaign_assignments").schema.keys())
        .sort(unit)
    )


def rates(delivered: pl.LazyFrame) -> pl.LazyFrame:
    """Give the exchange rates, the newest version of each, in the shape of ``rates``."""
    return (
        delivered.with_columns(currency_code().alias("currency"))
        .pipe(newest, ["currency", "day"])
        .select(table("rates").schema.keys())
        .sort("currency", "day")
    )


def _days(name: str, shop: Shop) -> list[pl.Expr]:
    """Shop-local days of the fact's times: shipped_day of shipped_at."""
    delivered = {column.name for column in delivered_columns(name)}
    return [
        local_day(pl.col(column.name.removesuffix("_day") + "_at"), shop.zone).alias(column.name)
        for column in table(name).columns
        if column.kind == "day" and column.name not in delivered
    ]


def _told(name: str) -> list[pl.Expr]:
    """Columns that follow from others."""
    match name:
        case "shipments":
            return [(pl.col("delivered_day") > pl.col("promised_day")).alias("is_late")]
        case "tickets":
            topic = pl.col("topic").str.to_lowercase().str.replace_all("[^a-z]+", "_").str.strip_chars("_")
            return [
                topic.is_in(WISMO).alias("is_wismo"),
                pl.coalesce("is_open", pl.col("closed_at").is_null()).alias("is_open"),
            ]
        case "messages":
            is_transactional = pl.col("kind").str.to_lowercase() == "transactional"
            return [
                pl.col("channel").str.to_lowercase(),
                pl.when(is_transactional)
                .then(pl.lit("transactional"))
                .otherwise(pl.lit("marketing"))
                .alias("kind"),
            ]
        case _:
            return []


def _with_friend_key(rows: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop) -> pl.LazyFrame:
    friends = friends_as_customers(rows.select("referral_id", "customer_numbers", *FRIEND_CELLS))
    keys = friends.pipe(with_customer_key, identities, shop.identity).select(
        "referral_id", pl.col("customer_key").alias("friend_key")
    )
    return rows.join(keys, on="referral_id", how="left")


def friends_as_customers(referrals: pl.LazyFrame) -> pl.LazyFrame:
    """Put the friend's cells where a row names its customer."""
    return referrals.with_columns(
        pl.col(friend).alias(own) for own, friend in zip(CUSTOMER_CELLS, FRIEND_CELLS, strict=True)
    )
