"""What the ledger says of lists: who took which last, what became of it. Read again only when something was added.

Rows of the ledger are added and closed once and never changed otherwise, so counting them tells whether there is
anything new. Writing to it belongs to `pipelines.delivery.handout` and `notes`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
from sqlalchemy import func, select

from pipelines.delivery.departures import Remembered
from pipelines.portal.facts import Sent, Taken
from pipelines.records.database import reading
from pipelines.records.tables import downloads, sendings

if TYPE_CHECKING:
    from pipelines.records.ledger import Ledger

DAY_LETTERS = len("-2011-12-09")
"""What a list's id has after its name."""


@dataclass(frozen=True, slots=True)
class Noted:
    """The ledger at one moment.

    Attributes
    ----------
    entries
        Table ``download_ledger``, newest first, with the list's ``name``.
    last_taken
        By list name, whatever the day: the newest finished download.
    sent
        By list id: the newest note.
    """

    entries: pl.DataFrame
    last_taken: Mapping[str, Taken]
    sent: Mapping[str, Sent]

    def downloads(self, name: str | None = None, most: int | None = None) -> tuple[Taken, ...]:
        """Downloads of the lists of one name, or of all, newest first."""
        found = self.entries if name is None else self.entries.filter(pl.col("name") == name)
        return _taken(found if most is None else found.head(most))


class Notes:
    """A ledger, read when it has grown."""

    def __init__(self, ledger: "Ledger") -> None:
        self.ledger = ledger
        self._read: Remembered[Noted] = Remembered(2)

    def now(self) -> Noted:
        """The ledger as it stands."""
        return self._read.get(self._size(), self._noted)

    def _size(self) -> tuple[int, ...]:
        wanted = select(
            func.count(downloads.c.download_id),
            func.count(downloads.c.finished_at),
            select(func.count(sendings.c.note_id)).scalar_subquery(),
        )
        with reading(self.ledger.engine) as connection:
            return tuple(connection.execute(wanted).one())

    def _noted(self) -> Noted:
        entries = (
            self.ledger.entries()
            .sort("started_at", "download_id", descending=True)
            .with_columns(name=pl.col("list_id").str.head(-DAY_LETTERS))
        )
        finished = entries.filter(pl.col("finished_at").is_not_null())
        last = finished.unique("name", keep="first", maintain_order=True)
        notes = self.ledger.sendings().sort("noted_at", "note_id")
        return Noted(
            entries=entries,
            last_taken=dict(zip(last["name"], _taken(last), strict=True)),
            sent={row["list_id"]: _sent(row) for row in notes.to_dicts()},
        )


def _taken(entries: pl.DataFrame) -> tuple[Taken, ...]:
    return tuple(Taken(**row) for row in entries.select(*Taken.__dataclass_fields__).to_dicts())


def _sent(note: Mapping[str, object]) -> Sent:
    return Sent(**{name: note[name] for name in Sent.__dataclass_fields__})  # pyright: ignore[reportArgumentType]
