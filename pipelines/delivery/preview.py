"""A list tried out: what its settings would give on the newest finished run, without touching the lake."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from pydantic import ValidationError

from pipelines.delivery.causes import CAUSE_WORDS
from pipelines.delivery.gate import pass_gates
from pipelines.delivery.lists import campaign_list, check_list, list_members, list_stops
from pipelines.delivery.night import Tables, sources_of
from pipelines.delivery.population import population
from pipelines.delivery.receipts import Background
from pipelines.errors import ShopError
from pipelines.settings import SegmentList
from pipelines.shop import Shop


@dataclass(frozen=True, slots=True)
class Preview:
    """What a list would give.

    Attributes
    ----------
    campaign
        Its row of ``campaign_lists``: counts, detectable lift, expected value.
    stops
        Step by step and cause by cause: position, step, because, in_words, customers, null_decided.
    members
        Rows of ``list_members``: who would be on it and why, in the list's order.
    """

    campaign: Mapping[str, Any]
    stops: pl.DataFrame
    members: pl.DataFrame

    def _repr_html_(self) -> str:
        return f"<p>{self}</p>{self.stops._repr_html_()}{self.members.head(10)._repr_html_()}"

    def __str__(self) -> str:
        row = self.campaign
        lift = row["detectable_lift"]
        shows = "shows no lift" if lift is None else f"shows a lift of {100 * lift:.1f} points or more"
        return f"{row['title']}: {row['deliverable']:,} in the file, {self.held_out:,} held out; {shows}"

    @property
    def held_out(self) -> int:
        """People held out who would be compared with those in the file."""
        return self.members.filter(assignment="hold_out").height


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
    words = pl.DataFrame({"because": [*CAUSE_WORDS], "in_words": [*CAUSE_WORDS.values()]})
    return Preview(
        campaign=row.row(0, named=True),
        stops=stops.join(words, on="because", how="left", maintain_order="left").select(
            "position", "step", "because", "in_words", "customers", "null_decided"
        ),
        members=list_members(gated, profile, entry, as_of, Background()).sort("position").collect(),
    )
