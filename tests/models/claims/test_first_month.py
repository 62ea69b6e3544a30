"""Customers who only look new: who they are by the cohorts' own rule, and that claims on newcomers leave them out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.claims import Facts, Finding, returning_spend, three_purchases
from models.claims._first_month import looks_new_until
from models.cohorts import cohort_retention
from tests.models.claims.composed_buying import after_first_month, bought
from tests.models.shops import OPENED, as_of_days, purchase_days, purchases_of

LATER = OPENED + timedelta(1200)
Findings = Callable[[Facts, date], list[Finding]]
CLAIMS = pytest.mark.parametrize(
    "findings", [returning_spend.findings, three_purchases.findings], ids=["claim 3", "claim 5"]
)
BEFORE = OPENED - timedelta(60)

# Composed: everybody comes in the second month or later; a fifth each with one order, two ... five.
NEW = [
    (f"c{n}", n % 90 + offset, 10 + n % 7)
    for n in range(600)
    for offset in (0, 40, 80, 120, 160)[: 1 + n % 5]
]
REGULARS = [(f"r{n}", n % 10 + offset, 90) for n in range(300) for offset in range(0, 700, 35)]


@settings(max_examples=40, deadline=None)
@given(
    purchase_days(days=150),
    as_of_days(200),
    st.none() | st.integers(-40, 60).map(lambda offset: OPENED + timedelta(offset)),
)
def test_nobody_is_left_out_but_the_cohorts_that_are_marked(
    rows: list[tuple[str, date, int]], as_of: date, history_start: date | None
) -> None:
    marked = (
        cohort_retention(purchases_of(rows), as_of, history_start=history_start)
        .filter("is_left_truncated")
        .select(pl.col("cohort").dt.month_end().max())
        .collect()
        .item()
    )
    assert looks_new_until(purchases_of(rows), as_of, history_start) == marked
    known = [row for row in rows if row[1] <= as_of]
    assert looks_new_until(purchases_of(known), as_of, history_start) == marked


@CLAIMS
def test_customers_of_a_cut_off_first_month_change_nothing(findings: Findings) -> None:
    without = list(after_first_month(NEW))
    found = findings(bought([*without, *REGULARS]), LATER)
    assert found == findings(bought(without), LATER)
    assert all(one.number is not None for one in found)
    assert all("first month that looks cut off" in one.definition for one in found)


def test_a_history_that_saw_the_shop_open_keeps_everybody() -> None:
    facts = bought([*after_first_month(NEW), *REGULARS])
    purchases = _purchases(facts)
    spent, curve = (
        returning_spend.spend_at_equal_age(purchases, LATER, history_start=BEFORE),
        three_purchases.chance_of_another(purchases, LATER, history_start=BEFORE),
    )
    everybody = 600 + 300 + 1
    assert spent["customers"].sum() == curve["n"][0] == everybody
    left = returning_spend.spend_at_equal_age(purchases, LATER)["customers"].sum()
    assert left == three_purchases.chance_of_another(purchases, LATER)["n"][0] == 600


def test_a_shop_with_one_month_has_nobody_who_is_surely_new() -> None:
    one_month = purchases_of([("a", OPENED), ("b", OPENED + timedelta(3))])
    assert looks_new_until(one_month, LATER) == date(2024, 1, 31)
    assert looks_new_until(one_month, OPENED - timedelta(1)) is None
    assert looks_new_until(purchases_of([(None, OPENED)]), LATER) is None
    assert three_purchases.chance_of_another(one_month, LATER)["n"].sum() == 0
    assert returning_spend.spend_at_equal_age(one_month, LATER).is_empty()


def _purchases(facts: Facts) -> pl.LazyFrame:
    return (
        facts.tables["orders"]
        .group_by("customer_key", "order_day")
        .agg(net=pl.col("gross").sum(), orders=pl.len().cast(pl.Int32))
    )
