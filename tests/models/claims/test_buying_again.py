"""What holds for every claim on buying again, whatever the shop: nothing later, no order of rows, no empty verdict."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.claims import (
    Facts,
    Finding,
    Status,
    average_retention,
    bad_experience,
    returning_spend,
    status_of,
    ten_of_ten,
    three_purchases,
)
from tests.models.claims.composed_buying import bought, crowd, facts_of
from tests.models.composed_experience import Experience, experiences
from tests.models.shops import OPENED, ORDERS, as_of_days

MODULES = (returning_spend, average_retention, three_purchases, bad_experience, ten_of_ten)
FEW = settings(max_examples=6, deadline=None)
DAYS = 500
Findings = Callable[[Facts, date], list[Finding]]


def _every(facts: Facts, as_of: date) -> list[Finding]:
    return [found for module in MODULES for found in module.findings(facts, as_of)]


@FEW
@given(experiences(days=DAYS, max_orders=14), as_of_days(DAYS + 400))
def test_later_rows_change_nothing(found: Experience, as_of: date) -> None:
    many = crowd(found, 35)
    assert _every(facts_of(many), as_of) == _every(facts_of(many.known_by(as_of)), as_of)


@FEW
@given(experiences(days=DAYS, max_orders=14), as_of_days(DAYS + 400), st.integers(0, 99))
def test_the_order_of_rows_changes_nothing(found: Experience, as_of: date, seed: int) -> None:
    facts = facts_of(crowd(found, 35))
    shuffled = Facts(
        {
            name: frame.collect().sample(fraction=1, shuffle=True, seed=seed).lazy()
            for name, frame in facts.tables.items()
        }
    )
    assert _every(facts, as_of) == _every(shuffled, as_of)


@FEW
@given(experiences(days=DAYS, max_orders=14), as_of_days(DAYS + 400), st.sampled_from([1, 35]))
def test_findings_keep_their_promises(found: Experience, as_of: date, times: int) -> None:
    facts = facts_of(crowd(found, times))
    every = _every(facts, as_of)
    assert len({(one.claim, one.part) for one in every}) == len(every)
    for one in every:
        assert one.claimed is not None
        assert one.says.endswith(".")
        assert one.definition.endswith(".")
        has_interval = one.low is not None and one.high is not None
        if one.number is not None and one.low is not None and one.high is not None:
            assert one.low - 1e-9 <= one.number <= one.high + 1e-9
        if one.status in (Status.HOLDS, Status.DOES_NOT_HOLD):
            assert has_interval
            assert one.number is not None
            assert one.n is not None
            assert one.n >= 30
        if one.status is Status.CANNOT_BE_TESTED:
            assert one.number is None
        else:
            assert one.status is status_of(one.claimed, one.low, one.high)
            assert one.n is not None
            assert one.n_of
        # Not one customer of a shop of four is enough to tell anything.
        assert times > 1 or one.number is None


@FEW
@given(experiences(days=DAYS, max_orders=14), as_of_days(DAYS + 400))
def test_every_shop_has_the_same_parts(found: Experience, as_of: date) -> None:
    parts = {(one.claim, one.part): one.definition for one in _every(facts_of(found), as_of)}
    nothing = Facts({"orders": pl.LazyFrame(schema=ORDERS)})
    assert {(one.claim, one.part): one.definition for one in _every(nothing, OPENED)} == parts


@pytest.mark.parametrize(
    "facts",
    [
        Facts({"orders": pl.LazyFrame(schema=ORDERS)}),
        Facts({}),
        bought([("a", 0, 10), ("a", 90, 10), ("b", 5, 20), ("c", 300, 5)]),
    ],
    ids=["empty", "no tables", "three customers"],
)
def test_a_shop_with_hardly_anybody_tells_nothing(facts: Facts) -> None:
    for found in _every(facts, OPENED + timedelta(900)):
        assert found.status in (Status.CANNOT_TELL, Status.CANNOT_BE_TESTED)
        assert found.number is None


def test_what_a_table_is_missing_for_is_said() -> None:
    every = _every(bought([("a", 0, 10)]), OPENED + timedelta(900))
    needs = {(one.claim, one.part): one.needs for one in every if one.status is Status.CANNOT_BE_TESTED}
    assert {name for names in needs.values() for name in names} == {
        "survey_answers",
        "shipments",
        "returns",
        "subscriptions",
    }


def test_where_everybody_buys_once_nobody_returns() -> None:
    facts = bought((f"c{n}", n % 400, 10) for n in range(400))
    every = {(one.claim, one.part): one for one in _every(facts, OPENED + timedelta(1000))}
    assert all(one.status is Status.CANNOT_TELL for (claim, _), one in every.items() if claim in (3, 5))
    again = every[4, "ordered again within 12 months"]
    assert again.number == 0
    assert again.status is Status.DOES_NOT_HOLD
