"""A list tried out: what its settings would give on the newest finished run, without touching the lake."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Final

import polars as pl
from pydantic import ValidationError

from pipelines.delivery.causes import CAUSE_WORDS, STEPS
from pipelines.delivery.gate import pass_gates
from pipelines.delivery.lists import campaign_list, check_list, list_members, list_stops
from pipelines.delivery.night import Tables, sources_of
from pipelines.delivery.population import cap_of, population
from pipelines.delivery.receipts import Background
from pipelines.delivery.rules import columns_asked
from pipelines.errors import ShopError
from pipelines.explore.whole_frames import html_table, text_table
from pipelines.settings import SegmentList
from pipelines.shop import Shop

MOST_PEOPLE: Final = 10
MOST_COLUMNS: Final = 8
"""Of the profile, that are shown beside a person."""


@dataclass(frozen=True, slots=True, repr=False)
class Preview:
    """What a list would give; a notebook and a terminal show its steps, and the first people with what chose them.

    Attributes
    ----------
    campaign
        Its row of ``campaign_lists``: counts, detectable lift, expected value.
    stops
        Step by step and cause by cause: position, step, because, in_words, customers, null_decided.
    members
        Rows of ``list_members``: who would be on it and why, in the list's order.
    first_people
        Of the first ten, with numbers instead of names: their group, the reason, and the columns of
        ``customer_profile`` that the list's settings name.
    """

    campaign: Mapping[str, Any]
    stops: pl.DataFrame
    members: pl.DataFrame
    first_people: pl.DataFrame

    def _repr_html_(self) -> str:
        people = f"<p>{escape(self._whose())}</p>{html_table(self.first_people)}"
        return (
            f"<p>{escape(str(self))}</p>{html_table(self.steps)}{'' if self.members.is_empty() else people}"
        )

    def __repr__(self) -> str:
        people = f"\n{self._whose()}\n{text_table(self.first_people)}"
        return f"{self}\n{text_table(self.steps)}{'' if self.members.is_empty() else people}"

    def __str__(self) -> str:
        row = self.campaign
        lift = row["detectable_lift"]
        shows = "shows no lift" if lift is None else f"shows a lift of {100 * lift:.1f} points or more"
        return f"{row['title']}: {row['deliverable']:,} in the file, {self.held_out:,} held out; {shows}"

    @property
    def held_out(self) -> int:
        """People held out who would be compared with those in the file."""
        return self.members.filter(assignment="hold_out").height

    @property
    def steps(self) -> pl.DataFrame:
        """What became of everybody: one row per cause, in the order of the gate, and how many it stopped."""
        stops = self.stops.select(
            pl.col("in_words").alias("what_becomes_of_them"),
            "customers",
            # Whom the suppressions stop, no rule decides; whom it lacks a value of is said in words.
            pl.when(pl.col("step") != STEPS[0], pl.col("because") != "null", pl.col("null_decided") > 0)
            .then("null_decided")
            .alias("of_them_by_a_missing_value"),
        )
        return stops.select(
            column for column in stops if column.null_count() < stops.height or column.name == "customers"
        )

    def _whose(self) -> str:
        shown, everybody = self.first_people.height, self.members.height
        return f"The first {shown:,} of {everybody:,} chosen people; all of them are in `members`."


def entry_of(settings: Mapping[str, Any] | SegmentList) -> SegmentList:
    """Read a list's settings as shop.toml would have them.

    Raises
    ------
    ShopError
        A setting is wrong; the message names every fault.
    """
    if isinstance(settings, SegmentList):
        return settings
    if not isinstance(settings, Mapping):
        raise ShopError(
            'Give the settings of a list by name, such as {"where": "valid_orders >= 3", "hold_out": 0.2}.'
        )
    filled = {"name": "preview", "title": "Preview", "purpose": "preview", "reason": ""} | dict(settings)
    try:
        return SegmentList.model_validate(filled)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors())
        raise ShopError(
            f"These settings make no list: {faults}. Known settings: {', '.join(SegmentList.model_fields)}."
        ) from error


def preview(
    shop: Shop, tables: Tables, settings: Mapping[str, Any] | SegmentList, *, salt: bytes, made_at: datetime
) -> Preview:
    """Try a list out as the last one of the night, in place of a list of its name.

    Raises
    ------
    ShopError
        The settings make no list, or its rule cannot be asked.
    """
    entry = entry_of(settings)
    check_list(entry)
    as_of = made_at.date()
    entries = [*(other for other in shop.lists if other.name != entry.name), entry]
    people = population(sources_of(shop, tables, as_of), entries, shop, as_of)
    results = {one.name: result for one, result in pass_gates(people, entries, shop, salt, as_of)}
    gated = results[entry.name]
    profile = tables.of_day("customer_profile")
    chosen = gated.members.join(
        profile.select("customer_key", "churn_probability_90d", "predicted_clv_365d").collect(),
        on="customer_key",
    )
    stops = list_stops(gated, entry, as_of)
    row = campaign_list(
        stops=stops,
        chosen=chosen,
        entry=entry,
        shop=shop,
        as_of=as_of,
        made_at=made_at,
        salt_id="",
        has_consents=not tables.of_day("consents").head(1).collect().is_empty(),
    )
    told = _cause_words(entry, shop)
    words = pl.DataFrame({"because": [*told], "in_words": [*told.values()]})
    members = list_members(gated, profile, entry, as_of, Background()).sort("position").collect()
    return Preview(
        campaign=row.row(0, named=True),
        stops=stops.join(words, on="because", how="left", maintain_order="left").select(
            "position", "step", "because", "in_words", "customers", "null_decided"
        ),
        members=members,
        first_people=_first_people(members, profile, entry),
    )


def _cause_words(entry: SegmentList, shop: Shop) -> dict[str, str]:
    """Causes in people's words; the frequency cap with what it counts, as nothing need have been sent for it."""
    cap = cap_of(entry, shop)
    if cap is None:
        return CAUSE_WORDS
    most = f"{cap.times} in {cap.days} day{'' if cap.days == 1 else 's'}"
    return CAUSE_WORDS | {
        "written_to": f"written to often enough, other lists of this night included (at most {most})"
    }


def _first_people(members: pl.DataFrame, profile: pl.LazyFrame, entry: SegmentList) -> pl.DataFrame:
    """Who stands first on a list, with what its settings ask and tell of them; no names."""
    first = members.head(MOST_PEOPLE)
    named = [*columns_asked(entry, "where", "order_by", "reason"), *entry.columns]
    columns = [name for name in dict.fromkeys(named) if name not in ("as_of", "customer_key")][:MOST_COLUMNS]
    known = profile.filter(pl.col("customer_key").is_in(first["customer_key"].to_list()))
    reasons = ["reason"] if (first["reason"] != "").any() else []
    group = (
        pl.when(pl.col("assignment") == "hold_out").then(pl.lit("held out")).otherwise(pl.lit("in the file"))
    )
    return first.join(
        known.select("customer_key", *columns).collect(), on="customer_key", how="left", maintain_order="left"
    ).select("position", group.alias("group"), *reasons, *columns)
