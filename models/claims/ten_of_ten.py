"""Claim 7: a 10 out of 10 experience makes buying again 6 times as likely.

As likely as after what, the claim does not say. Taken are the unhappy, who answered 0 to 6: the widest comparison that
is commonly made, and so the kindest to the claim. Who ordered more often before both answers better and orders again
more, so people are compared at the same mix of earlier orders.

What does not belong here: that a score *makes* anybody buy; people who like a shop both say so and come back.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from models.claims._answers import FIRST_ANSWER, Group, by_answer, silence, standardised
from models.claims._estimate import ratio
from models.claims._finding import Claimed, Facts, Finding, Sense, Unit
from models.claims._part import Part, times
from models.intervals import SMALL_GROUP

__all__ = ["HORIZONS", "findings"]

HORIZONS: Final = (180, 365)
_TIMES: Final = 6.0
_BASE: Final = "0 to 6"


def _part(days: int) -> Part:
    return Part(
        claim=7,
        part=f"ordered again within {days} days, 10 against {_BASE}",
        definition=f"Share of people with a valid order within {days} days after they answered 10 of 10 to “how likely "
        f"would you recommend us”, over that of people who answered {_BASE} (our baseline: the claim names none); "
        f"{FIRST_ANSWER}, {days} days over. Both at the same mix of earlier orders (direct standardisation); 95 % "
        "interval by MOVER-R from theirs. Only who answers is known. Read as: at least six times.",
        claimed=Claimed(low=_TIMES, high=_TIMES, sense=Sense.AT_LEAST, unit=Unit.TIMES),
        n_of=f"people who answered 10, or {_BASE}",
    )


_PARTS: Final = {days: _part(days) for days in HORIZONS}


def findings(facts: Facts, as_of: date) -> list[Finding]:
    """Compare who answered 10 to who answered 0 to 6, by whether they ordered again."""
    if facts.lacks("survey_answers"):
        says = "The shop does not deliver survey answers."
        return [part.cannot_be_tested(says, needs=("survey_answers",)) for part in _PARTS.values()]
    groups = by_answer(facts, as_of, measure="nps", horizons=HORIZONS)
    return [_tested(part, groups, days) for days, part in _PARTS.items()]


def _tested(part: Part, groups: dict[tuple[str, int], Group], days: int) -> Finding:
    ten, base = groups.get(("10", days)), groups.get(("detractor", days))
    sizes = [group["n"] if group else 0 for group in (ten, base)]
    n = sum(sizes)
    if ten is None or base is None or min(sizes) < SMALL_GROUP:
        says = (
            f"{sizes[0]:,} people answered 10 and {sizes[1]:,} answered {_BASE} at least {days} days ago; there must "
            f"be {SMALL_GROUP} of each."
        )
        return part.cannot_tell(n, says)
    alike = standardised(ten), standardised(base)
    found = ratio(alike[0], alike[1]) if alike[0] and alike[1] else None
    if alike[0] is None or alike[1] is None or found is None:
        return part.cannot_tell(
            n, f"Nobody who answered {_BASE} ordered again within {days} days: there is no ratio."
        )
    says = (
        f"After a 10, people were {times(found)} as likely to order again within {days} days as after {_BASE}: "
        f"{100 * alike[0].value:.1f} % against {100 * alike[1].value:.1f} % at equal numbers of earlier orders "
        f"(plainly {100 * ten['rate']:.1f} and {100 * base['rate']:.1f} %)."
    )
    if _TIMES * alike[1].value > 1:
        says += " Six times as likely cannot be where so many of the unhappy order again anyway."
    return part.tested(found, n, says + silence(groups, days))
