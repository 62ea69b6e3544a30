"""A list as it was stored: its row, the snapshot it stands in, its built files, and what they are made from.

Whether and without whom a file is handed out is decided in `handout`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.delivery.contents import Contents, contents_of
from pipelines.delivery.departures import Remembered, stamp
from pipelines.delivery.files import PLATFORMS
from pipelines.errors import LabError, LakeError
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot, newest_snapshot

NO_LISTS = "none. Add [[lists]] to shop.toml and run `retention run`"


class HandoutError(LabError):
    """A list cannot be handed out. ``status`` is what the page and the API answer."""

    status = 409


class UnknownListError(HandoutError):
    """There is no such list or file."""

    status = 404


class ExpiredError(HandoutError):
    """It is too late: the list has expired, or its files are no longer kept."""

    status = 410


@dataclass(frozen=True, slots=True)
class Found:
    """A list, the snapshot it stands in, and its built files (rows of ``list_files``) by platform."""

    snapshot: Snapshot
    campaign: Mapping[str, Any]
    files: Mapping[str, Mapping[str, Any]]


def find_list(lake: Lake, name: str) -> Found:
    """A list by id, or the newest of a name, with the snapshot it stands in.

    Raises
    ------
    UnknownListError
        There is no such list; the message names those there are.
    """
    return _FOUND.get((lake.root, name, stamp(lake, "snapshots")), lambda: _look_up(lake, name))


_FOUND: Remembered[Found] = Remembered(256)


def _look_up(lake: Lake, name: str) -> Found:
    finished = lake.scan("snapshots").select(pl.col("as_of").unique())
    lists = lake.scan("campaign_lists").join(finished, on="as_of", how="semi")
    found = (
        lists.filter((pl.col("list_id") == name) | (pl.col("name") == name)).sort("as_of").tail(1).collect()
    )
    if found.is_empty():
        known = lists.sort("as_of", "name").tail(20).collect()["list_id"]
        raise UnknownListError(f"There is no list {name!r}. Known: {', '.join(known) or NO_LISTS}.")
    snapshot = newest_snapshot(lake, found["as_of"].item())
    is_it = pl.col("list_id") == found["list_id"].item()
    # A run that broke off may have made the list anew since; what is handed out belongs to the finished one.
    campaign = _of_snapshot(lake, snapshot, "campaign_lists").filter(is_it).collect().row(0, named=True)
    files = _of_snapshot(lake, snapshot, "list_files").filter(is_it).collect().to_dicts()
    by_platform = {str(file["platform"]): file for file in files}
    return Found(snapshot, campaign, {name: by_platform[name] for name in PLATFORMS if name in by_platform})


def is_what_was_built(path: Path, built: Mapping[str, Any], lake: Lake) -> bool:
    """Whether the built file may be given as it lies there; False where an erasure took somebody out of it.

    Raises
    ------
    HandoutError
        It is there, but has other bytes than were built, and no erasure explains it.
    """
    try:
        seen = path.stat()
        marks = (path, seen.st_mtime_ns, seen.st_size, seen.st_ino)
        is_same = _SUMS.get(marks, lambda: _sha256(path)) == built["sha256"]
    except FileNotFoundError:
        return False
    if not is_same and not _had_an_erasure(lake, str(built["list_id"])):
        raise HandoutError(
            f"{path.name} is not the file that was built: its checksum differs. It is not handed out. Run "
            "`retention run` to build it anew, and find out who changed it."
        )
    return is_same


_SUMS: Remembered[str] = Remembered(256)


def _had_an_erasure(lake: Lake, list_id: str) -> bool:
    named = lake.scan("erasures").select("lists").collect()["lists"].drop_nulls()
    return any(list_id in {part.strip() for part in lists.split(",")} for lists in named)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stored_contents(shop: Shop, lake: Lake, found: Found) -> Contents:
    """What a list's files are made of, from the rows of its snapshot.

    Raises
    ------
    LakeError
        They are no longer kept.
    """
    snapshot, as_of = found.snapshot, found.campaign["as_of"]

    def of_day(name: str) -> pl.LazyFrame:
        return _of_snapshot(lake, snapshot, name).filter(pl.col("as_of") == as_of)

    return contents_of(
        found.campaign,
        members=of_day("list_members"),
        profile=of_day("customer_profile"),
        contacts=_of_snapshot(lake, snapshot, "contacts"),
        drivers=of_day("prediction_drivers") if "prediction_drivers" in snapshot.versions else None,
        shop=shop,
    )


def _of_snapshot(lake: Lake, snapshot: Snapshot, name: str) -> pl.LazyFrame:
    try:
        return lake.scan(name, version=snapshot.versions[name])
    except (KeyError, OSError) as error:
        raise LakeError(
            f"Snapshot {snapshot.snapshot_id} no longer has its version of {name}: old versions are cleaned up. "
            "The ledger still has the counts and checksums."
        ) from error
