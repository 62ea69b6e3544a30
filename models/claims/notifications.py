"""Claim 10: automatic notifications cut "where is my order?" contacts by up to 90 %.

Orders whose customer got a transactional message about the time the parcel left are compared to orders without one,
alike in lateness, channel and month. Slow parcels leave more time for a message and for a question, so the clock is
the same for both: the day after the parcel left decides with or without, and only questions after that day count.

What does not belong here: how often people ask (`models.service`), and what asking does to the next order
(`models.aftermath`).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from models.claims._alike_ratio import Ratio, alike_ratio, numbered, text_code
from models.claims._estimate import Estimate, remainder
from models.claims._finding import Claimed, Facts, Finding, Sense, Unit
from models.claims._order_days import valid_orders
from models.claims._part import Part
from models.claims._words import count, percent, signed_percent
from models.periods import period_index

__all__ = ["findings", "orders_by_notification"]

WATCHED_DAYS = 30
NOTICE_DAYS = 1

_DEFINITION = (
    "One minus the ratio of the shares of orders with a ticket that asks where the order is, notified against not. "
    "Notified: a transactional message was sent to the customer from the parcel's leaving to the end of the next day "
    "(an order's first parcel). Counted: tickets naming the order, opened later than that day and "
    f"within {WATCHED_DAYS} "
    "days of leaving; orders asked about before are left out, and so are orders not yet watched for so long. At the "
    "same mix of lateness, channel and month. Holds if contacts are cut at all and by no more than 90 %."
)
_PART = Part(
    claim=10,
    part="after the parcel left",
    definition=_DEFINITION,
    n_of="orders with a notice",
    claimed=Claimed(low=0.0, high=0.9, sense=Sense.ABOUT, unit=Unit.SHARE),
)


def findings(facts: Facts, as_of: date) -> list[Finding]:
    """Test by how much a notice of shipping cuts the contacts."""
    needs = facts.lacks("orders", "shipments", "tickets", "messages")
    if needs:
        named = {"orders": "orders", "shipments": "parcels", "tickets": "tickets", "messages": "messages"}
        missing = _joined([named[name] for name in needs])
        says = f"Connect {missing} to see whether notifications spare the shop questions."
        return [_PART.cannot_be_tested(says, needs=needs)]
    tables = facts.tables
    notices = tables["messages"].filter((pl.col("kind") == "transactional") & (pl.col("sent_day") <= as_of))
    if notices.head(1).collect().is_empty():
        says = (
            "The messages delivered hold none of the kind transactional: deliver the automatic ones, "
            "such as the notice "
            "of shipping, too."
        )
        return [_PART.cannot_be_tested(says, needs=("messages",))]
    questions = tables["tickets"].filter(
        pl.col("order_id").is_not_null() & pl.col("is_wismo").is_not_null() & (pl.col("opened_day") <= as_of)
    )
    if questions.head(1).collect().is_empty():
        says = "No ticket names an order and a topic: both are needed to tell who asked where it is."
        return [_PART.cannot_be_tested(says, needs=("tickets",))]
    rows = orders_by_notification(tables["orders"], tables["shipments"], questions, notices, as_of)
    stratum, notified, asked, person = (rows[name].to_numpy() for name in rows.columns)
    return [_tested(alike_ratio(stratum, notified, asked, person))]


def orders_by_notification(
    orders: pl.LazyFrame,
    shipments: pl.LazyFrame,
    tickets: pl.LazyFrame,
    messages: pl.LazyFrame,
    as_of: date,
) -> pl.DataFrame:
    """Say of every order that left long enough ago whether its customer was notified and then asked where it is.

    Parameters
    ----------
    orders
        order_id, customer_key, order_day, channel, is_valid.
    shipments
        order_id, shipped_at, shipped_day, is_late.
    tickets
        order_id, is_wismo, opened_day; by `as_of`.
    messages
        The transactional ones: customer_key, sent_at, sent_day.

    Returns
    -------
    DataFrame
        One row per order: stratum (Int64, from 0), notified, asked (Boolean), person (Int64).
    """
    parcel = (
        shipments.filter(
            pl.col("order_id").is_not_null() & (pl.col("shipped_day") <= as_of - timedelta(WATCHED_DAYS))
        )
        .group_by("order_id")
        .agg(
            pl.col("shipped_at").min(),
            pl.col("shipped_day").min(),
            # What arrived later than as_of is not known to be late by then.
            is_late=pl.when(pl.col("delivered_day") <= as_of).then("is_late").max(),
        )
    )
    landmark = pl.col("shipped_day") + timedelta(NOTICE_DAYS)
    sent = (
        valid_orders(orders, as_of)
        .select("order_id", "customer_key", "order_day", "channel")
        .join(parcel, on="order_id")
    )
    notified = (
        sent.select("order_id", "customer_key", "shipped_at", "shipped_day")
        .join(messages.select("customer_key", "sent_at", "sent_day"), on="customer_key")
        .filter((pl.col("sent_at") >= pl.col("shipped_at")) & (pl.col("sent_day") <= landmark))
        .select("order_id")
        .unique()
        .with_columns(notified=True)
    )
    asked = (
        tickets.filter("is_wismo")
        .group_by("order_id")
        .agg(
            first_asked=pl.col("opened_day").min(),
        )
    )
    first = pl.col("first_asked")
    return (
        sent.join(notified, on="order_id", how="left")
        .join(asked, on="order_id", how="left")
        .filter(first.is_null() | (first > landmark))
        .select(
            stratum=numbered(
                period_index(pl.col("order_day"), "month") - period_index(pl.col("order_day"), "month").min(),
                text_code("channel"),
                pl.col("is_late"),
            ),
            notified=pl.col("notified").fill_null(False),
            asked=(first <= pl.col("shipped_day") + timedelta(WATCHED_DAYS)).fill_null(False),
            person=text_code("customer_key") - 1,
        )
        .collect(engine="streaming")
    )


def _tested(found: Ratio) -> Finding:
    if found.ratio is None or found.rate_with is None or found.rate_without is None:
        says = (
            f"{count(found.n_with)} orders with a notice of shipping and {count(found.n_without)} "
            "without do not hold "
            "enough alike ones of which somebody asked where they were: nobody can tell."
        )
        return _PART.cannot_tell(found.n_with, says)
    low, high = found.ratio.low, found.ratio.high
    # A ratio of 0.4 is 60 % less.
    change = Estimate(
        found.ratio.value - 1, None if low is None else low - 1, None if high is None else high - 1
    )
    says = (
        f"{percent(found.rate_with)} of {count(found.n_with)} orders with a notice of shipping were asked about, "
        f"against {percent(found.rate_without)} of alike orders without: questions change by "
        f"{signed_percent(change)}, where the claim says by up to \N{MINUS SIGN}90 %."
    )
    if found.is_small:
        return _PART.cannot_tell(found.n_with, f"{says} Too few to tell.")
    return _PART.tested(remainder(found.ratio), found.n_with, says)


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
