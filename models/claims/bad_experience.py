"""Claim 6: 61 % leave for a competitor after one bad experience.

Three bad experiences leave a trace in a shop's own tables: an unhappy answer, a late parcel, goods sent back for the
shop's fault. For each there are two numbers: how many did not order again within a year, and how many more these are
than after an alike good experience. The first alone proves nothing, since many never order again anyway.

No shop sees what its customers buy elsewhere: "leave" is no further order here.

What does not belong here: how events and their alike orders are told (`models.aftermath`), and other events.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple

import polars as pl

from models.aftermath import LANDMARK_DAYS, aftermath
from models.claims._answers import FIRST_ANSWER, by_answer, plain, silence, standardised
from models.claims._estimate import Estimate, difference, remainder
from models.claims._finding import Claimed, Facts, Finding, Sense, Unit
from models.claims._orders import rows_of
from models.claims._part import Part, percent, points
from models.intervals import SMALL_GROUP

__all__ = ["HORIZON_DAYS", "findings"]

HORIZON_DAYS: Final = 365

_FIGURE: Final = Claimed(low=0.61, high=0.61, sense=Sense.AT_LEAST, unit=Unit.SHARE)
_MORE: Final = Claimed(low=0.0, high=0.0, sense=Sense.AT_LEAST, unit=Unit.POINTS)
_LEAVE = "No shop sees its competitors: “leave” is no further valid order here, wherever else people buy. "
_READ = "Read as: at least 61 %. How many would not have come back anyway is the other part."
_NO_COMPARISON = (
    "The claim gives no comparison; it fails here if not even more leave than after a good experience. Alike in what "
    "is named, not in everything: no experiment."
)


class _Kind(NamedTuple):
    """A bad experience in words: its name, the rows with it, the good ones it is compared with, and what it means.

    `period` is when another order would have to follow.
    """

    name: str
    bad: str
    good: str
    meaning: str
    period: str


_AFTER_LANDMARK: Final = f"from day {LANDMARK_DAYS + 1} to day {HORIZON_DAYS} after it"
_EVENTS: Final = {
    "late_parcel": _Kind(
        "a late parcel",
        "orders with a late parcel",
        "orders whose parcels came in time",
        "Late is a parcel that came after the promised day.",
        _AFTER_LANDMARK,
    ),
    "bad_return": _Kind(
        "a return for the shop's fault",
        "orders with a return for the shop's fault",
        "orders without any return",
        "The shop's fault is what the reason of the return blames on it: damaged, faulty, wrong, not as described.",
        _AFTER_LANDMARK,
    ),
}
_ANSWERS = _Kind(
    "an unhappy answer",
    "people who answered 0 to 6",
    "people who answered 9 or 10",
    "Answers to “how likely would you recommend us”, 0 to 10.",
    f"within {HORIZON_DAYS} days",
)


def _parts(kind: _Kind, since: str, alike: str, n_of: str) -> tuple[Part, Part]:
    """The share who left, and how many more they are."""
    left = Part(
        claim=6,
        part=f"no further order after {kind.name}",
        definition=f"Share of {kind.bad} after which no order followed {since}. {kind.meaning} {_LEAVE}95 % Wilson "
        f"interval. {_READ}",
        claimed=_FIGURE,
        n_of=n_of,
    )
    more = Part(
        claim=6,
        part=f"how many more leave after {kind.name}",
        definition=f"Share of {kind.bad} after which no order followed {since}, less that of {kind.good}, {alike} "
        f"{kind.meaning} {_LEAVE}{_NO_COMPARISON}",
        claimed=_MORE,
        n_of=n_of,
    )
    return left, more


_AFTER_EVENT = (
    f"{_AFTER_LANDMARK} (days before count for neither side, since what went "
    f"wrong has to be known first), of those whose {HORIZON_DAYS} days are over"
)
_ALIKE_ORDERS = (
    "standardised to the same number of earlier orders, channel and month; 95 % interval, a customer's orders taken "
    "together."
)
_AFTER_ANSWER = f"within {HORIZON_DAYS} days after the answer ({FIRST_ANSWER})"
_ALIKE_PEOPLE = (
    "both at the same mix of earlier orders (direct standardisation); 95 % interval by Newcombe's method."
)
_PARTS: Final = {
    **{
        event: _parts(kind, _AFTER_EVENT, _ALIKE_ORDERS, f"{kind.bad}, {HORIZON_DAYS} days over")
        for event, kind in _EVENTS.items()
    },
    "answer": _parts(_ANSWERS, _AFTER_ANSWER, _ALIKE_PEOPLE, f"{_ANSWERS.bad}, {HORIZON_DAYS} days over"),
}
_TOO_FEW = f"there must be {SMALL_GROUP}, and as many good experiences to compare with."


def findings(facts: Facts, as_of: date) -> list[Finding]:
    """Count who left after each kind of bad experience, and how many more than after alike good ones."""
    table = aftermath(
        rows_of(facts, "orders"),
        rows_of(facts, "returns"),
        as_of,
        shipments=None if facts.lacks("shipments") else rows_of(facts, "shipments"),
        horizons=(HORIZON_DAYS,),
    ).collect()
    events = {row["event"]: row for row in table.to_dicts()}
    found = _after_answer(facts, as_of)
    if facts.lacks("shipments"):
        found += _not_delivered(_PARTS["late_parcel"], "shipments")
    else:
        found += _after_event("late_parcel", events)
    if facts.lacks("returns"):
        return found + _not_delivered(_PARTS["bad_return"], "returns")
    if "bad_return" not in events and not _tells_reasons(rows_of(facts, "returns"), as_of):
        says = "Returns are delivered without their reasons, so nobody can tell which were the shop's fault."
        return found + [part.cannot_be_tested(says) for part in _PARTS["bad_return"]]
    return found + _after_event("bad_return", events)


def _tells_reasons(returns: pl.LazyFrame, as_of: date) -> bool:
    is_known = pl.coalesce("returned_day", "refunded_day") <= as_of
    told = returns.filter(is_known & pl.col("reason").is_not_null())
    return not told.select("reason").head(1).collect().is_empty()


def _not_delivered(parts: tuple[Part, Part], needs: str) -> list[Finding]:
    says = f"The shop does not deliver {needs.replace('_', ' ')}."
    return [part.cannot_be_tested(says, needs=(needs,)) for part in parts]


def _after_event(event: str, events: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    (left, more), kind, row = _PARTS[event], _EVENTS[event], events.get(event)
    n = row["with_n"] if row else 0
    if row is None or n < SMALL_GROUP:
        says = f"{n:,} {kind.bad} are {HORIZON_DAYS} days old; {_TOO_FEW}"
        return [left.cannot_tell(n, says), more.cannot_tell(n, says)]
    gone = remainder(Estimate(row["with_rate"], row["with_low"], row["with_high"]))
    return [
        left.tested(gone, n, f"{percent(gone)} of {kind.bad} had no further order {kind.period}."),
        _more_after_event(more, row, kind),
    ]


def _more_after_event(more: Part, row: Mapping[str, Any], kind: _Kind) -> Finding:
    n = row["with_n"]
    if row["difference"] is None or row["without_n"] < SMALL_GROUP:
        return more.cannot_tell(n, f"There are too few alike {kind.good} to compare with.")
    found = Estimate(-row["difference"], -row["high"], -row["low"])
    says = _said(1 - row["alike_with_rate"], 1 - row["alike_without_rate"], found, kind)
    return more.tested(found, n, says)


def _after_answer(facts: Facts, as_of: date) -> list[Finding]:
    left, more = _PARTS["answer"]
    if facts.lacks("survey_answers"):
        return _not_delivered((left, more), "survey_answers")
    groups = by_answer(facts, as_of, measure="nps", horizons=(HORIZON_DAYS,))
    bad, good = (groups.get((name, HORIZON_DAYS)) for name in ("detractor", "promoter"))
    n = bad["n"] if bad else 0
    if bad is None or n < SMALL_GROUP:
        says = f"{n:,} {_ANSWERS.bad} did so {HORIZON_DAYS} days ago or earlier; {_TOO_FEW}"
        return [left.cannot_tell(n, says), more.cannot_tell(n, says)]
    gone = remainder(plain(bad))
    says = f"{percent(gone)} of {_ANSWERS.bad} had no further order {_ANSWERS.period}.{silence(groups, HORIZON_DAYS)}"
    found = [left.tested(gone, n, says)]
    of_bad, of_good = standardised(bad), standardised(good) if good else None
    if good is None or good["n"] < SMALL_GROUP or of_bad is None or of_good is None:
        return [*found, more.cannot_tell(n, f"There are too few {_ANSWERS.good} to compare with.")]
    apart = difference(remainder(of_bad), remainder(of_good))
    says = _said(1 - of_bad.value, 1 - of_good.value, apart, _ANSWERS)
    return [*found, more.tested(apart, n, says)]


def _said(bad: float, good: float, found: Estimate, kind: _Kind) -> str:
    return (
        f"Of 100 {kind.bad}, {100 * bad:.1f} had no further order {kind.period}; of 100 alike {kind.good}, "
        f"{100 * good:.1f}: {points(found)}."
    )
