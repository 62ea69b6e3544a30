"""Customers, how they can be reached, what they allowed, and the surveys they answered.

Whether somebody may be written to is decided by `pipelines.delivery.gate`, which reads these tables.
"""

import polars as pl

from data_contracts import table
from pipelines.ingest.identity import KINDS, normalised, with_customer_key
from pipelines.ingest.values import local_day
from pipelines.ingest.versions import NEWNESS
from pipelines.shop import Shop

CHANNELS = ("email", "sms", "ads")


def customers(orders: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer, in the shape of ``customers``."""
    is_valid = pl.col("is_valid")
    return (
        orders.filter(pl.col("customer_key").is_not_null())
        .group_by("customer_key")
        .agg(
            pl.col("order_day").filter(is_valid).min().alias("first_order_day"),
            pl.col("order_day").filter(is_valid).max().alias("last_order_day"),
            is_valid.sum().cast(pl.Int64).alias("valid_orders"),
            pl.col("country").max_by("ordered_at").alias("country"),
            pl.col("channel").min_by("ordered_at").alias("channel"),
        )
        .select(table("customers").schema.keys())
        .sort("customer_key")
    )


def contacts(current: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """Every address a customer ordered with, in the shape of ``contacts``."""
    rows = (
        current.pipe(normalised)
        .group_by(*KINDS, "customer_id", "customer_numbers")
        .agg(pl.col("ordered_at").max().alias("last_seen_at"))
        .pipe(with_customer_key, identities)
        .filter(pl.col("customer_key").is_not_null())
    )
    kinds = {"email": "email", "phone": "phone", "external_id": "customer_id"}
    return (
        pl.concat(
            rows.filter(pl.col(column).is_not_null())
            .group_by("customer_key", pl.col(column).alias("address"))
            .agg(pl.col("last_seen_at").max())
            .select("customer_key", pl.lit(kind).alias("kind"), "address", "last_seen_at")
            for kind, column in kinds.items()
        )
        .select(table("contacts").schema.keys())
        .sort("customer_key", "kind", "address")
    )


def consents(delivered: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """Give the latest decision per customer and channel; of two at the same moment the refusal counts.

    What cannot be read cannot allow anything: a consent without a readable yes or time is a refusal, newer than all
    others, and a refusal for no known channel closes them all.
    """
    is_granted = (pl.col("is_granted") & pl.col("recorded_at").is_not_null()).fill_null(False)
    is_known = pl.col("channel").is_in(CHANNELS).fill_null(False)
    return (
        delivered.pipe(with_customer_key, identities)
        .with_columns(is_granted.alias("is_granted"))
        .filter(pl.col("customer_key").is_not_null() & (is_known | ~pl.col("is_granted")))
        .with_columns(pl.when(is_known).then("channel").otherwise(pl.lit("all")).alias("channel"))
        .sort("recorded_at", "is_granted", descending=[True, False], nulls_last=False)
        .unique(["customer_key", "channel"], keep="first", maintain_order=True)
        .select(table("consents").schema.keys())
        .sort("customer_key", "channel")
    )


def suppressions(delivered: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """Since when each suppression holds; one without a channel, or for an unknown one, closes all."""
    channel = pl.col("channel").str.to_lowercase()
    return (
        delivered.pipe(with_customer_key, identities)
        .filter(pl.col("customer_key").is_not_null())
        .with_columns(
            pl.when(channel.is_in(CHANNELS)).then(channel).otherwise(pl.lit("all")).alias("channel")
        )
        .group_by("customer_key", "kind", "channel")
        .agg(pl.col("recorded_at").min())
        .select(table("suppressions").schema.keys())
        .sort("customer_key", "kind", "channel")
    )


def survey_invitations(delivered: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop) -> pl.LazyFrame:
    """One row per invitation; of several deliveries of one the latest counts."""
    return _surveys(delivered, identities, shop, "survey_invitations", "sent_at", "sent_day")


def survey_answers(delivered: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop) -> pl.LazyFrame:
    """One row per answer; of several deliveries of one the latest counts."""
    return _surveys(delivered, identities, shop, "survey_answers", "answered_at", "answered_day")


def _surveys(
    delivered: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop, name: str, moment: str, day: str
) -> pl.LazyFrame:
    return (
        delivered.sort("survey_id", moment, *NEWNESS, "row_number", nulls_last=False)
        .unique("survey_id", keep="last", maintain_order=True)
        .pipe(with_customer_key, identities)
        .with_columns(local_day(pl.col(moment), shop.zone).alias(day))
        .select(table(name).schema.keys())
        .sort("survey_id")
    )
