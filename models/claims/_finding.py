"""Finding: what a shop's own data say of one claim, and the one rule by which a claim holds or does not.

The claims are the sentences that articles on the post-purchase phase keep quoting, mostly without period or
denominator. Each is tested under a definition that is said with the result.

What does not belong here: how a claim is measured (one module a claim beside this one), the list of them
(`models.claims`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import polars as pl

__all__ = ["Claimed", "Facts", "Finding", "Sense", "Status", "Unit", "status_of"]


class Status(StrEnum):
    """What can be said of a claim."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does not hold"
    CANNOT_TELL = "cannot tell"
    """It can be tested, but the interval reaches over the line between the two; or there are too few."""
    CANNOT_BE_TESTED = "cannot be tested"
    """A table is missing, or no table of a shop could tell."""


class Sense(StrEnum):
    """How a claim's figure is meant."""

    AT_LEAST = "at least"
    AT_MOST = "at most"
    ABOUT = "about"
    """Between the figure's two ends."""


class Unit(StrEnum):
    """What a number of a claim is counted in."""

    SHARE = "share"
    """0.38 is 38 %."""
    POINTS = "points"
    """A difference of shares: 0.05 is 5 points."""
    TIMES = "times"
    """A ratio: 3.0 is three times as much; a lift of 5 % is 1.05."""
    COUNT = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A claim's figure.

    Attributes
    ----------
    low, high
        Its two ends, equal where one number is claimed; with `Sense.ABOUT` the tolerance is in them already, and the
        definition says so.
    """

    low: float
    high: float
    sense: Sense
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row of the table `claims`: one part of a claim, tested.

    Attributes
    ----------
    claim
        Number of the claim, 1 to 14.
    part
        What of the claim is tested, in a few words, such as "per order, at equal age"; distinct within a claim.
    definition
        What was counted, over which period, with which denominator and which comparison: so that somebody else would
        count the same.
    status
        See `status_of`.
    claimed
        The claim's figure; None where it gives none for this part.
    number, low, high
        The shop's number with its 95 % interval, in the unit of `claimed`; None where unknown. Null is not zero.
    n, n_of
        How many of what it rests on.
    needs
        Tables that would have to be connected, where it cannot be tested.
    says
        One plain sentence with the numbers, for people who read nothing else.
    """

    claim: int
    part: str
    definition: str
    status: Status
    says: str
    claimed: Claimed | None = None
    number: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    n_of: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What claims are tested on.

    Attributes
    ----------
    tables
        Fact and measure tables by name; a table that the shop does not deliver is not there. Rows later than the
        day asked for change nothing.
    options
        Inputs that no table gives, such as margin and fixed costs of the profit simulation.
    """

    tables: Mapping[str, pl.LazyFrame]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def lacks(self, *names: str) -> tuple[str, ...]:
        """Which of these tables are not there."""
        return tuple(name for name in names if name not in self.tables)


def status_of(claimed: Claimed, low: float | None, high: float | None) -> Status:
    """Hold a claim's figure against an interval.

    The whole interval must lie where the claim says: from the figure upwards ("at least"), downwards ("at most"),
    between its ends ("about"). The claim does not hold if the whole interval lies elsewhere. Otherwise nobody can tell.
    """
    if low is None or high is None:
        return Status.CANNOT_TELL
    floor = float("-inf") if claimed.sense is Sense.AT_MOST else claimed.low
    ceiling = float("inf") if claimed.sense is Sense.AT_LEAST else claimed.high
    if floor <= low and high <= ceiling:
        return Status.HOLDS
    return Status.DOES_NOT_HOLD if high < floor or low > ceiling else Status.CANNOT_TELL
