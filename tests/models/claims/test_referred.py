"""Claim 8 on composed shops whose truth is known, and against a plain loop."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings

from models.claims import Facts, Status
from models.claims.referred import findings, first_orders
from tests.models.claims.composed_relations import Row, day, facts_of, order, related_shops
from tests.models.shops import as_of_days


def _shop(rate: float, *, lift: float, size: int = 6_000) -> Facts:
    """People of the store come back half as often and are never referred, so the plain comparison says too much."""
    generator = np.random.default_rng(5)
    orders: list[Row] = []
    referrals: list[Row] = []
    for number in range(size):
        customer, came = f"c{number}", int(generator.integers(0, 300))
        channel = "web" if generator.random() < 0.5 else "store"
        is_referred = channel == "web" and generator.random() < 0.3
        chance = rate * (lift if is_referred else 1.0) * (1.0 if channel == "web" else 0.5)
        orders.append(order(f"o{number}", customer, came, channel=channel))
        if is_referred:
            referrals.append({"friend_key": customer, "order_id": None, "referred_day": day(came - 2)})
        if generator.random() < chance:
            orders.append(
                order(f"p{number}", customer, came + int(generator.integers(1, 365)), channel=channel)
            )
    return facts_of(orders=orders, referrals=referrals)


def test_a_lift_is_recovered_among_those_who_came_alike() -> None:
    (found,) = findings(_shop(0.4, lift=1.6), day(700))
    assert found.low is not None and found.high is not None
    assert found.low <= 1.6 <= found.high
    assert found.status is Status.HOLDS


def test_without_a_lift_the_claim_does_not_hold() -> None:
    (found,) = findings(_shop(0.4, lift=1.0), day(700))
    assert found.low is not None and found.high is not None
    assert found.low <= 1.0 <= found.high
    assert found.status is Status.DOES_NOT_HOLD
    assert "referred customers came back within a year" in found.says


@settings(max_examples=25, deadline=None)
@given(facts=related_shops(), as_of=as_of_days())
def test_referred_customers_are_counted_as_a_plain_loop_counts_them(facts: Facts, as_of: date) -> None:
    if facts.lacks("referrals"):
        return
    days: dict[str, list[date]] = {}
    placed: dict[str, date] = {}
    for row in facts.tables["orders"].collect().to_dicts():
        if row["is_valid"] and row["customer_key"] and row["order_day"] <= as_of:
            days.setdefault(row["customer_key"], []).append(row["order_day"])
            placed[row["order_id"]] = row["order_day"]
    watched = {who: min(all_) for who, all_ in days.items() if min(all_) <= as_of - timedelta(365)}
    referred = {
        row["friend_key"]
        for row in facts.tables["referrals"].collect().to_dicts()
        if row["friend_key"] in watched
        and row["referred_day"] <= as_of
        and (
            row["referred_day"] <= watched[row["friend_key"]]
            or placed.get(row["order_id"]) == watched[row["friend_key"]]
        )
    }
    expected = [
        (who in referred, any(timedelta(0) < other - first <= timedelta(365) for other in days[who]))
        for who, first in watched.items()
    ]
    rows = first_orders(facts.tables["orders"], facts.tables["referrals"], as_of)
    assert sorted(rows.select("is_referred", "came_back").rows()) == sorted(expected)


def test_a_channel_named_for_referrals_is_a_part_of_its_own() -> None:
    generator = np.random.default_rng(3)
    orders: list[Row] = []
    for number in range(2_000):
        channel = "refer a friend" if number % 4 == 0 else "web"
        orders.append(order(f"o{number}", f"c{number}", number % 60, channel=channel))
        if generator.random() < (0.6 if number % 4 == 0 else 0.3):
            orders.append(order(f"p{number}", f"c{number}", 200 + number % 60))
    by_referral, by_channel = findings(facts_of(orders=orders), day(500))
    assert by_referral.status is Status.CANNOT_BE_TESTED and by_referral.needs == ("referrals",)
    assert by_channel.number == pytest.approx(2.0, abs=0.25)
    assert by_channel.status is Status.HOLDS


def test_somebody_who_had_bought_before_was_not_won_by_a_referral() -> None:
    facts = facts_of(
        orders=[order("o1", "c1", 0), order("o2", "c1", 90)],
        referrals=[{"friend_key": "c1", "order_id": "o2", "referred_day": day(80)}],
    )
    assert findings(facts, day(700))[0].n == 0
