"""Parquet files. Typed values become the text that reads back to the same value."""

from pathlib import Path

import polars as pl

from pipelines.errors import DeliveryError


class ParquetReader:
    """Reader of Parquet files; see `pipelines.sources.reader.Reader`."""

    def columns(self, path: Path) -> list[str]:
        """The file's column names."""
        return self._scan(path).collect_schema().names()

    def rows(self, path: Path) -> pl.LazyFrame:
        """The file's rows as text."""
        return self._scan(path).with_columns(pl.all().cast(pl.String))

    def _scan(self, path: Path) -> pl.LazyFrame:
        try:
            frame = pl.scan_parquet(path)
            frame.collect_schema()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DeliveryError(
                f"{path} is not a whole Parquet file ({_first_line(error)}). It may be cut short: fetch it again."
            ) from error
        return frame


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")
