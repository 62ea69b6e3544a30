"""What is told of the data: how fresh they are, what came in, what is wrong with it."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How old what is shown is.

    Attributes
    ----------
    as_of, finished_at
        Last day included, and when the run that made it ended.
    newest_order
        Day of the newest valid order; None without one.
    age_days
        Days from it to today.
    is_stale
        Too old by the shop's own setting: nothing is handed out. Never of a sample.
    late_sources
        Sources from which nothing came for twice as long as is usual for them.
    blocked, set_aside
        Of the newest deliveries: how many were set aside as a whole, and how many rows.
    """

    as_of: date
    finished_at: datetime
    newest_order: date | None
    age_days: int | None
    is_stale: bool
    is_sample: bool
    max_age_days: int
    late_sources: tuple[str, ...]
    blocked: int
    set_aside: int

    @property
    def is_well(self) -> bool:
        """Whether nothing about the data needs anybody's attention."""
        return not (self.is_stale or self.late_sources or self.blocked)


@dataclass(frozen=True, slots=True)
class SourceState:
    """One source: its newest delivery, and whether that is usual for it."""

    source: str
    table: str
    received_at: datetime | None
    rows: int | None
    is_late: bool
    is_usual: bool


@dataclass(frozen=True, slots=True)
class TableState:
    """Where the rows delivered for one table went: delivered = accepted + quarantined + replayed + erased."""

    table: str
    deliveries: int
    rows: int
    accepted: int
    quarantined: int
    replayed: int
    erased: int


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule that delivered rows broke."""

    table: str
    says: str
    is_critical: bool
    failed: int
    checked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What came in, and what is wrong with it."""

    freshness: Freshness
    sources: tuple[SourceState, ...]
    tables: tuple[TableState, ...]
    broken: tuple[BrokenRule, ...]
    predictions_lack: str
