"""PostgreSQL tables and queries, fetched through ADBC into Parquet extracts; only what changed, where a column says so.

An extract holds every value as text, exactly as the server writes it, and is then a delivery like any file. When to
fetch and what becomes of the rows is `pipelines.ingest.extracts`' business.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.errors import DeliveryError, ShopError
from pipelines.settings import Database, Source
from pipelines.sources.parquet import ParquetReader
from pipelines.sources.reader import Format

if TYPE_CHECKING:
    import pyarrow as pa

NEWEST = b"retention_lab.newest_change"
"""Key in an extract's metadata: the greatest value of the source's ``updated_at`` column in it."""
INSTANT = 'YYYY-MM-DD"T"HH24:MI:SS.US'

FORMAT = Format("postgres", "a PostgreSQL table or query", ParquetReader(), decimal=".")


def extract(source: Source, folder: Path, since: datetime | None = None) -> Path | None:
    """Fetch a source's rows into a Parquet file of text columns under ``folder``; None where there are none.

    The same rows in the same order give the same file. Rows arrive and are written batch by batch.

    Parameters
    ----------
    since
        Fetch only rows whose ``updated_at`` is at or after this, less the source's overlap.

    Raises
    ------
    ShopError
        The environment variable of the address is not set, or the source names no such table or column.
    DeliveryError
        The server cannot be reached or breaks off.
    """
    database = source.database
    assert database is not None, f"source {source.name} names no database"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{source.name}.draft"
    with _connected(source, database) as cursor:
        rows = _write(_batches(cursor, source, database, since), draft, database)
    if not rows:
        draft.unlink()
        return None
    with draft.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return draft.replace(folder / f"{source.name}-{digest[:16]}.parquet")


def newest_change(path: Path) -> datetime | None:
    """Read from an extract up to when its rows had changed; None where its source says nothing of changes."""
    import pyarrow.parquet as pq

    told = (pq.read_metadata(path).metadata or {}).get(NEWEST)
    if not told:
        return None
    moment = datetime.fromisoformat(told.decode())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@contextmanager
def _connected(source: Source, database: Database) -> Iterator[Any]:
    from adbc_driver_manager import Error
    from adbc_driver_postgresql import dbapi

    address = os.environ.get(database.address_from)
    if not address:
        raise ShopError(
            f"Source {source.name}: the environment variable {database.address_from} is not set. Put the database's "
            "address there, e.g. postgresql://reader:password@host:5432/shop."
        )
    try:
        connection = dbapi.connect(address, autocommit=True)
    except Error as error:
        raise DeliveryError(
            f"Source {source.name}: the database of ${database.address_from} cannot be reached ({_plain(error)}). "
            "Check that it runs and that the address is right."
        ) from None  # what libpq says holds the address
    with connection, connection.cursor() as cursor:
        try:
            cursor.execute("SET default_transaction_read_only = on")
            cursor.execute("SET TIME ZONE 'UTC'")
            yield cursor
        except Error as error:
            state = getattr(error, "sqlstate", None) or ""
            kind = ShopError if state.startswith("42") else DeliveryError
            raise kind(
                f"Source {source.name}: the database refused what shop.toml asks for ({_plain(error)}). Correct "
                "`table`, `query` or `updated_at`."
                if kind is ShopError
                else f"Source {source.name}: the database broke off ({_plain(error)}). Run again."
            ) from None


def _batches(
    cursor: Any, source: Source, database: Database, since: datetime | None
) -> "pa.RecordBatchReader":
    """Ask for every column as the text that stands for its value."""
    asked = f"({database.query.strip().rstrip(';')})" if database.query else _quoted(database.table or "")
    cursor.execute(f"SELECT * FROM {asked} AS rows_of_source LIMIT 0")
    schema = cursor.fetch_record_batch().schema
    kinds = {field.name: _kind(field) for field in schema}
    if database.updated_at and database.updated_at not in kinds:
        raise ShopError(
            f"Source {source.name}: there is no column {database.updated_at!r} to tell changes by. "
            f"It has: {', '.join(kinds)}."
        )
    columns = ", ".join(_as_text(name, kind) for name, kind in kinds.items())
    where = _where(database, kinds, since)
    cursor.execute(f"SELECT {columns} FROM {asked} AS rows_of_source{where}")
    return cursor.fetch_record_batch()


def _kind(field: "pa.Field[Any]") -> str:
    told = (field.metadata or {}).get(b"POSTGRESQL:type", b"")
    return told.decode()


def _as_text(name: str, kind: str) -> str:
    column = _quoted_name(name)
    if kind == "timestamptz":
        return f"to_char({column} AT TIME ZONE 'UTC', '{INSTANT}') || '+00:00' AS {column}"
    if kind == "timestamp":
        return f"to_char({column}, '{INSTANT}') AS {column}"
    return f"CAST({column} AS text) AS {column}"


def _where(database: Database, kinds: dict[str, str], since: datetime | None) -> str:
    if since is None or database.updated_at is None:
        return ""
    begin = since.astimezone(UTC) - timedelta(hours=database.overlap_hours)
    # A column without timezone is compared with the same clock that the last extract was read from.
    is_instant = kinds[database.updated_at] == "timestamptz"
    text = begin.isoformat() if is_instant else begin.replace(tzinfo=None).isoformat()
    cast = "timestamptz" if is_instant else "timestamp"
    return f" WHERE {_quoted_name(database.updated_at)} >= CAST('{text}' AS {cast})"


def _write(batches: "pa.RecordBatchReader", draft: Path, database: Database) -> int:
    import pyarrow.parquet as pq

    rows, newest = 0, ""
    plain = batches.schema.remove_metadata()
    with pq.ParquetWriter(draft, plain, compression="zstd") as writer:
        for batch in batches:
            rows += batch.num_rows
            writer.write_batch(batch.replace_schema_metadata(None).cast(plain))
            if database.updated_at and batch.num_rows:
                changes = pl.Series(batch.column(database.updated_at), dtype=pl.String)
                newest = max(newest, str(changes.max() or ""))
        if newest:
            writer.add_key_value_metadata({NEWEST: newest.encode()})
    return rows


def _quoted(table: str) -> str:
    """Quote a table's name, schema before the point."""
    return ".".join(_quoted_name(part) for part in table.split("."))


def _quoted_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(error: Exception) -> str:
    """Say what the server said without where it is: the first line, from its own words on."""
    line = str(error).splitlines()[0]
    for mark in ("failed: ", "FATAL:", "ERROR:"):
        line = line.rpartition(mark)[2] if mark in line else line
    return line.strip().rstrip(".")
