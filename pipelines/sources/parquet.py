"""Parquet files, read where they lie; what their values are called as text is the business of `parquet_text`.

A damaged file can end the process that reads it with Polars 2.1, which no error handling helps against. So each file is
read once by Arrow's reader first, which tells damage as an error (0.3 s of processor time a million rows of eight
columns).
"""

from pathlib import Path

import polars as pl

from pipelines.errors import DeliveryError
from pipelines.settings import Layout
from pipelines.sources.copies import Copies
from pipelines.sources.header import distinct
from pipelines.sources.parquet_text import as_texts
from pipelines.sources.reader import FAULT, Format

BATCH_ROWS = 65_536


_OPENED: Copies[dict[str, pl.Expr]] = Copies()


class ParquetReader:
    """Reader of Parquet files; see `pipelines.sources.reader.Reader`."""

    def columns(self, path: Path, layout: Layout) -> list[str]:
        """Read the file's column names; those of a structure's fields are dotted."""
        return list(self._open(path))

    def rows(self, path: Path, layout: Layout) -> pl.LazyFrame:
        """Read the file's rows as text."""
        texts = [text.alias(name) for name, text in self._open(path).items()]
        return pl.scan_parquet(path, glob=False).select(*texts, pl.lit(None, pl.String).alias(FAULT))

    def place(self, path: Path, layout: Layout, record: int) -> str:
        """Say which row a record is."""
        return f"row {record}"

    def _open(self, path: Path) -> dict[str, pl.Expr]:
        return _OPENED.of(path, None, lambda folder: _columns(path))


def _columns(path: Path) -> dict[str, pl.Expr]:
    """Check that a file is whole, and give its columns of text."""
    import pyarrow as pa

    try:
        _read_through(path)
        schema = pl.scan_parquet(path, glob=False).collect_schema()
    except (pl.exceptions.PolarsError, pa.ArrowException, OSError, ValueError, MemoryError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise DeliveryError(
            f"{path} is not a whole Parquet file ({reason}). It may be cut short: fetch it again."
        ) from error
    found = [text for name, dtype in schema.items() for text in as_texts(name, dtype)]
    return dict(zip(distinct([name for name, _ in found]), (text for _, text in found), strict=True))


def _read_through(path: Path) -> None:
    import pyarrow.parquet as pq

    rows = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS):
            batch.validate(full=True)
            rows += batch.num_rows
        if rows != file.metadata.num_rows:
            raise ValueError(f"it holds {rows} rows and should hold {file.metadata.num_rows}")


FORMAT = Format("parquet", "Parquet", ParquetReader(), decimal=".", suffixes=(".parquet",))
