"""A step: one table, what it is made from, and the pure function that makes it. No Dagster, no disk."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from pipelines.assets.given import Given
    from pipelines.ingest.landing import Landed


class Stage(StrEnum):
    """The stages of a run, in order; `retention run --from` names one."""

    LANDING = "landing"
    CONTRACT = "contract"
    FACTS = "facts"
    RETENTION = "retention"
    PREDICTIONS = "predictions"
    SEGMENTS = "segments"
    LISTS = "lists"
    PRESENTATION = "presentation"
    SNAPSHOT = "snapshot"

    @property
    def is_ingest(self) -> bool:
        """Whether the stage belongs to the job ``ingest``, which knows no as_of."""
        return self in (Stage.LANDING, Stage.CONTRACT, Stage.FACTS)


class Keeps(StrEnum):
    """What of a table stays when it is made again."""

    NOTHING = "nothing"
    """The table is replaced."""
    OTHER_DAYS = "other days"
    """Rows of other as_ofs stay."""
    NEWEST_DAY = "newest day"
    """The table holds the newest as_of only; for an earlier one the step's rows are made and not kept."""
    EVERYTHING = "everything"
    """Rows are added; the step decides whether there are any."""
    LANDINGS = "landings"
    """The step decides whether there are rows, and whether they are added or replace the table."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found."""

    check: str
    passed: bool
    says: str
    is_error: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """How one table is made.

    Attributes
    ----------
    table, stage, keeps
        What it is called, when it is made, what stays.
    reads
        Tables it is made from; their fingerprints are part of its own.
    make
        Rows of the table. None means: nothing to add (`Keeps.EVERYTHING` and `Keeps.LANDINGS` only, and the latter
        give a `pipelines.ingest.landing.Landed`).
    settings
        Parts of the shop's settings that change the result.
    checks, check_names
        Checks beside the unique key, and their names.
    picture
        Name of the chart in `pipelines.report.charts` that the asset's page shows of the finished rows.
    identity
        For steps that depend on more than tables: what that is, as text.
    always
        Make it in every run, changed or not.
    """

    table: str
    stage: Stage
    keeps: Keeps
    reads: tuple[str, ...]
    make: "Callable[[Given], pl.LazyFrame | Landed | None]"
    settings: tuple[str, ...] = ()
    checks: "Callable[[Given], list[Verdict]] | None" = None
    check_names: tuple[str, ...] = ()
    picture: str | None = None
    identity: "Callable[[Given], str] | None" = None
    always: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What carrying a step out came to."""

    table: str
    rows: int
    version: int
    seconds: float
    was_unchanged: bool
    verdicts: list[Verdict] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Moment:
    """When and for which day a run computes; the clock is read once, by who starts the run.

    Attributes
    ----------
    refit
        Somebody asked that models be fitted anew.
    """

    run_id: str
    now: datetime
    as_of: date | None
    refit: bool = False
