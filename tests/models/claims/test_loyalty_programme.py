"""Claim 9 on composed shops where eager buyers join more, and against a plain loop."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from hypothesis import given, settings

from models.claims import Facts, Status
from models.claims.loyalty_programme import findings, orders_by_membership
from tests.models.claims.composed_relations import Row, day, facts_of, order, related_shops
from tests.models.shops import as_of_days

DAYS = 1_100


def _shop(lift: float, *, size: int = 3_000) -> Facts:
    """After an order people stay with a chance; eager ones (who show it by a second order soon) join three times as
    often, and joining multiplies the chance to order again later."""
    generator = np.random.default_rng(11)
    orders: list[Row] = []
    bookings: list[Row] = []
    for number in range(size):
        is_eager = generator.random() < 0.4
        at, place = int(generator.integers(0, 300)), 0
        orders.append(order(f"o{number}-0", f"c{number}", at))
        if is_eager:
            # An order day within the 30 days tells the eager from the others.
            place += 1
            at += int(generator.integers(1, 20))
            orders.append(order(f"o{number}-1", f"c{number}", at))
        joins = generator.random() < (0.45 if is_eager else 0.15)
        if joins:
            bookings.append({"customer_key": f"c{number}", "booked_day": day(at)})
        chance = (0.7 if is_eager else 0.4) * (lift if joins else 1.0)
        if generator.random() < chance:
            at += int(generator.integers(60, 330))
            orders.append(order(f"o{number}-{place + 1}", f"c{number}", at))
    return facts_of(orders=orders, loyalty_ledger=bookings)


def test_the_lift_is_recovered_and_the_plain_comparison_says_too_much() -> None:
    alike, plain, survey = findings(_shop(1.2), day(DAYS))
    assert alike.low is not None and alike.high is not None and alike.number is not None
    assert alike.low <= 1.2 <= alike.high
    assert alike.status is Status.HOLDS
    assert plain.number is not None and plain.number > 1.2
    assert plain.status is Status.CANNOT_TELL
    assert survey.status is Status.CANNOT_BE_TESTED and not survey.needs


def test_a_programme_without_effect_is_not_credited_with_its_members() -> None:
    alike, plain, _ = findings(_shop(1.0), day(DAYS))
    assert alike.low is not None and alike.high is not None
    assert alike.low <= 1.0 <= alike.high
    assert alike.status is not Status.HOLDS
    assert plain.low is not None and plain.low > 1.05


@settings(max_examples=25, deadline=None)
@given(facts=related_shops(), as_of=as_of_days())
def test_orders_are_those_that_a_plain_loop_finds(facts: Facts, as_of: date) -> None:
    if facts.lacks("loyalty_ledger"):
        return
    rows = orders_by_membership(facts.tables["orders"], facts.tables["loyalty_ledger"], as_of)
    member: dict[str, date] = {}
    for row in facts.tables["loyalty_ledger"].collect().to_dicts():
        if row["customer_key"] and row["booked_day"] <= as_of:
            member[row["customer_key"]] = min(member.get(row["customer_key"], date.max), row["booked_day"])
    days: set[tuple[str, date]] = {
        (row["customer_key"], row["order_day"])
        for row in facts.tables["orders"].collect().to_dicts()
        if row["is_valid"] and row["customer_key"] and row["order_day"] <= as_of
    }
    expected: list[tuple[bool, bool]] = []
    for who, at in days:
        joined = member.get(who, date.max)
        if at > as_of - timedelta(365) or joined < at:
            continue
        later = [other for person, other in days if person == who]
        expected.append(
            (
                joined <= at + timedelta(30),
                any(timedelta(30) < other - at <= timedelta(365) for other in later),
            )
        )
    assert sorted(rows.select("joined", "again").rows()) == sorted(expected)
