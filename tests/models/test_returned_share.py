"""Expected returned shares agree with credibility by hand, with the truth of a composed shop, and see nothing later."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.known import known_at
from models.less_returns import LessReturns, before_returns
from models.returned_share import Credibility, credibility, expected_returned_share
from tests.models.composed_purchases import RETURNS, day, orders

AS_OF = day(700)
LINES = {
    "order_id": pl.String,
    "product_id": pl.String,
    "category": pl.String,
    "kind": pl.String,
    "net": pl.Decimal(18, 4),
}
OFTEN = {"shoes": 0.4, "tea": 0.02}


class Composed:
    """A shop of made-up people who buy shoes or tea; some send back twice as much as others."""

    def __init__(self, customers: int = 600, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        placed: list[tuple[str, str, int, int]] = []
        lines: list[tuple[str, str, str, str, Decimal]] = []
        back: list[tuple[object, ...]] = []
        self.habit: dict[str, float] = {}
        for number in range(customers):
            who = f"customer {number:04}"
            likes, habit = rng.beta(1, 1), float(rng.choice([0.3, 1.7]))
            self.habit[who] = habit
            for _ in range(rng.integers(1, 9)):
                order, when = f"o{len(placed)}", int(rng.integers(0, 640))
                category = "shoes" if rng.random() < likes else "tea"
                worth = int(rng.integers(20, 120))
                placed.append((order, who, when, worth))
                lines.append((order, category, category, "merchandise", Decimal(worth)))
                if rng.random() < OFTEN[category] * habit:
                    sent = day(when + 10)
                    row = (order, "merchandise", "refund", Decimal(worth), sent, sent, category, 1, None)
                    back.append(row)
        self.orders = orders(placed)
        self.lines = pl.DataFrame(lines, schema=LINES, orient="row").lazy()
        self.returns = pl.DataFrame(back, schema=RETURNS, orient="row").lazy()

    def shares(self, as_of: date = AS_OF) -> pl.DataFrame:
        return expected_returned_share(self.orders, self.lines, self.returns, as_of)


@pytest.fixture(scope="module")
def composed() -> Composed:
    return Composed()


def test_credibility_agrees_with_the_estimators_by_hand() -> None:
    rows = pl.DataFrame(
        {
            "who": ["a", "a", "a", "b", "b", "c"],
            "order_id": ["1", "2", "3", "4", "5", "6"],
            "returned": [10.0, 0.0, 5.0, 30.0, 20.0, 0.0],
            "bought": [20.0, 30.0, 10.0, 40.0, 40.0, 25.0],
        }
    )
    weights = {"a": [20.0, 30.0, 10.0], "b": [40.0, 40.0], "c": [25.0]}
    shares = {"a": [0.5, 0.0, 0.5], "b": [0.75, 0.5], "c": [0.0]}
    own = {who: np.average(shares[who], weights=weights[who]) for who in weights}
    total = sum(sum(w) for w in weights.values())
    overall = sum(own[who] * sum(weights[who]) for who in weights) / total
    within = (
        sum(
            w * (x - own[who]) ** 2 for who in weights for w, x in zip(weights[who], shares[who], strict=True)
        )
        / 3
    )
    apart = sum(sum(weights[who]) * (own[who] - overall) ** 2 for who in weights)
    reach = total - sum(sum(w) ** 2 for w in weights.values()) / total
    found = credibility(rows, "who", "returned", "bought")
    assert found.overall == pytest.approx(overall)
    assert found.weight_for_half == pytest.approx(within / ((apart - 2 * within) / reach))


def test_little_is_believed_of_little() -> None:
    rule = Credibility(overall=0.2, weight_for_half=100.0)
    frame = pl.DataFrame({"back": [0.0, 50.0, 1000.0], "bought": [0.0, 100.0, 10_000.0]})
    shrunk = frame.select(rule.shrunk(pl.col("back"), pl.col("bought"))).to_series()
    assert shrunk.to_list() == pytest.approx([0.2, 0.35, (1000 + 20) / 10_100])
    alike = Credibility(overall=0.2, weight_for_half=float("inf"))
    assert frame.select(alike.shrunk(pl.col("back"), pl.col("bought"))).item(0, 0) == 0.2


def test_who_sends_back_more_is_expected_to(composed: Composed) -> None:
    made = composed.shares()
    assert made["expected_returned_share"].is_between(0, 1).all()
    habits = pl.DataFrame({"customer_key": list(composed.habit), "habit": list(composed.habit.values())})
    by_habit = (
        made.join(habits, on="customer_key").group_by("habit").agg(pl.col("expected_returned_share").mean())
    )
    low, high = by_habit.sort("habit")["expected_returned_share"]
    assert low < 0.17 < 0.25 < high


def test_the_total_is_that_of_the_shop(composed: Composed) -> None:
    bought = composed.orders.group_by("customer_key").agg(pl.col("gross").sum().cast(pl.Float64)).collect()
    expected = composed.shares().join(bought, on="customer_key")
    total = expected.select(pl.col("expected_returned_share").dot("gross") / pl.col("gross").sum()).item()
    actual = (
        composed.returns.select(pl.col("amount").sum().cast(pl.Float64)).collect().item()
        / bought["gross"].sum()
    )
    assert total == pytest.approx(actual, rel=0.05)


@settings(max_examples=5, deadline=None)
@given(st.integers(100, 690))
def test_later_facts_change_nothing(number: int) -> None:
    shop, as_of = Composed(40), day(number)
    then = expected_returned_share(
        shop.orders.filter(pl.col("order_day") <= as_of),
        shop.lines,
        shop.returns.filter(pl.col("returned_day") <= as_of),
        as_of,
    )
    assert_frame_equal(shop.shares(as_of), then)


def test_a_shop_without_returns_expects_none_and_an_empty_one_nobody(composed: Composed) -> None:
    nothing = composed.returns.clear()
    none = expected_returned_share(composed.orders, composed.lines, nothing, AS_OF)
    assert none["expected_returned_share"].unique().to_list() == [0.0]
    assert expected_returned_share(composed.orders, composed.lines, nothing, day(-9)).is_empty()


# Everybody here orders alike, which leaves the models' parameters open and their predictions not.
@pytest.mark.filterwarnings("ignore::models.errors.ApproximationWarning")
def test_value_is_orders_times_spend_before_returns_times_the_share_kept(composed: Composed) -> None:
    known = known_at(AS_OF, orders=composed.orders, order_lines=composed.lines, returns=composed.returns)
    made = LessReturns().fit(known)
    shop = before_returns(known)
    assert shop.summary.height == 600
    predicted = made.predict(90)
    value = (
        made.purchases_.expected_purchases(shop.summary, 90)
        * made.spend_.expected_spend(shop.summary)
        * shop.kept_share
    )
    np.testing.assert_allclose(predicted["predicted_value"].to_numpy(), value)
    assert predicted["purchase_probability"].null_count() == 600


def test_orders_younger_than_the_return_window_are_not_judged() -> None:
    young = orders([("o1", "a", 690, 50), ("o2", "b", 0, 50), ("o3", "b", 100, 50)])
    lines = pl.DataFrame(
        [(order, "x", "c", "merchandise", Decimal(50)) for order in ("o1", "o2", "o3")],
        schema=LINES,
        orient="row",
    )
    sent = AS_OF - timedelta(days=2)
    back = pl.DataFrame(
        [("o1", "merchandise", "refund", Decimal(50), sent, sent, "x", 1, None)], schema=RETURNS, orient="row"
    )
    made = expected_returned_share(young, lines.lazy(), back.lazy(), AS_OF)
    assert made["expected_returned_share"].to_list() == [0.0, 0.0]
