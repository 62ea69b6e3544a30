"""The chance of another order against a count order by order, known chances, and a simulated shop's own truth."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings

from models.claims import Status
from models.claims.three_purchases import chance_of_another, findings
from models.intervals import normal_quantile, wilson
from tests.models.claims.composed_buying import SIMULATED_UNTIL, after_first_month, bought, simulated
from tests.models.shops import OPENED, as_of_days, purchase_days, purchases_of

LATER = OPENED + timedelta(1200)
HORIZON = 60


def _slow(
    days: Collection[set[date]], as_of: date, horizon: int, up_to: int
) -> dict[int, list[tuple[int, bool]]]:
    """By order number: whose order day it is, and whether another followed.

    Nobody is known before the first month, so it looks cut off.
    """
    begin = min((day for own in days for day in own if day <= as_of), default=as_of)
    found: dict[int, list[tuple[int, bool]]] = {number: [] for number in range(1, up_to + 1)}
    for who, own in enumerate(days):
        known = sorted(day for day in own if day <= as_of)
        if known and known[0].replace(day=1) == begin.replace(day=1):
            continue
        for place, day in enumerate(known[:up_to]):
            if day + timedelta(horizon) <= as_of:
                followed = any(0 < (other - day).days <= horizon for other in known)
                found[place + 1].append((who, followed))
    return found


@settings(max_examples=40, deadline=None)
@given(purchase_days(days=300), as_of_days(400))
def test_counts_equal_those_order_by_order(rows: list[tuple[str, date, int]], as_of: date) -> None:
    days: dict[str, set[date]] = defaultdict(set)
    for customer, day, _ in rows:
        days[customer].add(day)
    expected = _slow(days.values(), as_of, HORIZON, 5)
    curve = chance_of_another(purchases_of(rows), as_of, horizon_days=HORIZON, up_to=5)
    assert curve["order_number"].to_list() == [1, 2, 3, 4, 5]
    for row in curve.to_dicts():
        outcomes = [followed for _, followed in expected[row["order_number"]]]
        assert (row["n"], row["count"]) == (len(outcomes), sum(outcomes))
        if outcomes:
            assert (row["low"], row["high"]) == pytest.approx(wilson(sum(outcomes), len(outcomes)))
        else:
            assert row["rate"] is None
            assert row["low"] is None


def _composed(chances: Sequence[float], people: int, seed: int) -> list[tuple[str, int, int]]:
    """Composed: after each order everybody has the same chance of another, 30 days later."""
    rng = np.random.default_rng(seed)
    orders: list[tuple[str, int, int]] = []
    for person in range(people):
        offset = int(rng.integers(0, 300))
        orders.append((f"c{person}", offset, 10))
        for chance in chances:
            if rng.random() >= chance:
                break
            offset += 30
            orders.append((f"c{person}", offset, 10))
    return orders


@pytest.mark.parametrize(
    ("chances", "statuses", "likely"),
    [
        ((0.3, 0.35, 0.8, 0.7, 0.0), (Status.HOLDS, Status.HOLDS, Status.HOLDS), 3),
        ((0.3, 0.8, 0.8, 0.75, 0.0), (Status.DOES_NOT_HOLD, Status.HOLDS, Status.DOES_NOT_HOLD), 2),
        ((0.7, 0.75, 0.8, 0.95, 0.0), (Status.CANNOT_TELL, Status.DOES_NOT_HOLD, Status.DOES_NOT_HOLD), 1),
    ],
    ids=["step at the third", "step at the second", "no step"],
)
def test_a_known_step_is_found(chances: tuple[float, ...], statuses: tuple[Status, ...], likely: int) -> None:
    step, beyond, until = findings(bought(after_first_month(_composed(chances, 6000, 2))), LATER)
    truth = chances[2] - 2 * chances[1] + chances[0], chances[3] - chances[2]
    for found, true in zip((step, beyond), truth, strict=True):
        assert found.low is not None
        assert found.high is not None
        assert found.low < true < found.high
    assert (step.status, beyond.status, until.status) == statuses
    assert until.number == likely


def test_the_interval_of_the_step_takes_a_customers_orders_together() -> None:
    orders = _composed((0.5, 0.6, 0.7, 0.7), 500, 3)
    days: dict[str, set[date]] = defaultdict(set)
    for customer, offset, _ in orders:
        days[customer].add(OPENED + timedelta(offset))
    rows = _slow(days.values(), LATER, 365, 4)
    rate = {number: np.mean([followed for _, followed in rows[number]]) for number in rows}
    influence = np.zeros(len(days))
    for number, weight in ((1, 1.0), (2, -2.0), (3, 1.0)):
        for who, followed in rows[number]:
            influence[who] += weight * (followed - rate[number]) / len(rows[number])
    half = normal_quantile(0.95) * sqrt((influence**2).sum())
    step = findings(bought(orders), LATER)[0]
    value = rate[3] - 2 * rate[2] + rate[1]
    assert (step.number, step.low, step.high) == pytest.approx((value, value - half, value + half))


def test_where_few_ever_come_back_it_is_said_that_no_number_is_enough() -> None:
    until = findings(bought(after_first_month(_composed((0.3, 0.3, 0.3), 3000, 1))), LATER)[2]
    assert until.status is Status.CANNOT_TELL
    assert until.number is None
    assert "never more likely than not" in until.says


def test_the_simulated_shops_truth_is_recovered() -> None:
    facts, truth = simulated()
    days: dict[int, set[date]] = defaultdict(set)
    for person, day in truth.select("person", "order_day").iter_rows():
        days[person].add(day)
    rows = _slow(days.values(), SIMULATED_UNTIL, 365, 4)
    rate = {number: np.mean([followed for _, followed in rows[number]]) for number in rows}
    step, beyond, until = findings(facts, SIMULATED_UNTIL)
    assert step.number == pytest.approx(rate[3] - 2 * rate[2] + rate[1])
    assert beyond.number == pytest.approx(rate[4] - rate[3])
    assert until.number == next(number for number in rate if rate[number] > 0.5)
    assert step.n == len(rows[3])


@pytest.mark.parametrize(("horizon", "up_to"), [(0, 5), (30, 2), (30, 16)])
def test_what_cannot_be_counted_is_refused(horizon: int, up_to: int) -> None:
    with pytest.raises(ValueError, match="3 to 15 order days over a positive number of days"):
        chance_of_another(purchases_of([]), LATER, horizon_days=horizon, up_to=up_to)


def test_a_step_says_its_sum_and_its_limit() -> None:
    step, beyond, _ = findings(
        bought(after_first_month(_composed((0.3, 0.8, 0.8, 0.75, 0.0), 6000, 2))), LATER
    )
    said = re.findall(r"[+\N{MINUS SIGN}]\d+\.\d\d", step.says)
    third, second, apart = (float(number.replace("\N{MINUS SIGN}", "-")) for number in said[1:4])
    assert apart == pytest.approx(third - second, abs=0.011)
    assert "-" not in step.says
    assert "up to 2 points count as flat" in beyond.says
