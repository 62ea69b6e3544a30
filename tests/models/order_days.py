"""Small composed purchase tables for tests: who ordered on which day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

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
