"""Which files hold a table's rows of a day, for reading them as they lie.

A table that keeps several days is stored by day, so a day's rows are whole files. A filter would come to the same rows,
but decodes a million of them before it gives the first.
"""

from datetime import date
from pathlib import Path

import polars as pl

from pipelines.lake import Lake


def table_files(lake: Lake, name: str, version: int, day: date | None = None) -> list[str] | None:
    """Name the files that hold a table's rows, of all days or one; None where their rows are not the table's.

    They are not where rows were marked as deleted, columns renamed or days mixed, or where files are gone.
    """
    from deltalake.exceptions import DeltaError

    from pipelines.delta import LocalDeltaTable

    try:
        delta = LocalDeltaTable(str(lake.path(name)), version=version)
    except (DeltaError, OSError):
        return None
    if {"deletionVectors", "columnMapping"}.intersection(delta.protocol().reader_features or []):
        return None
    if day is not None and "as_of" not in delta.metadata().partition_columns:
        return None
    of_day = None if day is None else f"as_of = '{day.isoformat()}'"
    files = delta.file_uris(file_pruning_predicate=of_day)
    return files if all(Path(file).exists() for file in files) else None


def rows_of_day(whole: pl.LazyFrame, lake: Lake, name: str, version: int, day: date) -> pl.LazyFrame:
    """Read the rows of one day of a table that keeps several; ``whole`` is all of it."""
    files = table_files(lake, name, version, day)
    if not files:
        return whole.filter(pl.col("as_of") == day)
    schema = dict(whole.collect_schema())
    stored = {column: kind for column, kind in schema.items() if column != "as_of"}
    # What the program learnt since a day's files were written is null in them, as the whole table has it.
    rows = pl.scan_parquet(
        files,
        schema=stored,
        missing_columns="insert",
        extra_columns="ignore",
        hive_partitioning=False,
        glob=False,
    )
    return rows.select(pl.lit(day).alias("as_of") if column == "as_of" else column for column in schema)
