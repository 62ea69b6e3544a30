"""Why a person is on a list, or which step of its gate stopped them, for every list of the newest finished run.

What the run decided stands in its rows; the step that stopped somebody is found by putting that one person through the
gates again. Who may ask is decided where it is asked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from pipelines.delivery.causes import CAUSE_WORDS, DELIVERABLE, PASSES, STEP_OF
from pipelines.delivery.gate import pass_gate
from pipelines.delivery.night import Tables, sources_of, tables_of
from pipelines.delivery.permissions import Permissions
from pipelines.delivery.population import CHANNELS_WITH_CAP, Sources, population
from pipelines.delivery.rules import columns_asked
from pipelines.errors import LabError
from pipelines.keys import keys_of
from pipelines.lake import Lake
from pipelines.privacy.person import find_person
from pipelines.shop import SegmentList, Shop
from pipelines.snapshots import newest_snapshot

Row = Mapping[str, Any]

_LOOKS_AT_OTHERS: Final = re.compile(r"\bover\s*\(", re.IGNORECASE)
"""A rule that ranks people can be asked of nobody alone."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What one list says of one person.

    Attributes
    ----------
    step, because
        Where they stopped (`pipelines.delivery.causes`); deliverable and passes where nothing did.
    says
        The same in people's words, with the values that decided.
    """

    list_id: str
    title: str
    step: str
    because: str
    says: str


def why(shop: Shop, lake: Lake, asked: str) -> list[Explained]:
    """Say of one person what every list of the newest run decided, and why.

    Parameters
    ----------
    asked
        E-mail address, phone number, customer number or customer key.

    Raises
    ------
    LabError
        Nobody, or not one person, is meant; or they were no customer yet on the run's day.
    """
    snapshot = newest_snapshot(lake)
    tables = tables_of(lake, snapshot)
    keys = find_person(lake, shop, asked).keys
    theirs = tables.of_day("customer_profile").filter(pl.col("customer_key").is_in(keys)).collect()
    if theirs.is_empty():
        raise LabError(
            f"No list looked at anybody of that name: no valid order of theirs was known by {snapshot.as_of}. Check "
            "the spelling; somebody without an order is on no list."
        )
    key = theirs["customer_key"][0]
    entries = {entry.name: entry for entry in shop.lists}
    member_of = _memberships(tables, key)
    campaigns = tables.of_day("campaign_lists").sort("name").collect()
    asker = _Asker(
        shop, tables, keys_of(shop, lake.root).hold_out, key, theirs.row(0, named=True), entries, member_of
    )
    return [asker.explain(row) for row in campaigns.iter_rows(named=True)]


def _memberships(tables: Tables, key: str) -> dict[str, Row]:
    members = tables.of_day("list_members").filter(pl.col("customer_key") == key).collect()
    drivers = tables.of_day("prediction_drivers").filter(pl.col("customer_key") == key).sort("rank").collect()
    told = "; ".join(drivers["says"].drop_nulls())
    return {row["list_id"]: {**row, "drivers": told} for row in members.iter_rows(named=True)}


@dataclass(frozen=True, slots=True)
class _Asker:
    """One person, asked list by list."""

    shop: Shop
    tables: Tables
    salt: bytes
    key: str
    profile: Row
    entries: Mapping[str, SegmentList]
    member_of: Mapping[str, Row]

    def explain(self, campaign: Row) -> Explained:
        """Say what one list decided."""
        list_id, title = campaign["list_id"], campaign["title"]
        member = self.member_of.get(list_id)
        if member is not None:
            return _of_member(list_id, title, member)
        entry = self.entries.get(campaign["name"])
        if entry is None or entry.where != campaign["rule"]:
            words = "not on it; the list was changed or taken out of shop.toml since, so the step is not known any more"
            return Explained(list_id, title, "not_eligible", "unknown", words)
        because = self._cause(entry, campaign)
        values = ", ".join(f"{name} is {_told(self.profile[name])}" for name in columns_asked(entry, "where"))
        words = CAUSE_WORDS[because]
        if because in ("rule", "null") and values:
            words = f"{words} ({values})"
        return Explained(list_id, title, STEP_OF[because], because, words)

    def _cause(self, entry: SegmentList, campaign: Row) -> str:
        as_of = campaign["as_of"]
        sources = _narrowed(sources_of(self.shop, self.tables, as_of), entry, self.key)
        people = population(sources, [entry], self.shop, as_of)
        tonight, taken = self._on_earlier_lists(entry)
        height = people.height
        gated, _, _ = pass_gate(
            people,
            entry,
            self.shop,
            self.salt,
            as_of,
            pl.repeat(tonight, height, dtype=pl.Int32, eager=True),
            pl.repeat(taken, height, dtype=pl.Boolean, eager=True),
        )
        found = gated.people.filter(pl.col("customer_key") == self.key)["because"].cast(pl.String)[0]
        # Alone they would be on it, and they are not: others came before them.
        return "limit" if found in (None, "lot") else found

    def _on_earlier_lists(self, entry: SegmentList) -> tuple[int, bool]:
        """On how many earlier lists that fill the frequency cap they are, and whether on one of this purpose."""
        names = list(self.entries)
        tonight, taken = 0, False
        by_name = {list_id.rsplit("-", 3)[0]: row for list_id, row in self.member_of.items()}
        for name in names[: names.index(entry.name)]:
            row = by_name.get(name)
            if row is None:
                continue
            earlier = self.entries[name]
            tonight += earlier.channel in CHANNELS_WITH_CAP and row["assignment"] == "deliver"
            taken = taken or earlier.purpose == entry.purpose
        return tonight, taken


def _narrowed(sources: Sources, entry: SegmentList, key: str) -> Sources:
    """Leave out everybody else where that changes no answer, so that millions need not pass again."""
    if _LOOKS_AT_OTHERS.search(f"{entry.where} {entry.order_by}"):
        return sources

    def theirs(rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows.filter(pl.col("customer_key") == key)

    known = sources.permissions
    return replace(
        sources,
        profile=theirs(sources.profile),
        # Whether an address serves a channel depends on what the shop delivers of all.
        permissions=Permissions(theirs(known.consents), theirs(known.suppressions), known.contacts),
        messages=None if sources.messages is None else theirs(sources.messages),
        members=theirs(sources.members),
    )


def _of_member(list_id: str, title: str, member: Row) -> Explained:
    reason = str(member["reason"])
    if member["drivers"]:
        reason = f"{reason}. What the prediction goes by: {member['drivers']}"
    if member["assignment"] == "hold_out":
        return Explained(list_id, title, "held_out", "lot", f"{reason}; {CAUSE_WORDS['lot']}")
    return Explained(list_id, title, DELIVERABLE, PASSES, reason)


def _told(value: object) -> str:
    if value is None:
        return "unknown"
    return f"{value:,.2f}" if isinstance(value, float) else str(value).replace("_", " ")
