"""Permissions: who may be written to on a channel, and by which addresses. Nothing that a list asks can widen them.

Suppressions and refusals that are known now hold for any day: they have the last word.
"""

from collections.abc import Sequence
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
    told = suppressed_on(suppressions, [channel])
    return told.rename({f"suppressed:{channel}": "because"}).filter(pl.col("because").is_not_null())


def suppressed_on(suppressions: pl.LazyFrame, channels: Sequence[str]) -> pl.LazyFrame:
    """Give `suppressed` for several channels at once: customer_key and ``suppressed:CHANNEL``, null where not."""
    is_objection, is_unsubscribed = pl.col("kind") == "objection", pl.col("kind") == "unsubscribed"
    marks: list[pl.Expr] = [is_objection.any().alias("_objected")]
    for channel in channels:
        closes = pl.col("channel").is_in([channel, "all"])
        marks.append((closes & is_unsubscribed).any().alias(f"_unsubscribed:{channel}"))
        marks.append(closes.any().alias(f"_closed:{channel}"))
    return (
        suppressions.group_by("customer_key")
        .agg(marks)
        .select(
            "customer_key",
            *(
                pl.when("_objected")
                .then(pl.lit("objection"))
                .when(f"_unsubscribed:{channel}")
                .then(pl.lit("unsubscribed"))
                .when(f"_closed:{channel}")
                .then(pl.lit("bounced"))
                .alias(f"suppressed:{channel}")
                for channel in channels
            ),
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
    decided = people.join(decisions(consents, [channel]), on="customer_key", how="left")
    return decided.select("customer_key", consented(channel, shop, countries_of(people)).alias("consent"))


def decisions(consents: pl.LazyFrame, channels: Sequence[str]) -> pl.LazyFrame:
    """What customers decided on channels: customer_key, ``_refused:CHANNEL``, ``_granted:CHANNEL``."""
    is_granted = pl.col("is_granted").fill_null(False)
    marks: list[pl.Expr] = []
    for channel in channels:
        is_own = pl.col("channel") == channel
        marks.append(
            (~is_granted & (is_own | (pl.col("channel") == "all"))).any().alias(f"_refused:{channel}")
        )
        marks.append((is_granted & is_own).any().alias(f"_granted:{channel}"))
    return consents.group_by("customer_key").agg(marks)


def consented(channel: str, shop: Shop, countries: pl.Series) -> pl.Expr:
    """Say of rows with `decisions` and country what `consent` says.

    Parameters
    ----------
    countries
        Every country among the rows, as it was delivered.
    """
    return (
        pl.when(f"_refused:{channel}")
        .then(pl.lit("refused"))
        .when(f"_granted:{channel}")
        .then(pl.lit("granted"))
        .when(_is_allowed(channel, shop, countries))
        .then(pl.lit("allowed"))
        .otherwise(pl.lit("not_delivered"))
    )


def countries_of(people: pl.LazyFrame) -> pl.Series:
    """Every country that these people's rows name."""
    return people.select(pl.col("country").unique()).collect(engine="streaming")["country"].drop_nulls()


def reachable_on(contacts: pl.LazyFrame, channels: Sequence[str]) -> pl.LazyFrame:
    """Customers with an address that serves a channel: customer_key and ``reachable:CHANNEL``.

    A shop that delivers such addresses is held to them; one that delivers none hands out its own customer numbers.
    """
    kinds = contacts.select(pl.col("kind").unique()).collect(engine="streaming")["kind"].to_list()
    serves = {channel: set(ADDRESS_KINDS[channel]) & set(kinds) for channel in channels}
    # Of the shop's own numbers it is not enough to have one: see `external_ids`.
    by_number = [channel for channel, some in serves.items() if not some]
    rows = contacts.filter(pl.col("kind").is_in(sorted(set().union(*serves.values())))).select(
        "customer_key", "kind"
    )
    if by_number:
        numbered = external_ids(contacts).select("customer_key", pl.lit("external_id").alias("kind"))
        rows = pl.concat([rows, numbered])
    return rows.group_by("customer_key").agg(
        pl.col("kind").is_in(sorted(some) or ["external_id"]).any().alias(f"reachable:{channel}")
        for channel, some in serves.items()
    )


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


def _is_allowed(channel: str, shop: Shop, countries: pl.Series) -> pl.Expr:
    """Whether the settings let people through of whom nobody told whether they agreed."""
    if not shop.consent.rules:
        return pl.lit(shop.consent.when_not_delivered == "allow")
    codes = dict(zip(countries, country_codes(countries), strict=True)) if countries.len() else {}
    allowed = [name for name, code in codes.items() if shop.consent.when_missing(channel, code) == "allow"]
    if_unknown = shop.consent.when_missing(channel, None) == "allow"
    return pl.col("country").is_in(allowed).fill_null(if_unknown)
