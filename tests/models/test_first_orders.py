"""Attributes of first orders: against the definition customer by customer, as known on the day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from data_contracts import table
from models.cohorts import cohort_members, cohort_retention
from models.first_orders import (
    ATTRIBUTES,
    GOODS,
    MOST_FREQUENT,
    NO_ANSWER,
    OTHER,
    first_order_attributes,
    first_order_goods,
    first_orders,
)
from models.summary import purchases_at
from tests.models.shops import OPENED, Shop, as_of_days, shops

FEW = settings(max_examples=40, deadline=None)
Answers = list[dict[str, Any]]


def _answers(rows: Answers) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema=pl.Schema(table("survey_answers").schema))


def _answer(order_id: str | None, day: date, score: int, **changes: Any) -> dict[str, Any]:
    return {
        "survey_id": f"s{order_id}{day}",
        "customer_key": "c0",
        "order_id": order_id,
        "kind": "nps",
        "score": score,
        "answered_at": datetime.combine(day, time(12), UTC),
        "answered_day": day,
    } | changes


@st.composite
def answered_shops(draw: st.DrawFn) -> tuple[Shop, Answers]:
    """Shops with answers to some of their orders, some of them twice."""
    shop = draw(shops())
    days = st.integers(0, 60)
    answers = [
        _answer(row["order_id"], row["order_day"] + timedelta(draw(days)), draw(st.integers(0, 10)))
        for row in shop.order_rows
        for _ in range(draw(st.integers(0, 2)))
    ]
    return shop, answers


def _slow_first(shop: Shop, as_of: date) -> dict[str, dict[str, Any]]:
    firsts: dict[str, dict[str, Any]] = {}
    valid = [row for row in shop.order_rows if row["is_valid"] and row["order_day"] <= as_of]
    for row in sorted(valid, key=lambda row: (row["ordered_at"], row["order_id"])):
        if row["customer_key"]:
            firsts.setdefault(row["customer_key"], row)
    return firsts


def _band(answers: Answers, order_id: str, as_of: date) -> str:
    own = [row for row in answers if row["order_id"] == order_id and row["answered_day"] <= as_of]
    if not own:
        return NO_ANSWER
    last = max(row["answered_day"] for row in own)
    score = min(row["score"] for row in own if row["answered_day"] == last)
    return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"


@FEW
@given(answered_shops(), as_of_days(200))
def test_attributes_are_those_of_the_first_valid_order_as_known_on_the_day(
    told: tuple[Shop, Answers], as_of: date
) -> None:
    shop, answers = told
    firsts = first_orders(shop.orders, as_of)
    made = first_order_attributes(firsts, shop.returns, _answers(answers), as_of).collect()
    assert made.columns == ["customer_key", *ATTRIBUTES]
    found = {row["customer_key"]: row for row in made.to_dicts()}
    expected = _slow_first(shop, as_of)
    assert made.height == len(found)
    assert found.keys() == expected.keys()
    for key, order in expected.items():
        back = any(
            row["order_id"] == order["order_id"]
            and row["kind"] == "merchandise"
            and (row["returned_day"] or row["refunded_day"] or date.max) <= as_of
            for row in shop.return_rows
        )
        assert found[key] == {
            "customer_key": key,
            "channel": order["channel"],
            "country": "GB",
            "discount_used": "yes" if order["discount"] > 0 else "no",
            "returned": "yes" if back else "no",
            "survey_score": _band(answers, order["order_id"], as_of),
        }


@FEW
@given(answered_shops(), as_of_days(200))
def test_goods_are_all_products_and_categories_of_the_first_order(
    told: tuple[Shop, Answers], as_of: date
) -> None:
    shop, _ = told
    made = first_order_goods(first_orders(shop.orders, as_of), shop.order_lines).collect()
    assert made.columns == ["customer_key", *GOODS]
    expected = {
        (key, line["product_id"], line["category"])
        for key, order in _slow_first(shop, as_of).items()
        for line in shop.line_rows
        if line["order_id"] == order["order_id"] and line["kind"] == "merchandise"
    }
    assert set(made.rows()) == expected
    assert made.height == len(expected)


@FEW
@given(answered_shops(), as_of_days(200))
def test_what_becomes_known_later_changes_no_attribute(told: tuple[Shop, Answers], as_of: date) -> None:
    shop, answers = told
    known, known_answers = shop.known_by(as_of), [row for row in answers if row["answered_day"] <= as_of]

    def attributes(shop: Shop, answers: Answers) -> pl.DataFrame:
        # Of a return without a refund day nothing but the return day is known, and the other way round.
        firsts = first_orders(shop.orders, as_of)
        return (
            first_order_attributes(firsts, shop.returns, _answers(answers), as_of)
            .sort("customer_key")
            .collect()
        )

    late = [row for row in shop.return_rows if row not in known.return_rows]
    shop = Shop(
        shop.order_rows,
        shop.line_rows,
        tuple(
            row for row in shop.return_rows if row not in late or (row["returned_day"] or date.max) > as_of
        ),
    )
    assert_frame_equal(attributes(shop, answers), attributes(known, known_answers))


@settings(max_examples=15, deadline=None)
@given(answered_shops(), as_of_days(200), st.data())
def test_a_cell_of_any_break_down_drills_to_exactly_its_members(
    told: tuple[Shop, Answers], as_of: date, data: st.DataObject
) -> None:
    shop, answers = told
    purchases = purchases_at(shop.orders, shop.returns, as_of)
    firsts = first_orders(shop.orders, as_of)
    known = (
        (first_order_attributes(firsts, shop.returns, _answers(answers), as_of), ATTRIBUTES),
        (first_order_goods(firsts, shop.order_lines), GOODS),
    )
    for attributes, names in known:
        cells = cohort_retention(
            purchases, as_of, first_order_attributes=attributes, break_downs=names
        ).collect()
        if cells.is_empty():
            continue
        for number in data.draw(st.lists(st.integers(0, cells.height - 1), min_size=1, max_size=4)):
            cell = cells.row(number, named=True)
            members = cohort_members(
                purchases,
                as_of,
                cell["cohort"],
                cell["k"],
                cell["measure"],
                first_order_attributes=attributes,
                break_down=cell["break_down"],
                break_down_value=cell["break_down_value"],
            ).collect()
            assert members.height == cell["n"]
            counted = members["is_counted"].sum() if cell["is_complete"] else None
            assert counted == cell["customers"]


def _order(order_id: str, hour: int, **changes: Any) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "customer_key": "a",
        "ordered_at": datetime.combine(OPENED, time(hour), UTC),
        "order_day": OPENED,
        "channel": "web",
        "country": None,
        "discount": Decimal(0),
        "is_valid": True,
    } | changes


def test_of_two_orders_of_a_day_the_earlier_is_the_first_and_of_one_instant_the_smaller_number() -> None:
    early = _order("9", 8, channel="store", discount=Decimal(1))
    assert first_orders(Shop((early, _order("1", 9))).orders, OPENED).collect().rows() == [
        ("a", "9", "store", None, "yes")
    ]
    twice = Shop((_order("2", 8), _order("10", 8, channel="store"), _order("0", 7, is_valid=False)))
    assert first_orders(twice.orders, OPENED).collect().rows() == [("a", "10", "store", None, "no")]


def test_ten_thousand_products_are_the_ten_most_frequent_and_the_rest() -> None:
    people = 10_000
    firsts = pl.LazyFrame(
        {"customer_key": [f"c{n}" for n in range(people)], "order_id": [str(n) for n in range(people)]}
    )
    often = [(n, f"often{n % 10}") for n in range(people)]
    once = [(n, f"once{n:05}") for n in range(people)]
    lines = pl.LazyFrame(
        {
            "order_id": [str(n) for n, _ in often + once],
            "kind": "merchandise",
            "category": None,
            "product_id": [product for _, product in often + once],
        },
        schema_overrides={"category": pl.String},
    )
    made = first_order_goods(firsts, lines).collect()
    assert set(made["product"]) == {*(f"often{n}" for n in range(MOST_FREQUENT)), OTHER}
    assert made.group_by("product").len().sort("len")["len"].to_list() == [1000] * 10 + [people]
    assert made["category"].null_count() == made.height


@pytest.mark.parametrize(
    ("answer", "band"),
    [
        (_answer("1", OPENED, 9), "promoter"),
        (_answer("1", OPENED, 8), "passive"),
        (_answer("1", OPENED, 6), "detractor"),
        (_answer("1", OPENED, 5, kind="csat"), NO_ANSWER),
        (_answer("1", OPENED, 11), NO_ANSWER),
        (_answer(None, OPENED, 9), NO_ANSWER),
        (_answer("2", OPENED, 9), NO_ANSWER),
        (_answer("1", OPENED + timedelta(1), 9), NO_ANSWER),
    ],
)
def test_only_an_answer_about_that_order_given_by_then_has_a_band(answer: dict[str, Any], band: str) -> None:
    shop = Shop((_order("1", 8), _order("2", 9)))
    firsts = first_orders(shop.orders, OPENED)
    made = first_order_attributes(firsts, shop.returns, _answers([answer]), OPENED)
    assert made.collect()["survey_score"].to_list() == [band]


def test_an_empty_shop_has_no_first_orders() -> None:
    empty = Shop()
    firsts = first_orders(empty.orders, OPENED)
    assert first_order_attributes(firsts, empty.returns, _answers([]), OPENED).collect().is_empty()
    assert first_order_goods(firsts, empty.order_lines).collect().is_empty()
