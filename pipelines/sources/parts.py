"""Rows that had to be made one by one, kept as Parquet files of text columns: written in parts, scanned as one.

So memory stays flat, and a later part may have columns that an earlier one lacks. What the rows mean is their reader's
business.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.sources.header import distinct
from pipelines.sources.reader import FAULT

PART_ROWS = 20_000
MOST_COLUMNS = 10_000
"""More names than this are no names of columns but values."""
FAULT_TEXT, PLACE = "fault", "place"
"""Names of our own columns in the files; those of the rows are numbered, so that none is like them."""


class TooManyColumnsError(Exception):
    """Rows whose names of columns look like values; says how many there are."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Rows in files.

    Attributes
    ----------
    files
        In order.
    names
        Of the columns, in order of appearance.
    columns
        What they are called in the files.
    """

    files: tuple[Path, ...]
    names: tuple[str, ...]
    columns: tuple[str, ...]

    def scan(self) -> pl.LazyFrame:
        """Read the rows, and `FAULT`."""
        columns = zip(self.columns, self.names, strict=True)
        return self._scan().select(
            *(pl.col(column).alias(name) for column, name in columns), pl.col(FAULT_TEXT).alias(FAULT)
        )

    def place(self, row: int) -> int:
        """Give the place that was noted for a row, counted from 1."""
        return self._scan().slice(row - 1, 1).select(PLACE).collect().item()

    def _scan(self) -> pl.LazyFrame:
        schema = {**dict.fromkeys((*self.columns, FAULT_TEXT), pl.String), PLACE: pl.Int64}
        if not self.files:
            return pl.LazyFrame(schema=schema)
        return pl.scan_parquet(
            list(self.files), schema=schema, missing_columns="insert", extra_columns="ignore", glob=False
        )


class PartsWriter:
    """Takes rows one by one; see `Parts`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[Path] = []
        self._has_values: dict[str, bool] = {}
        self._rows: list[dict[str, str | None]] = []
        self._faults: list[str | None] = []
        self._places: list[int] = []

    def add(self, row: dict[str, str | None], place: int, fault: str | None = None) -> None:
        """Add a row: its values, or what is wrong with it.

        Raises
        ------
        TooManyColumnsError
            See there.
        """
        self._rows.append(row)
        self._faults.append(fault)
        self._places.append(place)
        if len(self._rows) == PART_ROWS:
            self._flush()

    def finish(self) -> Parts:
        """Write what is left."""
        if self._rows:
            self._flush()
        names = list(self._has_values)
        # {"person": null} beside {"person": {"email": ...}} is no column of its own.
        groups = {name[: dot + 1] for name in names for dot, sign in enumerate(name) if sign == "."}
        kept = [
            (name, f"c{number}")
            for number, name in enumerate(names)
            if self._has_values[name] or f"{name}." not in groups
        ]
        return Parts(
            tuple(self._files),
            distinct([name.strip() for name, _ in kept]),
            tuple(column for _, column in kept),
        )

    def _flush(self) -> None:
        names: dict[str, str | None] = {}
        for row in self._rows:
            names.update(row)
        for name in names:
            self._has_values.setdefault(name, False)
        if len(self._has_values) > MOST_COLUMNS:
            raise TooManyColumnsError(f"more than {MOST_COLUMNS:,} columns")
        numbers = {name: number for number, name in enumerate(self._has_values)}
        columns = {name: f"c{numbers[name]}" for name in names}
        frame = pl.DataFrame(self._rows, schema=dict.fromkeys(names, pl.String)).rename(columns)
        for name, column in columns.items():
            self._has_values[name] |= frame[column].null_count() < len(self._rows)
        frame = pl.DataFrame(
            [pl.Series(FAULT_TEXT, self._faults, pl.String), pl.Series(PLACE, self._places, pl.Int64), *frame]
        )
        file = self._folder / f"part-{len(self._files):06d}.parquet"
        frame.write_parquet(file, compression="lz4")
        self._files.append(file)
        self._rows, self._faults, self._places = [], [], []
