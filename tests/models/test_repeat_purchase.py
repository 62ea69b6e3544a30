"""Repeat purchase rates against plain recomputation, on both bases."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from models.intervals import wilson
from models.repeat_purchase import BASES, WITHIN_DAYS, repeat_purchase
from tests.models.shops import OPENED, as_of_days, purchase_days, purchases_of

Rows = list[tuple[str, date, int]]
FEW = settings(max_examples=60, deadline=None)


def _slow(rows: Rows, as_of: date, basis: str, within: int | None) -> tuple[int, int]:
    """(customers who bought again, n)."""
    bought: dict[str, list[date]] = defaultdict(list)
    for key, day, orders in sorted(rows, key=lambda row: row[1]):
        if day <= as_of:
            bought[key] += [day] * (orders if basis == "orders" else 1)
    if within is not None:
        bought = {key: days for key, days in bought.items() if days[0] + timedelta(within) <= as_of}
    again = [days for days in bought.values() if len(days) > 1]
    return sum(within is None or (days[1] - days[0]).days <= within for days in again), len(bought)


@FEW
@given(purchase_days(customers=8), as_of_days())
def test_rates_equal_the_recomputation_customer_by_customer(rows: Rows, as_of: date) -> None:
    table = repeat_purchase(purchases_of(rows), as_of).collect()
    assert table.select("basis", "within_days").rows() == [
        (b, d) for b in BASES for d in (None, *WITHIN_DAYS)
    ]
    for row in table.to_dicts():
        customers, n = _slow(rows, as_of, row["basis"], row["within_days"])
        assert (row["customers"], row["n"], row["is_small"]) == (customers, n, True)
        bounds = (None, None) if n == 0 else pytest.approx(wilson(customers, n))
        assert row["rate"] == (None if n == 0 else pytest.approx(customers / n))
        assert (row["low"], row["high"]) == bounds


@FEW
@given(purchase_days(customers=8), as_of_days())
def test_later_purchases_change_nothing_and_orders_are_never_below_order_days(
    rows: Rows, as_of: date
) -> None:
    table = repeat_purchase(purchases_of(rows), as_of)
    known = purchases_of([row for row in rows if row[1] <= as_of])
    assert_frame_equal(table, repeat_purchase(known, as_of))
    orders, days = table.collect().partition_by("basis", maintain_order=True)
    assert (orders["customers"] >= days["customers"]).all()


def test_a_repeat_on_the_last_day_of_the_horizon_counts_and_the_day_after_does_not() -> None:
    def within_30(gap: int, observed: int) -> tuple[int, int]:
        rows = purchases_of([("a", OPENED), ("a", OPENED + timedelta(gap))])
        table = repeat_purchase(rows, OPENED + timedelta(observed), within_days=[30]).collect()
        return table.row(-1, named=True)["customers"], table.row(-1, named=True)["n"]

    assert within_30(30, 30) == (1, 1)
    assert within_30(31, 40) == (0, 1)
    assert within_30(10, 29) == (0, 0)


def test_nobody_gives_no_rate() -> None:
    table = repeat_purchase(purchases_of([]), OPENED).collect()
    assert table["n"].to_list() == [0] * 12
    assert table["rate"].null_count() == table["low"].null_count() == 12


def test_a_horizon_of_no_days_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        repeat_purchase(purchases_of([]), OPENED, within_days=[0])
