"""Ten against six and below: known ratios, people counted one by one, and a simulated shop's truth."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from models.claims import Facts, Finding, Status
from models.claims.ten_of_ten import findings
from tests.models.composed_experience import ANSWERS
from tests.models.shops import OPENED, ORDERS

ASKED = OPENED + timedelta(500)
LATER = ASKED + timedelta(400)


def _composed(people: int, seed: int, base: float, times: float) -> Facts:
    """Composed: regulars answer 10 more often and come back 1.5 times as often; a 10 itself makes it `times`."""
    rng = np.random.default_rng(seed)
    is_regular = rng.random(people) < 0.5
    ten = rng.random(people) < np.where(is_regular, 0.8, 0.3)
    again = rng.random(people) < base * np.where(is_regular, 1.5, 1.0) * np.where(ten, times, 1.0)
    orders: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    for n in range(people):
        same = {"customer_key": f"k{n}", "is_valid": True, "channel": "web"}
        before = range(7) if is_regular[n] else range(1)
        days = [ASKED - timedelta(9 + 30 * one) for one in before]
        days += [ASKED + timedelta(100)] if again[n] else []
        orders += [same | {"order_id": f"o{n}-{place}", "order_day": day} for place, day in enumerate(days)]
        answers.append(
            {
                "survey_id": f"s{n}",
                "customer_key": f"k{n}",
                "kind": "nps",
                "score": 10 if ten[n] else int(n % 7),
                "answered_day": ASKED,
            }
        )
    return Facts(
        {
            "orders": pl.LazyFrame(orders, schema=ORDERS),
            "survey_answers": pl.LazyFrame(answers, schema=ANSWERS),
        }
    )


def _within(found: Finding, true: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low < true < found.high


@pytest.mark.parametrize(
    ("base", "times", "status"),
    [(0.3, 1.0, Status.DOES_NOT_HOLD), (0.2, 2.0, Status.DOES_NOT_HOLD), (0.06, 9.0, Status.HOLDS)],
)
def test_a_known_ratio_is_found_where_regulars_answer_better(
    base: float, times: float, status: Status
) -> None:
    for found in findings(_composed(6000, 3, base, times), LATER):
        assert _within(found, times)
        assert found.status is status
        assert found.n == 6000


def test_the_plain_ratio_would_say_more_than_is_true() -> None:
    facts = _composed(6000, 3, 0.3, 1.0)
    answers, orders = (facts.tables[name].collect() for name in ("survey_answers", "orders"))
    back = set(orders.filter(pl.col("order_day") > ASKED)["customer_key"])
    ten, base = (
        float(np.mean([who in back for who in answers.filter(which)["customer_key"]]))
        for which in (pl.col("score") == 10, pl.col("score") <= 6)
    )
    found = findings(facts, LATER)[1]
    assert found.number is not None
    assert found.high is not None
    assert ten / base > found.high > found.number
    assert f"(plainly {100 * ten:.1f} and {100 * base:.1f} %)" in found.says


def test_a_horizon_that_is_not_over_counts_nobody() -> None:
    facts = _composed(300, 3, 0.3, 1.0)
    at: dict[date, list[Status]] = {
        day: [found.status for found in findings(facts, day)]
        for day in (ASKED + timedelta(179), ASKED + timedelta(180), ASKED + timedelta(365))
    }
    told = [[status is not Status.CANNOT_TELL for status in statuses] for statuses in at.values()]
    assert told == [[False, False], [True, False], [True, True]]


def test_too_few_unhappy_tell_nothing() -> None:
    facts = _composed(3000, 3, 0.3, 1.0)
    unhappy = facts.tables["survey_answers"].filter(pl.col("score") < 10).head(29)
    happy = facts.tables["survey_answers"].filter(pl.col("score") == 10)
    few = Facts({**facts.tables, "survey_answers": pl.concat([happy, unhappy])})
    for found in findings(few, LATER):
        assert found.status is Status.CANNOT_TELL
        assert found.number is None
        assert "29 answered 0 to 6" in found.says


def test_what_cannot_be_six_times_is_said() -> None:
    often = findings(_composed(3000, 3, 0.4, 1.0), LATER)[1]
    seldom = findings(_composed(3000, 3, 0.05, 1.0), LATER)[1]
    assert "cannot be" in often.says
    assert "cannot be" not in seldom.says


def test_where_no_unhappy_person_comes_back_there_is_no_ratio() -> None:
    facts = _composed(600, 3, 0.3, 1.0)
    happy = facts.tables["survey_answers"].filter(pl.col("score") == 10).select("customer_key")
    orders = facts.tables["orders"]
    before = orders.filter(pl.col("order_day") <= ASKED)
    after = orders.filter(pl.col("order_day") > ASKED).join(happy, on="customer_key", how="semi")
    for found in findings(Facts({**facts.tables, "orders": pl.concat([before, after])}), LATER):
        assert found.status is Status.CANNOT_TELL
        assert "there is no ratio" in found.says
