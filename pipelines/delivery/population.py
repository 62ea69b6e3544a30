"""The population of a night: every customer once, with all that the gates of the night's lists look at.

It is worked out once and shared by all lists: what rules ask of the profile, whom consent and suppression stop on each
channel, who waits for the shop, who was written to how often. Whom that leaves on a list is `gate`'s business.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl
import polars.selectors as cs

from pipelines.delivery.contact_cap import contacts
from pipelines.delivery.exclusions import excluded
from pipelines.delivery.open_cases import open_cases
from pipelines.delivery.permissions import (
    GRANTED,
    Permissions,
    consented,
    countries_of,
    decisions,
    reachable_on,
    suppressed_on,
)
from pipelines.delivery.rules import ROW, Bought, bought_asked, columns_asked
from pipelines.settings import ContactCap
from pipelines.shop import SegmentList, Shop

CHANNELS_WITH_CAP: Final = ("email", "sms")
"""Channels on which a list writes to people; an advertisement interrupts nobody at home."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The tables that a night's lists are made from, as of its day.

    Attributes
    ----------
    profile, permissions
        ``customer_profile``, and the tables that say who may be written to.
    cases
        Those of orders, returns, tickets and shipments that the shop has.
    messages
        None where the shop delivers none.
    bought
        Gives the customers (customer_key) who bought a product or of a category.
    used, members
        Lists that were used (`pipelines.delivery.contact_cap.used_lists`), and ``list_members`` of every day.
    """

    profile: pl.LazyFrame
    permissions: Permissions
    cases: Mapping[str, pl.LazyFrame]
    messages: pl.LazyFrame | None
    bought: Callable[[Bought], pl.LazyFrame]
    used: pl.DataFrame
    members: pl.LazyFrame


def cap_of(entry: SegmentList, shop: Shop) -> ContactCap | None:
    """Give the frequency cap that holds for a list; None for none."""
    return entry.cap or (shop.contact_cap if entry.channel in CHANNELS_WITH_CAP else None)


def population(sources: Sources, entries: Sequence[SegmentList], shop: Shop, as_of: date) -> pl.DataFrame:
    """Gather what the gates of these lists look at.

    Returns
    -------
    pl.DataFrame
        One row per customer of the profile, in no order: `ROW`; the columns that rules and orders name;
        the answers to what was bought; per channel in use ``suppressed:CHANNEL`` and ``no_consent:CHANNEL`` (the cause;
        null: none) and ``reachable:CHANNEL``; ``open_case`` (the cause); ``contacts:DAYS``; ``excluded:LIST``.
    """
    asked = {name for entry in entries for name in columns_asked(entry, "where", "order_by")}
    people = sources.profile.select("customer_key", *sorted(asked | {"country"}))
    channels = sorted({entry.channel for entry in entries})
    known = sources.permissions
    flags = [
        suppressed_on(known.suppressions, channels),
        decisions(known.consents, channels),
        reachable_on(known.contacts, channels),
        _cases(sources, entries, shop, as_of),
        *_contacts(sources, entries, shop, as_of),
    ]
    flags += [_flag(sources.bought(what), what.column) for what in _all_bought(entries)]
    flags += [
        _flag(excluded(entry, shop, sources.permissions.contacts), f"excluded:{entry.name}")
        for entry in entries
        if entry.exclude
    ]
    for flag in flags:
        people = people.join(flag, on="customer_key", how="left")
    countries = countries_of(people) if shop.consent.rules else pl.Series("country", [], pl.String)
    yes_or_no = [f"reachable:{channel}" for channel in channels]
    yes_or_no += [what.column for what in _all_bought(entries)]
    yes_or_no += [f"excluded:{entry.name}" for entry in entries if entry.exclude]
    answers = [consented(channel, shop, countries).alias(f"no_consent:{channel}") for channel in channels]
    return (
        people.with_columns(*(pl.col(name).fill_null(False) for name in yes_or_no), *answers)
        .with_columns(
            pl.when(~pl.col(f"no_consent:{channel}").is_in(GRANTED))
            .then(f"no_consent:{channel}")
            .alias(f"no_consent:{channel}")
            for channel in channels
        )
        .drop(cs.starts_with("_"))
        .collect(engine="streaming")
        .with_row_index(ROW)
        .with_columns(pl.col(ROW).cast(pl.Int64))
    )


def _cases(sources: Sources, entries: Sequence[SegmentList], shop: Shop, as_of: date) -> pl.LazyFrame:
    looked_at = {} if all(entry.ignores_open_cases for entry in entries) else sources.cases
    return open_cases(looked_at, shop.open_cases, as_of).rename({"because": "open_case"})


def _contacts(
    sources: Sources, entries: Sequence[SegmentList], shop: Shop, as_of: date
) -> list[pl.LazyFrame]:
    windows = sorted({cap.days for cap in (cap_of(entry, shop) for entry in entries) if cap})
    return [
        contacts(sources.messages, sources.members, sources.used, as_of=as_of, days=days).rename(
            {"contacts": f"contacts:{days}"}
        )
        for days in windows
    ]


def _all_bought(entries: Sequence[SegmentList]) -> list[Bought]:
    return list(dict.fromkeys(what for entry in entries for what in bought_asked(entry)))


def _flag(customers: pl.LazyFrame, name: str) -> pl.LazyFrame:
    return customers.select("customer_key", pl.lit(True).alias(name))
