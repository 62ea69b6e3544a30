"""Loyalty tiers: against a count day by day, and told the same on every later day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts import conform, table
from models.tiers import TierBasis, loyalty_tiers
from tests.models.shops import OPENED, as_of_days, purchase_days, purchases_of

Rows = list[tuple[str, date, int]]
FEW = settings(max_examples=30, deadline=None)
LEVELS = {"silver": 2, "gold": 4}


def _tier(rows: Rows, key: str, day: date, window: int) -> str | None:
    """The tier of one day, with orders up to and including it."""
    count = sum(orders for who, on, orders in rows if who == key and day - timedelta(window) < on <= day)
    return "gold" if count >= LEVELS["gold"] else "silver" if count >= LEVELS["silver"] else None


def _days(made: pl.DataFrame, as_of: date) -> dict[tuple[str, date], str]:
    found: dict[tuple[str, date], str] = {}
    for row in made.to_dicts():
        last = row["to_day"] or as_of
        for offset in range((last - row["from_day"]).days + 1):
            place = (row["customer_key"], row["from_day"] + timedelta(offset))
            assert place not in found
            found[place] = row["tier"]
    return found


@FEW
@given(
    purchase_days(days=150), as_of_days(150), st.sampled_from([1, 7, 60]), st.sampled_from(["orders", "net"])
)
def test_every_day_has_the_tier_that_a_count_of_its_window_gives(
    rows: Rows, as_of: date, window: int, basis: str
) -> None:
    # Net is 10 an order: by either basis the same tiers.
    levels = LEVELS if basis == "orders" else {name: Decimal(10 * level) for name, level in LEVELS.items()}
    made = loyalty_tiers(
        purchases_of(rows), as_of, basis=cast(TierBasis, basis), levels=levels, window_days=window
    ).collect()
    known = [row for row in rows if row[1] <= as_of]
    expected = {
        (key, day): tier
        for key in {row[0] for row in known}
        for day in (OPENED + timedelta(offset) for offset in range(max(0, (as_of - OPENED).days + 1)))
        if (tier := _tier(known, key, day, window))
    }
    assert _days(made, as_of) == expected
    for row in made.to_dicts():
        assert (row["to_day"] is None) == (row["expires_on"] is not None)
        if row["expires_on"]:
            last: date = row["expires_on"]
            assert last >= as_of
            assert _tier(known, row["customer_key"], last, window) == row["tier"]
            assert _tier(known, row["customer_key"], last + timedelta(1), window) != row["tier"]


@FEW
@given(purchase_days(days=150), as_of_days(150), st.integers(0, 100))
def test_a_later_day_tells_the_same_of_an_earlier_one(rows: Rows, as_of: date, days_later: int) -> None:
    later = as_of + timedelta(days_later)
    then, now = (
        _days(loyalty_tiers(purchases_of(rows), day, levels=LEVELS, window_days=40).collect(), day)
        for day in (as_of, later)
    )
    assert then == {place: tier for place, tier in now.items() if place[1] <= as_of}


def test_three_orders_in_twelve_months_make_a_loyal_customer_until_the_first_falls_out() -> None:
    rows = [("a", date(2025, month, 10), 1) for month in (1, 3, 6)]
    made = loyalty_tiers(purchases_of(rows), date(2025, 12, 31)).collect()
    assert made.rows() == [("a", "loyal", date(2025, 6, 10), None, date(2026, 1, 9))]
    after = loyalty_tiers(purchases_of(rows), date(2026, 1, 10)).collect()
    assert after.rows() == [("a", "loyal", date(2025, 6, 10), date(2026, 1, 9), None)]


def test_who_never_came_near_a_tier_and_who_has_no_key_have_no_row() -> None:
    rows: list[tuple[str | None, date, int]] = [("a", OPENED, 2), (None, OPENED, 9)]
    made = loyalty_tiers(purchases_of(rows), OPENED)
    assert conform(made, table("loyalty_tiers")).collect().is_empty()


def test_a_day_that_was_refunded_in_full_brings_no_spend() -> None:
    purchases = purchases_of([("a", OPENED, 5), ("a", OPENED + timedelta(3), 5)]).with_columns(
        net=pl.when(pl.col("order_day") == OPENED).then(Decimal(0)).otherwise("net").cast(pl.Decimal(18, 4))
    )
    made = loyalty_tiers(purchases, OPENED + timedelta(9), basis="net", levels={"loyal": Decimal("49.99")})
    assert made.collect()["from_day"].to_list() == [OPENED + timedelta(3)]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"basis": "points"}, "Unknown basis 'points'"),
        ({"levels": {}}, "thresholds above 0"),
        ({"levels": {"a": 3, "b": 3}}, "each another"),
        ({"levels": {"a": 0}}, "above 0"),
        ({"window_days": 0}, "positive number of days"),
    ],
)
def test_settings_that_mean_nothing_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        loyalty_tiers(purchases_of([]), OPENED, **changes)
