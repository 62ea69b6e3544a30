"""What each person of a campaign did in their window, and in the year before it; and the sums that effects are made of.

Every person has a window of their own, from their start on; what they did before it can be no effect of the campaign,
so it may even out how the lot fell. All of it is known by ``as_of``.

What does not belong here: comparing the two groups (`models._group_difference`), who is in a campaign
(`models.campaign_effect`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from models._group_difference import Group

__all__ = ["BEFORE_DAYS", "OUTCOMES", "Outcome", "group_sums", "person_outcomes"]

BEFORE_DAYS: Final = 365
"""Days before a person's start whose orders tell how much they buy anyway."""
MONEY_UNITS: Final = 10_000
"""Amounts have four digits; sums of whole ten-thousandths and of their squares are exact in any order of rows."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing that is compared between the groups.

    Attributes
    ----------
    adjusted_by
        Column of the year before that goes with it.
    is_share
        One or nothing per person.
    is_money
        Counted in ten-thousandths of the shop's currency.
    """

    adjusted_by: str
    is_share: bool = False
    is_money: bool = False

    @property
    def units(self) -> int:
        """How many of the whole numbers summed make one."""
        return MONEY_UNITS if self.is_money else 1


OUTCOMES: Final[Mapping[str, Outcome]] = {
    "ordered": Outcome("orders_before", is_share=True),
    "orders": Outcome("orders_before"),
    "net_revenue": Outcome("net_before", is_money=True),
    "returned_value": Outcome("net_before", is_money=True),
    "unsubscribed": Outcome("orders_before", is_share=True),
}
"""What is compared; a verdict rests on the first."""

_BEFORE = ("orders_before", "net_before")
_WIDE = pl.Int128()


def person_outcomes(
    people: pl.LazyFrame,
    orders: pl.LazyFrame,
    returns: pl.LazyFrame,
    unsubscribed: pl.LazyFrame | None,
    *,
    window_days: int,
    as_of: date,
) -> pl.LazyFrame:
    """Tell what each person did in their window and in the 365 days before it, as known by `as_of`.

    Parameters
    ----------
    people
        customer_key (once), assignment, started_on.
    orders
        order_id, customer_key, order_day, is_valid, gross, discount.
    returns
        order_id, kind, outcome, amount, returned_day, refunded_day.
    unsubscribed
        customer_key, unsubscribed_day; None where nobody can know.
    window_days
        The window: the day of the start and the days after it, so many in all.

    Returns
    -------
    LazyFrame
        One row per person: assignment; ordered, orders, net_revenue, returned_value, unsubscribed (null where unknown)
        in the window; orders_before, net_before. Int64, money in ten-thousandths. Refunds lower net revenue as in
        `models.summary.known_refunds`, if known by the end of the window; those of earlier orders, if known before the
        start. Exchanges count in returned_value only.
    """
    starts = people.select("customer_key", "started_on")
    last = pl.min_horizontal(pl.col("started_on") + pl.duration(days=window_days - 1), pl.lit(as_of))
    is_before = pl.col("order_day") < pl.col("started_on")
    placed = _placed(orders, starts, window_days, as_of)
    back = _sent_back(returns, placed.select("order_id", "started_on", is_before=is_before), last)
    did = (
        placed.join(back, on="order_id", how="left")
        .with_columns(net=pl.col("value") - pl.col("refunded").fill_null(0), is_before=is_before)
        .group_by("customer_key")
        .agg(
            orders=(~pl.col("is_before")).sum(),
            net_revenue=pl.when(~pl.col("is_before")).then("net").sum(),
            returned_value=pl.when(~pl.col("is_before")).then("returned").sum(),
            orders_before=pl.col("is_before").sum(),
            net_before=pl.when("is_before").then("net").sum(),
        )
    )
    told = people.select("customer_key", "assignment", "started_on").join(did, on="customer_key", how="left")
    told = _with_unsubscribed(told, unsubscribed, starts, last)
    counted = pl.col("orders", "net_revenue", "returned_value", *_BEFORE).fill_null(0).cast(pl.Int64)
    return told.select("assignment", counted, "unsubscribed").with_columns(
        ordered=(pl.col("orders") > 0).cast(pl.Int64)
    )


def group_sums(outcomes: pl.LazyFrame) -> dict[tuple[str, str], Group]:
    """Sum up what each group did: by assignment and outcome, whole numbers only.

    Parameters
    ----------
    outcomes
        As of `person_outcomes`.

    Returns
    -------
    dict
        (assignment, outcome) -> sums; an outcome that nobody can know is left out.
    """
    sums = [pl.len().alias("n")]
    for name in (*OUTCOMES, *_BEFORE):
        column = pl.col(name).cast(_WIDE)
        sums += [column.sum().alias(name), (column * column).sum().alias(f"{name}²")]
    for name, outcome in OUTCOMES.items():
        both = pl.col(name).cast(_WIDE) * pl.col(outcome.adjusted_by).cast(_WIDE)
        sums.append(both.sum().alias(f"{name}×"))
    sums.append(pl.col("unsubscribed").is_null().any().alias("is_untold"))
    rows = outcomes.group_by("assignment").agg(sums).collect(engine="streaming").to_dicts()
    return {
        (row["assignment"], name): Group(
            n=row["n"],
            total=row[name],
            squares=row[f"{name}²"],
            before=row[outcome.adjusted_by],
            before_squares=row[f"{outcome.adjusted_by}²"],
            products=row[f"{name}×"],
        )
        for row in rows
        for name, outcome in OUTCOMES.items()
        if not (name == "unsubscribed" and row["is_untold"])
    }


def _placed(orders: pl.LazyFrame, starts: pl.LazyFrame, window_days: int, as_of: date) -> pl.LazyFrame:
    """Keep the valid orders of people in their window and in the year before it: order_id, customer_key, value ..."""
    day, start = pl.col("order_day"), pl.col("started_on")
    return (
        orders.filter(pl.col("is_valid") & (day <= as_of))
        .select("order_id", "customer_key", "order_day", "gross", "discount")
        .join(starts, on="customer_key")
        .filter(
            day.is_between(
                start - pl.duration(days=BEFORE_DAYS), start + pl.duration(days=window_days), closed="left"
            )
        )
        .select(
            "order_id",
            "customer_key",
            "started_on",
            "order_day",
            value=_units(pl.col("gross")) - _units(pl.col("discount")),
        )
    )


def _sent_back(returns: pl.LazyFrame, placed: pl.LazyFrame, last: pl.Expr) -> pl.LazyFrame:
    """What of each order was refunded, and was sent back, while that may count: order_id, refunded, returned."""
    known_on = pl.coalesce("refunded_day", "returned_day")
    counts = pl.when("is_before").then(known_on < pl.col("started_on")).otherwise(known_on <= last)
    return (
        returns.filter(pl.col("kind") == "merchandise")
        .select("order_id", "outcome", "amount", "returned_day", "refunded_day")
        .join(placed, on="order_id")
        .filter(counts)
        .group_by("order_id")
        .agg(
            refunded=pl.when(pl.col("outcome").ne_missing("exchange")).then(_units(pl.col("amount"))).sum(),
            returned=_units(pl.col("amount")).sum(),
        )
    )


def _with_unsubscribed(
    people: pl.LazyFrame, unsubscribed: pl.LazyFrame | None, starts: pl.LazyFrame, last: pl.Expr
) -> pl.LazyFrame:
    if unsubscribed is None:
        return people.with_columns(unsubscribed=pl.lit(None, pl.Int64))
    left = (
        unsubscribed.join(starts, on="customer_key")
        .filter(pl.col("unsubscribed_day").is_between(pl.col("started_on"), last))
        .select("customer_key", unsubscribed=pl.lit(1, pl.Int64))
        .unique()
    )
    return people.join(left, on="customer_key", how="left").with_columns(pl.col("unsubscribed").fill_null(0))


def _units(amount: pl.Expr) -> pl.Expr:
    return (amount * MONEY_UNITS).cast(pl.Int64)
