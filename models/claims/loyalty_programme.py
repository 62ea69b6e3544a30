"""Claim 9: loyalty programmes lift retention by 5 %; 53 % say that points and discounts prolong loyalty.

Members are better customers before they join: who buys often has more occasions to join and more to gain. So an order
within 30 days of which its customer joined is compared to orders of people who had not joined by then, alike in earlier
order days, the pace of these, channel, month and whether they had ordered again by that day. The clock starts 30 days
after the order for both (see `models.aftermath` for why). Who joins later stays with those who had not: to drop them
would look into the future. Both leave a difference between people that no table shows: it is not an experiment.

What does not belong here: tiers that the lab computes (`models.tiers`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from models.aftermath import LANDMARK_DAYS
from models.claims._alike_ratio import Ratio, alike_ratio, numbered
from models.claims._finding import Claimed, Facts, Finding, Sense, Status, Unit
from models.claims._order_days import REPURCHASE_DAYS
from models.claims._part import Part, times
from models.claims._words import count, percent
from models.landmark import order_days, sequenced

__all__ = ["findings", "orders_by_membership"]

PACE_BANDS = (15, 30, 60, 120, 240)
"""Lower ends, in days, of the strata of the mean gap between earlier order days (ours)."""

_EPOCH = date(1970, 1, 1)
_OUTCOME = (
    f"Share of order days that were followed by another more than {LANDMARK_DAYS} and at most {REPURCHASE_DAYS} days "
    f"later, over order days at least {REPURCHASE_DAYS} days old. With: the first booking in the loyalty ledger fell "
    f"on that day or within the {LANDMARK_DAYS} days after. Without: none by then. "
)
_AT_SAME_MIX = (
    "At the same mix of earlier order days, their mean gap, channel, month and whether another order followed within "
    f"the {LANDMARK_DAYS} days. A comparison of alike orders, not an experiment: eagerness that "
    "earlier orders do not "
    "show stays in it, so it rather says too much for the programme."
)
_NOTHING_EQUAL = "Nothing else is made equal, so whatever it shows, it cannot tell what the programme does."
_EAGER = "Eager buyers join more, so by itself this says nothing of the programme."


_N_OF = "orders with which somebody joined"
_LIFT = Claimed(low=1.05, high=1.05, sense=Sense.AT_LEAST, unit=Unit.TIMES)
_ALIKE = Part(claim=9, part="alike orders", definition=_OUTCOME + _AT_SAME_MIX, n_of=_N_OF, claimed=_LIFT)
_PLAIN = Part(claim=9, part="plain", definition=_OUTCOME + _NOTHING_EQUAL, n_of=_N_OF, claimed=_LIFT)
_SURVEY = Part(
    claim=9,
    part="what people say",
    definition="An answer that people gave in a survey of the market; no table of a shop holds it.",
    n_of="",
    claimed=Claimed(low=0.53, high=0.53, sense=Sense.ABOUT, unit=Unit.SHARE),
)


def findings(facts: Facts, as_of: date) -> list[Finding]:
    """Test the lift plainly and among alike orders; what people say in surveys of the market cannot be tested."""
    says = (
        "That 53 % say points and discounts prolong loyalty is a survey of the market: no shop can test it."
    )
    survey = _SURVEY.cannot_be_tested(says)
    needs = facts.lacks("orders", "loyalty_ledger")
    if needs:
        says = (
            "Connect the loyalty programme's ledger to see whether members come back more than alike others."
        )
        return [*(part.cannot_be_tested(says, needs=needs) for part in (_ALIKE, _PLAIN)), survey]
    rows = orders_by_membership(facts.tables["orders"], facts.tables["loyalty_ledger"], as_of)
    stratum, joined, again, person = (rows[name].to_numpy() for name in rows.columns)
    alike = _tested(
        _ALIKE, alike_ratio(stratum, joined, again, person), "alike orders of people who had not joined"
    )
    # Plain is alike in nothing: a single stratum.
    plain = _tested(
        _PLAIN, alike_ratio(np.zeros_like(stratum), joined, again, person), "all orders of others"
    )
    # Members were better customers before they joined: plainly, the programme would pass in any shop.
    plain = replace(plain, status=Status.CANNOT_TELL, says=f"{plain.says} {_EAGER}")
    return [alike, plain, survey]


def orders_by_membership(orders: pl.LazyFrame, ledger: pl.LazyFrame, as_of: date) -> pl.DataFrame:
    """Say of every order day watched long enough whether its customer joined with it.

    Parameters
    ----------
    orders
        order_id, customer_key, order_day, channel, is_valid.
    ledger
        customer_key, booked_day.

    Returns
    -------
    DataFrame
        One row per customer and order day before which the customer was no member: stratum (Int64, from 0), joined,
        again (Boolean), person (Int64).
    """
    member = (
        ledger.filter(pl.col("customer_key").is_not_null() & (pl.col("booked_day") <= as_of))
        .group_by("customer_key")
        .agg(member_day=pl.col("booked_day").min())
    )
    day, since = pl.col("order_day"), pl.col("member_day")
    known = (
        orders.select("order_id", "customer_key", "order_day")
        .join(member, on="customer_key")
        .select("order_id", joined=pl.when(since >= day).then(since), earlier=pl.when(since < day).then(day))
    )
    frame = order_days(orders, [known], ["joined", "earlier"], as_of, LANDMARK_DAYS).collect(
        engine="streaming"
    )
    rows = sequenced(frame, LANDMARK_DAYS)
    first = pl.col("person").ne_missing(pl.col("person").shift(1))
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    earlier = place - pl.when(first).then(place).forward_fill()
    age = pl.col("day") - pl.when(first).then("day").forward_fill()
    pace = pl.sum_horizontal((age >= low * earlier).cast(pl.Int64) for low in PACE_BANDS)
    next_day = pl.when(pl.col("person") == pl.col("person").shift(-1)).then(pl.col("day").shift(-1))
    soon = (next_day <= pl.col("day") + LANDMARK_DAYS).fill_null(False)
    watched = (as_of - timedelta(REPURCHASE_DAYS) - _EPOCH).days
    return (
        rows.with_columns(pace=pl.when(earlier > 0).then(pace), soon=soon)
        .filter(~pl.col("earlier") & (pl.col("day") <= watched))
        .select(
            stratum=numbered(pl.col("stratum"), pl.col("pace"), pl.col("soon")),
            joined="joined",
            again=(pl.col("wait") <= REPURCHASE_DAYS).fill_null(False),
            person="person",
        )
    )


def _tested(part: Part, found: Ratio, others: str) -> Finding:
    if found.ratio is None or found.rate_with is None or found.rate_without is None:
        says = (
            f"With {count(found.n_with)} orders somebody joined the programme at least a year ago, and there are no "
            "others to compare them to: too few to tell."
        )
        return part.cannot_tell(found.n_with, says)
    says = (
        f"{percent(found.rate_with)} of {count(found.n_with)} orders with which somebody joined the programme were "
        f"followed by another within a year, against {percent(found.rate_without)} of {others}: "
        f"{times(found.ratio)} as "
        "many, where the claim says 1.05."
    )
    if found.is_small:
        return part.cannot_tell(found.n_with, f"{says} Too few to tell.")
    return part.tested(found.ratio, found.n_with, says)
