"""Responders: counted as plainly as can be, and nothing later than as_of counts. All people are made up."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.intervals import wilson
from models.responders import later_orders
from tests.models.shops import OPENED, as_of_days, purchase_days, purchases_of

PEOPLE = {
    "campaign": pl.String,
    "customer_key": pl.String,
    "assignment": pl.String,
    "assigned_day": pl.Date,
}


def people(rows: list[dict[str, Any]]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema=PEOPLE)


@st.composite
def campaigns(draw: st.DrawFn, *, days: int = 300) -> list[dict[str, Any]]:
    """Two campaigns of up to six people, some of whom never ordered."""
    names = st.tuples(st.sampled_from(["spring", "autumn"]), st.integers(0, 5))
    return [
        {
            "campaign": name,
            "customer_key": f"c{number}",
            "assignment": draw(st.sampled_from(["deliver", "hold_out"])),
            "assigned_day": OPENED + timedelta(draw(st.integers(0, days))),
        }
        for name, number in draw(st.lists(names, max_size=12, unique=True))
    ]


def by_hand(
    rows: list[dict[str, Any]], bought: list[tuple[str, date, int]], as_of: date, window: int, later: int
) -> dict[tuple[str, bool], list[bool]]:
    """Slow and obvious: of each group, who ordered later."""
    found: dict[tuple[str, bool], list[bool]] = {}
    for row in rows:
        ages = [(day - row["assigned_day"]).days for key, day, _ in bought if key == row["customer_key"]]
        if row["assigned_day"] + timedelta(window + later - 1) <= as_of:
            group = (row["assignment"], any(0 <= age < window for age in ages))
            found.setdefault(group, []).append(any(window <= age < window + later for age in ages))
    return found


@settings(max_examples=40, deadline=None)
@given(
    campaigns(), purchase_days(customers=6, days=400), as_of_days(500), st.integers(1, 60), st.integers(1, 90)
)
def test_agrees_with_counting_by_hand_and_later_purchases_change_nothing(
    rows: list[dict[str, Any]], bought: list[tuple[str, date, int]], as_of: date, window: int, later: int
) -> None:
    found = later_orders(people(rows), purchases_of(bought), as_of, window_days=window, later_days=later)
    expected = by_hand(rows, bought, as_of, window, later)
    assert list(zip(found["assignment"], found["ordered_in_window"], strict=True)) == sorted(expected)
    for row in found.to_dicts():
        group = expected[row["assignment"], row["ordered_in_window"]]
        assert (row["n"], row["ordered_later"]) == (len(group), sum(group))
        assert (row["low"], row["high"]) == pytest.approx(wilson(sum(group), len(group)))
    known = [row for row in bought if row[1] <= as_of]
    assert found.equals(
        later_orders(people(rows), purchases_of(known), as_of, window_days=window, later_days=later)
    )


def test_nobody_gives_no_rows_and_no_window_is_refused() -> None:
    nothing = later_orders(people([]), purchases_of([]), date(2024, 1, 1), window_days=21)
    assert nothing.is_empty()
    with pytest.raises(ValueError, match="a day or longer"):
        later_orders(people([]), purchases_of([]), date(2024, 1, 1), window_days=0)
