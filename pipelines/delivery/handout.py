"""Hand a list out: rebuild its files from stored rows, or download one with everybody dropped who has gone since.

Every download is in the ledger. Making lists belongs to `lists` and `gate`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.delivery.contents import contents_of
from pipelines.delivery.files import PLATFORMS, READING_COLUMNS, Built
from pipelines.delivery.gate import may_write, suppressed
from pipelines.delivery.ledger import Download, Ledger
from pipelines.errors import LabError, LakeError
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot, newest_snapshot

NO_LISTS = "none. Add [[lists]] to shop.toml and run `retention run`"


class HandoutError(LabError):
    """A list cannot be handed out."""


@dataclass(frozen=True, slots=True)
class Handout:
    """A file that was written: where, how many people, whom it lacks since the list was made."""

    path: Path
    rows: int
    dropped: int
    sha256: str
    is_as_built: bool


def find_list(lake: Lake, name: str) -> tuple[Snapshot, dict[str, Any]]:
    """A list by id, or the newest of a name, with the snapshot it stands in.

    Raises
    ------
    HandoutError
        There is no such list; the message names those there are.
    """
    finished = lake.scan("snapshots").select(pl.col("as_of").unique())
    lists = lake.scan("campaign_lists").join(finished, on="as_of", how="semi")
    found = (
        lists.filter((pl.col("list_id") == name) | (pl.col("name") == name)).sort("as_of").tail(1).collect()
    )
    if found.is_empty():
        known = lists.sort("as_of", "name").tail(20).collect()["list_id"]
        raise HandoutError(f"There is no list {name!r}. Known: {', '.join(known) or NO_LISTS}.")
    snapshot = newest_snapshot(lake, found["as_of"].item())
    # A run that broke off may have made the list anew since; what is handed out belongs to the finished one.
    made = _of_snapshot(lake, snapshot, "campaign_lists").filter(pl.col("list_id") == found["list_id"].item())
    return snapshot, made.collect().row(0, named=True)


def rebuild(shop: Shop, lake: Lake, name: str, folder: Path) -> list[Handout]:
    """Build a list's files again from the rows of its snapshot; nothing is fitted or drawn.

    Raises
    ------
    HandoutError
        There is no such list, or its rows are no longer kept.
    """
    snapshot, campaign = find_list(lake, name)
    built = _built_files(lake, snapshot, campaign)
    handouts: list[Handout] = []
    for platform in PLATFORMS.values():
        made = platform.make(_contents(shop, lake, snapshot, campaign, None))
        sha256 = hashlib.sha256(made.data).hexdigest()
        path = _write(folder / f"{campaign['list_id']}{platform.suffix}", made)
        handouts.append(Handout(path, made.rows, 0, sha256, sha256 == built.get(platform.name)))
    return handouts


def download(
    shop: Shop, lake: Lake, name: str, platform_name: str, folder: Path, who: str, now: datetime
) -> Handout:
    """Write a list's file for one platform, without who has ordered or opted out since, and note it in the ledger.

    Raises
    ------
    HandoutError
        There is no such list or platform, or the list has expired.
    """
    if platform_name not in PLATFORMS:
        raise HandoutError(
            f"There is no platform {platform_name!r}. Known platforms: {', '.join(PLATFORMS)}."
        )
    snapshot, campaign = find_list(lake, name)
    if campaign["expires_at"] is not None and now > campaign["expires_at"]:
        raise HandoutError(
            f"List {campaign['list_id']} expired on {campaign['expires_at']:%Y-%m-%d %H:%M} UTC: too much may have "
            "changed since. Run `retention run` for a fresh one."
        )
    platform = PLATFORMS[platform_name]
    gone = gone_since(shop, lake, snapshot, campaign)
    made = platform.make(_contents(shop, lake, snapshot, campaign, gone))
    sha256 = hashlib.sha256(made.data).hexdigest()
    ledger = Ledger(lake.root / "ledger.sqlite")
    columns = "external_id" if platform_name == "external_id" else ", ".join(READING_COLUMNS)
    noted = Download(who, campaign["list_id"], platform_name, columns, made.rows, gone.len(), sha256)
    entry = ledger.open_entry(noted, now)
    path = _write(folder / f"{campaign['list_id']}{platform.suffix}", made)
    ledger.close_entry(entry, now)
    is_as_built = sha256 == _built_files(lake, snapshot, campaign).get(platform_name)
    return Handout(path, made.rows, gone.len(), sha256, is_as_built)


def gone_since(shop: Shop, lake: Lake, snapshot: Snapshot, campaign: Mapping[str, Any]) -> pl.Series:
    """People of a list who have ordered, opted out or been suppressed since it was made, by what is known now."""
    channel = campaign["channel"]
    members = (
        _members(lake, snapshot, campaign)
        .filter((pl.col("list_id") == campaign["list_id"]) & (pl.col("assignment") == "deliver"))
        .select("customer_key")
        .collect()
    )
    closed = suppressed(lake.scan("suppressions").collect(), channel)
    allowed = may_write(lake.scan("consents").collect(), channel, shop)
    ordered = (
        lake.scan("orders")
        .filter(pl.col("is_valid") & (pl.col("order_day") > campaign["as_of"]))
        .select("customer_key")
        .collect()
        .to_series()
    )
    return members.filter(
        pl.col("customer_key").is_in(closed.implode())
        | pl.col("customer_key").is_in(ordered.implode())
        | ~allowed
    )["customer_key"]


def _members(lake: Lake, snapshot: Snapshot, campaign: Mapping[str, Any]) -> pl.LazyFrame:
    return _of_snapshot(lake, snapshot, "list_members").filter(pl.col("as_of") == campaign["as_of"])


def _contents(
    shop: Shop, lake: Lake, snapshot: Snapshot, campaign: Mapping[str, Any], without: pl.Series | None
) -> Any:
    return contents_of(
        campaign,
        members=_members(lake, snapshot, campaign),
        profile=_of_snapshot(lake, snapshot, "customer_profile").filter(pl.col("as_of") == campaign["as_of"]),
        contacts=_of_snapshot(lake, snapshot, "contacts"),
        shop=shop,
        without=without,
    )


def _built_files(lake: Lake, snapshot: Snapshot, campaign: Mapping[str, Any]) -> dict[str, str]:
    files = (
        _of_snapshot(lake, snapshot, "list_files").filter(pl.col("list_id") == campaign["list_id"]).collect()
    )
    return dict(files.select("platform", "sha256").iter_rows())


def _of_snapshot(lake: Lake, snapshot: Snapshot, name: str) -> pl.LazyFrame:
    try:
        return lake.scan(name, version=snapshot.versions[name])
    except (KeyError, OSError) as error:
        raise LakeError(
            f"Snapshot {snapshot.snapshot_id} no longer has its version of {name}: old versions are cleaned up. "
            "The ledger still has the counts and checksums."
        ) from error


def _write(path: Path, made: Built) -> Path:
    draft = path.with_suffix(".draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(made.data)
        draft.replace(path)
    except OSError as error:
        raise HandoutError(
            f"{path} cannot be written: {error.strerror}. Name another folder with --to."
        ) from error
    return path
