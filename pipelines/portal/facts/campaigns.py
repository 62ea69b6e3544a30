"""What is told of campaigns: each with its outcomes, and how often customers are written to."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What people written to did against people held out, of one kind; columns of ``campaign_results``."""

    outcome: str
    unit: str
    delivered_total: float | None
    held_out_total: float | None
    delivered_mean: float | None
    held_out_mean: float | None
    difference: float | None
    low: float | None
    high: float | None
    adjusted_by: str | None
    adjusted_difference: float | None
    adjusted_low: float | None
    adjusted_high: float | None
    incremental: float | None
    incremental_low: float | None
    incremental_high: float | None
    detectable: float | None

    @property
    def effect(self) -> tuple[float, float, float] | None:
        """The adjusted difference where there is one, else the plain one, with its interval: value, low, high."""
        for found in (
            (self.adjusted_difference, self.adjusted_low, self.adjusted_high),
            (self.difference, self.low, self.high),
        ):
            value, low, high = found
            if value is not None and low is not None and high is not None:
                return value, low, high
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One campaign's result, the same on every row of ``campaign_results`` but for the outcomes."""

    campaign: str
    list_name: str
    title: str
    channel: str | None
    source: str
    state: str
    verdict: str
    says: str
    started_on: date | None
    window_days: int | None
    closes_on: date | None
    days_left: int | None
    lists: int | None
    lists_used: int | None
    delivered: int | None
    held_out: int | None
    is_small: bool | None
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """Customers who were written to on so many days of the last 90, and how many of such unsubscribed in 30 days."""

    contacts: str
    customers: int
    share: float
    n: int | None
    unsubscribed: int | None
    rate: float | None
    low: float | None
    high: float | None
    is_small: bool | None
