"""Baselines agree with a slow recomputation from what was known, and see nothing later."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from models.baselines import SMALLEST_GROUP, Baseline, GlobalMean, LastTwelveMonths, RfmCellMean
from models.known import Known
from models.rfm import rfm
from models.summary import purchases_at
from tests.models.composed_purchases import day, one_order_each, purchases, returns, simulated_orders

BASELINES = (GlobalMean, LastTwelveMonths, RfmCellMean)
AS_OF = 700


@pytest.fixture(scope="module")
def simulated() -> pl.LazyFrame:
    return purchases_at(simulated_orders(3), returns(), day(AS_OF)).collect().lazy()


def slow_group(history: list[dict[str, object]], name: str, today: object, code: object) -> object:
    if name == "global_mean":
        return 0
    if name == "rfm_cell_mean":
        return code
    return any(row["order_day"] > today - timedelta(days=365) for row in history)  # type: ignore[operator]


def slow_predictions(table: pl.DataFrame, name: str, horizon: int) -> dict[str, tuple[float, float]]:
    today, start = day(AS_OF), day(AS_OF - horizon)
    histories = {key: rows.to_dicts() for (key,), rows in table.group_by("customer_key")}

    def grouped(when: object) -> dict[object, object]:
        scores = rfm(table.lazy(), when).collect()  # type: ignore[arg-type]
        codes = dict(
            zip(scores["customer_key"], zip(scores["r"], scores["f"], scores["m"], strict=True), strict=True)
        )
        known = {key: [row for row in rows if row["order_day"] <= when] for key, rows in histories.items()}
        return {key: slow_group(rows, name, when, codes[key]) for key, rows in known.items() if rows}

    then, now = grouped(start), grouped(today)
    after = {key: [float(row["net"]) for row in histories[key] if row["order_day"] > start] for key in then}

    def rates(keys: list[object]) -> tuple[float, float]:
        value = sum(sum(after[key]) for key in keys) / len(keys)
        return value, (sum(bool(after[key]) for key in keys) + 0.5) / (len(keys) + 1)

    result = {}
    for key, group in now.items():
        same = [other for other, other_group in then.items() if other_group == group]
        value, share = rates(same if len(same) >= SMALLEST_GROUP else list(then))
        if name == "last_12_months":
            last_year = [row for row in histories[key] if row["order_day"] > today - timedelta(days=365)]
            value = sum(float(row["net"]) for row in last_year) * horizon / 365
        result[key] = (value, share)
    return result


@pytest.mark.parametrize("baseline", BASELINES)
def test_agrees_with_a_slow_recomputation(baseline: type[Baseline], simulated: pl.LazyFrame) -> None:
    predicted = baseline().fit(Known.of_purchases(simulated, day(AS_OF))).predict(180)
    expected = slow_predictions(simulated.collect(), baseline.name, 180)
    assert predicted["customer_key"].to_list() == sorted(expected)
    assert set(predicted["model"]) == {baseline.name}
    for key, value, share, _ in predicted.iter_rows():
        assert (value, share) == pytest.approx(expected[key])


@pytest.mark.parametrize("baseline", BASELINES)
def test_later_orders_change_nothing(baseline: type[Baseline], simulated: pl.LazyFrame) -> None:
    known = simulated.filter(pl.col("order_day") <= day(400))
    assert_frame_equal(
        baseline().fit(Known.of_purchases(simulated, day(400))).predict(90),
        baseline().fit(Known.of_purchases(known, day(400))).predict(90),
    )


@pytest.mark.parametrize("baseline", BASELINES)
def test_predicting_before_a_later_fit_is_the_same_as_alone(
    baseline: type[Baseline], simulated: pl.LazyFrame
) -> None:
    once = baseline().fit(Known.of_purchases(simulated, day(600)))
    assert_frame_equal(
        once.predict(90),
        baseline()
        .fit(Known.of_purchases(simulated, day(500)))
        .fit(Known.of_purchases(simulated, day(600)))
        .predict(90),
    )


def test_a_short_history_is_stretched_to_the_horizon() -> None:
    # Known on day 5 of 10: both; one of them buys again for 10 in the second half.
    shop = purchases(one_order_each({"a": [0, 7], "b": [0]}))
    predicted = GlobalMean().fit(Known.of_purchases(shop, day(10))).predict(20)
    # Twenty days hold four windows of five: 4 x 5, and a share of (1 + .5) / (2 + 1) four times over.
    assert predicted["predicted_value"].to_list() == [20.0, 20.0]
    assert predicted["purchase_probability"].to_list() == pytest.approx([1 - 0.5**4] * 2)


def test_spend_of_a_history_under_a_year_is_scaled_by_its_own_length() -> None:
    shop = purchases(one_order_each({"a": [0, 60], "b": [0]}))
    predicted = LastTwelveMonths().fit(Known.of_purchases(shop, day(100))).predict(50)
    assert predicted["predicted_value"].to_list() == [10.0, 5.0]


@pytest.mark.parametrize("shop", [{}, {"a": [9]}])
def test_a_shop_of_a_day_is_refused(shop: dict[str, list[int]]) -> None:
    with pytest.raises(ValueError, match="two days of history"):
        GlobalMean().fit(Known.of_purchases(purchases(one_order_each(shop)), day(10)))
