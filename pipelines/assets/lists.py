"""Lists: who is on each after the gate, why, and the files that marketing downloads.

The gate stands in `pipelines.delivery.gate`; which lists there are, in shop.toml.
"""

import hashlib
from functools import partial
from typing import NamedTuple

import polars as pl

from data_contracts import table as promise
from pipelines.assets.given import Given
from pipelines.assets.step import Keeps, Stage, Step, Verdict
from pipelines.delivery.contents import contents_of
from pipelines.delivery.files import PLATFORMS
from pipelines.delivery.gate import STEPS, Gated, Permissions, pass_gate
from pipelines.delivery.lists import campaign_list, list_id, list_members
from pipelines.shop import SegmentList, Shop

_Step = partial(Step, stage=Stage.LISTS, keeps=Keeps.OTHER_DAYS)
GATE = ("customer_profile", "consents", "suppressions", "contacts")
SETTINGS = ("lists", "consent", "currency", "sample", "public_salt")


def steps(_: Shop) -> list[Step]:
    """Members, lists, files."""
    return [
        _Step(table="list_members", reads=GATE, make=_members, settings=SETTINGS, identity=_salt),
        _Step(
            table="campaign_lists",
            reads=(*GATE, "list_members"),
            make=_campaigns,
            settings=SETTINGS,
            identity=_salt,
            checks=_gate_adds_up,
            check_names=("gate_adds_up",),
        ),
        _Step(
            table="list_files",
            reads=("list_members", "campaign_lists", "customer_profile", "contacts"),
            make=_files,
            settings=("title", "currency", "sample"),
        ),
    ]


class _Gate(NamedTuple):
    profile: pl.DataFrame
    permissions: Permissions

    def of(self, entry: SegmentList, given: Given) -> Gated:
        return pass_gate(self.profile, entry, given.shop, self.permissions, given.keys.hold_out, given.as_of)


def _gate(given: Given) -> _Gate:
    profile, consents, suppressions, contacts = (given.table(name).collect() for name in GATE)
    return _Gate(profile.sort("customer_key"), Permissions(consents, suppressions, contacts))


def _salt(given: Given) -> str:
    return given.keys.salt_id


def _members(given: Given) -> pl.LazyFrame:
    gate = _gate(given)
    made = [
        list_members(gate.of(entry, given), gate.profile, entry, given.as_of) for entry in given.shop.lists
    ]
    return pl.concat([promise("list_members").empty(), *(frame.cast(_MEMBERS) for frame in made)]).lazy()


_MEMBERS = pl.Schema(promise("list_members").schema)


def _campaigns(given: Given) -> pl.LazyFrame:
    gate = _gate(given)
    members = given.table("list_members").collect()
    rows = [
        campaign_list(
            gated=gate.of(entry, given),
            members=members.filter(pl.col("list_id") == list_id(entry, given.as_of)),
            profile=gate.profile,
            entry=entry,
            shop=given.shop,
            as_of=given.as_of,
            made_at=given.moment.now,
            salt_id=given.keys.salt_id,
            has_consents=not gate.permissions.consents.is_empty(),
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
    rows: list[dict[str, object]] = []
    for campaign in given.table("campaign_lists").collect().iter_rows(named=True):
        contents = contents_of(
            campaign,
            members=given.table("list_members"),
            profile=given.table("customer_profile"),
            contacts=given.table("contacts"),
            shop=given.shop,
        )
        folder = given.lake.root / "files" / str(campaign["list_id"])
        folder.mkdir(parents=True, exist_ok=True)
        for platform in PLATFORMS.values():
            made = platform.make(contents)
            path = folder / f"{campaign['list_id']}{platform.suffix}"
            draft = path.with_suffix(".draft")
            draft.write_bytes(made.data)
            draft.replace(path)
            rows.append(
                {
                    "as_of": given.as_of,
                    "list_id": campaign["list_id"],
                    "platform": platform.name,
                    "file_name": str(path.relative_to(given.lake.root)),
                    "rows": made.rows,
                    "bytes": len(made.data),
                    "sha256": hashlib.sha256(made.data).hexdigest(),
                }
            )
    return pl.DataFrame(rows, schema=dict(promise("list_files").schema)).lazy()
