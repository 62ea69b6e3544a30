"""Permissions: who may be written to on a channel, and by which addresses. Nothing that a list asks can widen them.

Suppressions and refusals that are known now hold for any day: they have the last word.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from pipelines.ingest.countries import country_codes
from pipelines.shop import Shop

ADDRESS_KINDS: Final = {"email": ("email",), "sms": ("phone",), "ads": ("email", "phone")}
"""Which addresses serve a channel."""
GRANTED: Final = ("granted", "allowed")
"""Answers of `consent` that let a person through: they said yes, or the shop's settings do in place of an answer."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What is known of writing to people: the tables of that name."""

    consents: pl.LazyFrame
    suppressions: pl.LazyFrame
    contacts: pl.LazyFrame


def suppressed(suppressions: pl.LazyFrame, channel: str) -> pl.LazyFrame:
    """Customers who must not be written to on a channel, and the gravest reason why.

    Returns
    -------
    pl.LazyFrame
        customer_key, because: objection (to marketing at all), unsubscribed or bounced (this channel or all).
    """
    is_objection = pl.col("kind") == "objection"
    return (
        suppressions.filter(is_objection | pl.col("channel").is_in([channel, "all"]))
        .group_by("customer_key")
        .agg(
            is_objection.any().alias("_objected"),
            (pl.col("kind") == "unsubscribed").any().alias("_unsubscribed"),
            (pl.col("kind") == "bounced").any().alias("_bounced"),
        )
        .select(
            "customer_key",
            pl.when("_objected")
            .then(pl.lit("objection"))
            .when("_unsubscribed")
            .then(pl.lit("unsubscribed"))
            .otherwise(pl.lit("bounced"))
            .alias("because"),
        )
    )


def consent(people: pl.LazyFrame, consents: pl.LazyFrame, channel: str, shop: Shop) -> pl.LazyFrame:
    """Say of each person whether they agreed to a channel.

    Parameters
    ----------
    people
        customer_key and country, as it was delivered.

    Returns
    -------
    pl.LazyFrame
        customer_key, consent: granted, refused; where nobody told, allowed or not_delivered as the shop's settings say
        for the country. A refusal of all channels is one of this channel; a consent that is neither yes nor no is one.
    """
    is_granted = pl.col("is_granted").fill_null(False)
    decided = (
        consents.filter(pl.col("channel").is_in([channel, "all"]))
        .group_by("customer_key")
        .agg(
            (~is_granted).any().alias("_refused"),
            (is_granted & (pl.col("channel") == channel)).any().alias("_granted"),
        )
    )
    return people.join(decided, on="customer_key", how="left").select(
        "customer_key",
        pl.when("_refused")
        .then(pl.lit("refused"))
        .when("_granted")
        .then(pl.lit("granted"))
        .when(_is_allowed(people, channel, shop))
        .then(pl.lit("allowed"))
        .otherwise(pl.lit("not_delivered"))
        .alias("consent"),
    )


def reachable(contacts: pl.LazyFrame, channel: str) -> pl.LazyFrame:
    """Customers with an address that serves the channel: customer_key.

    A shop that delivers such addresses is held to them; one that delivers none hands out its own customer numbers.
    """
    found = contacts.filter(pl.col("kind").is_in(ADDRESS_KINDS[channel]))
    has_any = not found.head(1).collect().is_empty()
    return (found if has_any else external_ids(contacts)).select("customer_key").unique()


def external_ids(contacts: pl.LazyFrame) -> pl.LazyFrame:
    """Each customer's own number at the source, the latest seen: customer_key, external_id.

    A number that several customers ordered with is nobody's: it could reach the one who must not be written to.
    """
    seen = pl.col("last_seen_at").fill_null(_EVER)
    numbers = contacts.filter(pl.col("kind") == "external_id").with_columns(seen)
    of_one = numbers.group_by("address").agg(pl.col("customer_key").n_unique().alias("_bearers"))
    own = numbers.join(of_one.filter(pl.col("_bearers") == 1), on="address", how="semi")
    latest = own.group_by("customer_key").agg(pl.col("last_seen_at").max())
    return (
        own.join(latest, on=["customer_key", "last_seen_at"])
        .group_by("customer_key")
        .agg(pl.col("address").min().alias("external_id"))
    )


_EVER = pl.datetime(1, 1, 1, time_unit="us", time_zone="UTC")


def _is_allowed(people: pl.LazyFrame, channel: str, shop: Shop) -> pl.Expr:
    """Whether the settings let people through of whom nobody told whether they agreed."""
    if not shop.consent.rules:
        return pl.lit(shop.consent.when_not_delivered == "allow")
    countries = people.select(pl.col("country").unique()).collect()["country"].drop_nulls()
    codes = dict(zip(countries, country_codes(countries), strict=True)) if countries.len() else {}
    allowed = [n for n, code in codes.items() if shop.consent.when_missing(channel, code) == "allow"]
    if_unknown = shop.consent.when_missing(channel, None) == "allow"
    return pl.col("country").is_in(allowed).fill_null(if_unknown)
