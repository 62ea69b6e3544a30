"""Returning customers' spend against customer-by-customer sums, a known ratio, and a simulated shop's own truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings

from models.claims import Status
from models.claims.returning_spend import findings, spend_at_equal_age
from models.summary import purchases_at
from tests.models.claims.composed_buying import SIMULATED_UNTIL, after_first_month, bought, simulated
from tests.models.shops import OPENED, Shop, as_of_days, shops

AGE = 60
LATER = OPENED + timedelta(800)
Spend = dict[str, dict[date, Decimal]]


def _slow(days: Spend, as_of: date, age: int) -> dict[bool, list[tuple[int, Decimal, Decimal]]]:
    """Order days, net and net of the first order day up to the age, of each customer old enough, by returning.

    Nobody is known before the first month, so it looks cut off.
    """
    groups: dict[bool, list[tuple[int, Decimal, Decimal]]] = {False: [], True: []}
    begin = min((day for own in days.values() for day in own if day <= as_of), default=as_of)
    for own in days.values():
        known = {day: net for day, net in own.items() if day <= as_of}
        if not known or min(known) + timedelta(age) > as_of:
            continue
        if min(known).replace(day=1) == begin.replace(day=1):
            continue
        within = {day: net for day, net in known.items() if day <= min(known) + timedelta(age)}
        groups[len(within) > 1].append((len(within), sum(within.values(), Decimal(0)), known[min(known)]))
    return groups


def _net_by_day(shop: Shop, as_of: date) -> Spend:
    days: Spend = defaultdict(lambda: defaultdict(Decimal))
    for row in shop.order_rows:
        if not row["is_valid"] or row["customer_key"] is None or row["order_day"] > as_of:
            continue
        back = [
            one["amount"]
            for one in shop.return_rows
            if one["order_id"] == row["order_id"]
            and one["kind"] == "merchandise"
            and one["outcome"] != "exchange"
            and (one["refunded_day"] or one["returned_day"] or date.max) <= as_of
        ]
        net = row["gross"] - row["discount"] - sum(back, Decimal(0))
        days[row["customer_key"]][row["order_day"]] += net
    return days


@settings(max_examples=30, deadline=None)
@given(shops(customers=3), as_of_days(300))
def test_sums_equal_those_customer_by_customer(shop: Shop, as_of: date) -> None:
    expected = _slow(_net_by_day(shop, as_of), as_of, AGE)
    purchases = purchases_at(shop.orders, shop.returns, as_of)
    found = {
        row["is_returning"]: row for row in spend_at_equal_age(purchases, as_of, age_days=AGE).to_dicts()
    }
    assert found.keys() == {who for who, rows in expected.items() if rows}
    for who, row in found.items():
        rows = [(orders, int(net * 10_000), int(first * 10_000)) for orders, net, first in expected[who]]
        assert row["customers"] == len(rows)
        assert row["orders"] == sum(orders for orders, _, _ in rows)
        assert row["net"] == sum(net for _, net, _ in rows)
        assert row["net_squared"] == sum(net * net for _, net, _ in rows)
        assert row["net_by_orders"] == sum(orders * net for orders, net, _ in rows)
        assert row["first_net"] == sum(first for _, _, first in rows)
        assert row["first_net_squared"] == sum(first * first for _, _, first in rows)


def _composed(times: float, seed: int) -> Iterable[tuple[str, int, Decimal]]:
    """Composed: returning customers have three orders of `times` what one-time buyers' only order is worth."""
    rng = np.random.default_rng(seed)
    for customer in range(3000):
        returns = rng.random() < 0.4
        for offset in (0, 50, 364) if returns else (0,):
            net = rng.gamma(4.0, 10.0 * (times if returns else 1.0))
            yield f"c{customer}", int(customer % 100) + offset, Decimal(f"{net:.2f}")


@pytest.mark.parametrize(
    ("times", "per_customer", "per_order"),
    [
        (1.5, Status.HOLDS, Status.DOES_NOT_HOLD),
        (0.5, Status.DOES_NOT_HOLD, Status.DOES_NOT_HOLD),
        (3.5, Status.HOLDS, Status.HOLDS),
    ],
)
def test_a_known_ratio_is_found(times: float, per_customer: Status, per_order: Status) -> None:
    customer, order, first = findings(bought(after_first_month(_composed(times, 4))), LATER)
    for found, truth in ((customer, 3 * times), (order, times), (first, times)):
        assert found.low is not None
        assert found.high is not None
        assert found.low < truth < found.high
        assert found.high - found.low < 0.15 * truth
    assert (customer.status, order.status) == (per_customer, per_order)
    assert customer.n == 3000


def test_orders_after_the_age_count_for_nobody() -> None:
    late = [(f"c{n}", offset, 10) for n in range(40) for offset in (0, 366)]
    early = [(f"d{n}", offset, 10) for n in range(40) for offset in (0, 365)]
    customer, _, _ = findings(bought(after_first_month([*late, *early])), LATER)
    assert customer.number == pytest.approx(2)


def test_the_interval_holds_its_level() -> None:
    inside = 0
    for seed in range(40):
        order = findings(bought(after_first_month(list(_composed(1.0, seed))[:1200])), LATER)[1]
        assert order.low is not None
        assert order.high is not None
        inside += order.low < 1.0 < order.high
    assert inside >= 34


def test_no_ratio_is_made_to_nothing() -> None:
    free = [(f"c{n}", 0, 0) for n in range(40)]
    paid = [(f"d{n}", offset, 10) for n in range(40) for offset in (0, 9)]
    for found in findings(bought(after_first_month([*free, *paid])), LATER):
        assert found.status is Status.CANNOT_TELL
        assert found.number is None
        assert found.n == 80


def test_the_simulated_shops_truth_is_recovered() -> None:
    facts, truth = simulated()
    days: Spend = defaultdict(lambda: defaultdict(Decimal))
    for person, day, net in truth.select("person", "order_day", "net").iter_rows():
        days[person][day] += net
    groups = _slow(days, SIMULATED_UNTIL, 365)
    sums = {who: [float(sum(column)) for column in zip(*rows, strict=True)] for who, rows in groups.items()}
    (orders, net, first), (_, net_once, _) = sums[True], sums[False]
    back, once = len(groups[True]), len(groups[False])
    expected = (
        (net / back) / (net_once / once),
        (net / orders) / (net_once / once),
        first / back / (net_once / once),
    )
    found = findings(facts, SIMULATED_UNTIL)
    assert [one.number for one in found] == pytest.approx(expected)
    assert [one.status for one in found] == [Status.HOLDS, Status.DOES_NOT_HOLD, Status.DOES_NOT_HOLD]
