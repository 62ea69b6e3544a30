"""What a list's files are made of, read from stored rows only: the same rows give the same files at any time.

Nothing is refitted or drawn again here, so a list can be rebuilt from its snapshot byte for byte. How a platform
writes its cells belongs to `platforms`, writing files to `files`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import polars as pl

from data_contracts import Privacy, table
from pipelines.delivery.addresses import addresses
from pipelines.delivery.causes import STEPS
from pipelines.delivery.platforms import Terms
from pipelines.errors import ShopError
from pipelines.shop import Shop

STEP_WORDS = {
    "suppressed": "objected, unsubscribed or bounced",
    "not_eligible": "do not meet the rule, are on an exclusion file or another list, or lie beyond the limit",
    "no_consent": "no consent for this channel",
    "open_case": "an open return, ticket or order",
    "capped": "written to often enough lately",
    "held_out": "held out by lot, to measure what the campaign changes",
    "undeliverable": "no address for this channel",
}
SHOWN = ("stage", "country", "last_order_day", "valid_orders", "historic_clv", "predicted_clv_365d")
"""Columns of customer_profile that files show whatever the list asks for."""
MOST_DRIVERS = 3


@dataclass(frozen=True, slots=True)
class Contents:
    """What a list's files are made of.

    Attributes
    ----------
    people
        Who is delivered: customer_key, position, reason, email, phone, external_id, first_name, last_name, city, zip,
        country, drivers (null where none are known) and columns of customer_profile. Read when a file is built; to
        hand a built file out nothing of it is read.
    listed
        How many people the list delivers.
    notes
        What the reading file says beside the rows: pairs of a term and its meaning.
    as_of
        The list's day, at midnight.
    columns
        Columns of customer_profile that the list adds.
    """

    list_id: str
    title: str
    channel: str
    currency: str
    locale: str
    people: pl.LazyFrame
    listed: int
    notes: tuple[tuple[str, str], ...]
    as_of: datetime
    columns: tuple[str, ...] = ()

    @property
    def terms(self) -> Terms:
        """What of it decides on columns."""
        return Terms(self.channel, self.currency, self.locale, self.columns)

    def gathered(self, path: Path) -> "Contents":
        """Write the people to a Parquet file and read them from there, so that they are looked up only once."""
        self.people.sink_parquet(path, statistics=False)
        return replace(self, people=pl.scan_parquet(path))


def contents_of(
    campaign: Mapping[str, Any],
    *,
    members: pl.LazyFrame,
    profile: pl.LazyFrame,
    contacts: pl.LazyFrame,
    shop: Shop,
    drivers: pl.LazyFrame | None = None,
    found: pl.LazyFrame | None = None,
    columns: Sequence[str] | None = None,
) -> Contents:
    """Gather a list's people and notes; nothing is read before a file is built.

    Parameters
    ----------
    campaign
        The list's row of ``campaign_lists``.
    members, profile, contacts
        The tables of those names, as of the list's day.
    drivers
        ``prediction_drivers`` of the list's day.
    found
        What `addresses` found for at least these people, where several lists share it.
    columns
        The list's own columns; by default those that it was made with.

    Raises
    ------
    ShopError
        A column is none that may be handed out.
    """
    as_of = campaign["as_of"]
    assert isinstance(as_of, date)
    extra = tuple(columns) if columns is not None else _columns_then(campaign, shop)
    delivered = members.filter(
        (pl.col("list_id") == campaign["list_id"]) & (pl.col("assignment") == "deliver")
    ).select("customer_key", "position", "reason")
    reached = found if found is not None else addresses(contacts, delivered)
    about = list(dict.fromkeys((*SHOWN, *extra)))
    people = (
        delivered.join(profile.select("customer_key", *about), on="customer_key", how="left")
        .join(reached.rename({"country": "_country"}), on="customer_key", how="left")
        .with_columns(pl.coalesce("_country", "country").alias("country"))
        .drop("_country")
    )
    return Contents(
        list_id=str(campaign["list_id"]),
        title=str(campaign["title"]),
        channel=str(campaign["channel"]),
        currency=shop.currency,
        locale=shop.locale,
        people=people.join(_told(drivers, delivered), on="customer_key", how="left"),
        listed=int(campaign["deliverable"]),
        notes=tuple(notes(campaign, shop, extra)),
        as_of=datetime.combine(as_of, time()),
        columns=extra,
    )


def _columns_then(campaign: Mapping[str, Any], shop: Shop) -> tuple[str, ...]:
    """Columns that a list was made with; of one made before that was kept, those of shop.toml."""
    kept = campaign.get("columns")
    if kept is None:
        return columns_of(shop, str(campaign["name"]))
    return tuple(name for name in str(kept).split(", ") if name)


def columns_of(shop: Shop, name: str) -> tuple[str, ...]:
    """Columns that a list of shop.toml adds to its files, each once; () for a list that is no longer there.

    Raises
    ------
    ShopError
        One is no column of customer_profile, or one that never leaves the lab.
    """
    named = next((entry.columns for entry in shop.lists if entry.name == name), ())
    allowed = handed_out()
    for column in named:
        if column not in allowed:
            near = get_close_matches(column, allowed, n=3)
            raise ShopError(
                f"List {name} in shop.toml, columns: {column!r} cannot be handed out. "
                + (f"Did you mean {', '.join(near)}?" if near else f"There are {', '.join(allowed)}.")
            )
    return tuple(dict.fromkeys(named))


def handed_out() -> tuple[str, ...]:
    """Columns of customer_profile that a list may add to files: what a person does, never a key or free text."""
    return table("customer_profile").columns_of(Privacy.PERSONAL)


def notes(campaign: Mapping[str, Any], shop: Shop, columns: Sequence[str] = ()) -> list[tuple[str, str]]:
    """What a reader of the list should know, as terms and meanings: purpose, rule, counts by step, definitions."""
    lift = campaign["detectable_lift"]
    base = campaign["base_rate"]
    undecided = "is in" if campaign.get("null_means") == "in" else "is out"
    return [
        ("List", f"{campaign['title']} ({campaign['list_id']})"),
        ("This file", "is for reading. To upload, take the file that is made for your platform."),
        ("Purpose", str(campaign["purpose"])),
        ("Rule", str(campaign["rule"])),
        (
            "Undecided",
            f"{campaign['null_decided']:,} where the rule lacks a value it asks for: such a person {undecided}",
        ),
        ("Computed for", f"{campaign['as_of']}, the last day included"),
        ("Money", f"in {shop.currency}, net of returns, without tax and shipping"),
        ("Consent", str(campaign["consent_basis"])),
        ("Customers of the shop", f"{campaign['everyone']:,}"),
        *((step.replace("_", " ").capitalize(), f"{campaign[step]:,}: {STEP_WORDS[step]}") for step in STEPS),
        ("In the list", f"{campaign['deliverable']:,}"),
        (
            "What can be measured",
            "nothing: no base rate, or nobody is held out"
            if lift is None
            else f"a rise of at least {100 * lift:.1f} points over {100 * base:.1f} % ordering within 90 days "
            f"({campaign['base_rate_source']}; 80 % power, 5 % two-sided)",
        ),
        (
            "Handed out until",
            "does not expire: a sample shop" if shop.sample else f"{campaign['expires_at']} UTC",
        ),
        *_definitions(columns),
    ]


def _definitions(columns: Sequence[str]) -> list[tuple[str, str]]:
    promised = {column.name: column for column in table("customer_profile").columns}
    shown = [name for name in dict.fromkeys((*SHOWN, *columns)) if name in promised]
    return [(f"Column: {name.replace('_', ' ')}", promised[name].meaning) for name in shown]


def _told(drivers: pl.LazyFrame | None, delivered: pl.LazyFrame) -> pl.LazyFrame:
    """Say what moves each person's prediction most, strongest first, as one text."""
    if drivers is None:
        return delivered.select("customer_key").head(0).with_columns(pl.lit(None, pl.String).alias("drivers"))
    strongest = drivers.filter(pl.col("rank") <= MOST_DRIVERS).join(delivered, on="customer_key", how="semi")
    ranked = [
        strongest.filter(pl.col("rank") == rank).select("customer_key", pl.col("says").alias(f"_{rank}"))
        for rank in range(1, MOST_DRIVERS + 1)
    ]
    told = strongest.select("customer_key").unique()
    for one in ranked:
        told = told.join(one, on="customer_key", how="left")
    texts = [f"_{rank}" for rank in range(1, MOST_DRIVERS + 1)]
    return told.select(
        "customer_key", pl.concat_str(texts, separator="; ", ignore_nulls=True).alias("drivers")
    )
