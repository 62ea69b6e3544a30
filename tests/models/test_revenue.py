"""The revenue series: against plain addition order by order, under both dating rules."""

from __future__ import annotations

import statistics
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from data_contracts import conform, table
from models.revenue import revenue
from tests.models.shops import OPENED, Shop, as_of_days, shops

FEW = settings(max_examples=30, deadline=None)
ZERO = Decimal(0)


def _month(day: date) -> date:
    return day.replace(day=1)


def _known_on(row: dict[str, Any]) -> date | None:
    return row["refunded_day"] or row["returned_day"]


def _refunds(shop: Shop, as_of: date) -> list[dict[str, Any]]:
    """Returns that count as money given back, of valid orders or of none."""
    excluded = {row["order_id"] for row in shop.order_rows if not row["is_valid"]}
    found = []
    for row in shop.return_rows:
        known_on = _known_on(row)
        if row["kind"] != "merchandise" or row["outcome"] == "exchange" or row["order_id"] in excluded:
            continue
        if known_on is not None and known_on <= as_of:
            found.append(row)
    return found


def _slow_months(shop: Shop, as_of: date) -> dict[date, dict[str, Any]]:
    net: dict[str, Decimal] = {}
    months: dict[date, dict[str, Any]] = defaultdict(
        lambda: {"orders": [], "keys": [], "gross": ZERO, "discount": ZERO, "refunded": ZERO, "event": ZERO}
    )
    refunds = _refunds(shop, as_of)
    for order in shop.order_rows:
        if order["is_valid"] and order["order_day"] <= as_of:
            month = months[_month(order["order_day"])]
            back = sum((row["amount"] for row in refunds if row["order_id"] == order["order_id"]), ZERO)
            net[order["order_id"]] = order["gross"] - order["discount"] - back
            month["orders"].append(net[order["order_id"]])
            month["keys"].append(order["customer_key"])
            month["gross"] += order["gross"]
            month["discount"] += order["discount"]
            month["refunded"] += back
    for row in refunds:
        known_on = _known_on(row)
        assert known_on is not None
        months[_month(known_on)]["event"] += row["amount"]
    return months


@FEW
@given(shops(), as_of_days(200))
def test_each_month_equals_the_addition_order_by_order(shop: Shop, as_of: date) -> None:
    made = revenue(shop.orders, shop.returns, as_of).collect()
    found = {row["period_start"]: row for row in made.filter(period="month").to_dicts()}
    expected = _slow_months(shop, as_of)
    assert set(expected) <= set(found)
    placed = [_month(row["order_day"]) for row in shop.order_rows if row["order_day"] <= as_of]
    assert min(found, default=None) == min([*placed, *expected], default=None)
    for start, row in found.items():
        month = expected[start]
        count = len(month["orders"])
        keys = [key for key in month["keys"] if key is not None]
        assert row["orders"] == count
        assert row["orders_without_customer"] == count - len(keys)
        assert row["customers"] == len(set(keys))
        assert row["orders_per_customer"] == (len(keys) / len(set(keys)) if keys else None)
        assert [row[name] for name in ("gross", "discount", "refunded")] == [
            month[name] for name in ("gross", "discount", "refunded")
        ]
        assert row["net_by_order_date"] == sum(month["orders"], ZERO)
        assert row["refunded_by_event_date"] == month["event"]
        assert row["net_by_event_date"] == month["gross"] - month["discount"] - month["event"]
        assert row["is_complete"] == (_month(as_of + timedelta(1)) > start)
        assert row["is_small"]
        if not count:
            assert row["aov"] is row["aov_low"] is row["aov_high"] is None
            continue
        values = [float(value) for value in month["orders"]]
        assert row["aov"] == pytest.approx(statistics.fmean(values))
        if count == 1:
            assert row["aov_low"] is row["aov_high"] is None
        else:
            half = 1.959963984540054 * statistics.stdev(values) / count**0.5
            assert (row["aov_low"], row["aov_high"]) == pytest.approx(
                (row["aov"] - half, row["aov"] + half), abs=1e-9
            )


@FEW
@given(shops(), as_of_days(200))
def test_months_follow_without_a_gap_and_add_up_to_all(shop: Shop, as_of: date) -> None:
    made = revenue(shop.orders, shop.returns, as_of).collect()
    months, whole = made.filter(period="month"), made.filter(period="all")
    if made.is_empty():
        return
    starts = months["period_start"].to_list()
    assert starts == pl.date_range(starts[0], _month(as_of), "1mo", eager=True).to_list()
    total = whole.row(0, named=True)
    assert total["period_start"] == starts[0]
    assert total["is_complete"]
    for name in ("orders", "gross", "discount", "refunded", "net_by_order_date", "net_by_event_date"):
        assert total[name] == sum(months[name].to_list())
    unmatched = sum((row["amount"] for row in _refunds(shop, as_of) if row["order_id"] is None), ZERO)
    assert total["net_by_order_date"] - total["net_by_event_date"] == unmatched


@FEW
@given(shops(), as_of_days(200))
def test_nothing_dated_later_changes_it(shop: Shop, as_of: date) -> None:
    known = shop.known_by(as_of)
    assert_frame_equal(
        revenue(shop.orders, shop.returns, as_of).collect(),
        revenue(known.orders, known.returns, as_of).collect(),
    )


def _order(order_id: str, day: date, **changes: Any) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "customer_key": "a",
        "order_day": day,
        "gross": Decimal(50),
        "discount": ZERO,
        "is_valid": True,
    } | changes


def _back(day: date, amount: int, order_id: str | None = "1") -> dict[str, Any]:
    return {
        "return_id": f"r{day}",
        "order_id": order_id,
        "kind": "merchandise",
        "amount": Decimal(amount),
        "returned_day": day,
    }


def test_a_refund_in_a_later_month_lowers_one_month_by_order_and_another_by_event() -> None:
    shop = Shop((_order("1", date(2026, 1, 31)),), (), (_back(date(2026, 3, 1), 50),))
    made = revenue(shop.orders, shop.returns, date(2026, 3, 31)).collect().filter(period="month")
    assert made["net_by_order_date"].to_list() == [0, 0, 0]
    assert made["net_by_event_date"].to_list() == [50, 0, -50]
    assert made["orders"].to_list() == [1, 0, 0]
    assert made["aov"].to_list() == [0.0, None, None]


def test_an_unmatched_return_counts_by_its_own_date_only() -> None:
    shop = Shop((_order("1", date(2026, 1, 31)),), (), (_back(date(2026, 1, 5), 7, None),))
    made = revenue(shop.orders, shop.returns, date(2026, 1, 31)).collect()
    assert made["net_by_order_date"].to_list() == [50, 50]
    assert made["net_by_event_date"].to_list() == [43, 43]


def test_a_shop_whose_orders_all_fail_has_zeros_and_no_order_value() -> None:
    shop = Shop((_order("1", date(2026, 1, 5), is_valid=False),), (), (_back(date(2026, 2, 5), 7, None),))
    made = revenue(shop.orders, shop.returns, date(2026, 2, 28)).collect()
    assert made["orders"].to_list() == [0, 0, 0]
    assert made["aov"].to_list() == [None, None, None]
    assert made["net_by_event_date"].to_list() == [-7, 0, -7]


def test_an_empty_shop_has_no_rows_in_the_promised_shape() -> None:
    made = revenue(Shop().orders, Shop().returns, OPENED)
    assert conform(made, table("revenue")).collect().is_empty()
