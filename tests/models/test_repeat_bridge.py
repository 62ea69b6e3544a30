"""The bridge of the repeat purchase rate: against a count customer by customer, each count taken in turn."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings

from data_contracts import conform, table
from models.bridge import EXCLUDED, PLATFORM
from models.repeat_bridge import REPEAT_STEPS, repeat_bridge
from models.repeat_purchase import repeat_purchase
from models.summary import purchases_at
from tests.models.shops import OPENED, Shop, as_of_days
from tests.models.test_bridge import any_shops

FEW = settings(max_examples=30, deadline=None)


def _bridge(shop: Shop, as_of: date) -> pl.DataFrame:
    purchases = purchases_at(shop.orders, shop.returns, as_of)
    return repeat_bridge(purchases, shop.orders, shop.returns, as_of).collect()


def _slow_levels(shop: Shop, as_of: date) -> dict[str, tuple[int, int]]:
    """Customers and returning customers after each step."""
    known = [row for row in shop.order_rows if row["order_day"] <= as_of]
    valid = [row for row in known if row["is_valid"] and row["customer_key"]]
    days = Counter(key for key, _ in {(row["customer_key"], row["order_day"]) for row in valid})
    counts: Counter[str] = Counter(row["customer_key"] for row in valid)
    levels = {
        "order_days": (len(days), sum(count > 1 for count in days.values())),
        "same_day_orders": (len(counts), sum(count > 1 for count in counts.values())),
    }

    def add(step: str, more: Counter[str]) -> None:
        counts.update(more)
        levels[step] = (len(counts), sum(count > 1 for count in counts.values()))

    failed = [row for row in known if not row["is_valid"] and row["customer_key"]]
    for reason, step in EXCLUDED.items():
        add(step, Counter(row["customer_key"] for row in failed if row["excluded_because"] == reason))
    rest = [row["customer_key"] for row in failed if row["excluded_because"] not in EXCLUDED]
    add("other_excluded_orders", Counter(rest))
    back = {
        (row["customer_key"], row["refunded_day"] or row["returned_day"])
        for row in shop.return_rows
        if row["customer_key"] and (row["refunded_day"] or row["returned_day"] or date.max) <= as_of
    }
    add("returns_taken_for_orders", Counter(key for key, _ in back))
    guests = sum(row["is_valid"] and row["customer_key"] is None for row in known)
    customers, again = levels["returns_taken_for_orders"]
    levels["orders_without_a_customer"] = levels[PLATFORM] = (customers + guests, again)
    return levels


@FEW
@given(any_shops(), as_of_days(120))
def test_each_step_changes_what_a_count_customer_by_customer_says(shop: Shop, as_of: date) -> None:
    made = _bridge(shop, as_of)
    if not any(row["order_day"] <= as_of for row in shop.order_rows):
        assert made.is_empty()
        return
    assert made["step"].to_list() == list(REPEAT_STEPS)
    levels = _slow_levels(shop, as_of)
    customers = again = 0
    for row in made.to_dicts():
        if row["step"] == PLATFORM:
            assert (row["customers"], row["repeat_customers"]) == (customers, again)
        else:
            customers, again = customers + row["customers"], again + row["repeat_customers"]
        assert (customers, again) == levels[row["step"]], row["step"]
        assert row["rate"] == (pytest.approx(again / customers) if customers else None)
    assert made["orders"][-1] == made["orders"][:-1].sum()


@FEW
@given(any_shops(), as_of_days(120))
def test_it_passes_through_both_repeat_purchase_rates(shop: Shop, as_of: date) -> None:
    made = _bridge(shop, as_of)
    rates = repeat_purchase(purchases_at(shop.orders, shop.returns, as_of), as_of).collect()
    ours = rates.filter(pl.col("within_days").is_null())
    for basis, step in (("order_days", "order_days"), ("orders", "same_day_orders")):
        if not made.is_empty():
            assert made.filter(step=step)["rate"].item() == ours.filter(basis=basis)["rate"].item()


def test_a_return_taken_for_an_order_makes_a_one_time_customer_look_like_a_returning_one() -> None:
    day = date(2026, 1, 5)
    order = {"order_id": "1", "customer_key": "a", "order_day": day, "gross": Decimal(9), "is_valid": True}
    back = {
        "order_id": "1",
        "customer_key": "a",
        "kind": "merchandise",
        "amount": Decimal(9),
        "returned_day": date(2026, 1, 9),
    }
    shop = Shop((order | {"discount": Decimal(0)},), (), (back, back))
    rates = dict(_bridge(shop, date(2026, 1, 31)).select("step", "rate").iter_rows())
    assert rates["same_day_orders"] == rates["other_excluded_orders"] == 0
    assert rates["returns_taken_for_orders"] == 1
    assert _bridge(shop, date(2026, 1, 8))["rate"][-1] == 0


def test_an_empty_shop_has_no_rows_in_the_promised_shape() -> None:
    empty = Shop()
    purchases = purchases_at(empty.orders, empty.returns, OPENED)
    made = repeat_bridge(purchases, empty.orders, empty.returns, OPENED)
    assert conform(made, table("revenue_bridge")).collect().is_empty()
