"""What people did after a survey against a plain recomputation, a known truth, and as known at as_of."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from models.intervals import wilson
from models.score_behaviour import ANSWER_DAYS, NO_ANSWER, score_behaviour
from tests.models.composed_experience import ANSWERS, INVITATIONS, Experience, experiences
from tests.models.shops import OPENED, ORDERS, as_of_days

FEW = settings(max_examples=40, deadline=None)
HORIZON = 60
Row = dict[str, Any]


def _table(found: Experience, as_of: date, horizon: int = HORIZON) -> pl.DataFrame:
    return score_behaviour(
        found.answers, found.invitations, found.shop.orders, as_of, horizons=(horizon,)
    ).collect()


def _slow_people(found: Experience, as_of: date) -> list[Row]:
    """One row per person and kind: when asked first and what they said, with orders before and after."""
    told = {row["survey_id"]: row for row in found.answer_rows if row["answered_day"] <= as_of}
    asked: list[tuple[date, str, Row]] = [
        (row["sent_day"], row["survey_id"], row | {"invited": True})
        for row in found.invitation_rows
        if row["sent_day"] <= as_of
    ]
    invited = {survey for _, survey, _ in asked}
    asked += [
        (row["answered_day"], survey, row | {"invited": False})
        for survey, row in told.items()
        if survey not in invited
    ]
    people: dict[tuple[str, str], Row] = {}
    for day, survey, row in sorted(asked, key=lambda item: item[:2]):
        key = (row["kind"], row["customer_key"])
        if row["customer_key"] is None or key in people:
            continue
        answer = told.get(survey)
        if answer and row["invited"] and (answer["answered_day"] - day).days > ANSWER_DAYS:
            answer = None
        start = answer["answered_day"] if answer else day
        days = [
            order["order_day"]
            for order in found.shop.order_rows
            if order["is_valid"] and order["customer_key"] == key[1] and order["order_day"] <= as_of
        ]
        people[key] = {
            "measure": key[0],
            "score": answer["score"] if answer else None,
            "asked": day,
            "start": start,
            "earlier": sum(one <= day for one in days),
            "later": [(one - start).days for one in days if one > start],
        }
    return [
        row
        for row in people.values()
        if row["score"] is not None or row["asked"] <= as_of - timedelta(ANSWER_DAYS)
    ]


@FEW
@given(experiences(), as_of_days(300))
def test_rates_equal_the_recomputation_person_by_person(found: Experience, as_of: date) -> None:
    people = _slow_people(found, as_of)
    table = _table(found, as_of).to_dicts()
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in people:
        names = [NO_ANSWER] if row["score"] is None else [str(row["score"]), "any answer"]
        for name in names:
            groups.setdefault((row["measure"], name), []).append(row)
    cells = {(row["measure"], row["group"]): row for row in table if row["group_kind"] != "band"}
    assert cells.keys() == groups.keys()
    for key, rows in groups.items():
        over = [row for row in rows if row["start"] + timedelta(HORIZON) <= as_of]
        count = sum(any(days <= HORIZON for days in row["later"]) for row in over)
        cell = cells[key]
        assert (cell["customers"], cell["n"], cell["count"]) == (len(rows), len(over), count)
        if over:
            assert (cell["rate"], cell["low"], cell["high"]) == pytest.approx(
                (count / len(over), *wilson(count, len(over)))
            )
        else:
            assert cell["rate"] is None
            assert cell["weighted_rate"] is None
            assert cell["standardised_rate"] is None


@FEW
@given(experiences(), as_of_days(300))
def test_later_facts_change_nothing(found: Experience, as_of: date) -> None:
    assert_frame_equal(_table(found, as_of), _table(found.known_by(as_of), as_of))


def _truth(people: int, seed: int) -> tuple[pl.LazyFrame, pl.LazyFrame, pl.LazyFrame]:
    """Composed: those with many earlier orders come back and answer more; the score says nothing beyond that."""
    rng = np.random.default_rng(seed)
    earlier = rng.choice([1, 7], people)
    score = np.where(rng.random(people) < np.where(earlier == 7, 0.8, 0.3), 10, 3)
    answers = rng.random(people) < np.where(earlier == 7, 0.6, 0.2)
    again = rng.random(people) < np.where(earlier == 7, 0.7, 0.2)
    day = OPENED + timedelta(100)
    keys = [f"k{n}" for n in range(people)]
    same = [{"survey_id": key, "customer_key": key, "kind": "nps", "order_id": None} for key in keys]
    invitations = [row | {"sent_day": day} for row in same]
    told = [
        row | {"score": int(score[n]), "answered_day": day + timedelta(1)}
        for n, row in enumerate(same)
        if answers[n]
    ]
    orders = [
        {"order_id": f"{key}-{number}", "customer_key": key, "is_valid": True, "order_day": OPENED + timedelta(number)}
        for n, key in enumerate(keys)
        for number in [*range(int(earlier[n])), *([150] if again[n] else [])]
    ]  # fmt: skip
    return (
        pl.LazyFrame(told, schema=ANSWERS),
        pl.LazyFrame(invitations, schema=INVITATIONS),
        pl.LazyFrame(orders, schema=ORDERS),
    )


def test_earlier_orders_explain_away_a_score_that_says_nothing_else() -> None:
    table = score_behaviour(*_truth(6000, 1), OPENED + timedelta(400)).collect().filter(horizon_days=180)
    cells = {row["group"]: row for row in table.to_dicts()}
    promoters, detractors = cells["promoter"], cells["detractor"]
    # Promoters seem to come back far more often, and at the same mix of earlier orders they do not.
    assert promoters["low"] > detractors["high"] + 0.1
    gap = promoters["standardised_rate"] - detractors["standardised_rate"]
    half = max(promoters["standardised_high"] - promoters["standardised_low"], 0.04)
    assert abs(gap) < half
    assert promoters["overlap"] == detractors["overlap"] == pytest.approx(1)


def test_weights_undo_that_frequent_customers_answer_more() -> None:
    table = score_behaviour(*_truth(6000, 2), OPENED + timedelta(400)).collect().filter(horizon_days=180)
    cells = {row["group"]: row for row in table.to_dicts()}
    everybody = (cells["any answer"]["count"] + cells[NO_ANSWER]["count"]) / 6000
    answered = cells["any answer"]
    assert answered["low"] > everybody
    assert answered["weighted_low"] < everybody < answered["weighted_high"]
    assert 0 < answered["effective_n"] < answered["n"]
    assert cells[NO_ANSWER]["weighted_rate"] is None


def test_standardised_rates_are_weighted_means_over_the_strata() -> None:
    # Composed: 2 of 4 and 3 of 3 of the promoters, 0 of 2 and 1 of 1 of the detractors, with 1 and 2 earlier orders.
    plan = [(10, 1, 4, 2), (10, 2, 3, 3), (3, 1, 2, 0), (3, 2, 1, 1)]
    day = OPENED + timedelta(10)
    answers, orders = [], []
    for score, earlier, people, again in plan:
        for number in range(people):
            key = f"{score}-{earlier}-{number}"
            answers.append(
                {"survey_id": key, "customer_key": key, "kind": "nps", "score": score, "answered_day": day}
            )
            days = [*range(earlier), *([50] if number < again else [])]
            orders += [
                {"order_id": f"{key}-{d}", "customer_key": key, "is_valid": True, "order_day": OPENED + timedelta(d)}
                for d in days
            ]  # fmt: skip
    frames = (pl.LazyFrame(answers, schema=ANSWERS), pl.LazyFrame([], schema=INVITATIONS))
    table = score_behaviour(*frames, pl.LazyFrame(orders, schema=ORDERS), OPENED + timedelta(400)).collect()
    rates = dict(table.filter(horizon_days=365).select("group", "standardised_rate").rows())
    assert rates["promoter"] == pytest.approx((6 * 2 / 4 + 4 * 1) / 10)
    assert rates["detractor"] == pytest.approx((6 * 0 + 4 * 1) / 10)
    assert table["weighted_rate"].is_null().all()


def test_an_answer_after_30_days_is_silence_and_the_second_survey_does_not_count() -> None:
    invitation = {"survey_id": "s", "customer_key": "c", "kind": "csat", "sent_day": OPENED}
    second = invitation | {"survey_id": "t", "sent_day": OPENED + timedelta(40)}
    late = {
        "survey_id": "s",
        "customer_key": "c",
        "kind": "csat",
        "score": 5,
        "answered_day": OPENED + timedelta(31),
    }
    found = Experience(answer_rows=(late, late | {"survey_id": "t"}), invitation_rows=(invitation, second))
    table = _table(found, OPENED + timedelta(90))
    assert table.select("group", "customers").rows() == [(NO_ANSWER, 1)]


def test_no_surveys_give_an_empty_table_and_short_horizons_are_refused() -> None:
    assert _table(Experience(), OPENED).is_empty()
    with pytest.raises(ValueError, match="at least 30 days"):
        _table(Experience(), OPENED, horizon=20)
