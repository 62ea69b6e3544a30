"""Return rates against a plain recomputation, and as known at as_of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from models.intervals import wilson
from models.returns import MEASURES, UNKNOWN, return_rates, return_window_days
from tests.models.shops import OPENED, ORDERS, RETURNS, Shop, as_of_days, shops

FEW = settings(max_examples=20, deadline=None)
Row = dict[str, Any]
Cell = tuple[date, str, str]


def _known_on(row: Row) -> date | None:
    return row["returned_day"] or row["refunded_day"]


def _known(shop: Shop, as_of: date) -> Shop:
    """The shop without anything that happened after as_of."""
    orders = tuple(row for row in shop.order_rows if row["order_day"] <= as_of)
    ids = {row["order_id"] for row in orders}
    lines = tuple(row for row in shop.line_rows if row["order_id"] in ids)
    returns = tuple(row for row in shop.return_rows if (_known_on(row) or date.max) <= as_of)
    return Shop(orders, lines, returns)


def _merchandise(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["kind"] == "merchandise"]


def _slow_window(shop: Shop) -> int:
    days = {row["order_id"]: row["order_day"] for row in shop.order_rows if row["is_valid"]}
    lags = sorted(
        (day - days[row["order_id"]]).days
        for row in _merchandise(shop.return_rows)
        if row["order_id"] in days and (day := _known_on(row)) is not None
    )
    return max(30, lags[ceil(0.95 * (len(lags) - 1) - 1e-9)]) if lags else 30


def _by_value(rows: Iterable[Row], value: Callable[[Row], str | None]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[value(row) or UNKNOWN].append(row)
    return groups


def _slow_counts(shop: Shop, as_of: date, window: int) -> dict[Cell, tuple[list[Row], list[Row]]]:
    """(month, break-down, value) -> (lines sold, returns), of mature orders."""
    valid = [row for row in shop.order_rows if row["is_valid"]]
    categories = {"p0": "home", "p1": "home", "p2": None}
    cells: dict[Cell, tuple[list[Row], list[Row]]] = {}
    for month in {row["order_day"].replace(day=1) for row in valid}:
        mature = {
            row["order_id"]
            for row in valid
            if row["order_day"].replace(day=1) == month and row["order_day"] <= as_of - timedelta(window)
        }
        lines = [row for row in _merchandise(shop.line_rows) if row["order_id"] in mature]
        known = [row for row in _merchandise(shop.return_rows) if _known_on(row) is not None]
        back = [row for row in known if row["order_id"] in mature]
        cells[month, "all", "all"] = (lines, back)
        in_channel = _by_value(
            (row for row in valid if row["order_id"] in mature), lambda row: row["channel"]
        )
        for key, ids in {key: {row["order_id"] for row in rows} for key, rows in in_channel.items()}.items():
            cells[month, "channel", key] = (
                [row for row in lines if row["order_id"] in ids],
                [row for row in back if row["order_id"] in ids],
            )
        kinds: dict[str, Callable[[Row], str | None]] = {
            "product": lambda row: row["product_id"],
            "category": lambda row: categories[row["product_id"]],
        }
        for name, value in kinds.items():
            sold, returned = _by_value(lines, value), _by_value(back, value)
            for key in sold.keys() | returned.keys():
                cells[month, name, key] = (sold.get(key, []), returned.get(key, []))
        if mature:
            mature_ids = {row["order_id"] for row in valid if row["order_day"] <= as_of - timedelta(window)}
            reasons = _by_value(
                (row for row in known if row["order_id"] in mature_ids), lambda row: row["reason"]
            )
            for key, returned in reasons.items():
                cells[month, "reason", key] = (lines, [row for row in returned if row["order_id"] in mature])
    return cells


def _orders(rows: list[Row]) -> int:
    return len({row["order_id"] for row in rows})


def _slow_measures(sold: list[Row], back: list[Row]) -> dict[str, tuple[Any, int, Any, Any]]:
    """Measure -> (count, n, amount, base_amount)."""
    known = [row for row in back if row["outcome"] is not None]
    retained = [row for row in known if row["outcome"] != "refund"]

    def amount(rows: list[Row], column: str = "amount") -> Decimal:
        return sum((row[column] for row in rows), Decimal(0))

    return {
        "order_return_rate": (_orders(back), _orders(sold), None, None),
        "item_return_rate": (
            sum(row["quantity"] for row in back),
            sum(row["quantity"] for row in sold),
            None,
            None,
        ),
        "value_return_rate": (None, _orders(sold), amount(back), amount(sold, "net")),
        "exchange_share": (sum(row["outcome"] == "exchange" for row in known), len(known), None, None),
        "retained_revenue_ratio": (None, len(known), amount(retained), amount(known)),
    }


@settings(max_examples=40, deadline=None)
@given(shops(days=150), as_of_days(200))
def test_rates_equal_the_recomputation_line_by_line(shop: Shop, as_of: date) -> None:
    table = return_rates(shop.orders, shop.order_lines, shop.returns, as_of).collect()
    known = _known(shop, as_of)
    window = _slow_window(known)
    found = {
        (row["order_month"], row["break_down"], row["break_down_value"], row["measure"]): row
        for row in table.to_dicts()
    }
    cells = _slow_counts(known, as_of, window)
    assert len(found) == table.height
    assert found.keys() == {(*cell, measure) for cell in cells for measure in MEASURES}
    for cell, (sold, back) in cells.items():
        month_ends = (cell[0] + timedelta(31)).replace(day=1) - timedelta(1)
        for measure, (count, n, amount, base) in _slow_measures(sold, back).items():
            row = found[*cell, measure]
            assert (row["count"], row["n"], row["amount"], row["base_amount"]) == (count, n, amount, base)
            assert row["is_mature"] == (month_ends <= as_of - timedelta(window))
            if count is None:
                assert row["rate"] == (pytest.approx(float(amount / base)) if base else None)
                assert row["low"] is None
            else:
                assert row["rate"] == (pytest.approx(count / n) if n else None)
                if n > 0 and count <= n:
                    assert (row["low"], row["high"]) == pytest.approx(wilson(count, n))


@FEW
@given(shops(days=150), as_of_days(200))
def test_later_orders_and_returns_change_nothing(shop: Shop, as_of: date) -> None:
    known = _known(shop, as_of)
    assert return_window_days(shop.returns, shop.orders, as_of) == _slow_window(known)
    assert_frame_equal(
        return_rates(shop.orders, shop.order_lines, shop.returns, as_of),
        return_rates(known.orders, known.order_lines, known.returns, as_of),
    )


@FEW
@given(shops(days=150), as_of_days(200))
def test_young_orders_change_no_rate(shop: Shop, as_of: date) -> None:
    until = as_of - timedelta(30)
    old = {row["order_id"] for row in shop.order_rows if row["order_day"] <= until}
    of_old = Shop(
        tuple(row for row in shop.order_rows if row["order_id"] in old),
        tuple(row for row in shop.line_rows if row["order_id"] in old),
        shop.return_rows,
    )

    def rates(shop: Shop) -> pl.LazyFrame:
        table = return_rates(shop.orders, shop.order_lines, shop.returns, as_of, window_days=30)
        return table.filter(pl.col("rate").is_not_null())

    assert_frame_equal(rates(shop), rates(of_old))


def test_the_window_covers_95_percent_of_the_lags_and_never_less_than_30_days() -> None:
    orders = pl.LazyFrame(
        [{"order_id": f"o{lag}", "order_day": OPENED, "is_valid": True} for lag in range(101)], schema=ORDERS
    )
    rows = [
        {"order_id": f"o{lag}", "kind": "merchandise", "returned_day": OPENED + timedelta(lag)}
        for lag in range(101)
    ]
    returns = pl.LazyFrame(rows, schema=RETURNS)
    assert return_window_days(returns, orders, OPENED + timedelta(200)) == 95
    assert return_window_days(returns, orders, OPENED + timedelta(10)) == 30
    assert return_window_days(returns.clear(), orders, OPENED + timedelta(200)) == 30


def test_without_a_known_outcome_there_is_no_exchange_share() -> None:
    order = {"order_id": "a", "order_day": OPENED, "is_valid": True}
    line = {"order_id": "a", "product_id": "p0", "kind": "merchandise", "quantity": 1, "net": Decimal(5)}
    back = {"order_id": "a", "product_id": "p0", "kind": "merchandise", "quantity": 1, "amount": Decimal(5)}
    shop = Shop((order,), (line,), (back | {"returned_day": OPENED},))
    table = return_rates(shop.orders, shop.order_lines, shop.returns, OPENED + timedelta(60)).collect()
    rates = dict(table.filter(break_down="all").select("measure", "rate").rows())
    assert rates == {
        "order_return_rate": 1.0,
        "item_return_rate": 1.0,
        "value_return_rate": 1.0,
        "exchange_share": None,
        "retained_revenue_ratio": None,
    }


def test_an_empty_shop_has_an_empty_table_and_the_shortest_window() -> None:
    empty = Shop()
    table = return_rates(empty.orders, empty.order_lines, empty.returns, OPENED).collect()
    assert table.is_empty()
    assert table.schema["amount"] == table.schema["base_amount"] == pl.Decimal(18, 4)
    assert table.schema["count"] == table.schema["n"] == pl.Int64
    assert return_window_days(empty.returns, empty.orders, OPENED) == 30
