"""Small composed purchase tables for tests: who ordered on which day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
from hypothesis import strategies as st

SCHEMA = {
    "customer_key": pl.String,
    "order_day": pl.Date,
    "order_day_number": pl.Int32,
    "net": pl.Decimal(18, 4),
    "orders": pl.Int32,
}
START = date(2020, 1, 15)

# Customer -> {day number: valid orders that day}.
Shop = Mapping[str, Mapping[int, int]]


def day(number: int) -> date:
    """`number` days after the composed shop's first possible order."""
    return START + timedelta(days=number)


def one_order_each(shop: Mapping[str, Sequence[int]]) -> Shop:
    return {customer: dict.fromkeys(numbers, 1) for customer, numbers in shop.items()}


def purchases(shop: Shop, *, net: Mapping[str, int] | None = None) -> pl.LazyFrame:
    """Purchases of a composed shop; net per order day is 10 unless given for the customer."""
    rows = [
        (
            customer,
            day(number),
            (day(number) - date(1970, 1, 1)).days,
            Decimal((net or {}).get(customer, 10)),
            orders,
        )
        for customer, days in shop.items()
        for number, orders in days.items()
    ]
    # Reversed, because nothing may rely on rows arriving in order.
    return pl.DataFrame(rows[::-1], schema=SCHEMA, orient="row").lazy()


def shops(*, customers: int = 6, days: int = 1500, orders: int = 6) -> st.SearchStrategy[Shop]:
    """Small shops: up to `customers` people with up to `orders` order days each."""
    order_days = st.dictionaries(st.integers(0, days), st.integers(1, 2), min_size=1, max_size=orders)
    names = [f"customer {number}" for number in range(customers)]
    return st.dictionaries(st.sampled_from(names), order_days, min_size=1, max_size=customers)


ORDERS = {
    "order_id": pl.String,
    "customer_key": pl.String,
    "order_day": pl.Date,
    "is_valid": pl.Boolean,
    "gross": pl.Decimal(18, 4),
    "discount": pl.Decimal(18, 4),
    "channel": pl.String,
    "country": pl.String,
}
RETURNS = {
    "order_id": pl.String,
    "kind": pl.String,
    "outcome": pl.String,
    "amount": pl.Decimal(18, 4),
    "returned_day": pl.Date,
    "refunded_day": pl.Date,
    "product_id": pl.String,
    "quantity": pl.Int64,
    "reason": pl.String,
}


def orders(rows: Sequence[tuple[str, str, int, int]]) -> pl.LazyFrame:
    """Valid orders from (order_id, customer, day number, gross)."""
    composed = [
        (order, who, day(number), True, Decimal(gross), Decimal(0), None, None)
        for order, who, number, gross in rows
    ]
    return pl.DataFrame(composed, schema=ORDERS, orient="row").lazy()


def returns(rows: Sequence[tuple[str, int, int]] = ()) -> pl.LazyFrame:
    """Refunded returns from (order_id, amount, day number)."""
    composed = [
        (order, "merchandise", "refund", Decimal(amount), day(number), day(number), None, None, None)
        for order, amount, number in rows
    ]
    return pl.DataFrame(composed, schema=RETURNS, orient="row").lazy()


def simulated_orders(seed: int, *, customers: int = 800, days: int = 720) -> pl.LazyFrame:
    """Orders of a shop that behaves as BG/NBD and Gamma-Gamma assume; no number in it is real."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, str, int, int]] = []
    for number in range(customers):
        when, wait = rng.uniform(0, days * 0.6), 1 / rng.gamma(0.8, 1 / 40)
        leaves, usual = rng.beta(0.8, 2.5), 20 * rng.gamma(4) / rng.gamma(4)
        while when <= days:
            rows.append((f"{len(rows)}", f"customer {number:04}", int(when), 1 + int(usual * rng.gamma(6))))
            if len(rows) > 1 and rows[-2][1] == rows[-1][1] and rng.uniform() < leaves:
                break
            when += rng.exponential(wait)
    return orders(rows)
