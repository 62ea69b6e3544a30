"""The readiness gate opens exactly at the glossary's thresholds, and says in words why it stays shut."""

from __future__ import annotations

import pytest

from models.readiness import ReadinessRules, readiness
from tests.models.composed_purchases import Shop, day, purchases


def shop(*, customers: int = 500, regulars: int = 50, first: int = 0, last: int = 150) -> Shop:
    """Composed: everybody orders on day `first` or, the regulars, three times up to day `last`."""
    everybody: dict[str, dict[int, int]] = {f"customer {number}": {first: 1} for number in range(customers)}
    for number in range(regulars):
        everybody[f"customer {number}"] = {first: 2, last: 1}
    return everybody


def test_a_shop_exactly_at_every_threshold_is_ready() -> None:
    result = readiness(purchases(shop()), day(180))
    assert result.is_ready
    assert result.reasons == ()
    assert result.facts == {
        "customers": 500,
        "history_days": 180,
        "days_since_last_order": 30,
        "regulars": 50,
    }
    assert str(result) == "ready"


@pytest.mark.parametrize(
    ("composed", "as_of", "reason"),
    [
        (shop(customers=499), 180, "499 customers have a valid order, and at least 500 are needed"),
        (shop(), 179, "the history covers 179 days, and at least 180 are needed"),
        (shop(), 181, "the latest order is 31 days old, and at most 30 are allowed"),
        (shop(regulars=49), 180, "49 customers have 3 or more orders, and at least 50 are needed"),
    ],
)
def test_one_short_is_not_ready_and_says_so(composed: Shop, as_of: int, reason: str) -> None:
    result = readiness(purchases(composed), day(as_of))
    assert not result.is_ready
    assert result.reasons == (reason,)
    assert str(result) == f"not ready because {reason}"


def test_every_reason_is_given() -> None:
    assert len(readiness(purchases(shop(customers=3, regulars=2, last=10)), day(100)).reasons) == 4


def test_orders_after_as_of_do_not_count() -> None:
    later = purchases(shop(last=150))
    assert readiness(later, day(120)).facts == {
        "customers": 500,
        "history_days": 120,
        "days_since_last_order": 120,
        "regulars": 0,
    }


def test_a_shop_without_orders_is_not_ready() -> None:
    result = readiness(purchases({}), day(0))
    assert str(result) == "not ready because no customer has a valid order yet"
    assert result.facts["history_days"] is None


def test_a_shop_may_set_its_own_thresholds() -> None:
    assert readiness(purchases(shop(customers=60)), day(180), rules=ReadinessRules(customers=60)).is_ready
