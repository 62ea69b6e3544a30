"""The four retention rates against a count customer by customer, and what they make of the claim."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

import pytest
from hypothesis import given, settings

from models.claims import Status
from models.claims.average_retention import MONTHS, YEAR_DAYS, findings, four_rates
from models.intervals import wilson
from tests.models.claims.composed_buying import SIMULATED_UNTIL, bought, simulated
from tests.models.shops import OPENED, as_of_days, purchase_days, purchases_of

Days = dict[str, dict[date, int]]


def _month(day: date) -> int:
    return day.year * 12 + day.month


def _slow(days: Days, as_of: date) -> dict[str, tuple[int, int]]:
    """Customers counted and n of each rate, from every customer's own days."""
    own = [{day: orders for day, orders in mine.items() if day <= as_of} for mine in days.values()]
    own = [mine for mine in own if mine]
    if not own:
        return {}
    begin = min(min(mine) for mine in own)
    # The first month looks cut off, since everybody in it is new.
    over = _month(as_of + timedelta(1)) - 1
    cohort = [
        mine for mine in own if _month(min(mine)) > _month(begin) and _month(min(mine)) + MONTHS <= over
    ]
    found: dict[str, tuple[int, int]] = {}
    if cohort:
        last = [(mine, _month(min(mine)) + MONTHS) for mine in cohort]
        again = [sum(n for day, n in mine.items() if _month(day) <= month) for mine, month in last]
        found = {
            "active_rate": (sum(any(_month(d) == m for d in mine) for mine, m in last), len(last)),
            "retained_from": (sum(any(_month(d) >= m for d in mine) for mine, m in last), len(last)),
            "repurchased_by": (sum(orders >= 2 for orders in again), len(last)),
        }
    middle, start = as_of - timedelta(YEAR_DAYS), as_of - timedelta(2 * YEAR_DAYS)
    if begin <= start + timedelta(1):
        first = [mine for mine in own if any(start < day <= middle for day in mine)]
        both = [mine for mine in first if any(day > middle for day in mine)]
        found["period_retention"] = (len(both), len(first))
    return found


@settings(max_examples=40, deadline=None)
@given(purchase_days(days=900), as_of_days(1200))
def test_counts_equal_those_customer_by_customer(rows: list[tuple[str, date, int]], as_of: date) -> None:
    days: Days = defaultdict(dict)
    for customer, day, orders in rows:
        days[customer][day] = orders
    table = four_rates(purchases_of(rows), as_of)
    found = {row["measure"]: (row["customers"], row["n"]) for row in table.to_dicts()}
    assert found == _slow(days, as_of)


def test_the_simulated_shops_truth_is_recovered() -> None:
    facts, truth = simulated()
    days: Days = defaultdict(lambda: defaultdict(int))
    for person, day in truth.select("person", "order_day").iter_rows():
        days[person][day] += 1
    expected = _slow(days, SIMULATED_UNTIL)
    found = findings(facts, SIMULATED_UNTIL)
    measures = ("active_rate", "repurchased_by", "retained_from", "period_retention")
    for one, measure in zip(found, measures, strict=False):
        count, n = expected[measure]
        assert (one.n, one.number) == (n, pytest.approx(count / n))
        assert (one.low, one.high) == pytest.approx(wilson(count, n))
    rates = [count / n for count, n in expected.values()]
    apart = found[4]
    assert apart.number == pytest.approx(max(rates) - min(rates))
    assert apart.status is Status.DOES_NOT_HOLD, "four questions, four answers"


def test_where_38_of_100_come_back_after_just_a_year_the_four_rates_are_one() -> None:
    first = [(f"c{n}", n % 360, 10) for n in range(5000)]
    again = [(f"c{n}", 365 + n % 360, 10) for n in range(5000) if n % 50 < 19]
    *rates, year, apart, subscriptions = findings(bought([*first, *again]), OPENED + timedelta(729))
    assert (year.number, year.status) == (pytest.approx(0.38), Status.HOLDS)
    assert {one.status for one in rates} == {Status.HOLDS}
    assert apart.status is Status.HOLDS
    assert (subscriptions.status, subscriptions.needs) == (Status.CANNOT_BE_TESTED, ("subscriptions",))


def test_a_year_that_was_loaded_in_part_is_no_year() -> None:
    first = [(f"c{n}", n % 300, 10) for n in range(500)]
    facts = bought(first)
    known = [findings(facts, OPENED + timedelta(days))[3].status for days in (728, 729)]
    assert known == [Status.CANNOT_TELL, Status.DOES_NOT_HOLD]
