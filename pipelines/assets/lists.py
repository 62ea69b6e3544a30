"""Lists: who is on each after the gate, why, and the files that marketing downloads.

The gate stands in `pipelines.delivery.gate`; which lists there are, in shop.toml.
"""

import shutil
from functools import partial
from pathlib import Path
from typing import NamedTuple

import polars as pl

from data_contracts import table as promise
from pipelines.assets.given import Given
from pipelines.assets.step import Keeps, Stage, Step, Verdict
from pipelines.delivery.addresses import gather_addresses
from pipelines.delivery.causes import STEPS
from pipelines.delivery.contents import contents_of
from pipelines.delivery.exclusions import exclusions_id
from pipelines.delivery.files import build_all, platforms_for
from pipelines.delivery.gate import Gated, pass_gates
from pipelines.delivery.lists import (
    campaign_list,
    list_id,
    list_members,
    list_overlaps,
    list_stops,
)
from pipelines.delivery.night import Tables, sources_of, tables_read
from pipelines.delivery.population import Sources, population
from pipelines.delivery.receipts import Background, told_of
from pipelines.shop import SegmentList, Shop

_Step = partial(Step, stage=Stage.LISTS, keeps=Keeps.OTHER_DAYS)
BEHIND = ("stage_cuts", "rfm_cuts", "champions")
SETTINGS = (
    "lists", "consent", "contact_cap", "open_cases", "identity", "currency", "sample", "public_salt",
)  # fmt: skip


def steps(shop: Shop) -> list[Step]:
    """Stops, members, lists, overlaps, files."""
    read = tables_read(shop)
    gated = partial(_Step, settings=SETTINGS, identity=_beside_the_tables)
    return [
        gated(table="list_stops", reads=read, make=_stops),
        gated(table="list_members", reads=(*read, *BEHIND, "list_stops"), make=_members),
        _Step(
            table="campaign_lists",
            reads=("list_stops", "list_members", "customer_profile", "consents"),
            make=_campaigns,
            settings=SETTINGS,
            identity=_salt,
            checks=_gate_adds_up,
            check_names=("gate_adds_up",),
        ),
        _Step(
            table="list_overlaps",
            reads=("list_members",),
            make=lambda given: list_overlaps(given.table("list_members")),
        ),
        _Step(
            table="list_files",
            reads=("list_members", "campaign_lists", "customer_profile", "contacts", "prediction_drivers"),
            make=_files,
            settings=("title", "currency", "locale", "sample", "lists"),
        ),
    ]


def _sources(given: Given) -> Sources:
    return sources_of(given.shop, Tables(given.table, given.lake.scan), given.as_of)


class OneList(NamedTuple):
    """A list after its gate, as far as later steps need it: everybody else is counted by now."""

    entry: SegmentList
    gated: Gated
    stops: pl.DataFrame


_worked_out: dict[str, list[OneList]] = {}
"""What the gate of ten million customers takes a minute for, kept from the first step that asks to the second."""


def _night(given: Given) -> list[OneList]:
    key = f"{given.lake.root} {given.fingerprint_of(given.steps['list_stops'])}"
    if key not in _worked_out:
        _worked_out.clear()
        shop = given.shop
        people = population(_sources(given), shop.lists, shop, given.as_of)
        gates = pass_gates(people, shop.lists, shop, given.keys.hold_out, given.as_of)
        _worked_out[key] = [
            OneList(entry, Gated(gated.people.clear(), gated.members), list_stops(gated, entry, given.as_of))
            for entry, gated in gates
        ]
    return _worked_out[key]


def _stops(given: Given) -> pl.LazyFrame:
    return pl.concat([promise("list_stops").empty(), *(one.stops for one in _night(given))]).lazy()


def _members(given: Given) -> pl.LazyFrame:
    night = _night(given)
    _worked_out.clear()
    behind = background(given)
    told = sorted({name for one in night for name in told_of(one.entry)})
    listed = pl.concat(
        [promise("list_members").empty()["customer_key"], *(n.gated.members["customer_key"] for n in night)]
    )
    # The profile is read once for all lists, and of those alone who are on one.
    profile = (
        given.table("customer_profile")
        .select("customer_key", *told)
        .join(listed.unique().to_frame().lazy(), on="customer_key", how="semi")
        .collect(engine="streaming")
        .lazy()
    )
    made = [list_members(one.gated, profile, one.entry, given.as_of, behind) for one in night]
    return pl.concat([promise("list_members").empty().lazy(), *(frame.cast(_MEMBERS) for frame in made)])


_MEMBERS = pl.Schema(promise("list_members").schema)


def background(given: Given) -> Background:
    """What the lists of a run's day rest on."""
    cuts = given.table("stage_cuts").filter(pl.col("month") <= given.as_of).sort("month").tail(1).collect()
    scores = given.table("rfm_cuts").sort("scheme", "measure", "score").collect()
    models = given.table("champions").select("quantity", "model").collect()
    return Background(
        stage_cuts={
            name: float(value)
            for name, value in (cuts.row(0, named=True) if cuts.height else {}).items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        },
        rfm_cuts={
            f"{row['scheme']} {row['measure']} {row['score']}": [row["lowest"], row["highest"]]
            for row in scores.iter_rows(named=True)
        },
        models=dict(models.iter_rows()),
    )


def _campaigns(given: Given) -> pl.LazyFrame:
    stops = given.table("list_stops").collect()
    has_consents = not given.table("consents").head(1).collect().is_empty()
    expected = given.table("customer_profile").select(
        "customer_key", "churn_probability_90d", "predicted_clv_365d"
    )
    rows = [
        campaign_list(
            stops=stops.filter(list_id=list_id(entry, given.as_of)),
            chosen=given.table("list_members")
            .filter(pl.col("list_id") == list_id(entry, given.as_of))
            .select("customer_key", (pl.col("assignment") == "hold_out").alias("is_held_out"))
            .join(expected, on="customer_key")
            .collect(engine="streaming"),
            entry=entry,
            shop=given.shop,
            as_of=given.as_of,
            made_at=given.moment.now,
            salt_id=given.keys.salt_id,
            has_consents=has_consents,
        )
        for entry in given.shop.lists
    ]
    return pl.concat([promise("campaign_lists").empty(), *rows]).lazy()


def _gate_adds_up(given: Given) -> list[Verdict]:
    lists = given.table("campaign_lists").collect()
    stopped = lists.select(pl.sum_horizontal(*STEPS, "deliverable")).to_series()
    wrong = lists.filter(stopped != lists["everyone"])["list_id"].to_list()
    says = (
        f"steps do not add up to everyone: {', '.join(wrong)}"
        if wrong
        else "every step of every list adds up"
    )
    return [Verdict("gate_adds_up", not wrong, says)]


def _files(given: Given) -> pl.LazyFrame:
    # Direct identifiers lie here while the files are built; what a killed run left goes first.
    scratch = given.lake.root / "files" / "drafts"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        return _built_files(given, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _built_files(given: Given, scratch: Path) -> pl.LazyFrame:
    rows: list[dict[str, object]] = []
    delivered = given.table("list_members").filter(pl.col("assignment") == "deliver")
    found = gather_addresses(given.table("contacts"), delivered, scratch)
    entries = {entry.name: entry for entry in given.shop.lists}
    kinds = given.table("contacts").select(pl.col("kind").unique()).collect()["kind"].to_list()
    for campaign in given.table("campaign_lists").collect().iter_rows(named=True):
        contents = contents_of(
            campaign,
            members=given.table("list_members"),
            profile=given.table("customer_profile"),
            contacts=given.table("contacts"),
            shop=given.shop,
            drivers=given.table("prediction_drivers"),
            found=found,
        )
        folder = given.lake.root / "files" / str(campaign["list_id"])
        entry = entries[campaign["name"]]
        platforms = platforms_for(entry.channel, entry.platforms, kinds)
        for name, built in build_all(platforms, contents, folder).items():
            rows.append(
                {
                    "as_of": given.as_of,
                    "list_id": campaign["list_id"],
                    "platform": name,
                    "file_name": str(built.path.relative_to(given.lake.root)),
                    "columns": ", ".join(built.columns),
                    "rows": built.rows,
                    "dropped": built.dropped,
                    "bytes": built.bytes,
                    "sha256": built.sha256,
                }
            )
    return pl.DataFrame(rows, schema=dict(promise("list_files").schema)).lazy()


def _salt(given: Given) -> str:
    return given.keys.salt_id


def _beside_the_tables(given: Given) -> str:
    """What the gate depends on beside tables and settings: the salt, exclusion files, lists that were used by then."""
    used = _sources(given).used.filter(pl.col("used_on") <= given.as_of)
    files = [exclusions_id(entry, given.shop) for entry in given.shop.lists if entry.exclude]
    return " ".join([given.keys.salt_id, *files, *(f"{row[0]}={row[1]}" for row in used.iter_rows())])
