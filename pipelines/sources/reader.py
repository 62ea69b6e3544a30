"""What a format is: how its files are read, and which of its columns is what. Nothing here knows a format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import polars as pl

from pipelines.settings import Layout

FAULT = "_fault"
"""Column in which a reader says what is wrong with a row as a whole, with the row's text; null where nothing is."""
RECORD = "_record"
"""Column that counts a file's records from 1 in file order, while a format shapes them to rows."""


class Reader(Protocol):
    """Reads one kind of file. Every method raises `pipelines.errors.DeliveryError` if the file is not of it."""

    def columns(self, path: Path, layout: Layout) -> list[str]:
        """Read the file's column names, in file order, each once."""
        ...

    def rows(self, path: Path, layout: Layout) -> pl.LazyFrame:
        """Read every record in file order, each value as the text that stands for it; an empty cell is null.

        The columns of the file, and `FAULT`. A record that is not whole (too many cells, broken JSON, bytes that are
        no text) is a row of nulls with a fault that holds its text: no record is lost.
        """
        ...

    def place(self, path: Path, layout: Layout, record: int) -> str:
        """Say where in the file a record stands, for people: "line 17", "sheet Orders, row 5"."""
        ...


Candidates = tuple[str, ...]
"""Columns that may hold a value; the first one that a file has is taken."""


def as_they_are(rows: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Leave records as they are: one row each."""
    return rows


@dataclass(frozen=True, slots=True)
class Format:
    """One delivered format.

    Attributes
    ----------
    name, title
        For shop.toml, and for people.
    reader
        Reads its files.
    columns
        For each canonical table that the format can deliver: canonical column -> columns that may hold it. Empty for
        formats that mean nothing by themselves (CSV, Parquet ...), which need a mapping in shop.toml.
    values
        For each table: canonical column -> the same text for every row.
    shape
        From the records of a file (columns as in the file, `FAULT`, `RECORD`) to the rows of a table: fills blank
        cells, unfolds columns, adds derived columns. Keeps `FAULT` and `RECORD`; lazy. ``columns`` may name what it
        adds.
    adds
        Names of the columns that ``shape`` adds.
    header
        Columns that files of the format are known to have: not reported as unknown.
    signature
        Columns that tell the format: a file that has them all is one of these.
    timezone
        Of times without an offset, where the format fixes it.
    decimal
        What parts whole numbers from fractions, where the format fixes it.
    suffixes
        How names of such files end.
    """

    name: str
    title: str
    reader: Reader
    columns: Mapping[str, Mapping[str, Candidates]] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    shape: Callable[[pl.LazyFrame, str], pl.LazyFrame] = as_they_are
    adds: tuple[str, ...] = ()
    header: frozenset[str] = frozenset()
    signature: frozenset[str] = frozenset()
    timezone: str | None = None
    decimal: Literal[".", ","] | None = None
    suffixes: tuple[str, ...] = ()
