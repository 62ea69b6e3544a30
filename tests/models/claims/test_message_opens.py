"""Claim 12 on composed messages, with months and channels in the way, and against a plain loop."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings

from models.claims import Facts, Status
from models.claims.message_opens import findings, watched_messages
from tests.models.claims.composed_relations import Row, day, facts_of, noon, order, related_shops
from tests.models.shops import as_of_days


def _shop(lift: float, *, size: int = 8_000) -> Facts:
    """In the second month twice as many open anything, and twice as many messages follow an order."""
    generator = np.random.default_rng(4)
    orders: list[Row] = []
    messages: list[Row] = []
    for number in range(size):
        month = int(generator.integers(0, 2))
        sent = 60 + 31 * month + int(generator.integers(0, 14))
        is_after = generator.random() < 0.3 * (1 + month)
        orders.append(order(f"o{number}", f"c{number}", sent - (10 if is_after else 50)))
        opens = generator.random() < 0.2 * (1 + month) * (lift if is_after else 1.0)
        messages.append(
            {
                "customer_key": f"c{number}",
                "channel": "email",
                "kind": "marketing",
                "sent_at": noon(sent),
                "sent_day": day(sent),
                "opened_at": noon(sent + 2) if opens else None,
            }
        )
    return facts_of(orders=orders, messages=messages)


def test_a_lift_is_recovered_among_messages_of_the_same_month() -> None:
    (found,) = findings(_shop(1.5), day(300))
    assert found.low is not None and found.high is not None
    assert found.low <= 1.5 <= found.high
    assert found.status is Status.HOLDS


def test_without_a_lift_the_claim_does_not_hold() -> None:
    (found,) = findings(_shop(1.0), day(300))
    assert found.low is not None and found.high is not None
    assert found.low <= 1.0 <= found.high
    assert found.status is Status.DOES_NOT_HOLD


def test_automatic_messages_are_a_part_of_their_own() -> None:
    facts = _shop(1.0)
    is_automatic = pl.col("customer_key").str.ends_with("7")
    messages = facts.tables["messages"].with_columns(
        kind=pl.when(is_automatic).then(pl.lit("transactional")).otherwise("kind"),
        opened_at=pl.when(is_automatic).then(pl.col("sent_at")).otherwise("opened_at"),
    )
    _, automatic = findings(Facts({**facts.tables, "messages": messages}), day(300))
    assert automatic.part == "automatic messages"
    assert automatic.status is Status.HOLDS


def test_a_sending_tool_that_tells_no_openings_cannot_be_tested() -> None:
    facts = _shop(1.0, size=40)
    messages = facts.tables["messages"].with_columns(opened_at=pl.lit(None, pl.Datetime("us", "UTC")))
    (found,) = findings(Facts({**facts.tables, "messages": messages}), day(300))
    assert found.status is Status.CANNOT_BE_TESTED and found.needs == ("messages",)


@settings(max_examples=25, deadline=None)
@given(facts=related_shops(), as_of=as_of_days())
def test_messages_are_those_that_a_plain_loop_finds(facts: Facts, as_of: date) -> None:
    if facts.lacks("messages"):
        return
    found = watched_messages(facts.tables["messages"], facts.tables["orders"], as_of)
    bought = [
        (row["customer_key"], row["order_day"])
        for row in facts.tables["orders"].collect().to_dicts()
        if row["is_valid"] and row["customer_key"] and row["order_day"] <= as_of
    ]
    sent = [
        row
        for row in facts.tables["messages"].collect().to_dicts()
        if row["customer_key"] and row["sent_day"] < as_of - timedelta(7)
    ]

    def is_opened(row: Row) -> bool:
        return row["opened_at"] is not None and row["opened_at"] - row["sent_at"] <= timedelta(7)

    telling = {row["channel"] for row in sent if is_opened(row)}
    expected = Counter(
        (
            is_opened(row),
            row["kind"] != "transactional",
            any(
                who == row["customer_key"] and timedelta(1) <= row["sent_day"] - on <= timedelta(30)
                for who, on in bought
            ),
        )
        for row in sent
        if row["channel"] in telling
    )
    assert Counter(found.select("is_opened", "is_marketing", "after_order").rows()) == expected
