"""Parquet files. Typed values become the text that reads back to the same value.

A whole number in a column of floats loses its ".0": customer numbers become floats wherever one is missing.
"""

from pathlib import Path

import polars as pl

from pipelines.errors import DeliveryError
from pipelines.settings import Layout
from pipelines.sources.reader import FAULT, Format

EXACT_FLOATS = 2.0**53
"""Up to here every whole number is a float of its own."""


class ParquetReader:
    """Reader of Parquet files; see `pipelines.sources.reader.Reader`."""

    def columns(self, path: Path, layout: Layout) -> list[str]:
        """Read the file's column names."""
        return self._scan(path).collect_schema().names()

    def rows(self, path: Path, layout: Layout) -> pl.LazyFrame:
        """Read the file's rows as text."""
        frame = self._scan(path)
        texts = [_as_text(name, dtype) for name, dtype in frame.collect_schema().items()]
        return frame.select(*texts, pl.lit(None, pl.String).alias(FAULT))

    def place(self, path: Path, layout: Layout, record: int) -> str:
        """Say which row a record is."""
        return f"row {record}"

    def _scan(self, path: Path) -> pl.LazyFrame:
        try:
            frame = pl.scan_parquet(path, glob=False)
            frame.collect_schema()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DeliveryError(
                f"{path} is not a whole Parquet file ({_first_line(error)}). "
                "It may be cut short: fetch it again."
            ) from error
        return frame


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(name)
    if not dtype.is_float():
        return value.cast(pl.String)
    is_whole = (value == value.round()) & (value.abs() < EXACT_FLOATS)
    return (
        pl.when(is_whole)
        .then(value.cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(value.cast(pl.String))
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")


FORMAT = Format("parquet", "Parquet", ParquetReader(), suffixes=(".parquet",))
