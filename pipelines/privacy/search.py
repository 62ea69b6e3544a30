"""Look through every byte under a folder for a person: files as they lie, and what is packed in them.

Parquet pages, gzip, zip (and so .xlsx) are unpacked, archives in archives too; SQLite keeps its texts as they are, so
its bytes are looked at, free pages included. What is looked for is said by `terms`.
"""

import gzip
import lzma
import os
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import quote

import polars as pl

from pipelines.privacy.terms import byte_forms, byte_pattern, naming

CHUNK = 4 << 20
OVERLAP = 1 << 12
"""Longer than any term, so that none is missed where two chunks meet."""
SURROUNDINGS = 4
"""Bytes around a term that decide whether it stands alone."""
BATCH_ROWS = 65_536
PARQUET = b"PAR1"
SQLITE = b"SQLite format 3\0"
DEEPEST = 4
"""Archives in archives that are opened."""


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search came to.

    Attributes
    ----------
    files, bytes
        How many were looked through, unpacked.
    places
        Files in which the person is named, sorted.
    """

    files: int
    bytes: int
    places: tuple[Path, ...]


def search(root: Path, terms: Iterable[str]) -> Searched:
    """Look through every file under ``root``."""
    looking = Looking(terms)
    files = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
    places = tuple(path for path in files if looking.is_named_in(path))
    return Searched(len(files), looking.bytes, places)


class Looking:
    """One search: what is looked for, and how many bytes were looked at so far."""

    def __init__(self, terms: Iterable[str]) -> None:
        self._terms = tuple(terms)
        self._pattern = byte_pattern(self._terms) if self._terms else None
        self._forms = byte_forms(self._terms)
        self._spelt = [form.decode("latin-1") for form in self._forms]
        self.bytes = 0

    def is_named_in(self, path: Path) -> bool:
        """Whether a file, or its name, holds one of the terms."""
        if self._pattern is None:
            return False
        if self._pattern.search(path.name.encode()) or self._pattern.search(path.stem.encode()):
            return True
        with path.open("rb") as file:
            return self._in_stream(file, 0) or (is_sqlite(file) and self._in_database(path))

    def _in_stream(self, file: IO[bytes], depth: int) -> bool:
        """Look through the bytes as they lie, then through what they unpack to."""
        assert self._pattern is not None
        begins = file.read(4)
        if begins == PARQUET and (found := self._in_parquet(file)) is not None:
            return found
        file.seek(0)
        before, chunk = b"", file.read(CHUNK)
        while chunk:
            self.bytes += len(chunk)
            after = file.read(CHUNK)
            if self._in_bytes(before + chunk, is_first=not before, is_last=not after):
                return True
            before, chunk = chunk[-OVERLAP:], after
        if depth == DEEPEST:
            return False
        return any(self._in_stream(inner, depth + 1) for inner in _unpacked(file, begins))

    def _in_bytes(self, data: bytes, *, is_first: bool = True, is_last: bool = True) -> bool:
        assert self._pattern is not None
        # As text of one sign a byte, all terms are looked for at once, hundreds of megabytes a second.
        text = pl.Series([data.decode("latin-1")])
        if not text.str.contains_any(self._spelt, ascii_case_insensitive=True).item():
            return False
        # What touches a seam is looked at with its surroundings in the chunk before or after.
        first, last = (0 if is_first else SURROUNDINGS), len(data) - (0 if is_last else SURROUNDINGS)
        small = data.lower()
        for form in self._forms:
            at = small.find(form, first)
            while at >= 0:
                found = self._pattern.match(data, at)
                if found and found.end() <= last:
                    return True
                at = small.find(form, at + 1)
        return False

    def _in_database(self, path: Path) -> bool:
        """Look at a database's texts as such: in its bytes a length stands before them, which may look like a sign."""
        try:
            with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
                database.text_factory = bytes
                return any(self._in_bytes(b" ".join(_as_bytes(row))) for row in _rows(database))
        except sqlite3.Error:  # not whole, or in use: its bytes were looked at
            return False

    def _in_parquet(self, file: IO[bytes]) -> bool | None:
        """Look at the rows, and at the footer's bytes: names, least and greatest values; None where it is not whole.

        The bytes of packed pages are not looked at: another's address may stand there cut off, and look like hers.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        file.seek(0)
        try:
            for batch in pq.ParquetFile(file).iter_batches(BATCH_ROWS):
                rows = pl.DataFrame(batch)
                self.bytes += int(rows.estimated_size())
                if self._in_rows(rows):
                    return True
            file.seek(-8, os.SEEK_END)
            size = int.from_bytes(file.read(4), "little")
            file.seek(-8 - size, os.SEEK_END)
            return self._in_bytes(file.read(size))
        except (pa.ArrowException, OSError):
            return None

    def _in_rows(self, rows: pl.DataFrame) -> bool:
        texts = rows.select(pl.selectors.string())
        if not naming(texts.lazy(), self._terms).is_empty():
            return True
        others = rows.select(pl.selectors.nested() | pl.selectors.binary() | pl.selectors.categorical())
        if not others.width:
            return False
        plain = others.with_columns(pl.selectors.binary().cast(pl.String, strict=False))
        return self._in_bytes(plain.write_ndjson().encode())


def is_sqlite(file: IO[bytes]) -> bool:
    """Whether a file is an SQLite database."""
    file.seek(0)
    return file.read(len(SQLITE)) == SQLITE


def _rows(database: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    names = [
        row[0].decode() for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    ]
    for name in names:
        yield from database.execute(f'SELECT * FROM "{name}"')


def _as_bytes(row: tuple[Any, ...]) -> list[bytes]:
    return [value for value in row if isinstance(value, bytes)]


def _unpacked(file: IO[bytes], begins: bytes) -> Iterator[IO[bytes]]:
    """Open what a packed file holds, one thing after the other; of what is broken, as much as can be read."""
    file.seek(0)
    if begins.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=file) as packed, _plain(packed) as plain:
            yield plain
    elif begins.startswith(b"\xfd7zX"):
        with lzma.LZMAFile(file) as packed, _plain(packed) as plain:
            yield plain
    elif begins.startswith(b"PK\x03\x04"):
        with (
            suppress(zipfile.BadZipFile, NotImplementedError, RuntimeError),
            zipfile.ZipFile(file) as archive,
        ):
            for entry in archive.infolist():
                with archive.open(entry) as packed, _plain(packed) as plain:
                    yield plain


@contextmanager
def _plain(packed: IO[bytes] | gzip.GzipFile | lzma.LZMAFile) -> Iterator[IO[bytes]]:
    """Unpack into a file that can be read twice; a large one lies on the disk, without a name."""
    with SpooledTemporaryFile(max_size=16 * CHUNK) as plain:
        with suppress(EOFError, OSError, zlib.error, lzma.LZMAError):
            while chunk := packed.read(CHUNK):
                plain.write(chunk)
        plain.seek(0)
        yield plain
