"""Claim 3: returning customers spend three times as much as one-time buyers.

Counted per customer over all time this is true by construction: whoever ordered twice has had two orders to spend on,
and whoever has been a customer for longer has had more time for them. So customers are compared at equal age, over the
days after their own first order, and the order itself is compared apart from how many there are.

What does not belong here: what customers are worth later (`models.clv`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import polars as pl

from models.claims._estimate import Estimate, ratio, ratio_of_sums
from models.claims._finding import Claimed, Facts, Finding, Sense, Unit
from models.claims._first_month import NOT_LOOKING_NEW, looks_new_until
from models.claims._orders import known_purchases, single_orders
from models.claims._part import Part, times
from models.intervals import SMALL_GROUP
from models.order_days import identity_of, packed, unpacked
from models.summary import MONEY

__all__ = ["AGE_DAYS", "findings", "spend_at_equal_age"]

AGE_DAYS: Final = 365
"""Days after the first order over which customers are compared."""

_EPOCH: Final = date(1970, 1, 1)
_DAY_ZERO: Final = (_EPOCH - date.min).days  # So that no day is negative.
_CLAIMED: Final = Claimed(low=3.0, high=3.0, sense=Sense.AT_LEAST, unit=Unit.TIMES)
_WHO = (
    f"Customers whose first order is at least {AGE_DAYS} days old, over the {AGE_DAYS} days after it: returning are "
    "those with orders on two or more days within them, one-time buyers those with one. Net of discounts and of "
    "refunds known by then, without tax and shipping; orders of one day are taken as one. "
    f"{NOT_LOOKING_NEW}"
)
_HOW = (
    "95 % interval by Fieller's method, customers being what is independent. Read as: at least three times."
)
_PARTS: Final = {
    "customer": Part(
        claim=3,
        part="per customer, at equal age",
        definition=_WHO
        + "Mean net per customer, returning over one-time. Not over all time: there it is true by construction, since "
        "older customers have had more time to spend and to return. Even at equal age two orders or more stand "
        f"against one. {_HOW}",
        claimed=_CLAIMED,
        n_of=f"customers seen for {AGE_DAYS} days",
    ),
    "order": Part(
        claim=3,
        part="per order, at equal age",
        definition=_WHO
        + "Mean net per order of returning customers over that of one-time buyers' only order, so "
        f"that having more of them counts for nothing. {_HOW}",
        claimed=_CLAIMED,
        n_of=f"customers seen for {AGE_DAYS} days",
    ),
    "first": Part(
        claim=3,
        part="the first order of those who return",
        definition=_WHO
        + "Mean net of returning customers' first order over that of one-time buyers' only order: "
        f"whether those who will return spend more from the start. {_HOW}",
        claimed=_CLAIMED,
        n_of=f"customers seen for {AGE_DAYS} days",
    ),
}


def findings(facts: Facts, as_of: date) -> list[Finding]:
    """Compare what returning customers and one-time buyers spend; see `_PARTS` for the definitions."""
    purchases = known_purchases(facts, as_of)
    looks_new = looks_new_until(single_orders(facts, as_of), as_of)
    sums = _sums(purchases, as_of, AGE_DAYS, looks_new)
    groups = {row["is_returning"]: row for row in sums.to_dicts()}
    sizes = {who: groups[who]["customers"] if who in groups else 0 for who in (True, False)}
    n = sizes[True] + sizes[False]
    if min(sizes.values()) < SMALL_GROUP:
        says = (
            f"Of {n:,} customers seen for {AGE_DAYS} days {sizes[True]:,} returned; there must be {SMALL_GROUP} who "
            f"did and {SMALL_GROUP} who did not."
        )
        return [part.cannot_tell(n, says) for part in _PARTS.values()]
    return [
        _compared(part, _MEANS[name](groups[True]), _MEANS[name](groups[False]), n, _WORDS[name])
        for name, part in _PARTS.items()
    ]


def spend_at_equal_age(
    purchases: pl.LazyFrame, as_of: date, *, age_days: int = AGE_DAYS, history_start: date | None = None
) -> pl.DataFrame:
    """Add up what returning customers and one-time buyers spent up to the same age.

    Customers of a left-truncated first month (as `models.cohorts` marks it) are left out: their first known order may
    not be their first.

    Parameters
    ----------
    purchases
        One row per customer and order day: customer_key, order_day, net, orders.
    as_of
        Last day included; later purchases change nothing.
    age_days
        Days after the first order day; only customers who have had them all count.
    history_start
        First day of the loaded history; None takes the first order day, and then the first month always looks cut off.

    Returns
    -------
    DataFrame
        At most two rows, one-time buyers first: is_returning (order days within the age are two or more), customers,
        orders (order days), orders_squared, net, net_squared, net_by_orders (sum of the products), first_net,
        first_net_squared; all Int128 but customers (Int64). Money is in ten-thousandths, so that sums are exact
        in whatever order they are made.
    """
    return _sums(purchases, as_of, age_days, looks_new_until(purchases, as_of, history_start))


def _sums(purchases: pl.LazyFrame, as_of: date, age_days: int, looks_new: date | None) -> pl.DataFrame:
    net, first, orders = (pl.col(name).cast(pl.Int128) for name in ("net", "first_net", "orders"))
    return (
        _aged(purchases, as_of, age_days, looks_new)
        .group_by("customer")
        .agg(orders=pl.len(), net=pl.col("net").sum(), first_net=pl.col("first_net").sum())
        .group_by(is_returning=pl.col("orders") > 1)
        .agg(
            customers=pl.len().cast(pl.Int64),
            orders=orders.sum(),
            orders_squared=(orders * orders).sum(),
            net=net.sum(),
            net_squared=(net * net).sum(),
            net_by_orders=(net * orders).sum(),
            first_net=first.sum(),
            first_net_squared=(first * first).sum(),
        )
        .sort("is_returning")
        .collect(engine="streaming")
    )


def _aged(purchases: pl.LazyFrame, as_of: date, age_days: int, looks_new: date | None) -> pl.LazyFrame:
    """Order days up to the age of the customers who have reached it: customer (a number), net, first_net (or null).

    Whoever first ordered up to the day `looks_new` is left out.
    """
    # One sort of customer and day in one number costs half of joining everybody's first day back.
    sorted_days = (
        purchases.filter(pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of))
        .select(
            _place=packed(
                identity_of(pl.col("customer_key")), pl.col("order_day").cast(pl.Int32) + _DAY_ZERO
            ),
            net=pl.col("net").cast(MONEY).to_physical(),
        )
        .sort("_place")
    )
    who, day = unpacked(pl.col("_place"))
    is_first = (pl.col("_who") != pl.col("_who").shift(1)).fill_null(True)
    return (
        sorted_days.select("net", _who=who, _day=day - _DAY_ZERO)
        .with_columns(is_first=is_first)
        .select(
            "net",
            "_day",
            customer=pl.col("is_first").cum_sum(),
            first_net=pl.when("is_first").then("net"),
            _first_day=pl.when("is_first").then("_day").forward_fill(),
        )
        .filter(
            (pl.col("_first_day") <= (as_of - _EPOCH).days - age_days)
            & (pl.col("_first_day") > ((looks_new or date.min) - _EPOCH).days)
            & (pl.col("_day") <= pl.col("_first_day") + age_days)
        )
    )


def _per_customer(group: Mapping[str, Any]) -> Estimate:
    return ratio_of_sums(group["customers"], group["net"], group["net_squared"])


def _per_order(group: Mapping[str, Any]) -> Estimate:
    return ratio_of_sums(
        group["customers"],
        group["net"],
        group["net_squared"],
        group["orders"],
        group["orders_squared"],
        group["net_by_orders"],
    )


def _per_first_order(group: Mapping[str, Any]) -> Estimate:
    return ratio_of_sums(group["customers"], group["first_net"], group["first_net_squared"])


_MEANS: Final = {"customer": _per_customer, "order": _per_order, "first": _per_first_order}
_WORDS: Final = {
    "customer": f"In the {AGE_DAYS} days after their first order, returning customers spent",
    "order": "With each order, returning customers spent",
    "first": "With their very first order, those who would return spent",
}


def _compared(part: Part, returning: Estimate, once: Estimate, n: int, words: str) -> Finding:
    found = ratio(returning, once)
    if found is None:
        return part.cannot_tell(
            n, "One-time buyers kept nothing of what they bought: there is no ratio to it."
        )
    units = 10_000  # Money is counted in ten-thousandths.
    says = (
        f"{words} {times(found)} what one-time buyers did: {returning.value / units:,.2f} against "
        f"{once.value / units:,.2f} in the shop's currency."
    )
    return part.tested(found, n, says)
