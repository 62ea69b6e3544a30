"""What happened to an order, and when it was known."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from models.order_events import EVENTS, of_refunds, of_returns, of_shipments, of_tickets
from models.refund_speed import refunds_due
from tests.models.composed_experience import SHIPMENTS, TICKETS
from tests.models.shops import OPENED, RETURNS

Row = dict[str, Any]


def _day(number: int | None) -> date | None:
    return None if number is None else OPENED + timedelta(number)


def _returned(reason: str | None, day: int | None = 5, refunded: int | None = None, **more: Any) -> Row:
    days = {"returned_day": _day(day), "refunded_day": _day(refunded)}
    return {"order_id": "a", "kind": "merchandise", "reason": reason} | days | more


@pytest.mark.parametrize(
    ("reason", "is_bad"),
    [
        ("Damaged in transit", True),
        ("Defective", True),
        ("not as described", True),
        ("wrong item sent", True),
        ("Poor QUALITY", True),
        ("Artikel beschädigt", True),
        ("Qualität mangelhaft", True),
        ("falscher Artikel", True),
        ("wrong size", False),
        ("wrong colour", False),
        ("changed my mind", False),
        ("gefällt nicht", False),
        (None, False),
    ],
)
def test_reasons_that_blame_the_shop_are_told_from_others(reason: str | None, is_bad: bool) -> None:
    row = of_returns(pl.LazyFrame([_returned(reason)], schema=RETURNS)).collect().row(0, named=True)
    assert (row["return_day"], row["bad_return_day"]) == (_day(5), _day(5) if is_bad else None)


def test_the_first_day_counts_and_postage_or_unmatched_returns_do_not() -> None:
    rows = [
        _returned("broken", 9),
        _returned("broken", None, 7),
        _returned("too small", 4),
        _returned("broken", 1, kind="postage"),
        _returned("broken", 1, order_id=None),
    ]
    found = of_returns(pl.LazyFrame(rows, schema=RETURNS)).collect()
    assert found.rows() == [("a", _day(4), _day(7))]


@pytest.mark.parametrize(
    ("refunded", "slow", "quick"), [(5, None, 5), (19, None, 19), (20, 20, None), (None, 20, None)]
)
def test_a_refund_is_slow_on_the_fifteenth_day(
    refunded: int | None, slow: int | None, quick: int | None
) -> None:
    returns = pl.LazyFrame([_returned(None, 5, refunded)], schema=RETURNS)
    found = of_refunds(refunds_due(returns, OPENED + timedelta(100))).collect()
    assert found.rows() == [("a", _day(slow), _day(quick))]


def test_parcels_without_promise_or_arrival_are_neither_late_nor_in_time() -> None:
    rows = [
        {"order_id": "late", "delivered_day": _day(6), "is_late": True},
        {"order_id": "late", "delivered_day": _day(4), "is_late": True},
        {"order_id": "in time", "delivered_day": _day(3), "is_late": False},
        {"order_id": "unknown", "delivered_day": _day(3), "is_late": None},
    ]
    found = of_shipments(pl.LazyFrame(rows, schema=SHIPMENTS)).collect()
    assert set(found.rows()) == {("late", _day(4), None), ("in time", None, _day(3))}


def test_tickets_count_by_the_order_they_name() -> None:
    rows = [
        {"order_id": "a", "opened_day": _day(2), "is_wismo": None},
        {"order_id": "a", "opened_day": _day(3), "is_wismo": True},
        {"order_id": None, "opened_day": _day(1), "is_wismo": True},
    ]
    assert of_tickets(pl.LazyFrame(rows, schema=TICKETS)).collect().rows() == [("a", _day(2), _day(3))]


def test_every_event_is_told_by_a_day_that_some_fact_gives() -> None:
    empty = pl.LazyFrame([], schema=RETURNS)
    frames = [
        of_returns(empty),
        of_refunds(refunds_due(empty, OPENED)),
        of_shipments(pl.LazyFrame([], schema=SHIPMENTS)),
        of_tickets(pl.LazyFrame([], schema=TICKETS)),
    ]
    days = {name for found in frames for name in found.collect_schema().names()}
    for event in EVENTS.values():
        assert {
            event.struck,
            event.spared or event.struck,
            event.unless or event.struck,
            *event.besides,
        } <= days
