"""The season's level: found again where there is one, from days known by then, and refused where there are none.

All shops are composed.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.baselines import LastTwelveMonths
from models.candidates import PREDICTION_COLUMNS, Candidate
from models.errors import ApproximationWarning, NotEnoughDataError
from models.every_order_spend import EveryOrderSpend
from models.known import Known, known_at
from models.season_level import MeanOf, SeasonLevel, mbg_nbd_season, season_mean
from models.spend import GammaGamma
from tests.models.shops import ORDERS, RETURNS

OPENED = date(2020, 1, 1)
AS_OF = date(2022, 6, 30)
HORIZON = 184


def _orders(customers: int = 400, *, days: int = 1096, seed: int = 3, december: float = 3.0) -> pl.DataFrame:
    """Buyers at their own pace and price, who buy `december` times as dear in the second half of each year."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for number in range(customers):
        gap, price = rng.gamma(2.0, 40.0), rng.gamma(5.0, 8.0)
        day = rng.uniform(0, 120)
        while day < days:
            on = OPENED + timedelta(int(day))
            dear = december if on.month > 6 else 1.0
            rows.append(
                {
                    "order_id": f"o{len(rows)}",
                    "customer_key": f"c{number:03d}",
                    "order_day": on,
                    "is_valid": True,
                    "gross": Decimal(round(price * dear * rng.gamma(4.0, 0.25), 2)).quantize(Decimal("0.01")),
                    "discount": Decimal(0),
                }
            )
            day += rng.exponential(gap)
    made = pl.DataFrame(rows)
    empty = [pl.lit(None, kind).alias(name) for name, kind in ORDERS.items() if name not in made.columns]
    return made.with_columns(empty).cast(ORDERS).select(list(ORDERS))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def orders() -> pl.DataFrame:
    return _orders()


def _known(orders: pl.DataFrame, as_of: date = AS_OF) -> Known:
    return known_at(as_of, orders=orders.lazy(), returns=pl.LazyFrame(schema=RETURNS))


def _actual(orders: pl.DataFrame, cut: date, horizon_days: int) -> float:
    """Net after the cut of customers known at it, by loops over orders."""
    rows = orders.select("customer_key", "order_day", "gross").rows()
    then = {key for key, day, _ in rows if day <= cut}
    end = cut + timedelta(horizon_days)
    return float(sum(gross for key, day, gross in rows if key in then and cut < day <= end))


def test_the_season_of_last_year_puts_this_years_total_right(orders: pl.DataFrame) -> None:
    known = _known(orders)
    actual = _actual(orders, AS_OF, HORIZON)

    def bias(candidate: Candidate) -> float:
        return float(candidate.fit(known).predict(HORIZON)["predicted_value"].sum()) / actual - 1

    plain, seasonal, mean = bias(EveryOrderSpend("plain")), bias(mbg_nbd_season()), bias(season_mean())
    assert plain < -0.25
    assert abs(seasonal) < 0.10
    assert abs(mean) < 0.10


def test_without_a_season_the_level_is_near_one() -> None:
    level = mbg_nbd_season().fit(_known(_orders(december=1.0))).level(HORIZON)
    assert level.ratio == pytest.approx(1.0, abs=0.08)


def test_the_level_is_actual_over_predicted_a_year_ago(orders: pl.DataFrame) -> None:
    cut = AS_OF - timedelta(365)
    level = mbg_nbd_season().fit(_known(orders)).level(HORIZON)
    then = EveryOrderSpend("then").fit(_known(orders, cut)).predict(HORIZON)
    assert (level.cut, level.horizon_days, level.customers) == (cut, HORIZON, then.height)
    assert level.actual == pytest.approx(_actual(orders, cut, HORIZON))
    assert level.predicted == pytest.approx(then["predicted_value"].sum())
    assert level.ratio == pytest.approx(level.actual / level.predicted)


def test_values_are_multiplied_and_probabilities_left_alone(orders: pl.DataFrame) -> None:
    known = _known(orders)
    model = mbg_nbd_season().fit(known)
    plain = EveryOrderSpend("plain").fit(known).predict(HORIZON)
    made = model.predict(HORIZON)
    assert made.columns == list(PREDICTION_COLUMNS)
    assert made["model"].unique().to_list() == ["mbg_nbd_season"]
    ratio = model.level(HORIZON).ratio
    np.testing.assert_allclose(made["predicted_value"], ratio * plain["predicted_value"])
    assert made["purchase_probability"].equals(plain["purchase_probability"])


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 60), st.integers(0, 1000))
def test_nothing_after_as_of_changes_a_prediction_nor_does_the_order_of_rows(days: int, seed: int) -> None:
    orders, as_of = _orders(80), AS_OF + timedelta(days)
    later = pl.col("order_day") > as_of
    other = pl.when(later).then(pl.lit(Decimal("9")).cast(pl.Decimal(18, 4))).otherwise("gross")
    altered = orders.with_columns(gross=other).sample(fraction=1, shuffle=True, seed=seed)
    altered = altered.filter(~later | (pl.col("gross").hash(seed) % 2 == 0))
    made = season_mean().fit(_known(orders, as_of)).predict(90)
    assert_frame_equal(made, season_mean().fit(_known(altered, as_of)).predict(90), check_exact=True)


def test_a_refund_counts_a_year_ago_if_it_was_known_by_the_end_of_the_horizon(orders: pl.DataFrame) -> None:
    cut = AS_OF - timedelta(365)
    order = orders.filter(pl.col("order_day") > cut).sort("order_day").row(0, named=True)

    def level(refunded_day: date) -> float:
        refund = {"order_id": order["order_id"], "kind": "merchandise", "outcome": "refund"}
        row = refund | {"amount": order["gross"], "refunded_day": refunded_day}
        returns = pl.LazyFrame([row], schema_overrides=RETURNS)
        lacking = [pl.lit(None, kind).alias(name) for name, kind in RETURNS.items() if name not in row]
        known = known_at(AS_OF, orders=orders.lazy(), returns=returns.with_columns(lacking))
        return mbg_nbd_season().fit(known).level(HORIZON).actual

    whole = _actual(orders, cut, HORIZON)
    assert level(cut + timedelta(HORIZON)) == pytest.approx(whole - float(order["gross"]))
    assert level(cut + timedelta(HORIZON + 1)) == pytest.approx(whole)


def test_a_horizon_beyond_a_year_goes_back_as_many_years_as_it_needs(orders: pl.DataFrame) -> None:
    model = mbg_nbd_season().fit(_known(orders))
    assert model.level(365).cut == AS_OF - timedelta(365)
    with pytest.warns(ApproximationWarning):
        assert model.level(366).cut == AS_OF - timedelta(730)
    with pytest.raises(NotEnoughDataError, match="looks 1095 days back and needs 90 days"):
        model.predict(731)


def test_too_little_history_is_refused_with_the_numbers(orders: pl.DataFrame) -> None:
    first_day = orders["order_day"].min()
    assert isinstance(first_day, date)
    enough = first_day + timedelta(365 + 90)
    mbg_nbd_season().fit(_known(orders, enough))
    with pytest.raises(NotEnoughDataError, match=r"needs 90 days of orders before; .* there are 454\. Wait"):
        mbg_nbd_season().fit(_known(orders, enough - timedelta(1)))
    with pytest.raises(NotEnoughDataError, match="there are 0"):
        season_mean().fit(_known(orders.clear()))


def test_a_year_ago_without_a_whole_year_before_is_told(orders: pl.DataFrame) -> None:
    first_day = orders["order_day"].min()
    assert isinstance(first_day, date)
    model = mbg_nbd_season().fit(_known(orders, first_day + timedelta(600)))
    with pytest.warns(
        ApproximationWarning, match=rf"when 235 days .* sound from {first_day + timedelta(730)} on"
    ):
        model.level(30)


def test_a_season_without_sales_has_no_level() -> None:
    days = [OPENED, OPENED + timedelta(20), OPENED + timedelta(1000)]
    purchases = pl.LazyFrame(
        {"customer_key": ["a", "b", "a"], "order_day": days, "net": [Decimal(5)] * 3},
        schema_overrides={"net": pl.Decimal(18, 4)},
    )
    model = SeasonLevel("x", LastTwelveMonths).fit(Known.of_purchases(purchases, OPENED + timedelta(1010)))
    with pytest.raises(NotEnoughDataError, match=r"the 2 customers known then spent 0\.00, and x predicted"):
        model.predict(30)


class _Says:
    """A candidate of one number."""

    def __init__(self, value: float) -> None:
        self.name, self.value = f"says_{value}", value

    def fit(self, known: Known) -> _Says:
        return self

    def predict(self, horizon_days: int) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "customer_key": ["b", "a"],
                "predicted_value": [self.value, self.value + 1],
                "purchase_probability": [self.value, self.value],
                "model": self.name,
            }
        )


def test_the_mean_is_that_of_values_and_the_first_ones_probabilities() -> None:
    def parts() -> list[Candidate]:
        return [_Says(0.25), _Says(2.0)]

    made = MeanOf("both", parts).fit(Known.of_purchases(pl.LazyFrame(schema=ORDERS), AS_OF)).predict(30)
    assert made.rows() == [("a", 2.125, 0.25, "both"), ("b", 1.125, 0.25, "both")]


def test_spend_is_learnt_from_the_first_order_too(orders: pl.DataFrame) -> None:
    early = OPENED + timedelta(150)
    model = EveryOrderSpend("every").fit(_known(orders, early))
    days = orders.filter(pl.col("order_day") <= early).group_by("customer_key", "order_day")
    mean = (
        days.agg(pl.col("gross").sum().cast(pl.Float64))
        .group_by("customer_key")
        .agg(frequency=pl.len().cast(pl.Float64), monetary_value=pl.col("gross").mean())
        .sort("customer_key")
    )
    assert math.isclose(model.spend_.params_["p"], GammaGamma().fit(mean).params_["p"], rel_tol=1e-6)
    once = model.summary_.with_columns(
        pl.Series("orders", model.purchases_.expected_purchases(model.summary_, 90)),
        value=model.predict(90)["predicted_value"],
    ).filter(pl.col("frequency") == 0)
    per_order = once.select("net_per_order_day", spend=pl.col("value") / pl.col("orders")).sort(
        "net_per_order_day"
    )
    assert once.height > 10
    assert per_order["spend"].is_sorted()
    assert per_order["spend"].n_unique() > 1
