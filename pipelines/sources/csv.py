"""Comma-separated files in UTF-8 with one header row. Every value stays the text it is."""

from pathlib import Path

import polars as pl

from pipelines.errors import DeliveryError
from pipelines.settings import Layout
from pipelines.sources.reader import FAULT, Format


class CsvReader:
    """Reader of CSV files; see `pipelines.sources.reader.Reader`."""

    def columns(self, path: Path, layout: Layout) -> list[str]:
        """Read the names in the header row."""
        return self._scan(path).collect_schema().names()

    def rows(self, path: Path, layout: Layout) -> pl.LazyFrame:
        """Read the file's rows; an empty cell is null, in quotes or not."""
        return self._scan(path).with_columns(pl.all().replace("", None), pl.lit(None, pl.String).alias(FAULT))

    def place(self, path: Path, layout: Layout, record: int) -> str:
        """Say on which line a record stands."""
        return f"line {record + 1}"

    def _scan(self, path: Path) -> pl.LazyFrame:
        try:
            frame = pl.scan_csv(path, infer_schema=False, glob=False)
            frame.collect_schema()
        except (pl.exceptions.PolarsError, OSError) as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise DeliveryError(
                f"{path} cannot be read as CSV ({reason}). It should be UTF-8 with a header row."
            ) from error
        return frame


FORMAT = Format("csv", "comma-separated text", CsvReader(), suffixes=(".csv",))
