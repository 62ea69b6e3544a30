"""Hand a list out: rebuild its files from stored rows, or give one with everybody left out who has gone since.

Every download is in the ledger: opened before its first byte, closed after its last, open for ever if it broke off.
Who has gone is worked out by `departures`; making lists belongs to `lists` and `gate`, files to `files`.
"""

import hashlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.delivery.departures import departed, is_stale, newest_order_day
from pipelines.delivery.files import PLATFORMS, build_all, rows_in, stream
from pipelines.delivery.stored import (
    ExpiredError,
    HandoutError,
    UnknownListError,
    find_list,
    is_what_was_built,
    stored_contents,
)
from pipelines.lake import Lake
from pipelines.records.ledger import Download, Ledger, Via
from pipelines.shop import Shop

__all__ = [
    "ExpiredError", "Handout", "HandoutError", "Prepared", "UnknownListError", "download", "find_list", "prepare",
    "rebuild",
]  # fmt: skip
PIECE = 256 * 1024
"""Bytes handed on at a time."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that is ready to be handed out.

    Attributes
    ----------
    rows_expected, dropped
        People in it; people of the built file who have gone since.
    is_as_built
        Whether it is the built file, byte for byte.
    chunks
        The bytes. Taking the first opens the entry in the ledger, taking all of them closes it.
    """

    list_id: str
    platform: str
    file_name: str
    media_type: str
    rows_expected: int
    dropped: int
    is_as_built: bool
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Handout:
    """A file that was written: where, how many people, whom it lacks since the list was made."""

    path: Path
    rows: int
    dropped: int
    sha256: str
    is_as_built: bool


def prepare(
    shop: Shop,
    lake: Lake,
    ledger: Ledger,
    list_name: str,
    platform_name: str,
    who: str,
    now: datetime,
    via: Via,
) -> Prepared:
    """Make a list's file for one platform ready, without who has ordered, opted out or been erased since.

    Nothing is written before the first chunk is taken.

    Raises
    ------
    UnknownListError
        There is no such list, or it has no file for the platform.
    ExpiredError
        The list has expired.
    HandoutError
        The shop's data are too old, or the built file is not what was built.
    """
    found = find_list(lake, list_name)
    campaign = found.campaign
    list_id = str(campaign["list_id"])
    built = found.files.get(platform_name)
    if built is None or platform_name not in PLATFORMS:
        raise UnknownListError(
            f"List {list_id} has no file for {platform_name!r}. Its files: {', '.join(found.files) or 'none'}."
        )
    _check_age(shop, lake, campaign, now)
    platform = PLATFORMS[platform_name]
    path = lake.root / str(built["file_name"])
    rows_path = path.with_name(f"{path.name}.rows.parquet")
    if not rows_path.exists():
        raise ExpiredError(
            f"The files of list {list_id} are no longer kept. Run `retention run` for fresh ones."
        )
    gone = departed(shop, lake, found.snapshot, campaign, rows_path)
    rows = _remaining(rows_path, gone)
    is_as_built = rows == built["rows"] and is_what_was_built(path, built, lake)
    content = (
        _pieces(path)
        if is_as_built
        else stream(platform, rows_path, gone, stored_contents(shop, lake, found))
    )
    download = Download(who, list_id, platform_name, str(built["columns"]), int(built["rows"]) - rows, via)
    return Prepared(
        list_id=list_id,
        platform=platform_name,
        file_name=path.name,
        media_type=platform.media_type,
        rows_expected=rows,
        dropped=download.dropped,
        is_as_built=is_as_built,
        chunks=_noted(content, ledger, download, rows, now),
    )


def download(
    shop: Shop, lake: Lake, name: str, platform_name: str, folder: Path, who: str, now: datetime
) -> Handout:
    """Write a list's file for one platform into a folder, and note it in the ledger; see `prepare`.

    Raises
    ------
    HandoutError
        As `prepare`; or it cannot be written, and stays open in the ledger.
    """
    prepared = prepare(shop, lake, Ledger.of(lake.root), name, platform_name, who, now, "command")
    path = folder / prepared.file_name
    draft = path.with_suffix(".draft")
    summed = hashlib.sha256()
    try:
        # The entry is opened first: whoever looks for a reason why a file is missing finds it.
        chunk = next(prepared.chunks, None)
        folder.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            while chunk is not None:
                file.write(chunk)
                summed.update(chunk)
                chunk = next(prepared.chunks, None)
        draft.replace(path)
    except OSError as error:
        raise HandoutError(
            f"{path} cannot be written: {error.strerror}. Name another folder with --to."
        ) from error
    return Handout(path, prepared.rows_expected, prepared.dropped, summed.hexdigest(), prepared.is_as_built)


def rebuild(shop: Shop, lake: Lake, name: str, folder: Path) -> list[Handout]:
    """Build a list's files again from the rows of its snapshot; nothing is fitted or drawn.

    Raises
    ------
    HandoutError
        There is no such list, or the folder cannot be written to.
    LakeError
        Its rows are no longer kept.
    """
    found = find_list(lake, name)
    platforms = [PLATFORMS[platform] for platform in found.files if platform in PLATFORMS]
    handouts: list[Handout] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            made = build_all(platforms, stored_contents(shop, lake, found), Path(place))
            for platform, built in made.items():
                path = built.path.replace(folder / built.path.name)
                is_as_built = built.sha256 == found.files[platform]["sha256"]
                handouts.append(Handout(path, built.rows, 0, built.sha256, is_as_built))
    except OSError as error:
        raise HandoutError(
            f"{folder} cannot be written to: {error.strerror}. Name another folder with --to."
        ) from error
    return handouts


def _check_age(shop: Shop, lake: Lake, campaign: Mapping[str, Any], now: datetime) -> None:
    if campaign["expires_at"] is not None and now > campaign["expires_at"]:
        raise ExpiredError(
            f"List {campaign['list_id']} expired on {campaign['expires_at']:%Y-%m-%d %H:%M} UTC: too much may have "
            "changed since. Run `retention run` for a fresh one."
        )
    newest = None if shop.sample else newest_order_day(lake)
    if is_stale(shop, newest, now):
        raise HandoutError(
            f"The newest order of {shop.title} is of {newest}: who ordered since is not known, so nothing is handed "
            f"out (max_age_days = {shop.max_age_days}). Deliver newer orders and run `retention run`."
        )


def _noted(
    content: Iterator[bytes], ledger: Ledger, download: Download, rows: int, started_at: datetime
) -> Iterator[bytes]:
    """Hand chunks on between opening and closing the entry; closing is left out if it breaks off."""
    started = time.perf_counter()
    entry = ledger.open_entry(download, started_at)
    summed, size = hashlib.sha256(), 0
    for chunk in content:
        summed.update(chunk)
        size += len(chunk)
        yield chunk
    finished_at = started_at + timedelta(seconds=time.perf_counter() - started)
    ledger.close_entry(entry, finished_at, rows=rows, bytes=size, sha256=summed.hexdigest())


def _remaining(rows_path: Path, gone: pl.Series) -> int:
    if gone.is_empty():
        return rows_in(rows_path)
    left = pl.scan_parquet(rows_path).filter(~pl.col("customer_key").is_in(gone.implode()))
    return int(left.select(pl.len()).collect(engine="streaming").item())


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
