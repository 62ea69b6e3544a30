"""What is told of lists: the card, the gate, who is in the file, the files, how it was made, who took it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pipelines.portal.facts.data import Freshness

State = Literal["ready", "nobody", "needs", "expired", "stale"]
"""Of a list: can be downloaded; chose nobody; lacks data that its rule asks for; is too old; its data are too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One download of a list."""

    download_id: str
    list_id: str
    started_at: datetime
    finished_at: datetime | None
    who: str
    platform: str
    rows: int | None
    dropped: int
    bytes: int | None
    sha256: str | None
    via: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What marketing said became of a list: the newest note holds."""

    state: Literal["sent", "not_used"]
    sent_on: date | None
    who: str
    noted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A list in short.

    Attributes
    ----------
    people, held_out
        In the file, and held out to measure the effect.
    value
        Net revenue expected of who is in the file in 365 days; None where not ready.
    new_people
        In the file now and not in the list of this name that was downloaded last; None if none ever was.
    needs
        Data that the rule asks for and that nobody has, in words.
    """

    list_id: str
    name: str
    title: str
    purpose: str
    channel: str
    as_of: date
    people: int
    held_out: int
    value: float | None
    expires_at: datetime | None
    state: State
    needs: tuple[str, ...]
    new_people: int | None
    last_download: Taken | None
    sent: Sent | None

    @property
    def can_be_taken(self) -> bool:
        """Whether its files are handed out now."""
        return self.state == "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All lists of the newest finished run."""

    cards: tuple[Card, ...]
    freshness: Freshness
    customers: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Why in particular a step stopped people: the cause's name and how many."""

    because: str
    customers: int


@dataclass(frozen=True, slots=True)
class Stop:
    """One step of the gate: how many it took out, how many are left after it, and why in particular."""

    step: str
    customers: int
    left: int
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """People of a file by lifecycle stage: how many, by third of spending so far (low to high, unknown), and value."""

    stage: str
    people: int
    by_spend: tuple[int, int, int, int]
    value: float | None


@dataclass(frozen=True, slots=True)
class Someone:
    """A row of a file without what tells whose it is: first letters, stage, expected value, reason."""

    letters: str
    stage: str | None
    value: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """Another list of the same day, and how many people both chose."""

    list_id: str
    title: str
    customers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltFile:
    """A file that can be downloaded."""

    platform: str
    columns: tuple[str, ...]
    rows: int
    dropped: int | None
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How a list was made: everything that is needed to make it again."""

    rule: str
    null_means: str | None
    null_decided: int
    campaign: str
    snapshot_id: str
    finished_at: datetime
    model: str | None
    consent_basis: str
    hold_out_share: float
    salt_id: str
    base_rate: float | None
    base_rate_source: str
    detectable_lift: float | None
    window_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """Everything about one list."""

    card: Card
    freshness: Freshness
    everyone: int
    stops: tuple[Stop, ...]
    groups: tuple[Group, ...]
    overlaps: tuple[Overlap, ...]
    files: tuple[BuiltFile, ...]
    downloads: tuple[Taken, ...]
    made: Made
    newest_list_id: str

    @property
    def eligible(self) -> int:
        """People whom the rule means, before consent and all that follows."""
        return next((stop.left for stop in self.stops if stop.step == "not_eligible"), self.everyone)
