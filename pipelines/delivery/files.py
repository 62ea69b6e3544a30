"""Files of a list: written once when the list is made, handed out again any time without some of the people.

Beside each file lie its rows (`….rows.parquet`): the customer's key and exactly the file's columns, in file order.
Building and handing out write the same rows through the same code, so with nobody left out the bytes are equal. An
upload file is read by machines and never escaped; what is in its cells is decided in `platforms`. Who is left out,
and who may take a file at all, is `handout`'s business.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import polars as pl
import pyarrow.parquet as pq

from pipelines.delivery.contents import Contents
from pipelines.delivery.platforms import PLATFORMS, Platform, platforms_for
from pipelines.delivery.platforms.reading import MOST_ROWS
from pipelines.delivery.platforms.workbook import money_format, write_workbook

__all__ = ["PLATFORMS", "BuiltFile", "build", "build_all", "platforms_for", "stream"]

SLICE = 5_000
"""Rows in memory at a time: hashed they are some 2 MB, and many files are handed out at once."""
ROW_GROUP = 10_000
PIECE = 256 * 1024
"""Bytes of a workbook handed on at a time."""
KEY = "customer_key"


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A file that was built.

    Attributes
    ----------
    path, rows_path
        The file, and its rows with the customers' keys.
    rows, dropped
        People in it; people of the list who are not: no address that the platform takes, or one that another has.
    bytes, sha256
        Of the file.
    columns
        Its headings, in order.
    """

    path: Path
    rows_path: Path
    rows: int
    dropped: int
    bytes: int
    sha256: str
    columns: tuple[str, ...]


def build_all(platforms: Sequence[Platform], contents: Contents, folder: Path) -> dict[str, BuiltFile]:
    """Build a list's files for several platforms; the people are looked up once."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{contents.list_id}.people.draft"
    try:
        gathered = contents.gathered(draft)
        return {platform.name: build(platform, gathered, folder) for platform in platforms}
    finally:
        draft.unlink(missing_ok=True)


def build(platform: Platform, contents: Contents, folder: Path) -> BuiltFile:
    """Write a list's file for one platform, and its rows beside it.

    Nothing is at either place before both are whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{contents.list_id}{platform.suffix}"
    rows_path = path.with_name(f"{path.name}.rows.parquet")
    draft, rows_draft = (place.with_name(f"{place.name}.draft") for place in (path, rows_path))
    try:
        platform.rows(contents.people, contents.terms).sink_parquet(
            rows_draft, compression="lz4", row_group_size=ROW_GROUP, statistics=False
        )
        summed, size = hashlib.sha256(), 0
        with draft.open("wb") as file:
            for piece in stream(platform, rows_draft, pl.Series(KEY, [], pl.String), contents):
                file.write(piece)
                summed.update(piece)
                size += len(piece)
        rows_draft.replace(rows_path)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
        rows_draft.unlink(missing_ok=True)
    rows = rows_in(rows_path)
    return BuiltFile(
        path=path,
        rows_path=rows_path,
        rows=rows,
        dropped=contents.people.select(pl.len()).collect().item() - rows,
        bytes=size,
        sha256=summed.hexdigest(),
        columns=columns_in(rows_path),
    )


def stream(platform: Platform, rows_path: Path, without: pl.Series, contents: Contents) -> Iterator[bytes]:
    """Give a built file again, piece by piece, in memory that does not grow with it.

    Parameters
    ----------
    rows_path
        The rows that `build` wrote.
    without
        Keys of the customers to leave out.
    contents
        The list's; of a reading file the notes are read, of an upload file nothing.
    """
    if platform.is_upload:
        return _as_csv(rows_path, without)
    return _as_workbook(rows_path, without, contents)


def rows_in(rows_path: Path) -> int:
    """How many people a built file holds."""
    return pq.read_metadata(rows_path).num_rows


def columns_in(rows_path: Path) -> tuple[str, ...]:
    """A built file's headings, in order."""
    return tuple(name for name in pq.read_schema(rows_path).names if name != KEY)


def _as_csv(rows_path: Path, without: pl.Series) -> Iterator[bytes]:
    """Lines as RFC 4180 has them: cells are quoted where they must be, lines end in CR LF."""
    headings = pl.DataFrame(schema=dict.fromkeys(columns_in(rows_path), pl.String))
    yield _lines(headings, has_headings=True)
    for rows in _slices(rows_path, without):
        yield _lines(rows, has_headings=False)


def _lines(rows: pl.DataFrame, *, has_headings: bool) -> bytes:
    lines = io.BytesIO()
    rows.write_csv(lines, include_header=has_headings, line_terminator="\r\n")
    return lines.getvalue()


def _as_workbook(rows_path: Path, without: pl.Series, contents: Contents) -> Iterator[bytes]:
    """A workbook cannot be written front to back: it is made whole in a file without a name and read from there."""
    schema = pl.read_parquet_schema(rows_path)
    with TemporaryFile(prefix="workbook-") as made:
        write_workbook(
            made,
            schema=pl.Schema({name: dtype for name, dtype in schema.items() if name != KEY}),
            slices=_slices(rows_path, without),
            notes=[*contents.notes, *_left_off(contents)],
            title=contents.title,
            made_for=contents.as_of,
            money=money_format(contents.currency, contents.locale),
        )
        made.seek(0)
        yield from _pieces(made)


def _left_off(contents: Contents) -> list[tuple[str, str]]:
    if contents.listed <= MOST_ROWS:
        return []
    return [
        (
            "Not all are shown",
            f"The list has {contents.listed:,} people. This file shows its first {MOST_ROWS:,}; the upload files hold "
            "them all.",
        )
    ]


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def _slices(rows_path: Path, without: pl.Series) -> Iterator[pl.DataFrame]:
    """Read rows a slice at a time, without some people and without anybody's key."""
    with pq.ParquetFile(rows_path, pre_buffer=False) as file:
        for batch in file.iter_batches(batch_size=SLICE):
            rows = pl.DataFrame(batch)
            if not without.is_empty():
                rows = rows.filter(~pl.col(KEY).is_in(without.implode()))
            if not rows.is_empty():
                yield rows.drop(KEY)
