"""Claim 12: post-purchase messages are opened 21 % more than other retail mail.

Messages within 30 days after an order are compared to marketing messages at other times, of the same channel and month;
where the sending tool tells automatic messages from marketing, these two as well. Mail programs that load every message
by themselves ("mail privacy protection") count as opens nobody made: they raise both sides and draw the ratio to 1.

What does not belong here: what messages do to orders (`models.campaign_effect`).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from models.claims._alike_ratio import Ratio, alike_ratio, numbered, text_code
from models.claims._finding import Claimed, Facts, Finding, Sense, Unit
from models.claims._order_days import valid_orders
from models.claims._part import Part, times
from models.claims._words import count, percent
from models.periods import period_index

__all__ = ["findings", "watched_messages"]

OPENED_WITHIN_DAYS = 7
AFTER_ORDER_DAYS = 30

_OUTCOME = (
    f"Share of messages opened within {OPENED_WITHIN_DAYS} days, over messages to known customers "
    "sent longer ago than "
    "that, through channels that tell of any opening. "
)
_MACHINES = " Opens by mail programs that load everything count on both sides and draw the ratio towards 1."
_AFTER = (
    f"Post-purchase: sent 1 to {AFTER_ORDER_DAYS} days after an order of the same customer. Compared to marketing "
    "messages sent at other times, at the same mix of channel and month."
)
_BY_KIND = "Transactional messages compared to marketing messages, at the same mix of channel and month."
_LIFT = Claimed(low=1.21, high=1.21, sense=Sense.AT_LEAST, unit=Unit.TIMES)
_AFTER_ORDER = Part(
    claim=12,
    part="after an order",
    definition=_OUTCOME + _AFTER + _MACHINES,
    n_of="messages after an order",
    claimed=_LIFT,
)
_AUTOMATIC = Part(
    claim=12,
    part="automatic messages",
    definition=_OUTCOME + _BY_KIND + _MACHINES,
    n_of="automatic messages",
    claimed=_LIFT,
)


def findings(facts: Facts, as_of: date) -> list[Finding]:
    """Test the lift by time after an order and, where told, by the kind of message."""
    needs = facts.lacks("orders", "messages")
    if needs:
        says = (
            "Connect the messages that the sending tool keeps (to whom, when, opened when) to "
            "compare their opening."
        )
        return [_AFTER_ORDER.cannot_be_tested(says, needs=needs)]
    messages = watched_messages(facts.tables["messages"], facts.tables["orders"], as_of)
    if messages.is_empty():
        says = "No message to a customer is told to have been opened: deliver the times of opening, too."
        return [_AFTER_ORDER.cannot_be_tested(says, needs=("messages",))]
    is_marketing, after = pl.col("is_marketing"), pl.col("after_order")
    compared = _compared(messages.filter(after | is_marketing), after)
    found = [_tested(_AFTER_ORDER, compared, "messages in the 30 days after an order")]
    if not messages["is_marketing"].all():
        found.append(_tested(_AUTOMATIC, _compared(messages, ~is_marketing), "automatic messages"))
    return found


def watched_messages(messages: pl.LazyFrame, orders: pl.LazyFrame, as_of: date) -> pl.DataFrame:
    """Give the messages to known customers that have had their time to be opened.

    Parameters
    ----------
    messages
        message_id, customer_key, channel, kind, sent_at, sent_day, opened_at.
    orders
        customer_key, order_day, is_valid.

    Returns
    -------
    DataFrame
        One row per message of a channel that tells of openings: stratum and person (Int64, from 0), is_opened,
        is_marketing (a kind that is not told counts as marketing), after_order (Boolean).
    """
    # A day to spare, since a moment seven days on may belong to the next day where clocks change.
    sent = messages.filter(
        pl.col("customer_key").is_not_null() & (pl.col("sent_day") < as_of - timedelta(OPENED_WITHIN_DAYS))
    ).with_columns(
        is_opened=(pl.col("opened_at") - pl.col("sent_at") <= timedelta(OPENED_WITHIN_DAYS)).fill_null(False)
    )
    telling = sent.filter("is_opened").select("channel").unique()
    bought = valid_orders(orders, as_of).select("customer_key", "order_day").unique().sort("order_day")
    month = period_index(pl.col("sent_day"), "month")
    return (
        sent.join(telling, on="channel", nulls_equal=True)
        .sort("sent_day")
        .join_asof(
            bought.with_columns(last_day="order_day"),
            left_on="sent_day",
            right_on="order_day",
            by="customer_key",
            # An order of the same day may follow from the message.
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .select(
            stratum=numbered(month - month.min(), text_code("channel")),
            person=text_code("customer_key") - 1,
            is_opened="is_opened",
            is_marketing=pl.col("kind").ne_missing("transactional"),
            after_order=(pl.col("last_day") >= pl.col("sent_day") - timedelta(AFTER_ORDER_DAYS)).fill_null(
                False
            ),
        )
        .collect(engine="streaming")
    )


def _compared(messages: pl.DataFrame, is_post_purchase: pl.Expr) -> Ratio:
    rows = messages.select("stratum", event=is_post_purchase, opened="is_opened", person="person")
    stratum, event, opened, person = (rows[name].to_numpy() for name in rows.columns)
    return alike_ratio(stratum, event, opened, person)


def _tested(part: Part, found: Ratio, these: str) -> Finding:
    if found.ratio is None or found.rate_with is None or found.rate_without is None:
        says = f"{count(found.n_with)} {these} have too few other marketing messages of the same time to compare to."
        return part.cannot_tell(found.n_with, says)
    says = (
        f"{percent(found.rate_with)} of {count(found.n_with)} {these} were opened, against "
        f"{percent(found.rate_without)} of other marketing messages of the same time and channel: "
        f"{times(found.ratio)} "
        "as many, where the claim says 1.21. Mail programs that open by themselves are counted in both."
    )
    if found.is_small:
        return part.cannot_tell(found.n_with, f"{says} Too few to tell.")
    return part.tested(found.ratio, found.n_with, says)
