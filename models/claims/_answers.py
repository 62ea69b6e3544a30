"""What people did after their first survey, by what they answered, ready to be compared.

What does not belong here: how rates by score are counted (`models.score_behaviour`), and any claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import polars as pl

from models.claims._estimate import Estimate
from models.claims._finding import Facts
from models.claims._orders import rows_of
from models.first_surveys import ANSWER_DAYS
from models.score_behaviour import score_behaviour

__all__ = ["FIRST_ANSWER", "by_answer", "plain", "silence", "standardised"]

FIRST_ANSWER: Final = (
    f"one answer a person, to the first such survey that reached them, within {ANSWER_DAYS} days"
)

Group = dict[str, Any]


def by_answer(
    facts: Facts, as_of: date, *, measure: str, horizons: Sequence[int]
) -> dict[tuple[str, int], Group]:
    """Rows of `models.score_behaviour` of one kind of survey, by group and horizon."""
    table = score_behaviour(
        rows_of(facts, "survey_answers"),
        rows_of(facts, "survey_invitations"),
        rows_of(facts, "orders"),
        as_of,
        horizons=horizons,
    )
    rows = table.filter(pl.col("measure") == measure).collect().to_dicts()
    return {(row["group"], row["horizon_days"]): row for row in rows}


def plain(group: Group) -> Estimate:
    """Share who ordered again."""
    return Estimate(group["rate"], group["low"], group["high"])


def standardised(group: Group) -> Estimate | None:
    """Give the same at the mix of earlier orders of all who answered; None where nobody's horizon is over."""
    if group["standardised_rate"] is None:
        return None
    return Estimate(group["standardised_rate"], group["standardised_low"], group["standardised_high"])


def silence(groups: dict[tuple[str, int], Group], horizon_days: int) -> str:
    """Say how many answered, and what became of those who did not; empty where no invitation is known."""
    told, silent = (groups.get((name, horizon_days)) for name in ("any answer", "no answer"))
    if told is None or silent is None or not silent["n"]:
        return ""
    answered = told["customers"] / (told["customers"] + silent["customers"])
    return (
        f" {100 * answered:.0f} % of the people asked answered; of those who did not, {100 * silent['rate']:.1f} % "
        f"ordered again within {horizon_days} days."
    )
