"""The verdict on a campaign in plain words: used at all, over, large enough to tell, and then which way.

It rests on one outcome that was chosen before anybody looked: the share who ordered. The other outcomes are told
beside it and decide nothing.

What does not belong here: how differences are worked out (`models._group_difference`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from models.intervals import SMALL_GROUP

__all__ = ["Standing", "Verdict", "verdict"]

_MINUS, _SPACE = "\u2212", "\u00a0"
"""A space that keeps a number and its unit on one line."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a campaign beside its outcomes.

    Attributes
    ----------
    lists, lists_used
        Lists made for it and used; None for campaigns that were delivered.
    delivered, held_out
        People by assignment.
    """

    as_of: date
    currency: str
    lists: int | None
    lists_used: int | None
    window_days: int
    delivered: int
    held_out: int
    closes_on: date | None

    @property
    def state(self) -> str:
        """not_used, too_early or closed."""
        if self.closes_on is None:
            return "not_used"
        return "too_early" if self.closes_on > self.as_of else "closed"

    @property
    def days_left(self) -> int | None:
        """Days until the last window closes."""
        return max((self.closes_on - self.as_of).days, 0) if self.closes_on else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of not_used, too_early, too_small, worked and did_harm, and the words for it."""

    name: str
    says: str


def verdict(standing: Standing, outcomes: dict[str, dict[str, Any]]) -> Verdict:
    """Say what came of a campaign.

    Parameters
    ----------
    outcomes
        Outcome -> its numbers, by the column names of ``campaign_results``.
    """
    delivered, held_out = standing.delivered, standing.held_out
    if standing.state == "not_used":
        return Verdict("not_used", _not_used(standing))
    if standing.state == "too_early":
        days = _counted(standing.days_left or 0, "day")
        return Verdict(
            "too_early",
            f"Too early: the window of {standing.window_days} days closes on {standing.closes_on}, in {days}. So far "
            f"{_counted(delivered, 'person', 'people')} written to and {held_out:,} held out.",
        )
    if not held_out or not delivered:
        who = "Nobody was held out" if delivered else "Nobody was written to"
        return Verdict("too_small", f"Too small to tell: {who.lower()}, so there is nobody to compare with.")
    if min(delivered, held_out) < SMALL_GROUP:
        return Verdict(
            "too_small",
            f"Too small to tell: {_counted(delivered, 'person', 'people')} written to and {held_out:,} held out; it "
            f"takes at least {SMALL_GROUP} of each.",
        )
    return _of_effect(standing, outcomes)


def _not_used(standing: Standing) -> str:
    if standing.lists is None:
        return "Not used: nobody was assigned by this day."
    which = "its list was" if standing.lists == 1 else f"none of its {standing.lists:,} lists was"
    nothing = " not" if standing.lists == 1 else ""
    return f"Not used: {which}{nothing} downloaded for upload or noted as sent."


def _of_effect(standing: Standing, outcomes: dict[str, dict[str, Any]]) -> Verdict:
    ordered = outcomes["ordered"]
    value, low, high = effect(ordered)
    seen = (
        f"{_percent(ordered['delivered_mean'])} of {_counted(standing.delivered, 'person', 'people')} written to "
        f"ordered within {standing.window_days} days, and {_percent(ordered['held_out_mean'])} of "
        f"{standing.held_out:,} held out"
    )
    adjusted = ", at equal earlier orders" if ordered["adjusted_difference"] is not None else ""
    sure = f"{_points(value, sign=True)} points ({_points(low)} to {_points(high)}{adjusted})"
    more = _unsubscribed(outcomes["unsubscribed"])
    if low <= 0 <= high:
        shows = (
            "no rise would have shown"
            if ordered["detectable"] is None
            else f"so many people show a rise of {_points(ordered['detectable'])} points or more in 4 cases of 5"
        )
        return Verdict(
            "too_small", f"Too small to tell: {seen}; {sure}. {shows[0].upper()}{shows[1:]}.{more}"
        )
    name, word, what = ("worked", "Worked", "more") if low > 0 else ("did_harm", "Did harm", "fewer")
    count, least, most = (abs(ordered[column]) for column in INCREMENTAL)
    least, most = sorted((least, most))
    people = f"That is {count:,.0f} {what} people who ordered ({least:,.0f} to {most:,.0f})"
    return Verdict(
        name, f"{word}: {seen}; {sure}. {people}, {_revenue(outcomes['net_revenue'], standing)}.{more}"
    )


INCREMENTAL = ("incremental", "incremental_low", "incremental_high")


def effect(outcome: dict[str, Any]) -> tuple[float, float, float]:
    """Adjusted difference with its limits, else the plain one."""
    prefix = "" if outcome["adjusted_difference"] is None else "adjusted_"
    return outcome[f"{prefix}difference"], outcome[f"{prefix}low"], outcome[f"{prefix}high"]


def _revenue(net: dict[str, Any], standing: Standing) -> str:
    value, low, high = (net[column] for column in INCREMENTAL)
    if low is None:
        return "and nothing is known of the net revenue"
    which = "more" if value >= 0 else "less"
    told = f"and {standing.currency} {_amount(abs(value))} {which} net revenue ({_amount(low)} to {_amount(high)})"
    return told if low > 0 or high < 0 else f"{told}, which may be chance"


def _unsubscribed(outcome: dict[str, Any]) -> str:
    if outcome["difference"] is None:
        return ""
    value, low, high = effect(outcome)
    if low <= 0:
        return ""
    return (
        f" More of them unsubscribed: {_points(value, sign=True)} points ({_points(low)} to {_points(high)})."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}{_SPACE}%"


def _points(share: float, *, sign: bool = False) -> str:
    return f"{100 * share:{'+' if sign else ''}.1f}".replace("-", _MINUS)


def _amount(value: float) -> str:
    return f"{value:,.0f}".replace("-", _MINUS)


def _counted(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
