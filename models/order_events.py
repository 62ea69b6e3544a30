"""What happened to an order, and on which day it was first known: parcels, tickets, returns, refunds.

One row an order that anything happened to, one day a kind of event, so that whoever asks "what was known 30 days after
the order" compares two days. Orders that nothing is known of are in no row: that is not the same as "on time".

What does not belong here: what an event does to the next order (`models.aftermath`), and rates of events
(`models.service`, `models.returns`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import polars as pl

from models.refund_speed import LEGAL_DAYS

__all__ = ["BAD_REASONS", "EVENTS", "Event", "of_refunds", "of_returns", "of_shipments", "of_tickets"]

BAD_REASONS = (
    r"(?i)damag|defect|fault|broken|quality|not as described|wrong (item|product|article)"
    r"|besch\w*dig|defekt|kaputt|qualit|m\w*ngel|nicht wie beschrieben|falsche[rs]? (artikel|produkt)"
)
"""Reasons, in the source's words, that blame the shop: quality, damage, another thing than ordered or described; in
English and German (ours). A wrong size or colour, or a change of mind, blames nobody."""


class Event(NamedTuple):
    """How orders with an event are told from those to compare them with, by the first days known.

    Attributes
    ----------
    struck
        Column with the day on which it happened.
    spared
        Column with the day on which it was clear that it had not; None: whoever was not struck was spared.
    unless
        Column of a wider event that spared orders must not have met with either.
    besides
        Columns of other events that this one follows from: only orders that share these are alike.
    """

    struck: str
    spared: str | None = None
    unless: str | None = None
    besides: tuple[str, ...] = ()


_TROUBLE = ("late_day", "return_day", "bad_return_day")
EVENTS = {
    "late_parcel": Event("late_day", spared="on_time_day"),
    "ticket": Event("ticket_day", besides=_TROUBLE),
    "wismo_ticket": Event("wismo_day", unless="ticket_day", besides=_TROUBLE),
    "return": Event("return_day"),
    "bad_return": Event("bad_return_day", unless="return_day"),
    "slow_refund": Event("slow_refund_day", spared="quick_refund_day"),
}
"""Late parcels against parcels in time, slow refunds against quick ones, the others against orders without any ticket,
or return. An order without parcel, promise or arrival is in neither: unknown is not on time. People write because a
parcel is late or something must go back, so a ticket is judged among orders with the same trouble."""


def of_shipments(shipments: pl.LazyFrame) -> pl.LazyFrame:
    """First day on which a parcel of the order arrived late, and in time.

    A parcel counts once it has arrived: one without a promise, or that never arrived, is neither.

    Returns
    -------
    LazyFrame
        order_id, late_day, on_time_day (Date).
    """
    late, day = pl.col("is_late"), pl.col("delivered_day")
    return _first_days(shipments.filter(late.is_not_null()), late_day=(late, day), on_time_day=(~late, day))


def of_tickets(tickets: pl.LazyFrame) -> pl.LazyFrame:
    """First day on which a ticket named the order, and one that asks where it is.

    Returns
    -------
    LazyFrame
        order_id, ticket_day, wismo_day (Date).
    """
    day = pl.col("opened_day")
    return _first_days(tickets, ticket_day=(day.is_not_null(), day), wismo_day=(pl.col("is_wismo"), day))


def of_returns(returns: pl.LazyFrame, *, bad_reasons: str = BAD_REASONS) -> pl.LazyFrame:
    """First day on which merchandise of the order came back, and came back by the shop's fault.

    Parameters
    ----------
    bad_reasons
        Regular expression; a reason in which it is found blames the shop.

    Returns
    -------
    LazyFrame
        order_id, return_day, bad_return_day (Date).
    """
    day = pl.coalesce("returned_day", "refunded_day")
    return _first_days(
        returns.filter(pl.col("kind") == "merchandise"),
        return_day=(day.is_not_null(), day),
        bad_return_day=(pl.col("reason").str.contains(bad_reasons), day),
    )


def of_refunds(due: pl.LazyFrame) -> pl.LazyFrame:
    """First day on which a refund was seen to be slow, and to be quick.

    It is slow once `models.refund_speed.LEGAL_DAYS` are over without it, and quick when it comes by then.

    Parameters
    ----------
    due
        From `models.refund_speed.refunds_due`.

    Returns
    -------
    LazyFrame
        order_id, slow_refund_day, quick_refund_day (Date).
    """
    limit = pl.col("returned_day") + timedelta(LEGAL_DAYS)
    is_quick = (pl.col("refunded_day") <= limit).fill_null(False)
    # Known to be slow on the day after the last on which it would have been quick.
    return _first_days(
        due,
        slow_refund_day=(~is_quick, limit + timedelta(1)),
        quick_refund_day=(is_quick, pl.col("refunded_day")),
    )


def _first_days(events: pl.LazyFrame, **days: tuple[pl.Expr, pl.Expr]) -> pl.LazyFrame:
    """First day of each order on which each condition held."""
    return (
        events.filter(pl.col("order_id").is_not_null())
        .select("order_id", *(pl.when(holds).then(day).alias(name) for name, (holds, day) in days.items()))
        .group_by("order_id")
        .agg(pl.col(list(days)).min())
    )
