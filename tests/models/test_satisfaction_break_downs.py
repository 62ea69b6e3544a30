"""Satisfaction by product, category and channel against a plain recomputation, and as known at as_of."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.satisfaction_break_downs import BREAK_DOWNS, UNKNOWN, satisfaction_break_downs
from models.survey_scores import SCALES, TOO_FEW
from tests.models.shops import OPENED, Shop, as_of_days, shops
from tests.models.test_satisfaction import ANSWERS, INVITATIONS

FEW = settings(max_examples=30, deadline=None)
Row = dict[str, Any]
Surveys = tuple[list[Row], list[Row]]


@st.composite
def _shops_with_surveys(draw: st.DrawFn) -> tuple[Shop, list[Row], list[Row]]:
    shop = draw(shops(days=60, max_orders=6))
    orders = st.sampled_from([*(row["order_id"] for row in shop.order_rows), "elsewhere", None])
    customers, days = st.sampled_from(["c0", "c1", None]), st.integers(0, 90)
    invitations: list[Row] = []
    answers: list[Row] = []
    for number in range(draw(st.integers(0, 8))):
        sent = OPENED + timedelta(draw(days))
        same = {
            "survey_id": f"s{number}",
            "customer_key": draw(customers),
            "kind": draw(st.sampled_from([*SCALES])),
        }
        order_id = draw(orders)
        if draw(st.integers(0, 3)):
            invitations.append(same | {"order_id": order_id, "sent_day": sent})
        if draw(st.booleans()):
            day = sent + timedelta(draw(st.integers(0, 20)))
            at = datetime.combine(day, time(9), UTC)
            answers.append(
                same
                | {
                    "order_id": draw(st.sampled_from([order_id, None])),
                    "score": draw(st.integers(1, 5)),
                    "answered_at": at,
                    "answered_day": day,
                }
            )
    return shop, answers, invitations


def _table(shop: Shop, answers: list[Row], invitations: list[Row], as_of: date, **more: int) -> pl.LazyFrame:
    return satisfaction_break_downs(
        pl.LazyFrame(answers, schema=ANSWERS),
        pl.LazyFrame(invitations, schema=INVITATIONS),
        shop.orders,
        shop.order_lines,
        as_of,
        **more,
    )


def _values(shop: Shop, order_id: str | None, name: str, as_of: date) -> set[str]:
    known = {row["order_id"]: row for row in shop.order_rows if row["order_day"] <= as_of}
    if order_id not in known:
        return {UNKNOWN}
    if name == "channel":
        return {known[order_id]["channel"] or UNKNOWN}
    lines = [row for row in shop.line_rows if row["order_id"] == order_id and row["kind"] == "merchandise"]
    return {row["product_id" if name == "product" else name] or UNKNOWN for row in lines} or {UNKNOWN}


@FEW
@given(_shops_with_surveys(), as_of_days(90), st.integers(1, 100))
def test_values_equal_the_recomputation_answer_by_answer(
    given_: tuple[Shop, list[Row], list[Row]], as_of: date, window: int
) -> None:
    shop, answers, invitations = given_
    start = as_of - timedelta(window - 1)
    asked = {row["survey_id"]: row for row in invitations if row["sent_day"] <= as_of}
    answered = {row["survey_id"] for row in answers if row["answered_day"] <= as_of}
    last: dict[tuple[str, str, str], dict[str, Row]] = {}
    sent: dict[tuple[str, str, str], list[bool]] = {}
    for row in sorted(answers, key=lambda row: (row["answered_at"], row["survey_id"])):
        if row["customer_key"] is None or not start <= row["answered_day"] <= as_of:
            continue
        order_id = row["order_id"] or asked.get(row["survey_id"], row)["order_id"]
        for name in BREAK_DOWNS:
            for value in _values(shop, order_id, name, as_of):
                last.setdefault((row["kind"], name, value), {})[row["customer_key"]] = row
    for row in invitations:
        for name in BREAK_DOWNS if start <= row["sent_day"] <= as_of else ():
            for value in _values(shop, row["order_id"], name, as_of):
                sent.setdefault((row["kind"], name, value), []).append(row["survey_id"] in answered)
    found = {
        (row["measure"], row["break_down"], row["break_down_value"]): row
        for row in _table(shop, answers, invitations, as_of, window_days=window, at_least=1)
        .collect()
        .to_dicts()
    }
    assert found.keys() == last.keys() | sent.keys()
    for key, row in found.items():
        scores = [answer["score"] for answer in last.get(key, {}).values()]
        assert row["n"] == len(scores)
        assert (row["invitations"], row["responses"]) == (
            (len(sent[key]), sum(sent[key])) if key in sent else (None, None)
        )
        if scores and key[0] != "nps":
            assert row["value"] == pytest.approx(sum(score >= 4 for score in scores) / len(scores))
        if scores:
            assert row["mean"] == pytest.approx(sum(scores) / len(scores))


@FEW
@given(_shops_with_surveys(), as_of_days(90))
def test_later_facts_change_nothing(given_: tuple[Shop, list[Row], list[Row]], as_of: date) -> None:
    shop, answers, invitations = given_
    then = _table(
        shop.known_by(as_of),
        [row for row in answers if row["answered_day"] <= as_of],
        [row for row in invitations if row["sent_day"] <= as_of],
        as_of,
        at_least=1,
    )
    assert_frame_equal(_table(shop, answers, invitations, as_of, at_least=1), then)


def test_few_answers_are_counted_and_not_scored() -> None:
    answer = {
        "survey_id": "s",
        "customer_key": "c0",
        "kind": "nps",
        "score": 9,
        "answered_at": datetime.combine(OPENED, time(9), UTC),
        "answered_day": OPENED,
    }
    table = _table(Shop(), [answer], [], OPENED).collect()
    assert table.select("break_down", "break_down_value", "n", "value", "note").rows() == [
        (name, UNKNOWN, 1, None, TOO_FEW) for name in sorted(BREAK_DOWNS)
    ]


def test_no_surveys_give_an_empty_table_and_no_window_is_refused() -> None:
    assert _table(Shop(), [], [], OPENED).collect().is_empty()
    with pytest.raises(ValueError, match="positive number of days"):
        _table(Shop(), [], [], OPENED, window_days=0)
