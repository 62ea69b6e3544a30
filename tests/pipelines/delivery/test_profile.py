"""The profile: what was known on the day and no more, and nothing that profiles a person who objected."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.assets.step import Stage
from pipelines.delivery.profile import PROFILING, customer_profile, segment_members
from pipelines.shop import Shop
from tests.pipelines.published_shops import Facts, publish_in_memory, rows_of
from tests.pipelines.small_shops import write_shop

PEOPLE = ("a", "b", "c")
START = date(2023, 1, 1)
AS_OF = date(2023, 12, 31)
MEASURED = (Stage.RETENTION, Stage.PREDICTIONS, Stage.SEGMENTS)


def order(number: int, customer: str, day: date, amount: int) -> dict[str, Any]:
    return {
        "order_id": str(number),
        "source": "orders",
        "channel": "web" if number % 2 else "shop",
        "country": f"country {number % 3}",
        "customer_key": customer,
        "ordered_at": datetime.combine(day, time(12), UTC) + timedelta(seconds=number),
        "order_day": day,
        "order_day_number": (day - date(1970, 1, 1)).days,
        "lines": 1,
        "gross": Decimal(amount),
        "discount": Decimal(0),
        "refunded": Decimal(0),
        "net": Decimal(amount),
        "currency": "GBP",
        "is_valid": True,
        "fully_returned": False,
    }


def line(placed: dict[str, Any]) -> dict[str, Any]:
    return {
        "order_id": placed["order_id"],
        "line_no": 1,
        "product_id": "MUG",
        "kind": "merchandise",
        "quantity": 1,
        "unit_price": placed["gross"],
        "discount": Decimal(0),
        "net": placed["gross"],
    }


def taken_back(placed: dict[str, Any], day: date) -> dict[str, Any]:
    return {
        "return_id": f"return of {placed['order_id']}",
        "order_id": placed["order_id"],
        "line_no": 1,
        "customer_key": placed["customer_key"],
        "product_id": "MUG",
        "kind": "merchandise",
        "quantity": 1,
        "amount": placed["gross"],
        "returned_at": datetime.combine(day, time(12), UTC),
        "returned_day": day,
        "match_rule": "named",
    }


def answer(number: int, customer: str, day: date, score: int) -> dict[str, Any]:
    return {
        "survey_id": str(number),
        "customer_key": customer,
        "kind": "csat" if number % 2 else "nps",
        "score": score,
        "answered_at": datetime.combine(day, time(12), UTC) + timedelta(seconds=number),
        "answered_day": day,
    }


def facts(orders: list[dict[str, Any]], returned: dict[str, date], answers: list[dict[str, Any]]) -> Facts:
    """Fact tables of some orders, some of them taken back, and some answers."""
    back = [
        taken_back(placed, returned[placed["order_id"]])
        for placed in orders
        if placed["order_id"] in returned
    ]
    asked = [
        {"survey_id": row["survey_id"], "customer_key": row["customer_key"], "kind": row["kind"]}
        | {"sent_at": row["answered_at"], "sent_day": row["answered_day"]}
        for row in answers
    ]
    return {
        "orders": rows_of("orders", orders),
        "order_lines": rows_of("order_lines", [line(placed) for placed in orders]),
        "returns": rows_of("returns", back),
        "survey_answers": rows_of("survey_answers", answers),
        "survey_invitations": rows_of("survey_invitations", asked),
    }


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return write_shop(tmp_path_factory.mktemp("shop"))


days_before = st.integers(0, (AS_OF - START).days).map(lambda days: START + timedelta(days=days))
days_after = st.integers(1, 300).map(lambda days: AS_OF + timedelta(days=days))


@st.composite
def stories(draw: st.DrawFn) -> tuple[Facts, Facts]:
    """What was known on AS_OF, and the same with everything that came later."""
    people = st.sampled_from(PEOPLE)
    known = [
        order(number, draw(people), draw(days_before), draw(st.integers(1, 50)))
        for number in range(draw(st.integers(1, 8)))
    ]
    later = [
        order(100 + number, draw(st.sampled_from((*PEOPLE, "d"))), draw(days_after), draw(st.integers(1, 50)))
        for number in range(draw(st.integers(1, 4)))
    ]
    returned_before = {
        placed["order_id"]: draw(st.dates(placed["order_day"], AS_OF))
        for placed in known
        if draw(st.booleans())
    }
    returned_later = {
        placed["order_id"]: draw(days_after)
        for placed in [*known, *later]
        if placed["order_id"] not in returned_before
    }
    answered = [
        answer(n, draw(people), draw(days_before), draw(st.integers(1, 5)))
        for n in range(draw(st.integers(0, 3)))
    ]
    answered_later = [
        answer(100 + n, draw(people), draw(days_after), draw(st.integers(1, 5))) for n in range(3)
    ]
    return (
        facts(known, returned_before, answered),
        facts([*known, *later], returned_before | returned_later, [*answered, *answered_later]),
    )


@settings(max_examples=8, deadline=None)
@given(story=stories())
def test_nothing_dated_after_as_of_changes_any_measure_of_it(story: tuple[Facts, Facts], shop: Shop) -> None:
    then, now = (publish_in_memory(shop, told, AS_OF, MEASURED) for told in story)
    assert set(then) >= {
        "customer_profile",
        "customer_predictions",
        "cohort_retention",
        "rfm",
        "satisfaction",
    }
    for name, frame in then.items():
        order_of_rows = [column for column in frame.columns if frame.schema[column] != pl.Struct]
        assert frame.sort(order_of_rows).equals(now[name].sort(order_of_rows)), name


def test_the_profile_counts_orders_days_and_money_of_the_day(shop: Shop) -> None:
    orders = [
        order(1, "a", date(2022, 12, 1), 10),
        order(2, "a", date(2023, 6, 1), 20),
        order(3, "a", date(2023, 6, 1), 30),
        order(5, "b", date(2023, 12, 31), 5),
    ]
    told = facts(
        orders,
        {"1": date(2023, 1, 5)},
        [answer(2, "a", date(2023, 7, 1), 9), answer(4, "a", date(2023, 8, 1), 2)],
    )
    made = publish_in_memory(shop, told, AS_OF, MEASURED)["customer_profile"].rows_by_key(
        "customer_key", named=True
    )
    (a,), (b,) = made["a"], made["b"]
    expected = {
        "valid_orders": 3,
        "order_days": 2,
        "valid_orders_12m": 2,
        "historic_clv": 50.0,
        "net_12m": 50.0,
        "returned_value": 10.0,
        "days_since_last_order": 213,
        "average_order_value": pytest.approx(50 / 3),
        "country": "country 0",
        "channel": "web",
        "last_nps": 2,
        "last_csat": None,
        "predicted_clv_365d": None,
    }
    assert {name: a[name] for name in expected} == expected
    assert (b["stage"], b["previous_stage"], b["stage_since"], b["returned_value"]) == (
        "new",
        None,
        AS_OF,
        0.0,
    )


def full_profile(suppressed: list[dict[str, Any]]) -> pl.DataFrame:
    """The profile of two people who have every score."""
    both = {"customer_key": ["a", "b"]}
    day = {"from_day": [START] * 2, "to_day": pl.Series([None, None], dtype=pl.Date)}
    numbers = {name: [0.5, 0.5] for name in PROFILING if name.startswith(("predicted", "churn_prob"))}
    placed = facts([order(1, "a", START, 10), order(2, "b", START, 10)], {}, [])
    purchases = placed["orders"].select(
        "customer_key", "order_day", "net", pl.lit(1, pl.Int32).alias("orders")
    )
    return customer_profile(
        purchases=purchases.lazy(),
        orders=placed["orders"].lazy(),
        returns=placed["returns"].lazy(),
        stages=pl.LazyFrame(both | day | {"stage": ["new", "new"]}),
        scores=pl.LazyFrame(
            both
            | {
                "r": [3, 3],
                "f": [1, 1],
                "m": [2, 2],
                "klaviyo_segment": ["Recent"] * 2,
                "shopify_segment": ["NEW"] * 2,
            }
        ),
        tiers=pl.LazyFrame(both | day | {"tier": ["loyal"] * 2}),
        predictions=pl.LazyFrame(both | numbers | {"churn_band": ["medium"] * 2}),
        answers=placed["survey_answers"].lazy(),
        suppressions=rows_of("suppressions", suppressed).lazy(),
        as_of=AS_OF,
    ).collect()


@pytest.mark.parametrize("recorded", [datetime(2001, 1, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)])
@pytest.mark.parametrize("channel", ["all", "email"])
def test_who_objected_keeps_a_stage_and_facts_and_has_no_score_and_no_segment(
    recorded: datetime, channel: str
) -> None:
    objection = {"customer_key": "a", "kind": "objection", "channel": channel, "recorded_at": recorded}
    made = full_profile([objection])
    a, b = made.rows(named=True)
    assert all(a[name] is None for name in PROFILING)
    assert all(b[name] is not None for name in PROFILING)
    assert (a["stage"], a["valid_orders"], a["historic_clv"]) == ("new", 1, 10.0)
    segments = segment_members(made.lazy()).collect()
    assert segments["customer_key"].unique().to_list() == ["b"]
    assert segments["segment"].to_list() == ["rfm:Recent", "stage:new"]


@pytest.mark.parametrize("kind", ["unsubscribed", "bounced"])
def test_a_closed_channel_takes_no_score_away(kind: str) -> None:
    closed = {
        "customer_key": "a",
        "kind": kind,
        "channel": "all",
        "recorded_at": datetime(2023, 1, 1, tzinfo=UTC),
    }
    assert full_profile([closed]).equals(full_profile([]))


def test_no_table_of_scores_keeps_who_objected(shop: Shop) -> None:
    told = facts([order(1, "a", START, 10), order(2, "b", START, 10), order(3, "c", AS_OF, 10)], {}, [])
    objection = {
        "customer_key": "a",
        "kind": "objection",
        "channel": "all",
        "recorded_at": datetime(2023, 1, 1, tzinfo=UTC),
    }
    made = publish_in_memory(
        shop, {**told, "suppressions": rows_of("suppressions", [objection])}, AS_OF, MEASURED
    )
    for name in ("rfm", "segment_members", "customer_predictions"):
        assert "a" not in made[name]["customer_key"].to_list()
    assert made["customer_profile"]["customer_key"].to_list() == ["a", "b", "c"]
    cohort = made["cohort_retention"].filter((pl.col("k") == 0) & (pl.col("period_unit") == "month"))
    assert cohort["customers"].max() == 2
