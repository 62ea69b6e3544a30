"""Tiny random shops for property tests: orders, order lines and returns in the schemas of the facts.

All data here is composed. The shops are small enough to recompute by hand and crowded enough for the
cases that break things: two orders on one day, unknown customers, orders that don't count, returns long
after the order, returns without an order or a day, exchanges, postage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import strategies as st

OPENED = date(2024, 1, 17)
"""First possible order day: in the middle of a month, of a week and of a quarter."""

MONEY = pl.Decimal(18, 4)
INSTANT = pl.Datetime("us", "UTC")

ORDERS = {
    "order_id": pl.String,
    "source": pl.String,
    "channel": pl.String,
    "country": pl.String,
    "customer_key": pl.String,
    "ordered_at": INSTANT,
    "order_day": pl.Date,
    "order_day_number": pl.Int32,
    "status": pl.String,
    "gross": MONEY,
    "discount": MONEY,
    "refunded": MONEY,
    "net": MONEY,
    "currency": pl.String,
    "is_valid": pl.Boolean,
    "excluded_because": pl.String,
    "fully_returned": pl.Boolean,
    "lines": pl.Int32,
}
ORDER_LINES = {
    "order_id": pl.String,
    "line_no": pl.Int32,
    "product_id": pl.String,
    "product_name": pl.String,
    "category": pl.String,
    "kind": pl.String,
    "quantity": pl.Int64,
    "unit_price": MONEY,
    "discount": MONEY,
    "net": MONEY,
}
RETURNS = {
    "return_id": pl.String,
    "order_id": pl.String,
    "line_no": pl.Int32,
    "customer_key": pl.String,
    "product_id": pl.String,
    "kind": pl.String,
    "quantity": pl.Int64,
    "amount": MONEY,
    "reason": pl.String,
    "outcome": pl.String,
    "returned_at": INSTANT,
    "refunded_at": INSTANT,
    "returned_day": pl.Date,
    "refunded_day": pl.Date,
    "match_rule": pl.String,
}
PURCHASES = {
    "customer_key": pl.String,
    "order_day": pl.Date,
    "order_day_number": pl.Int32,
    "net": MONEY,
    "orders": pl.Int32,
}

_CATEGORY = {"p0": "home", "p1": "home", "p2": None}


@dataclass(frozen=True)
class Shop:
    """The facts of one shop as rows, so that a test can recompute from them in plain Python."""

    order_rows: tuple[dict[str, Any], ...] = ()
    line_rows: tuple[dict[str, Any], ...] = ()
    return_rows: tuple[dict[str, Any], ...] = ()

    @property
    def orders(self) -> pl.LazyFrame:
        return pl.LazyFrame(list(self.order_rows), schema=ORDERS)

    @property
    def order_lines(self) -> pl.LazyFrame:
        return pl.LazyFrame(list(self.line_rows), schema=ORDER_LINES)

    @property
    def returns(self) -> pl.LazyFrame:
        return pl.LazyFrame(list(self.return_rows), schema=RETURNS)

    def known_by(self, as_of: date) -> Shop:
        """What a delivery at the end of `as_of` could have held: nothing dated later."""
        ids = {row["order_id"] for row in self.order_rows if row["order_day"] <= as_of}
        known = tuple(
            row for row in self.return_rows if _by(row["refunded_day"] or row["returned_day"], as_of)
        )
        return Shop(
            tuple(row for row in self.order_rows if row["order_id"] in ids),
            tuple(row for row in self.line_rows if row["order_id"] in ids),
            known,
        )


def purchases_of(rows: Sequence[tuple[str | None, date, int] | tuple[str | None, date]]) -> pl.LazyFrame:
    """Purchases from (customer, order day) or (customer, order day, orders); net is 10 an order."""
    full = [
        {
            "customer_key": row[0],
            "order_day": row[1],
            "order_day_number": (row[1] - date(1970, 1, 1)).days,
            "net": Decimal(10) * (row[2] if len(row) == 3 else 1),
            "orders": row[2] if len(row) == 3 else 1,
        }
        for row in rows
    ]
    return pl.LazyFrame(full, schema=PURCHASES)


@st.composite
def purchase_days(draw: st.DrawFn, *, customers: int = 5, days: int = 800) -> list[tuple[str, date, int]]:
    """Order days of up to `customers` customers over `days` days, as rows for `purchases_of`."""
    keys = st.sampled_from([f"c{number}" for number in range(customers)])
    # Half of the days near the beginning: cohorts with more than one member, and repeat purchases.
    offsets = st.one_of(st.integers(0, min(100, days)), st.integers(0, days))
    pairs = draw(st.lists(st.tuples(keys, offsets), max_size=25, unique=True))
    return [(key, OPENED + timedelta(offset), draw(st.sampled_from([1, 1, 1, 2]))) for key, offset in pairs]


def as_of_days(days: int = 800) -> st.SearchStrategy[date]:
    """Days from just before the shop opened to well after its last possible order."""
    return st.integers(-2, days + 60).map(lambda offset: OPENED + timedelta(offset))


@st.composite
def shops(draw: st.DrawFn, *, customers: int = 4, days: int = 200, max_orders: int = 14) -> Shop:
    """Shops of a few customers, with lines and returns."""
    keys = st.sampled_from([*(f"c{number}" for number in range(customers)), None])
    orders: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    returns: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, max_orders))):
        order, own_lines = _order(draw, f"o{number}", draw(keys), draw(st.integers(0, days)))
        orders.append(order)
        lines += own_lines
        returns += _returns(draw, order, own_lines)
    if draw(st.booleans()):
        returns.append(_return(draw, "unmatched", None, None, Decimal(7)))
    return Shop(tuple(orders), tuple(lines), tuple(returns))


def _by(day: date | None, as_of: date) -> bool:
    return day is not None and day <= as_of


def _instant(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(12), UTC)


def _order(
    draw: st.DrawFn, order_id: str, customer: str | None, offset: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    day = OPENED + timedelta(offset)
    lines = [_line(draw, order_id, line_no) for line_no in range(1, draw(st.integers(1, 3)) + 1)]
    if all(line["kind"] != "merchandise" for line in lines):
        lines[0]["kind"] = "merchandise"
    goods = [line for line in lines if line["kind"] == "merchandise"]
    gross = sum((line["quantity"] * line["unit_price"] for line in goods), Decimal(0))
    discount = sum((line["discount"] for line in goods), Decimal(0))
    is_valid = draw(st.sampled_from([True, True, True, False]))
    order = {
        "order_id": order_id,
        "source": "composed",
        "channel": draw(st.sampled_from(["web", "store", None])),
        "country": "GB",
        "customer_key": customer,
        "ordered_at": _instant(day),
        "order_day": day,
        "order_day_number": (day - date(1970, 1, 1)).days,
        "status": "paid" if is_valid else "cancelled",
        "gross": gross,
        "discount": discount,
        # As known now: never to be read by anything that has an as_of.
        "refunded": Decimal("99999"),
        "net": Decimal("-99999"),
        "currency": "GBP",
        "is_valid": is_valid,
        "excluded_because": None if is_valid else "cancelled",
        "fully_returned": False,
        "lines": len(lines),
    }
    return order, lines


def _line(draw: st.DrawFn, order_id: str, line_no: int) -> dict[str, Any]:
    product = draw(st.sampled_from(["p0", "p1", "p2"]))
    quantity = draw(st.integers(1, 3))
    price = Decimal(draw(st.integers(1, 5000))) / 100
    discount = draw(st.sampled_from([Decimal(0), price / 2]))
    return {
        "order_id": order_id,
        "line_no": line_no,
        "product_id": product,
        "product_name": product.upper(),
        "category": _CATEGORY[product],
        "kind": draw(st.sampled_from(["merchandise", "merchandise", "merchandise", "postage"])),
        "quantity": quantity,
        "unit_price": price,
        "discount": discount,
        "net": quantity * price - discount,
    }


def _returns(draw: st.DrawFn, order: dict[str, Any], lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    returned = draw(st.lists(st.sampled_from(lines), max_size=2, unique_by=lambda line: line["line_no"]))
    return [
        _return(draw, f"r-{order['order_id']}-{line['line_no']}", order, line, line["net"])
        for line in returned
    ]


def _return(
    draw: st.DrawFn,
    return_id: str,
    order: dict[str, Any] | None,
    line: dict[str, Any] | None,
    amount: Decimal,
) -> dict[str, Any]:
    ordered = OPENED if order is None else order["order_day"]
    returned = draw(st.one_of(st.none(), st.integers(0, 90).map(lambda lag: ordered + timedelta(lag))))
    wait = draw(st.one_of(st.none(), st.integers(0, 30)))
    refunded = None if wait is None else (returned or ordered) + timedelta(wait)
    return {
        "return_id": return_id,
        "order_id": None if order is None else order["order_id"],
        "line_no": None if line is None else draw(st.sampled_from([line["line_no"], None])),
        "customer_key": None if order is None else order["customer_key"],
        "product_id": "p0" if line is None else line["product_id"],
        "kind": "merchandise" if line is None else line["kind"],
        "quantity": 1 if line is None else draw(st.integers(1, line["quantity"])),
        "amount": amount,
        "reason": draw(st.sampled_from(["too small", "broken", None])),
        "outcome": draw(st.sampled_from(["refund", "refund", "exchange", "store_credit", None])),
        "returned_at": _instant(returned),
        "refunded_at": _instant(refunded),
        "returned_day": returned,
        "refunded_day": refunded,
        "match_rule": "unmatched" if order is None else "composed",
    }
