"""Order days in sequence: as Python's own sorting has them, whatever the day and however keys look."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings

from models.order_days import identity_of, in_sequence
from tests.models.shops import as_of_days, purchase_days, purchases_of

Rows = list[tuple[str, date, int]]


def _slow_sequence(rows: Rows, as_of: date) -> dict[tuple[str, date], dict[str, Any]]:
    found: dict[tuple[str, date], dict[str, Any]] = {}
    for key in {row[0] for row in rows}:
        own = sorted((day, orders) for who, day, orders in rows if who == key and day <= as_of)
        days = [day for day, _ in own]
        second = [day for day, orders in own for _ in range(orders)][1:2]
        for place, (day, orders) in enumerate(own):
            found[key, day] = {
                "is_one_order": orders == 1,
                "is_first": place == 0,
                "is_last": place == len(own) - 1,
                "is_second_order": [day] == second and (place == 0 or days.index(second[0]) == place),
                "first_day": days[0],
                "next_day": days[place + 1] if place + 1 < len(own) else None,
            }
    return found


@settings(max_examples=60, deadline=None)
@given(purchase_days(), as_of_days())
def test_every_day_knows_its_place_among_its_customers_days(rows: Rows, as_of: date) -> None:
    made = in_sequence(purchases_of(rows), as_of).drop("identity").collect()
    numbers: dict[int, str] = {}
    for row in made.to_dicts():
        assert numbers.setdefault(row["customer"], row["customer_key"]) == row["customer_key"]
    found = {(row.pop("customer_key"), row.pop("order_day")): row for row in made.drop("customer").to_dicts()}
    assert found == _slow_sequence(rows, as_of)
    assert sorted(numbers) == list(range(1, len(set(numbers.values())) + 1))
    assert made["customer"].is_sorted()


@pytest.mark.parametrize("day", [date(1, 1, 1), date(1969, 12, 31), date(1970, 1, 1), date(9999, 12, 31)])
def test_any_day_of_the_calendar_comes_back_as_it_went_in(day: date) -> None:
    near = day + timedelta(1) if day.year < 9999 else day - timedelta(1)
    made = in_sequence(purchases_of([("a", near, 2), ("a", day)])).collect()
    assert made["order_day"].to_list() == sorted([day, near])
    assert made["is_one_order"].to_list() == [day < near, near < day]


def test_keys_that_look_alike_are_people_of_their_own() -> None:
    keys = ["", "a", "A", "a ", "aa", "0", "00", *(f"{number:064x}" for number in range(1000))]
    frame = pl.DataFrame({"key": keys}).select(identity_of(pl.col("key")).alias("identity"))
    assert frame["identity"].n_unique() == len(keys)
    assert frame["identity"].min() >= 0  # pyright: ignore[reportOperatorIssue, reportOptionalOperand]
    assert frame["identity"].max() < 2**103  # pyright: ignore[reportOperatorIssue, reportOptionalOperand]
