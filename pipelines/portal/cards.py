"""A list in short: in what state it is, what it lacks, who took it last, who is new since then."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from data_contracts import table
from pipelines.portal.condition import predictions_lack
from pipelines.portal.facts import Card, Freshness, State
from pipelines.portal.newest import Newest
from pipelines.portal.noted import Noted

Row = Mapping[str, Any]

SOURCES = {
    "last_nps": "answers to “would you recommend us?”",
    "last_csat": "answers on satisfaction",
    "predicted_": "predictions",
    "churn_": "predictions",
    "late_parcels": "parcels with their promised day",
    "tickets": "questions to support",
    "returns_": "returns",
    "next_product": "products often bought one after another",
    "tier": "loyalty tiers",
}
"""What a shop must deliver or have for a column of the profile to be filled, by the beginning of its name."""


def card(row: Row, newest: Newest, fresh: Freshness, noted: Noted, now: datetime) -> Card:
    """Tell a list in short.

    Parameters
    ----------
    row
        Its row of ``campaign_lists``.
    noted
        What the ledger says.
    """
    taken = noted.last_taken.get(row["name"])
    people, held_out = int(row["deliverable"]), int(row["held_out"])
    needs = () if people + held_out else _needs(row, newest)
    return Card(
        list_id=row["list_id"],
        name=row["name"],
        title=row["title"],
        purpose=row["purpose"],
        channel=row["channel"],
        as_of=row["as_of"],
        people=people,
        held_out=held_out,
        value=row["predicted_value"],
        expires_at=row["expires_at"],
        state=_state(row, people, needs, fresh, now),
        needs=needs,
        new_people=_new_people(row, taken.list_id, newest) if taken else None,
        last_download=taken,
        sent=noted.sent.get(row["list_id"]),
    )


def _state(row: Row, people: int, needs: tuple[str, ...], fresh: Freshness, now: datetime) -> State:
    if needs:
        return "needs"
    if not people:
        return "nobody"
    if row["expires_at"] is not None and now > row["expires_at"]:
        return "expired"
    return "stale" if fresh.is_stale else "ready"


def _new_people(row: Row, taken_id: str, newest: Newest) -> int:
    """Count people in a list's file who were not in the list that was downloaded last."""
    list_id = row["list_id"]
    if taken_id == list_id:
        return 0

    def count() -> int:
        members = newest.scan("list_members")
        delivered = members.filter(pl.col("list_id") == list_id, pl.col("assignment") == "deliver")
        before = members.filter(pl.col("list_id") == taken_id)
        fresh = delivered.join(before, on="customer_key", how="anti").select(pl.len())
        return int(fresh.collect(engine="streaming").item())

    return newest.remembered(("new", list_id, taken_id), count)


def _needs(row: Row, newest: Newest) -> tuple[str, ...]:
    """Name the data that an empty list's rule asks for and that nobody has."""
    words = set(re.findall(r"[a-z_][a-z0-9_]*", str(row["rule"]).lower()))
    asked = [name for name in table("customer_profile").schema if name in words and name != "customer_key"]
    if not asked:
        return ()

    def read() -> tuple[str, ...]:
        profile = newest.scan("customer_profile").filter(pl.col("as_of") == row["as_of"])
        filled = profile.select(pl.col(asked).count(), pl.len().alias("_all")).collect().row(0, named=True)
        blank = [name for name in asked if not filled[name]] if filled["_all"] else []
        told = [_source_of(name) for name in blank]
        lack = predictions_lack(newest) if "predictions" in told else ""
        told = [f"predictions: {lack}" if name == "predictions" and lack else name for name in told]
        return tuple(dict.fromkeys(told))

    return newest.remembered(("needs", row["list_id"]), read)


def _source_of(column: str) -> str:
    found = (words for start, words in SOURCES.items() if column.startswith(start))
    return next(found, column.replace("_", " "))
