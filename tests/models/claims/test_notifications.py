"""Claim 10 on composed shops: what notices of shipping spare, with lateness in the way."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings

from models.claims import Facts, Status
from models.claims.notifications import findings, orders_by_notification
from tests.models.claims.composed_relations import Row, day, facts_of, noon, order, related_shops
from tests.models.shops import as_of_days


def _shop(cut: float, *, size: int = 6_000) -> Facts:
    """Late parcels are asked about six times as often and notified more: plainly, notices would seem to do harm."""
    generator = np.random.default_rng(2)
    rows: dict[str, list[Row]] = {"orders": [], "shipments": [], "messages": [], "tickets": []}
    for number in range(size):
        at, customer = int(generator.integers(0, 100)), f"c{number}"
        is_late = generator.random() < 0.3
        is_notified = generator.random() < (0.7 if is_late else 0.3)
        rows["orders"].append(order(f"o{number}", customer, at))
        rows["shipments"].append(
            {
                "order_id": f"o{number}",
                "shipped_at": noon(at + 1),
                "shipped_day": day(at + 1),
                "delivered_day": day(at + (9 if is_late else 3)),
                "is_late": is_late,
            }
        )
        # Everybody gets a confirmation of the order, which is no notice of shipping.
        sent = [("confirmation", at), *([("shipped", at + 1)] if is_notified else [])]
        rows["messages"] += [
            {
                "customer_key": customer,
                "kind": "transactional",
                "campaign": name,
                "sent_at": noon(on),
                "sent_day": day(on),
            }
            for name, on in sent
        ]
        chance = (0.42 if is_late else 0.07) * ((1 - cut) if is_notified else 1.0)
        if generator.random() < chance:
            rows["tickets"].append({"order_id": f"o{number}", "is_wismo": True, "opened_day": day(at + 5)})
    return facts_of(None, **rows)


def test_what_notices_spare_is_recovered_among_parcels_alike_in_lateness() -> None:
    (found,) = findings(_shop(0.6), day(300))
    assert found.low is not None and found.high is not None
    assert found.low <= 0.6 <= found.high
    assert found.status is Status.HOLDS
    assert "change by \N{MINUS SIGN}" in found.says


def test_notices_without_effect_are_not_credited_with_one() -> None:
    (found,) = findings(_shop(0.0), day(300))
    assert found.low is not None and found.high is not None
    assert found.low <= 0.0 <= found.high
    assert found.status is Status.CANNOT_TELL


def test_notices_that_bring_more_questions_do_not_cut_them() -> None:
    (found,) = findings(_shop(-0.8), day(300))
    assert found.status is Status.DOES_NOT_HOLD
    assert "change by +" in found.says


def test_a_shop_without_automatic_messages_is_told_which_are_missing() -> None:
    facts = _shop(0.5, size=50)
    marketing = facts.tables["messages"].with_columns(kind=pl.lit("marketing"))
    (found,) = findings(Facts({**facts.tables, "messages": marketing}), day(300))
    assert found.status is Status.CANNOT_BE_TESTED and found.needs == ("messages",)
    assert "transactional" in found.says


@pytest.mark.parametrize("missing", ["shipments", "tickets", "messages"])
def test_a_missing_table_is_named(missing: str) -> None:
    tables = dict(_shop(0.5, size=50).tables)
    del tables[missing]
    (found,) = findings(Facts(tables), day(300))
    assert found.needs == (missing,)


@settings(max_examples=25, deadline=None)
@given(facts=related_shops(), as_of=as_of_days())
def test_orders_are_those_that_a_plain_loop_finds(facts: Facts, as_of: date) -> None:
    if facts.lacks("shipments", "tickets", "messages"):
        return
    tickets = facts.tables["tickets"].filter(pl.col("opened_day") <= as_of)
    messages = facts.tables["messages"].filter(
        (pl.col("kind") == "transactional") & (pl.col("sent_day") <= as_of)
    )
    rows = orders_by_notification(facts.tables["orders"], facts.tables["shipments"], tickets, messages, as_of)
    parcels = {row["order_id"]: row for row in facts.tables["shipments"].collect().to_dicts()}
    expected: list[tuple[bool, bool]] = []
    for row in facts.tables["orders"].collect().to_dicts():
        parcel = parcels[row["order_id"]]
        if not (row["is_valid"] and row["customer_key"] and row["order_day"] <= as_of):
            continue
        if parcel["shipped_day"] > as_of - timedelta(30):
            continue
        decides = parcel["shipped_day"] + timedelta(1)
        asked = [
            ticket["opened_day"]
            for ticket in tickets.collect().to_dicts()
            if ticket["order_id"] == row["order_id"] and ticket["is_wismo"]
        ]
        if any(on <= decides for on in asked):
            continue
        notified = any(
            sent["customer_key"] == row["customer_key"]
            and sent["sent_at"] >= parcel["shipped_at"]
            and sent["sent_day"] <= decides
            for sent in messages.collect().to_dicts()
        )
        expected.append((notified, any(on <= parcel["shipped_day"] + timedelta(30) for on in asked)))
    assert sorted(rows.select("notified", "asked").rows()) == sorted(expected)
