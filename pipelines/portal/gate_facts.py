"""One list told as facts: its gate step by step, who is in it, with whom it overlaps, its files, how it was made.

Everything here is counted from rows that a run has stored; nothing is decided anew.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from pipelines.delivery.causes import STEPS
from pipelines.portal.facts import BuiltFile, Cause, Group, Made, Overlap, Stop
from pipelines.portal.newest import Newest
from pipelines.snapshots import Snapshot

Row = Mapping[str, Any]

STAGE_ORDER = ("active", "reactivated", "new", "at_risk", "lapsed", "dormant", "prospect")


def stops(campaign: Row, causes: Sequence[Row]) -> tuple[Stop, ...]:
    """The gate in its order, from the list's row and its rows of ``list_stops`` (none of an older run)."""
    left = int(campaign["everyone"])
    found: list[Stop] = []
    for step in STEPS:
        stopped = int(campaign[step] or 0)
        left -= stopped
        because = tuple(
            Cause(row["because"], int(row["customers"]))
            for row in sorted(causes, key=lambda row: (-row["customers"], row["because"]))
            if row["step"] == step and row["customers"]
        )
        found.append(Stop(step, stopped, left, because))
    return tuple(found)


def groups(newest: Newest, list_id: str, day: date) -> tuple[Group, ...]:
    """Who is in a list's file, by stage and by third of spending."""
    members = (
        newest.scan("list_members")
        .filter(pl.col("as_of") == day, pl.col("list_id") == list_id, pl.col("assignment") == "deliver")
        .select("customer_key")
    )
    profile = (
        newest.scan("customer_profile")
        .filter(pl.col("as_of") == day)
        .select("customer_key", "stage", "m", "predicted_clv_365d")
    )
    counted = (
        members.join(profile, on="customer_key", how="left")
        .group_by("stage", "m")
        .agg(
            pl.len().alias("people"),
            pl.col("predicted_clv_365d").sum().alias("value"),
            pl.col("predicted_clv_365d").count().alias("valued"),
        )
        .collect(engine="streaming")
    )
    found: list[Group] = []
    for stage in sorted({row or "" for row in counted["stage"]}, key=_place):
        rows = counted.filter(pl.col("stage").fill_null("") == stage)
        thirds = dict(rows.select("m", "people").iter_rows())
        low, middle, high = (int(thirds.get(score, 0)) for score in (1, 2, 3))
        value = float(rows["value"].sum()) if rows["valued"].sum() else None
        by_spend = (low, middle, high, int(thirds.get(None, 0)))
        found.append(Group(stage, int(rows["people"].sum()), by_spend, value))
    return tuple(found)


def overlaps(rows: pl.DataFrame, campaigns: pl.DataFrame, list_id: str) -> tuple[Overlap, ...]:
    """The other lists of the day that chose some of the same people, most first."""
    titles = dict(campaigns.select("list_id", "title").iter_rows())
    found: list[Overlap] = []
    for one, other, customers in rows.select("list_id", "other_list_id", "customers").iter_rows():
        if list_id in (one, other) and customers:
            its = other if one == list_id else one
            found.append(Overlap(its, titles.get(its, its), int(customers)))
    return tuple(sorted(found, key=lambda overlap: (-overlap.customers, overlap.title)))


def files(rows: pl.DataFrame) -> tuple[BuiltFile, ...]:
    """The files of one list; the one for reading last."""
    return tuple(
        BuiltFile(
            platform=row["platform"],
            columns=tuple(name.strip() for name in (row["columns"] or "").split(",") if name.strip()),
            rows=int(row["rows"]),
            dropped=row["dropped"],
            bytes=int(row["bytes"]),
            sha256=row["sha256"],
        )
        for row in sorted(
            rows.to_dicts(), key=lambda row: (row["platform"] in ("reading", "external_id"), row["platform"])
        )
    )


def made(campaign: Row, snapshot: Snapshot, model: str | None) -> Made:
    """Everything that is needed to make the list again."""
    return Made(
        rule=campaign["rule"],
        null_means=campaign["null_means"],
        null_decided=int(campaign["null_decided"] or 0),
        campaign=campaign["campaign"],
        snapshot_id=snapshot.snapshot_id,
        finished_at=snapshot.finished_at,
        model=model,
        consent_basis=campaign["consent_basis"],
        hold_out_share=float(campaign["hold_out_share"] or 0.0),
        salt_id=campaign["salt_id"],
        base_rate=campaign["base_rate"],
        base_rate_source=campaign["base_rate_source"],
        detectable_lift=campaign["detectable_lift"],
        window_days=campaign["window_days"],
    )


def _place(stage: str) -> tuple[int, str]:
    return (STAGE_ORDER.index(stage) if stage in STAGE_ORDER else len(STAGE_ORDER), stage)
