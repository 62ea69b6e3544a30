"""NPS, CSAT and product score against a plain recomputation, worked numbers and the edges."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from math import sqrt
from statistics import mean, stdev
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.intervals import normal_quantile, wilson
from models.satisfaction import TOO_FEW, satisfaction

FEW = settings(max_examples=50, deadline=None)
AS_OF = date(2026, 3, 15)
ANSWERS = {
    "survey_id": pl.String,
    "customer_key": pl.String,
    "order_id": pl.String,
    "kind": pl.String,
    "score": pl.Int64,
    "comment": pl.String,
    "answered_at": pl.Datetime("us", "UTC"),
    "answered_day": pl.Date,
}
INVITATIONS = {
    "survey_id": pl.String,
    "customer_key": pl.String,
    "order_id": pl.String,
    "kind": pl.String,
    "sent_at": pl.Datetime("us", "UTC"),
    "sent_day": pl.Date,
}
Row = dict[str, Any]


def _answer(customer: str | None, score: int, day: date = AS_OF, kind: str = "nps", survey: str = "s") -> Row:
    at = datetime.combine(day, time(9), UTC)
    return {
        "survey_id": survey,
        "customer_key": customer,
        "kind": kind,
        "score": score,
        "answered_at": at,
        "answered_day": day,
    }


def _invitation(customer: str | None, day: date = AS_OF, kind: str = "nps", survey: str = "s") -> Row:
    return {"survey_id": survey, "customer_key": customer, "kind": kind, "sent_day": day}


def _table(
    answers: list[Row], invitations: list[Row], as_of: date = AS_OF, window: int = 365, at_least: int = 30
) -> pl.DataFrame:
    return satisfaction(
        pl.LazyFrame(answers, schema=ANSWERS),
        pl.LazyFrame(invitations, schema=INVITATIONS),
        as_of,
        window_days=window,
        at_least=at_least,
    ).collect()


@st.composite
def _surveys(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    customers = st.sampled_from(["a", "b", "c", "d", None])
    days = st.integers(-70, 10).map(lambda offset: AS_OF + timedelta(offset))
    kinds = st.sampled_from(["nps", "csat", "product"])
    invitations = [
        _invitation(draw(customers), draw(days), draw(kinds), f"s{number}")
        for number in range(draw(st.integers(0, 10)))
    ]
    answers = (
        [
            _answer(row["customer_key"], draw(st.integers(-1, 11)), draw(days), row["kind"], row["survey_id"])
            for row in draw(st.lists(st.sampled_from(invitations), max_size=8, unique_by=id))
        ]
        if invitations
        else []
    )
    uninvited = draw(st.integers(0, 6))
    answers += [
        _answer(draw(customers), draw(st.integers(0, 10)), draw(days), draw(kinds), f"u{number}")
        for number in range(uninvited)
    ]
    return answers, invitations


def _slow(answers: list[Row], invitations: list[Row], as_of: date, kind: str, start: date, end: date) -> Row:
    answers = [row for row in answers if row["kind"] == kind and row["answered_day"] <= as_of]
    answered = {(row["survey_id"], row["customer_key"]) for row in answers}
    last: dict[str, Row] = {}
    for row in sorted(answers, key=lambda row: (row["answered_at"], row["survey_id"])):
        low, high = (0, 10) if kind == "nps" else (1, 5)
        if row["customer_key"] and low <= row["score"] <= high and start <= row["answered_day"] <= end:
            last[row["customer_key"]] = row
    sent = [row for row in invitations if row["kind"] == kind and start <= row["sent_day"] <= min(end, as_of)]
    responses = sum((row["survey_id"], row["customer_key"]) in answered for row in sent)
    n, scores = len(last), [row["score"] for row in last.values()]
    value = None
    if n and kind == "nps":
        value = 100 * (sum(score >= 9 for score in scores) - sum(score <= 6 for score in scores)) / n
    elif n:
        value = sum(score >= 4 for score in scores) / n
    half = normal_quantile(0.95) * stdev(scores) / sqrt(n) if n > 1 else None
    low, high = (0, 10) if kind == "nps" else (1, 5)
    return {
        "n": n,
        "invitations": len(sent) or None,
        "responses": responses if sent else None,
        "response_rate": pytest.approx(responses / len(sent)) if sent else None,
        "value": None if value is None else pytest.approx(value),
        "mean": pytest.approx(mean(scores)) if n else None,
        "mean_low": None if half is None else pytest.approx(max(low, mean(scores) - half)),
        "mean_high": None if half is None else pytest.approx(min(high, mean(scores) + half)),
    }


@FEW
@given(_surveys(), st.integers(1, 80))
def test_values_equal_the_recomputation_answer_by_answer(
    surveys: tuple[list[Row], list[Row]], window: int
) -> None:
    table = _table(*surveys, window=window, at_least=1)
    found = {(row["measure"], row["period"], row["period_start"]): row for row in table.to_dicts()}
    assert len(found) == table.height
    periods = [("window", AS_OF - timedelta(window - 1), AS_OF)]
    months = [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    periods += [("month", start, (start + timedelta(31)).replace(day=1) - timedelta(1)) for start in months]
    seen = 0
    for kind in ("nps", "csat", "product"):
        for period, start, end in periods:
            expected = _slow(*surveys, AS_OF, kind, start, end)
            row = found.get((kind, period, start))
            if row is None:
                assert expected["n"] == 0
                assert expected["invitations"] is None
                continue
            seen += 1
            assert {name: row[name] for name in expected} == expected
            assert row["is_complete"] == (period == "window" or end <= AS_OF)
    assert seen == table.height


@FEW
@given(_surveys())
def test_later_answers_and_invitations_change_nothing(surveys: tuple[list[Row], list[Row]]) -> None:
    answers, invitations = surveys
    known = [row for row in answers if row["answered_day"] <= AS_OF]
    sent = [row for row in invitations if row["sent_day"] <= AS_OF]
    assert_frame_equal(_table(answers, invitations), _table(known, sent))


def _window(answers: list[Row], kind: str) -> Row:
    return _table(answers, []).filter(period="window", measure=kind).row(0, named=True)


def test_nps_of_50_promoters_30_passives_and_20_detractors_is_30_give_or_take_15() -> None:
    scores = [9] * 25 + [10] * 25 + [7] * 15 + [8] * 15 + [0] * 10 + [6] * 10
    row = _window([_answer(f"c{number}", score) for number, score in enumerate(scores)], "nps")
    half = 1.959963984540054 * 100 * sqrt((0.5 + 0.2 - 0.3**2) / 100)
    assert half == pytest.approx(15.3, abs=0.05)
    assert (row["value"], row["low"], row["high"]) == pytest.approx((30, 30 - half, 30 + half))
    assert row["note"] is None


def test_csat_counts_fours_and_fives_and_has_wilsons_interval() -> None:
    scores = [5] * 20 + [4] * 15 + [3] * 10 + [1] * 5
    row = _window([_answer(f"c{number}", score, kind="csat") for number, score in enumerate(scores)], "csat")
    assert (row["value"], row["low"], row["high"]) == pytest.approx((0.7, *wilson(35, 50)))


def test_the_product_score_is_the_share_of_fours_and_fives_beside_its_mean() -> None:
    scores = [5] * 30 + [4] * 10 + [1] * 10
    row = _window([_answer(f"c{n}", score, kind="product") for n, score in enumerate(scores)], "product")
    assert (row["value"], row["low"], row["high"]) == pytest.approx((0.8, *wilson(40, 50)))
    half = normal_quantile(0.95) * stdev(scores) / sqrt(50)
    assert (row["mean"], row["mean_low"], row["mean_high"]) == pytest.approx((4, 4 - half, 4 + half))


def test_fewer_than_30_customers_are_too_few_and_30_are_not() -> None:
    answers = [_answer(f"c{number}", 9) for number in range(29)]
    # A second answer is not a second customer.
    few = _window([*answers, _answer("c0", 2, AS_OF - timedelta(1))], "nps")
    assert (few["n"], few["value"], few["low"], few["high"], few["note"]) == (29, None, None, None, TOO_FEW)
    enough = _window([*answers, _answer("c29", 9)], "nps")
    assert (enough["n"], enough["value"], enough["note"]) == (30, 100.0, None)
    # All in one class: no width, and nothing beyond the scale.
    assert (enough["low"], enough["high"]) == (100.0, 100.0)


def test_the_window_ends_with_as_of_and_holds_its_number_of_days() -> None:
    first, before = AS_OF - timedelta(9), AS_OF - timedelta(10)
    table = _table([_answer("a", 9, first), _answer("b", 9, before)], [], window=10)
    assert table.filter(period="window").select("period_start", "n").row(0) == (first, 1)


def test_no_surveys_give_an_empty_table_of_the_same_schema() -> None:
    empty, full = _table([], []), _table([_answer("a", 9)], [_invitation("a")])
    assert empty.is_empty()
    assert empty.schema == full.schema
    with pytest.raises(ValueError, match="positive number of days"):
        _table([], [], window=0)
