"""Purchases and the customer summary: against plain recomputation, and as known at as_of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.summary import customer_summary, distinct_triples, purchases_at
from tests.models.shops import OPENED, ORDERS, RETURNS, Shop, as_of_days, purchase_days, purchases_of, shops

FEW = settings(max_examples=60, deadline=None)


def _slow_purchases(shop: Shop, as_of: date) -> dict[tuple[str, date], tuple[Decimal, int]]:
    net: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    orders: Counter[tuple[str, date]] = Counter()
    for order in shop.order_rows:
        if not order["is_valid"] or order["customer_key"] is None or order["order_day"] > as_of:
            continue
        place = (order["customer_key"], order["order_day"])
        orders[place] += 1
        net[place] += order["gross"] - order["discount"]
        for refund in shop.return_rows:
            known_on = refund["refunded_day"] or refund["returned_day"]
            if refund["order_id"] != order["order_id"] or refund["kind"] != "merchandise":
                continue
            if refund["outcome"] != "exchange" and known_on is not None and known_on <= as_of:
                net[place] -= refund["amount"]
    return {place: (net[place], orders[place]) for place in orders}


@FEW
@given(shops(), as_of_days(200))
def test_purchases_equal_the_recomputation_order_by_order(shop: Shop, as_of: date) -> None:
    table = purchases_at(shop.orders, shop.returns, as_of).collect()
    rows = {(row["customer_key"], row["order_day"]): (row["net"], row["orders"]) for row in table.to_dicts()}
    assert rows == _slow_purchases(shop, as_of)
    assert table.height == len(rows)
    assert table["order_day_number"].to_list() == [
        (day - date(1970, 1, 1)).days for day in table["order_day"]
    ]
    assert table.schema["net"] == pl.Decimal(18, 4)
    assert table.schema["orders"] == table.schema["order_day_number"] == pl.Int32


@FEW
@given(shops(), as_of_days(200))
def test_nothing_dated_after_as_of_changes_purchases(shop: Shop, as_of: date) -> None:
    known = shop.known_by(as_of)
    assert_frame_equal(
        purchases_at(shop.orders, shop.returns, as_of),
        purchases_at(known.orders, known.returns, as_of),
        check_row_order=False,
    )


def test_a_refund_counts_from_its_refund_day_else_from_the_return_day() -> None:
    day = date(2026, 1, 5)
    order = {"order_id": "a", "customer_key": "c", "order_day": day, "gross": Decimal(50), "is_valid": True}
    orders = pl.LazyFrame([order | {"discount": Decimal(10)}], schema=ORDERS)
    refund = {
        "return_id": "r",
        "order_id": "a",
        "kind": "merchandise",
        "amount": Decimal(15),
        "outcome": "refund",
    }
    days = {"returned_day": day + timedelta(3), "refunded_day": day + timedelta(9)}

    def net(row: Mapping[str, object], after: int) -> Decimal:
        returns = pl.LazyFrame([row], schema=RETURNS)
        return purchases_at(orders, returns, day + timedelta(after)).collect()["net"].item()

    assert net(refund | days, 8) == Decimal(40)
    assert net(refund | days, 9) == Decimal(25)
    assert net(refund | days | {"refunded_day": None}, 2) == Decimal(40)
    assert net(refund | days | {"refunded_day": None}, 3) == Decimal(25)
    assert net(refund | days | {"kind": "postage"}, 99) == Decimal(40)
    assert net(refund | days | {"outcome": "exchange"}, 99) == Decimal(40)
    assert net(refund | days | {"outcome": "store_credit"}, 99) == Decimal(25)
    assert net(refund | days | {"order_id": None}, 99) == Decimal(40)


@FEW
@given(purchase_days(), as_of_days())
def test_the_summary_equals_the_recomputation_customer_by_customer(
    rows: list[tuple[str, date, int]], as_of: date
) -> None:
    table = customer_summary(purchases_of(rows), as_of).collect()
    found = {row.pop("customer_key"): row for row in table.to_dicts()}
    days: dict[str, dict[date, int]] = defaultdict(dict)
    for key, day, orders in rows:
        if day <= as_of:
            days[key][day] = orders
    assert found.keys() == days.keys()
    for key, own in days.items():
        first, last = min(own), max(own)
        repeat = [10.0 * orders for day, orders in own.items() if day != first]
        assert found[key] == {
            "frequency": float(len(own) - 1),
            "recency": float((last - first).days),
            "T": float((as_of - first).days),
            "monetary_value": pytest.approx(sum(repeat) / len(repeat)) if repeat else None,
            "first_day": first,
            "last_day": last,
        }


@FEW
@given(purchase_days(), as_of_days(), st.integers(0, 2**32))
def test_the_summary_depends_neither_on_later_purchases_nor_on_the_order_of_rows(
    rows: list[tuple[str, date, int]], as_of: date, seed: int
) -> None:
    table = purchases_of(rows)
    shuffled = (
        table.filter(pl.col("order_day") <= as_of).collect().sample(fraction=1, shuffle=True, seed=seed)
    )
    assert_frame_equal(
        customer_summary(table, as_of), customer_summary(shuffled.lazy(), as_of), check_row_order=False
    )


@FEW
@given(purchase_days(), as_of_days())
def test_several_rows_a_day_give_the_same_summary_when_orders_are_not_counted(
    rows: list[tuple[str, date, int]], as_of: date
) -> None:
    an_order_each = purchases_of([(key, day, 1) for key, day, orders in rows for _ in range(orders)])
    columns = ("customer_key", "order_day", "net")
    assert_frame_equal(
        customer_summary(purchases_of(rows), as_of),
        customer_summary(an_order_each.select(columns), as_of),
        check_row_order=False,
    )


def test_no_repeat_purchase_means_no_monetary_value_rather_than_zero() -> None:
    summary = customer_summary(purchases_of([("a", OPENED)]), OPENED).collect()
    assert summary.row(0) == ("a", 0.0, 0.0, 0.0, None, OPENED, OPENED)


def test_an_empty_shop_has_an_empty_summary_of_the_same_schema() -> None:
    empty = Shop()
    purchases = purchases_at(empty.orders, empty.returns, OPENED)
    full = customer_summary(purchases_of([("a", OPENED)]), OPENED)
    assert purchases.collect().is_empty()
    assert customer_summary(purchases, OPENED).collect().is_empty()
    assert customer_summary(purchases, OPENED).collect_schema() == full.collect_schema()
    assert distinct_triples(customer_summary(purchases, OPENED)).collect().is_empty()


@FEW
@given(purchase_days(), as_of_days())
def test_distinct_triples_hold_every_customer_once_and_are_sorted(
    rows: list[tuple[str, date, int]], as_of: date
) -> None:
    summary = customer_summary(purchases_of(rows), as_of).collect()
    triples = distinct_triples(summary.lazy()).collect()
    expected = Counter(summary.select("frequency", "recency", "T").rows())
    assert [(*key, count) for key, count in sorted(expected.items())] == triples.rows()
