"""Claim 4: average e-commerce retention is about 38 %, of subscriptions 40 to 45 %.

The claim names neither period nor denominator, and there are four retention rates in use. Each is held against the
figure, and so is the idea that they are one number.

What does not belong here: rates by cohort and age (`models.cohorts`).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import polars as pl

from models.claims._estimate import difference, share
from models.claims._finding import Claimed, Facts, Finding, Sense, Unit
from models.claims._orders import order_days
from models.claims._part import Part, percent, points
from models.cohorts import cohort_retention
from models.intervals import SMALL_GROUP

__all__ = ["MONTHS", "TOLERANCE", "YEAR_DAYS", "findings", "four_rates"]

MONTHS: Final = 12
YEAR_DAYS: Final = 365
TOLERANCE: Final = 0.05
"""How far from the figure "about" reaches, to both sides (ours)."""

_FIGURE: Final = 0.38
_CLAIMED: Final = Claimed(
    low=_FIGURE - TOLERANCE, high=_FIGURE + TOLERANCE, sense=Sense.ABOUT, unit=Unit.SHARE
)
_ABOUT = (
    f" The claim gives neither period nor denominator; “about {100 * _FIGURE:.0f} %” is read as "
    f"{100 * _CLAIMED.low:.0f} to {100 * _CLAIMED.high:.0f} % (our tolerance)."
)
_BAND = (
    f"where “about {100 * _FIGURE:.0f} %” is read as {100 * _CLAIMED.low:.0f} to {100 * _CLAIMED.high:.0f} %"
)
_COHORTS = (
    f"the customers of all monthly cohorts that are {MONTHS} months old, without a first month that looks cut off; "
    "95 % Wilson interval."
)
_PARTS: Final = {
    "active_rate": Part(
        claim=4,
        part=f"active in the {MONTHS}th month",
        definition=f"Customers with a valid order in the calendar month {MONTHS} months after that of their first "
        f"(active_rate), over {_COHORTS}{_ABOUT}",
        claimed=_CLAIMED,
        n_of="customers of complete cohorts",
    ),
    "repurchased_by": Part(
        claim=4,
        part=f"ordered again within {MONTHS} months",
        definition=f"Customers with a second valid order by the end of the month {MONTHS} months after that of their "
        f"first (repurchased_by), over {_COHORTS}{_ABOUT}",
        claimed=_CLAIMED,
        n_of="customers of complete cohorts",
    ),
    "retained_from": Part(
        claim=4,
        part=f"active in the {MONTHS}th month or later",
        definition=f"Customers with a valid order in the calendar month {MONTHS} months after that of their first, or "
        f"later (retained_from; still grows), over {_COHORTS}{_ABOUT}",
        claimed=_CLAIMED,
        n_of="customers of complete cohorts",
    ),
    "period_retention": Part(
        claim=4,
        part="year on year",
        definition=f"Customers with a valid order in the last {YEAR_DAYS} days, of all who had one in the {YEAR_DAYS} "
        f"days before, new or not (period_retention); 95 % Wilson interval.{_ABOUT}",
        claimed=_CLAIMED,
        n_of=f"customers of the {YEAR_DAYS} days before",
    ),
}
_APART = Part(
    claim=4,
    part="whether there is one retention rate",
    definition="Highest less lowest of the four rates. Two rates can both be “about "
    f"{100 * _FIGURE:.0f} %” only if they lie within {200 * TOLERANCE:.0f} points. 95 % interval by Newcombe's method, "
    "which takes the two as independent: they share customers, so it is rather too wide.",
    claimed=Claimed(low=0.0, high=2 * TOLERANCE, sense=Sense.AT_MOST, unit=Unit.POINTS),
    n_of="customers behind the smaller of the two",
)
_SUBSCRIPTIONS = Part(
    claim=4,
    part="subscriptions",
    definition="Share of subscriptions that are kept; needs a table of subscriptions with their beginnings and ends, "
    "which orders do not tell.",
    claimed=Claimed(low=0.40, high=0.45, sense=Sense.ABOUT, unit=Unit.SHARE),
    n_of="subscriptions",
)
_WORDS: Final = {
    "active_rate": f"ordered in the {MONTHS}th month after their first order's",
    "repurchased_by": f"had ordered again by the end of the {MONTHS}th month",
    "retained_from": f"ordered in the {MONTHS}th month or later",
    "period_retention": f"of those who bought in one year of {YEAR_DAYS} days bought in the next one",
}


def findings(facts: Facts, as_of: date) -> list[Finding]:
    """Hold each of the four retention rates against the figure, and against each other."""
    counts = {row["measure"]: row for row in four_rates(order_days(facts, as_of), as_of).to_dicts()}
    rates = {
        measure: (share(row["customers"], row["n"]), row["n"])
        for measure, row in counts.items()
        if row["n"] >= SMALL_GROUP
    }
    found: list[Finding] = []
    for measure, part in _PARTS.items():
        if measure in rates:
            rate, n = rates[measure]
            found.append(part.tested(rate, n, f"{percent(rate)} {_WORDS[measure]}, {_BAND}."))
        else:
            n = counts[measure]["n"] if measure in counts else 0
            found.append(part.cannot_tell(n, _too_few(measure, n)))
    by_rate = sorted(rates, key=lambda measure: rates[measure][0].value)
    if len(rates) < len(_PARTS):
        found.append(_APART.cannot_tell(0, "Not all four rates are known yet."))
    else:
        (lowest, n), (highest, other_n) = rates[by_rate[0]], rates[by_rate[-1]]
        apart = difference(highest, lowest)
        says = (
            f"Between the lowest rate, {100 * lowest.value:.1f} % ({_PARTS[by_rate[0]].part}), and the highest, "
            f"{100 * highest.value:.1f} % ({_PARTS[by_rate[-1]].part}), lie {points(apart)}, where a band of "
            f"{100 * _CLAIMED.low:.0f} to {100 * _CLAIMED.high:.0f} % has room for {200 * TOLERANCE:.0f}: a "
            "retention rate without its definition says nothing."
        )
        found.append(_APART.tested(apart, min(n, other_n), says))
    says = "Orders do not tell who has subscribed to what; a table of subscriptions would be needed."
    return [*found, _SUBSCRIPTIONS.cannot_be_tested(says, needs=("subscriptions",))]


def four_rates(purchases: pl.LazyFrame, as_of: date) -> pl.DataFrame:
    """Count the four retention rates of a shop as a whole.

    Parameters
    ----------
    purchases
        One row per customer and order day: customer_key, order_day, orders.
    as_of
        Last day included; later purchases change nothing.

    Returns
    -------
    DataFrame
        One row per measure of `models.cohorts` that can be known by then: measure, customers and n (Int64). The first
        three are of the cohorts complete at `MONTHS` months, added up, without left-truncated ones; period_retention
        is of two years of 365 days, the second ending on `as_of`, and is left out where the history is shorter.
    """
    known = purchases.filter(pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of))
    at_age = (
        cohort_retention(known, as_of)
        .filter(
            (pl.col("k") == MONTHS)
            & pl.col("is_complete")
            & ~pl.col("is_left_truncated")
            & (pl.col("measure") != "period_retention")
        )
        .group_by("measure")
        .agg(pl.col("customers", "n").sum())
    )
    day = pl.col("order_day")
    before, start = as_of - timedelta(YEAR_DAYS), as_of - timedelta(2 * YEAR_DAYS)
    yearly = (
        known.group_by("customer_key")
        .agg(
            since=day.min(),
            first=((day > start) & (day <= before)).any(),
            second=(day > before).any(),
        )
        .select(
            measure=pl.lit("period_retention"),
            customers=(pl.col("first") & pl.col("second")).sum().cast(pl.Int64),
            n=pl.col("first").sum().cast(pl.Int64),
            since=pl.col("since").min(),
        )
        # A year of which only a part was loaded is no year.
        .filter(pl.col("since") <= start + timedelta(1))
        .drop("since")
    )
    return pl.concat([at_age, yearly]).sort("measure").collect(engine="streaming")


def _too_few(measure: str, n: int) -> str:
    if measure == "period_retention" and n == 0:
        return f"The history is shorter than two years of {YEAR_DAYS} days."
    return f"{n:,} customers are known for long enough; there must be {SMALL_GROUP}."
