"""The gate: who of a shop's customers ends up on a list, step by step, every step counted.

The order is fixed: suppressed, not eligible, no consent, open case, frequency cap, hold-out, undeliverable. Each
person leaves at the first step that stops them, so the counts add up to everyone. Consent and suppression come
from tables alone: no setting of a list can let an objecting person through.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from models.holdout import assign, campaign_name
from pipelines.delivery.rules import apply_rule
from pipelines.shop import SegmentList, Shop

STEPS = ("suppressed", "not_eligible", "no_consent", "open_case", "capped", "held_out", "undeliverable")
ADDRESS_KINDS = {"email": ("email",), "sms": ("phone",), "ads": ("email", "phone")}
"""Which addresses serve a channel."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What is known of writing to people: the tables of that name."""

    consents: pl.DataFrame
    suppressions: pl.DataFrame
    contacts: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Gated:
    """A list after the gate.

    Attributes
    ----------
    people
        One row per customer: customer_key, position, stopped_by (null: in the file), is_null_decided.
    """

    people: pl.DataFrame

    def count(self, step: str) -> int:
        """Customers who were stopped by a step."""
        return self.people.filter(pl.col("stopped_by") == step).height

    @property
    def members(self) -> pl.DataFrame:
        """Who was chosen: delivered or held out, in the list's order."""
        return self.people.filter(pl.col("stopped_by").is_null() | (pl.col("stopped_by") == "held_out")).sort(
            "position"
        )


def pass_gate(
    profile: pl.DataFrame, entry: SegmentList, shop: Shop, permissions: Permissions, salt: bytes, as_of: date
) -> Gated:
    """Put every customer of the profile through the gate of one list.

    Suppressions and refusals known now hold for any ``as_of``: they have the last word.
    """
    flagged = apply_rule(profile, entry).with_columns(
        _is_in(suppressed(permissions.suppressions, entry.channel)).alias("_suppressed"),
        (~may_write(permissions.consents, entry.channel, shop)).alias("_no_consent"),
        (~_is_in(_reachable(permissions.contacts, entry.channel))).alias("_undeliverable"),
    )
    passes = pl.col("is_eligible") & ~pl.col("_suppressed") & ~pl.col("_no_consent")
    if entry.limit is not None:
        rank = pl.when(passes).then(pl.col("position")).rank("ordinal")
        within = ~(rank > entry.limit).fill_null(False)
        flagged = flagged.with_columns((pl.col("is_eligible") & within).alias("is_eligible"))
    held_out = _held_out(flagged.filter(passes)["customer_key"], entry, salt, as_of)
    stopped = (
        pl.when(pl.col("_suppressed"))
        .then(pl.lit("suppressed"))
        .when(~pl.col("is_eligible"))
        .then(pl.lit("not_eligible"))
        .when(pl.col("_no_consent"))
        .then(pl.lit("no_consent"))
        .when(_is_in(held_out))
        .then(pl.lit("held_out"))
        .when(pl.col("_undeliverable"))
        .then(pl.lit("undeliverable"))
    )
    return Gated(flagged.select("customer_key", "position", stopped.alias("stopped_by"), "is_null_decided"))


def suppressed(suppressions: pl.DataFrame, channel: str) -> pl.Series:
    """Customers who must not be written to on a channel: who objected at all, and who closed that channel."""
    holds = (pl.col("kind") == "objection") | pl.col("channel").is_in([channel, "all"])
    return suppressions.filter(holds)["customer_key"].unique()


def may_write(consents: pl.DataFrame, channel: str, shop: Shop) -> pl.Expr:
    """Whether there is consent for the channel: the delivered decision, else what the shop's setting says."""
    has_granted = pl.col("is_granted").fill_null(False)
    refused = consents.filter(pl.col("channel").is_in([channel, "all"]) & ~has_granted)["customer_key"]
    if shop.consent.when_not_delivered == "allow":
        return ~_is_in(refused)
    granted = consents.filter((pl.col("channel") == channel) & has_granted)["customer_key"]
    return _is_in(granted) & ~_is_in(refused)


def external_ids(contacts: pl.DataFrame) -> pl.DataFrame:
    """Each customer's own number at the source, the latest seen: customer_key, external_id.

    A number that several customers ordered with is nobody's: it could reach the one who must not be written to.
    """
    return (
        contacts.filter(pl.col("kind") == "external_id")
        .filter(pl.col("customer_key").n_unique().over("address") == 1)
        .sort("last_seen_at", "address", descending=[True, False], nulls_last=True)
        .unique("customer_key", keep="first", maintain_order=True)
        .select("customer_key", pl.col("address").alias("external_id"))
    )


def _held_out(chosen: pl.Series, entry: SegmentList, salt: bytes, as_of: date) -> pl.Series:
    drawn = assign(chosen, salt=salt, campaign=campaign_name(entry.name, as_of), share=entry.hold_out)
    return chosen.filter(drawn)


def _reachable(contacts: pl.DataFrame, channel: str) -> pl.Series:
    found = contacts.filter(pl.col("kind").is_in(ADDRESS_KINDS[channel]))
    # A shop that delivers addresses is held to them; one that delivers none hands out its own numbers.
    return (external_ids(contacts) if found.is_empty() else found)["customer_key"].unique()


def _is_in(keys: pl.Series) -> pl.Expr:
    return pl.col("customer_key").is_in(keys.implode())
