"""The bridge: its steps add up exactly to everything charged less everything given back."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from data_contracts import conform, table
from models.bridge import EXCLUDED, PLATFORM, REVENUE_STEPS, revenue_bridge
from models.revenue import revenue
from tests.models.shops import OPENED, Shop, as_of_days, shops

FEW = settings(max_examples=30, deadline=None)
ZERO = Decimal(0)
REASONS = [*EXCLUDED, "something new", None]


@st.composite
def any_shops(draw: st.DrawFn) -> Shop:
    """Shops whose orders fail for every reason, and that charge more than goods and postage."""
    shop = draw(shops(days=120))
    kinds = st.sampled_from(["postage", "postage", "fee", "gift_card", "discount", None])
    orders = [
        row | {"excluded_because": None if row["is_valid"] else draw(st.sampled_from(REASONS))}
        for row in shop.order_rows
    ]
    lines = [
        row | {"kind": draw(kinds) if row["kind"] != "merchandise" else "merchandise"}
        for row in shop.line_rows
    ]
    returns = [
        row | {"kind": draw(kinds) if row["kind"] != "merchandise" else "merchandise"}
        for row in shop.return_rows
    ]
    return Shop(tuple(orders), tuple(lines), tuple(returns))


def _month(day: date) -> date:
    return day.replace(day=1)


def _bridge(shop: Shop, as_of: date) -> pl.DataFrame:
    return revenue_bridge(shop.orders, shop.order_lines, shop.returns, as_of).collect()


@FEW
@given(any_shops(), as_of_days(120))
def test_the_last_row_is_all_that_was_charged_less_all_that_was_given_back(shop: Shop, as_of: date) -> None:
    days = {row["order_id"]: row["order_day"] for row in shop.order_rows if row["order_day"] <= as_of}
    charged: dict[date, Decimal] = defaultdict(Decimal)
    for line in shop.line_rows:
        if line["order_id"] in days:
            charged[_month(days[line["order_id"]])] += line["net"]
    for row in shop.return_rows:
        known_on = row["refunded_day"] or row["returned_day"]
        if known_on is not None and known_on <= as_of:
            charged[_month(known_on)] -= row["amount"]
    orders = Counter(_month(day) for day in days.values())
    made = _bridge(shop, as_of)
    last = made.filter(pl.col("step") == PLATFORM, period="month")
    assert {row["period_start"]: row["amount"] for row in last.to_dicts() if row["amount"]} == {
        start: amount for start, amount in charged.items() if amount
    }
    assert {row["period_start"]: row["orders"] for row in last.to_dicts() if row["orders"]} == orders
    if not made.is_empty():
        whole = made.filter(pl.col("step") == PLATFORM, period="all").row(0, named=True)
        assert (whole["amount"], whole["orders"]) == (sum(charged.values(), ZERO), len(days))


@FEW
@given(any_shops(), as_of_days(120))
def test_the_steps_add_up_exactly_and_pass_through_both_revenues(shop: Shop, as_of: date) -> None:
    made = _bridge(shop, as_of)
    series = {
        row["period_start"] if row["period"] == "month" else "all": row
        for row in revenue(shop.orders, shop.returns, as_of).collect().to_dicts()
    }
    for (period, start), rows in made.group_by("period", "period_start"):
        steps = {row["step"]: row for row in rows.to_dicts()}
        assert tuple(steps) == REVENUE_STEPS
        assert [row["step_no"] for row in steps.values()] == list(range(len(REVENUE_STEPS)))
        parts = [row for step, row in steps.items() if step != PLATFORM]
        for name in ("amount", "orders"):
            assert steps[PLATFORM][name] == sum(row[name] for row in parts if row[name] is not None)
        ours = series.get(start if period == "month" else "all")
        if ours:
            assert steps["net_by_order_date"]["amount"] == ours["net_by_order_date"]
            assert steps["net_by_order_date"]["orders"] == ours["orders"]
            first_three = [steps[step]["amount"] for step in REVENUE_STEPS[:3]]
            assert sum(first_three) == ours["net_by_event_date"]
        else:
            assert steps["net_by_order_date"]["amount"] == 0


@FEW
@given(any_shops(), as_of_days(120))
def test_nothing_dated_later_changes_it(shop: Shop, as_of: date) -> None:
    assert_frame_equal(_bridge(shop, as_of), _bridge(shop.known_by(as_of), as_of))


def _shop(reason: str | None, *returns: dict[str, Any], kind: str = "merchandise") -> Shop:
    day = date(2026, 1, 31)
    order = {
        "order_id": "1",
        "order_day": day,
        "gross": Decimal(50),
        "discount": ZERO,
        "is_valid": reason is None,
        "excluded_because": reason,
    }
    line = {"order_id": "1", "line_no": 2, "kind": kind, "net": Decimal("4.95")}
    return Shop((order,), (line,) if kind != "merchandise" else (), returns)


def _back(amount: int, **changes: Any) -> dict[str, Any]:
    return {
        "order_id": "1",
        "kind": "merchandise",
        "amount": Decimal(amount),
        "returned_day": date(2026, 2, 3),
    } | changes


def _steps(shop: Shop, start: date) -> dict[str, Decimal]:
    made = _bridge(shop, date(2026, 2, 28)).filter(period="month", period_start=start)
    return {step: amount for step, amount in made.select("step", "amount").iter_rows() if amount}


JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


def test_a_refund_moves_from_the_month_of_the_order_to_its_own() -> None:
    shop = _shop(None, _back(20))
    assert _steps(shop, JANUARY) == {"net_by_order_date": 30, "refunds_by_their_own_date": 20, PLATFORM: 50}
    assert _steps(shop, FEBRUARY) == {"refunds_by_their_own_date": -20, PLATFORM: -20}


def test_a_refund_of_a_cancelled_order_stands_with_the_cancelled_orders() -> None:
    shop = _shop("cancelled", _back(50))
    assert _steps(shop, JANUARY) == {"cancelled_orders": 50, PLATFORM: 50}
    assert _steps(shop, FEBRUARY) == {"cancelled_orders": -50, PLATFORM: -50}


def test_exchanged_goods_and_returns_without_an_order_have_steps_of_their_own() -> None:
    shop = _shop(None, _back(20, outcome="exchange"), _back(7, order_id=None))
    assert _steps(shop, FEBRUARY) == {
        "exchanged_goods": -20,
        "returns_without_an_order": -7,
        PLATFORM: -27,
    }


def test_what_the_data_cannot_tell_is_null_with_a_note_and_what_never_happened_is_none() -> None:
    made = _bridge(_shop(None, kind="postage"), date(2026, 2, 28)).filter(period="all")
    rows = {row["step"]: row for row in made.to_dicts()}
    assert rows["postage"]["amount"] == Decimal("4.95")
    assert rows["postage"]["note"] is None
    for step in ("tax", "processed_time", "fees", "gift_cards_sold"):
        assert rows[step]["amount"] is rows[step]["orders"] is None
        assert rows[step]["note"].startswith("not delivered")
    assert rows["test_orders"]["amount"] == rows["test_orders"]["orders"] == 0


def test_an_empty_shop_has_no_rows_in_the_promised_shape() -> None:
    empty = Shop()
    made = revenue_bridge(empty.orders, empty.order_lines, empty.returns, OPENED)
    assert conform(made, table("revenue_bridge")).collect().is_empty()
