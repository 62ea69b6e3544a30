"""JSON: one object a line, or a list of objects. Nested values get dotted names, numbers keep their digits.

There is one way for all files, and it is exact: Polars' own reader takes half the time and makes 0.1 of 0.10. The rows
are kept as Parquet while the process lives, so they are made once.
"""

from pathlib import Path

import polars as pl

from pipelines.errors import DeliveryError
from pipelines.settings import Layout
from pipelines.sources.copies import Copies
from pipelines.sources.flat_json import flatten
from pipelines.sources.json_records import BrokenListError, Found, find_objects
from pipelines.sources.mending import LONGEST_TEXT
from pipelines.sources.parts import Parts, PartsWriter, TooManyColumnsError
from pipelines.sources.plain_text import plain_text
from pipelines.sources.reader import Format

_OPENED: Copies[Parts] = Copies()


class JsonReader:
    """Reader of JSON; see `pipelines.sources.reader.Reader`."""

    def columns(self, path: Path, layout: Layout) -> list[str]:
        """Name the values that the objects have, in order of appearance."""
        return list(self._open(path, layout).names)

    def rows(self, path: Path, layout: Layout) -> pl.LazyFrame:
        """Read one row an object."""
        return self._open(path, layout).scan()

    def place(self, path: Path, layout: Layout, record: int) -> str:
        """Say on which line of the file an object starts."""
        return f"line {self._open(path, layout).place(record)}"

    def _open(self, path: Path, layout: Layout) -> Parts:
        return _OPENED.of(path, layout.encoding, lambda folder: _read(path, folder, layout.encoding))


def _read(path: Path, folder: Path, encoding: str | None) -> Parts:
    plain = plain_text(path, folder, encoding)
    foreign_lines = frozenset(plain.foreign_lines)
    writer = PartsWriter(folder)
    try:
        for found in find_objects(plain):
            reason = _reason(found, foreign_lines, plain.encoding)
            row: dict[str, str | None] = {}
            try:
                row = flatten(found.value, found.text) if found.value and not reason else {}
            except RecursionError:
                reason = "values too deep in each other"
            writer.add(row, found.line, _told(reason, found.text))
        parts = writer.finish()
    except BrokenListError as error:
        raise DeliveryError(
            f"{path} is a list that breaks in line {error}, and nobody can say where its next object starts. "
            "Fetch it again."
        ) from error
    except TooManyColumnsError as error:
        raise DeliveryError(
            f"{path} has {error}: keys seem to be values. Deliver a list of objects that have the same keys."
        ) from error
    if not parts.names:
        raise DeliveryError(f"{path} holds no JSON object. It should have one a line, or a list of them.")
    return parts


def _reason(found: Found, foreign_lines: frozenset[int], encoding: str) -> str | None:
    """Say why what stands where an object should is none."""
    if foreign_lines:
        lines = found.text.rstrip().count("\n") + 1
        if any(found.line + more in foreign_lines for more in range(lines)):
            return f"bytes that are not {encoding.upper()}"
    return found.fault


def _told(reason: str | None, text: str) -> str | None:
    return f"{reason}: {text.strip()[:LONGEST_TEXT]}" if reason and text else reason


FORMAT = Format(
    "jsonl", "JSON", JsonReader(), suffixes=(".jsonl", ".ndjson", ".json", ".jsonl.gz", ".json.gz")
)
