"""Claim 13: which campaigns win and which keep, and what each costs a head."""

from __future__ import annotations

import math
from typing import Any

import pytest

from models.claims import Facts, Finding, Status
from models.claims.acquisition_cost import findings
from tests.models.claims.composed_relations import Row, day, facts_of, order

AS_OF = day(800)
NEW, KEPT = 400, 250


def _orders() -> list[Row]:
    """400 customers are new in the last year; 250 had bought before it and did again, 100 did not."""
    new = [order(f"n{number}", f"n{number}", 500 + number % 300) for number in range(NEW)]
    before = [order(f"b{number}", f"b{number}", number % 300) for number in range(KEPT + 100)]
    again = [order(f"a{number}", f"b{number}", 450 + number % 300) for number in range(KEPT)]
    return [*new, *before, *again]


def _cost(campaign: str | None, amount: int, offset: int = 700) -> Row:
    return {"day": day(offset), "kind": "campaign", "amount": amount, "campaign": campaign}


def _found(costs: list[Row], options: dict[str, Any] | None = None) -> Finding:
    assigned = [{"campaign": "win back", "customer_key": "b1", "assigned_day": day(600)}]
    facts = facts_of(options, orders=_orders(), costs=costs, campaign_assignments=assigned)
    (found,) = findings(facts, AS_OF)
    return found


def test_cost_of_winning_over_cost_of_keeping_a_customer() -> None:
    found = _found(
        [_cost("search ads", 8_000), _cost("win back", 500), _cost("search ads", 9_999, offset=100)]
    )
    assert found.number == pytest.approx((8_000 / NEW) / (500 / KEPT))
    spread = math.exp(1.96 * math.sqrt(1 / NEW + 1 / KEPT))
    assert found.high == pytest.approx(10 * spread, rel=1e-3)
    assert found.low == pytest.approx(10 / spread, rel=1e-3)
    assert found.status is Status.HOLDS
    assert found.n == NEW


def test_a_cheap_new_customer_does_not_bear_the_claim_out() -> None:
    assert _found([_cost("search ads", 800), _cost("win back", 500)]).status is Status.DOES_NOT_HOLD


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ([_cost("win back", 500)], "to win new ones"),
        ([_cost("search ads", 500)], "to keep"),
        ([_cost(None, 500)], "carry no campaign's name"),
        ([{"day": day(700), "kind": "cogs", "amount": 5, "campaign": None}], "hold no campaign"),
    ],
)
def test_costs_that_do_not_tell_whom_they_were_for_cannot_be_tested(costs: list[Row], said: str) -> None:
    found = _found(costs)
    assert found.status is Status.CANNOT_BE_TESTED and found.needs == ("costs",)
    assert said in found.says


def test_a_shop_can_say_itself_which_campaigns_win() -> None:
    costs = [_cost("search ads", 500), _cost("newsletter", 500)]
    found = _found(costs, {"acquisition_campaigns": ["search ads"]})
    assert found.number == pytest.approx(KEPT / NEW)


def test_messages_to_customers_tell_a_campaign_that_keeps() -> None:
    sent = [{"campaign": "newsletter", "customer_key": "b1", "kind": "marketing", "sent_day": day(500)}]
    costs = [_cost("search ads", 800), _cost("newsletter", 500)]
    (found,) = findings(facts_of(orders=_orders(), costs=costs, messages=sent), AS_OF)
    assert found.number == pytest.approx((800 / NEW) / (500 / KEPT))


def test_without_costs_they_are_named() -> None:
    (found,) = findings(Facts({"orders": facts_of(orders=_orders()).tables["orders"]}), AS_OF)
    assert found.needs == ("costs",)
