"""A campaign's effects as a picture: a dot and its interval around nothing, one row an outcome. The template draws it.

Each row has a scale of its own, since shares, orders and money have no common one; only on which side of nothing a
dot lies, and whether its interval crosses it, can be compared between rows.
"""

from dataclasses import dataclass

from pipelines.portal.facts import Campaign, Outcome

NAMES = {
    "ordered": "Ordered at all",
    "orders": "Orders per person",
    "net_revenue": "Net revenue per person",
    "returned_value": "Value sent back per person",
    "unsubscribed": "Unsubscribed",
}
MARGIN = 1.15
"""Room on both sides of the longest interval."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One row: the dot and its ends as shares of the width, 0.5 being nothing."""

    outcome: Outcome
    name: str
    dot: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the whole interval lies on one side of nothing."""
        return self.low > 0.5 or self.high < 0.5


def effects(campaign: Campaign) -> tuple[Effect, ...]:
    """The rows of a campaign's picture; none before its window is closed."""
    found: list[Effect] = []
    for outcome in campaign.outcomes:
        if outcome.effect is None:
            continue
        reach = max(abs(value) for value in outcome.effect) * MARGIN or 1.0
        dot, low, high = (0.5 + value / reach / 2 for value in outcome.effect)
        found.append(Effect(outcome, outcome_name(outcome.outcome), dot, low, high))
    return tuple(found)


def outcome_name(outcome: str) -> str:
    """An outcome's name for people."""
    return NAMES.get(outcome, outcome.replace("_", " ").capitalize())
