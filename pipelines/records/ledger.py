"""The ledger: who took which list file when, and what marketing said became of a list.

A download is written before its first byte and closed after its last; nothing is changed otherwise or removed, which
the database sees to (`append_only`). Tables ``download_ledger`` and ``campaign_sendings`` of the lake are copies.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import polars as pl
from sqlalchemy import Engine, Table, insert, select, update

from data_contracts import table
from pipelines.records.database import RecordsError, is_begun, open_database, reading, writing
from pipelines.records.tables import downloads, sendings

Via = Literal["command", "page", "api"]
State = Literal["sent", "not_used"]


@dataclass(frozen=True, slots=True)
class Download:
    """What is about to be handed out: which list, for which platform, with which columns, how many are dropped."""

    who: str
    list_id: str
    platform: str
    columns: str
    dropped: int
    via: Via


class Ledger:
    """The ledger in one records database.

    Parameters
    ----------
    engine
        From `pipelines.records.database.open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def of(cls, lake_root: Path) -> "Ledger":
        """Open the ledger of a lake."""
        return cls(open_database(lake_root))

    @staticmethod
    def read(lake_root: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Give the `entries` and `sendings` of a lake; of one without records, none, and none are begun."""
        if not is_begun(lake_root):
            return table("download_ledger").empty(), table("campaign_sendings").empty()
        ledger = Ledger.of(lake_root)
        return ledger.entries(), ledger.sendings()

    def open_entry(self, download: Download, started_at: datetime) -> str:
        """Write that a download begins and return its id."""
        download_id = str(uuid.uuid4())
        with writing(self.engine) as connection:
            connection.execute(
                insert(downloads).values(
                    download_id=download_id,
                    started_at=started_at,
                    who=download.who,
                    list_id=download.list_id,
                    platform=download.platform,
                    columns=download.columns,
                    via=download.via,
                    dropped=download.dropped,
                )
            )
        return download_id

    def close_entry(
        self, download_id: str, finished_at: datetime, *, rows: int, bytes: int, sha256: str
    ) -> None:
        """Write that a download ended, and what was handed out.

        Raises
        ------
        RecordsError
            It was closed before, or never opened.
        """
        is_open = (downloads.c.download_id == download_id) & downloads.c.finished_at.is_(None)
        with writing(self.engine) as connection:
            closed = connection.execute(
                update(downloads)
                .where(is_open)
                .values(finished_at=finished_at, rows=rows, bytes=bytes, sha256=sha256)
            )
        if closed.rowcount != 1:
            raise RecordsError(f"Download {download_id} is not open in the ledger, so it cannot be closed.")

    def entries(self) -> pl.DataFrame:
        """Every download in the order of their start, in the shape of ``download_ledger``."""
        return self._rows(downloads, "started_at", "download_id")

    def note(self, list_id: str, state: State, sent_on: date | None, who: str, noted_at: datetime) -> str:
        """Write what became of a list: sent on a day, or not used. The newest note of a list holds.

        Raises
        ------
        RecordsError
            Sent without a day, or not used with one.
        """
        if (state == "sent") != (sent_on is not None):
            raise RecordsError("A list that was sent has a day, and one that was not used has none.")
        note_id = str(uuid.uuid4())
        with writing(self.engine) as connection:
            connection.execute(
                insert(sendings).values(
                    note_id=note_id, list_id=list_id, state=state, sent_on=sent_on, who=who, noted_at=noted_at
                )
            )
        return note_id

    def sendings(self) -> pl.DataFrame:
        """Every note in the order of writing, in the shape of ``campaign_sendings``."""
        return self._rows(sendings, "noted_at", "note_id")

    def _rows(self, kept: Table, *order: str) -> pl.DataFrame:
        schema = table(kept.name).schema
        wanted = select(*(kept.c[name] for name in schema)).order_by(*(kept.c[name] for name in order))
        with reading(self.engine) as connection:
            rows = connection.execute(wanted).all()
        return pl.DataFrame([tuple(row) for row in rows], schema=dict(schema), orient="row")
