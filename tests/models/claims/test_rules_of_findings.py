"""What every claim about relations holds to, whatever the shop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings

from models.claims import (
    Facts,
    Finding,
    Status,
    acquisition_cost,
    loyalty_programme,
    market_surveys,
    message_opens,
    notifications,
    referred,
    retained_profit,
    tracking_views,
)
from tests.models.claims.composed_relations import day, facts_of, known_by, order, related_shops
from tests.models.shops import as_of_days

MODULES = (
    acquisition_cost,
    loyalty_programme,
    market_surveys,
    message_opens,
    notifications,
    referred,
    retained_profit,
    tracking_views,
)
Test = Callable[[Facts, date], list[Finding]]
EVERY = pytest.mark.parametrize(
    "findings", [module.findings for module in MODULES], ids=lambda f: f.__module__
)


@settings(max_examples=12, deadline=None)
@given(facts=related_shops(), as_of=as_of_days())
def test_nothing_after_as_of_changes_a_finding(facts: Facts, as_of: date) -> None:
    # A table that comes later is not there yet: what a claim needs of it may differ, its numbers may not.
    before = {(finding.claim, finding.part): finding for finding in _all(known_by(facts, as_of), as_of)}
    for finding in _all(facts, as_of):
        other = before.get((finding.claim, finding.part))
        if other is not None and Status.CANNOT_BE_TESTED not in (finding.status, other.status):
            assert finding == other
        else:
            assert finding.status in (Status.CANNOT_BE_TESTED, Status.CANNOT_TELL)


@settings(max_examples=12, deadline=None)
@given(facts=related_shops(), as_of=as_of_days())
def test_a_finding_says_what_it_can(facts: Facts, as_of: date) -> None:
    found = _all(facts, as_of)
    assert len({(finding.claim, finding.part) for finding in found}) == len(found)
    for finding in found:
        assert finding.says.endswith(".") and finding.definition
        assert "nan" not in finding.says and "inf" not in finding.says
        if finding.low is None or finding.high is None:
            assert finding.status in (Status.CANNOT_TELL, Status.CANNOT_BE_TESTED)
        else:
            assert finding.number is not None and finding.low <= finding.number <= finding.high
        if finding.needs:
            assert finding.status is Status.CANNOT_BE_TESTED and finding.number is None


@EVERY
@pytest.mark.parametrize("customers", [0, 3, 200])
def test_a_shop_too_small_or_without_returning_customers_is_told_so(findings: Test, customers: int) -> None:
    orders = [order(f"o{number}", f"c{number}", number % 90) for number in range(customers)]
    facts = facts_of(
        orders=orders,
        referrals=[{"friend_key": "c1", "order_id": "o1", "referred_day": day(0)}],
        loyalty_ledger=[{"customer_key": "c1", "booked_day": day(1)}],
        costs=[{"day": day(500), "kind": "cogs", "amount": 5, "campaign": None}],
    )
    for finding in findings(facts, day(700)):
        assert finding.status in (Status.CANNOT_TELL, Status.CANNOT_BE_TESTED)


@EVERY
def test_without_any_table_nothing_can_be_tested(findings: Test) -> None:
    assert {finding.status for finding in findings(Facts({}), day(0))} == {Status.CANNOT_BE_TESTED}


def _all(facts: Facts, as_of: date) -> list[Finding]:
    return [finding for module in MODULES for finding in module.findings(facts, as_of)]
