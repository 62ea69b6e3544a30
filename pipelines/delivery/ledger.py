"""The download ledger: who took which list file when, opened before the first byte and closed after the last.

SQLite beside the lake's tables; rows are added and closed, never changed otherwise or removed.
"""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from data_contracts import table

_COLUMNS = tuple(table("download_ledger").schema)


@dataclass(frozen=True, slots=True)
class Download:
    """What is handed out: which list, for which platform, how many people, the checksum of the bytes."""

    who: str
    list_id: str
    platform: str
    columns: str
    rows: int
    dropped: int
    sha256: str


class Ledger:
    """The ledger of one lake.

    Parameters
    ----------
    path
        The SQLite file; it is made with the first entry.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def open_entry(self, download: Download, started_at: datetime) -> str:
        """Write that a download begins and return its id."""
        download_id = str(uuid.uuid4())
        values = (
            download_id,
            started_at.isoformat(),
            None,
            download.who,
            download.list_id,
            download.platform,
            download.columns,
            download.rows,
            download.dropped,
            download.sha256,
        )
        with self._connection() as connection:
            places = ", ".join("?" * len(_COLUMNS))
            connection.execute(f"INSERT INTO downloads VALUES ({places})", values)
        return download_id

    def close_entry(self, download_id: str, finished_at: datetime) -> None:
        """Write that a download ended."""
        with self._connection() as connection:
            connection.execute(
                "UPDATE downloads SET finished_at = ? WHERE download_id = ? AND finished_at IS NULL",
                (finished_at.isoformat(), download_id),
            )

    def entries(self) -> pl.DataFrame:
        """Every download, in the shape of ``download_ledger``."""
        if not self.path.exists():
            return table("download_ledger").empty()
        with self._connection() as connection:
            rows = connection.execute("SELECT * FROM downloads ORDER BY started_at").fetchall()
        schema = table("download_ledger").schema
        text = {
            name: pl.String() if dtype == pl.Datetime("us", "UTC") else dtype
            for name, dtype in schema.items()
        }
        return pl.DataFrame(rows, schema=text, orient="row").with_columns(
            pl.col("started_at", "finished_at").str.to_datetime(time_unit="us", time_zone="UTC")
        )

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
            columns = ", ".join(f'"{name}"' for name in _COLUMNS)
            connection.execute(f"CREATE TABLE IF NOT EXISTS downloads ({columns}, PRIMARY KEY (download_id))")
            yield connection
