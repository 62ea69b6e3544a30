"""Claim 8: referred customers retain 37 % better.

Customers whom another customer brought are compared to customers who came in the same month and channel: did they
order again within 365 days? That leaves out who is not yet watched for so long.

What does not belong here: who refers, and what a referral earns.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from models.claims._alike_ratio import Ratio, alike_ratio, numbered
from models.claims._finding import Claimed, Facts, Finding, Sense, Unit
from models.claims._order_days import REPURCHASE_DAYS, valid_orders
from models.claims._part import Part, times
from models.claims._words import count, percent
from models.landmark import order_days, sequenced
from models.periods import period_index

__all__ = ["REFERRAL_CHANNEL", "findings", "first_orders"]

REFERRAL_CHANNEL = r"(?i)referr|refer.a.friend|friend|empfehl|freunde|parrain|aanbeveling"
"""Channels whose name says that a customer brought the order (ours)."""

_CLAIMED = Claimed(low=1.37, high=1.37, sense=Sense.AT_LEAST, unit=Unit.TIMES)
_EPOCH = date(1970, 1, 1)
_OUTCOME = (
    f"Share of customers with a second order day within {REPURCHASE_DAYS} days of their first, over customers whose "
    f"first order is at least {REPURCHASE_DAYS} days old. "
)
_BY_REFERRAL = Part(
    claim=8,
    part="by referral",
    definition=_OUTCOME
    + "Referred: the table of referrals named the customer as the friend by the first order. Compared to the other "
    "customers who came in the same month and channel, at the same mix of both, where there are at least 5.",
    n_of="referred customers",
    claimed=_CLAIMED,
)
_BY_CHANNEL = Part(
    claim=8,
    part="by channel",
    definition=_OUTCOME
    + "Referred: the channel of the first order is named for referrals. Compared to the customers who came in the same "
    "month through the other channels.",
    n_of="referred customers",
    claimed=_CLAIMED,
)


def findings(facts: Facts, as_of: date) -> list[Finding]:
    """Test the claim by the referrals delivered, and by channels that are named for them."""
    needs = facts.lacks("orders", "referrals")
    says = (
        "Connect the table of referrals (who brought whom) to see whether referred customers come back more."
    )
    if "orders" in needs:
        return [_BY_REFERRAL.cannot_be_tested(says, needs=needs)]
    rows = first_orders(facts.tables["orders"], facts.tables.get("referrals"), as_of)
    found = [
        _BY_REFERRAL.cannot_be_tested(says, needs=needs)
        if needs
        else _tested(_BY_REFERRAL, _compared(rows, "stratum", "is_referred"))
    ]
    if rows["by_channel"].any():
        found.append(_tested(_BY_CHANNEL, _compared(rows, "month", "by_channel")))
    return found


def first_orders(orders: pl.LazyFrame, referrals: pl.LazyFrame | None, as_of: date) -> pl.DataFrame:
    """Say of every customer watched long enough whether somebody brought them, and whether they came back.

    Parameters
    ----------
    orders
        order_id, customer_key, order_day, channel, is_valid.
    referrals
        friend_key, order_id, referred_day; None where there are none.

    Returns
    -------
    DataFrame
        One row per customer: stratum (Int64, from 0, of channel and month), month (Int64, from 0), is_referred,
        by_channel, came_back (Boolean).
    """
    day = pl.col("order_day")
    valid = valid_orders(orders, as_of).select("order_id", "customer_key", "order_day", "channel")
    known = [
        valid.filter(pl.col("channel").str.contains(REFERRAL_CHANNEL)).select("order_id", by_channel=day)
    ]
    names = ["by_channel"]
    if referrals is not None:
        known += _referred(valid, referrals.filter(pl.col("referred_day") <= as_of))
        names += ["referred", "named"]
    # Nobody has to wait for a landmark here: who brought a customer is known with the first order.
    rows = sequenced(order_days(orders, known, names, as_of, 0).collect(engine="streaming"), 0)
    is_first = pl.col("person").ne_missing(pl.col("person").shift(1))
    first = rows.filter(is_first).filter(pl.col("day") <= (as_of - timedelta(REPURCHASE_DAYS) - _EPOCH).days)
    return first.select(
        "stratum",
        "by_channel",
        month=numbered(period_index(pl.col("day").cast(pl.Date), "month")),
        is_referred=(pl.col("referred") | pl.col("named")) if referrals is not None else pl.lit(False),
        came_back=(pl.col("wait") <= REPURCHASE_DAYS).fill_null(False),
    )


def _referred(orders: pl.LazyFrame, referrals: pl.LazyFrame) -> list[pl.LazyFrame]:
    """Orders by whose day the customer had been referred, and orders that a referral of their customer names.

    Somebody who had bought before was not won by a referral: only first orders are looked at.
    """
    friends = referrals.filter(pl.col("friend_key").is_not_null()).select(
        "order_id", "referred_day", customer_key="friend_key"
    )
    by_day = friends.group_by("customer_key").agg(referred=pl.col("referred_day").min())
    named = friends.select("order_id", "customer_key").unique()
    return [
        orders.join(by_day, on="customer_key").select("order_id", "referred"),
        orders.join(named, on=["order_id", "customer_key"]).select("order_id", named="order_day"),
    ]


def _compared(rows: pl.DataFrame, stratum: str, event: str) -> Ratio:
    person = pl.int_range(rows.height, eager=True).to_numpy()
    return alike_ratio(rows[stratum].to_numpy(), rows[event].to_numpy(), rows["came_back"].to_numpy(), person)


def _tested(part: Part, found: Ratio) -> Finding:
    if found.ratio is None or found.rate_with is None or found.rate_without is None:
        says = (
            f"{count(found.n_with)} referred customers came at least a year ago, and there are no "
            "alike ones who came "
            "back to compare them to: too few to tell."
        )
        return part.cannot_tell(found.n_with, says)
    says = (
        f"{percent(found.rate_with)} of {count(found.n_with)} referred customers came back within a year, against "
        f"{percent(found.rate_without)} of others who came at the same time and in the same way: "
        f"{times(found.ratio)} "
        "as many, where the claim says 1.37."
    )
    if found.is_small:
        return part.cannot_tell(found.n_with, f"{says} Too few to tell.")
    return part.tested(found.ratio, found.n_with, says)
