"""Predictions of the champions: the published columns agree with the models and baselines they come from."""

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.baselines import GlobalMean, LastTwelveMonths, RfmCellMean
from models.boosted_trees import BoostedTrees
from models.calibration import calibration_by_decile, outcomes
from models.clv import Intervals, customer_lifetime_value
from models.errors import ApproximationWarning
from models.known import Known
from models.prediction import HORIZON_DAYS, churn_band, predict_customers
from models.published import Champions
from models.purchases import BetaGeo, ModifiedBetaGeo
from models.spend import GammaGamma
from models.summary import customer_summary
from tests.models.cdnow import order_days

AS_OF = date(1998, 6, 30)
INTERVALS = Intervals(draws=50, seed=1)
PUBLISHED = (
    "predicted_orders_365d",
    "predicted_orders_365d_low",
    "predicted_orders_365d_high",
    "predicted_clv_365d",
    "predicted_clv_365d_low",
    "predicted_clv_365d_high",
    "predicted_clv_365d_discounted",
    "churn_probability_90d",
    "churn_probability_90d_low",
    "churn_probability_90d_high",
    "churn_probability_365d",
    "churn_probability_365d_low",
    "churn_probability_365d_high",
    "expected_next_order_p50",
    "expected_next_order_p80",
    "historic_clv",
    "total_clv",
    "total_clv_low",
    "total_clv_high",
)


@cache
def purchases() -> pl.DataFrame:
    """The first 600 customers of CDNOW as a shop would have them."""
    kept = order_days().filter(
        pl.col("customer_key").is_in(order_days()["customer_key"].unique().sort()[:600].implode())
    )
    return kept.select(
        "customer_key",
        "order_day",
        pl.col("order_day").cast(pl.Int32).alias("order_day_number"),
        pl.col("net").cast(pl.Decimal(18, 4)),
        pl.lit(1, pl.Int32).alias("orders"),
    )


@cache
def summary() -> pl.DataFrame:
    return customer_summary(purchases().lazy(), AS_OF).sort("customer_key").collect()


@cache
def champions(value: str = "bg", probability: str = "bg") -> Champions:
    return Champions(
        value=value,
        probability=probability,
        fitted=fitted(),
        spend=GammaGamma().fit(summary()),
        others={kind.name: kind() for kind in (GlobalMean, LastTwelveMonths, RfmCellMean)},
    )


def known() -> Known:
    return Known.of_purchases(purchases().lazy(), AS_OF)


@cache
def fitted() -> dict[str, BetaGeo | ModifiedBetaGeo]:
    return {"bg": BetaGeo().fit(summary()), "mbg": ModifiedBetaGeo().fit(summary())}


@cache
def predicted(value: str = "bg", probability: str = "bg") -> pl.DataFrame:
    chosen = champions(value, probability)
    return predict_customers(known(), chosen, intervals=INTERVALS, annual_discount=0.1)


@pytest.mark.parametrize("value", ["bg", "mbg", "last_12_months", "rfm_cell_mean"])
@pytest.mark.parametrize("probability", ["bg", "global_mean"])
def test_every_customer_has_one_row_of_possible_numbers(value: str, probability: str) -> None:
    made = predicted(value, probability)
    assert made["customer_key"].equals(summary()["customer_key"])
    assert set(made.columns) == {
        "as_of",
        "customer_key",
        "value_model",
        "probability_model",
        "churn_band",
        "expected_returned_share",
        *PUBLISHED,
    }
    assert (made["value_model"].unique().item(), made["probability_model"].unique().item()) == (
        value,
        probability,
    )
    assert (made["predicted_orders_365d"] >= 0).all()
    assert (made["predicted_orders_365d_low"] <= made["predicted_orders_365d_high"]).all()
    for name in ("churn_probability_90d", "churn_probability_365d"):
        assert made[name].is_between(0, 1).all()
    assert (made["churn_probability_365d"] <= made["churn_probability_90d"]).all()
    assert (
        made["expected_next_order_p50"].fill_null(1e9) <= made["expected_next_order_p80"].fill_null(1e9)
    ).all()
    for name in PUBLISHED:
        assert not made[name].is_nan().any(), name
        assert not made[name].is_infinite().any(), name


def test_values_and_orders_are_those_of_the_champions_model() -> None:
    made = predicted("mbg", "bg")
    expected = customer_lifetime_value(summary(), fitted()["mbg"], champions().spend, intervals=INTERVALS)
    assert made["predicted_clv_365d"].to_list() == expected["predicted_clv"].to_list()
    assert made["predicted_orders_365d"].to_list() == expected["predicted_orders"].to_list()
    assert made["predicted_clv_365d_low"].to_list() == expected["predicted_clv_low"].to_list()
    assert (made["predicted_clv_365d_discounted"] <= made["predicted_clv_365d"]).all()
    for bound in ("", "_low", "_high"):
        total = made["historic_clv"] + made[f"predicted_clv_365d{bound}"]
        np.testing.assert_allclose(made[f"total_clv{bound}"], total)


def test_historic_value_is_everything_spent_so_far() -> None:
    spent = (
        purchases().group_by("customer_key").agg(pl.col("net").sum().cast(pl.Float64)).sort("customer_key")
    )
    assert predicted()["historic_clv"].to_list() == spent["net"].to_list()


def test_silence_is_the_other_side_of_the_purchase_probability() -> None:
    made = predicted("last_12_months", "mbg")
    model = fitted()["mbg"]
    for horizon in (90, HORIZON_DAYS):
        silent = 1 - model.purchase_probability(summary(), horizon)
        np.testing.assert_array_equal(made[f"churn_probability_{horizon}d"].to_numpy(), silent)
    # A point estimate lies inside its own interval, up to the skew of 50 draws.
    for horizon in (90, HORIZON_DAYS):
        low, high = (made[f"churn_probability_{horizon}d_{bound}"] for bound in ("low", "high"))
        assert made[f"churn_probability_{horizon}d"].is_between(low - 0.02, high + 0.02).all()


@pytest.mark.parametrize("baseline", [GlobalMean, LastTwelveMonths, RfmCellMean])
def test_a_baseline_is_published_as_it_is(baseline: type[GlobalMean]) -> None:
    made = predicted(baseline.name, baseline.name)
    own = baseline().fit(known()).predict(HORIZON_DAYS).sort("customer_key")
    np.testing.assert_array_equal(made["predicted_clv_365d"], own["predicted_value"])
    np.testing.assert_array_equal(made["churn_probability_365d"], 1 - own["purchase_probability"])
    # Discounted as the orders of the purchase model are.
    share = made["predicted_clv_365d_discounted"] / made["predicted_clv_365d"]
    assert share.drop_nans().is_between(0.9, 1.0).all()
    # Orders and waits still come from a model.
    assert made["predicted_orders_365d"].null_count() == 0
    # Without a back-test nothing bounds it.
    for name in ("predicted_clv_365d_low", "churn_probability_365d_low"):
        assert made[name].null_count() == made.height


def test_what_has_no_parameters_is_bounded_by_the_back_test() -> None:
    tested = Known.of_purchases(purchases().lazy(), date(1997, 12, 31))
    rows = RfmCellMean().fit(tested).predict(181)
    after = (
        purchases()
        .filter(pl.col("order_day") > tested.as_of)
        .group_by("customer_key")
        .agg(actual_value=pl.col("net").sum().cast(pl.Float64), has_bought=pl.lit(True))
    )
    told = rows.join(after, on="customer_key", how="left").with_columns(
        pl.col("actual_value").fill_null(0.0), pl.col("has_bought").fill_null(False)
    )
    chosen = replace(
        champions(RfmCellMean.name, RfmCellMean.name),
        calibration=calibration_by_decile(told.lazy()).collect(),
        outcomes=outcomes(told.lazy()).collect(),
    )
    made = predict_customers(known(), chosen, intervals=INTERVALS, annual_discount=0.1)
    for name in ("predicted_clv_365d", "churn_probability_365d"):
        assert made[f"{name}_low"].null_count() == 0
        assert (made[f"{name}_low"] <= made[f"{name}_high"]).all()
    assert made["churn_probability_365d_low"].is_between(0, 1).all()


def test_who_refuses_the_shop_is_stood_in_for_by_name() -> None:
    trees = replace(champions("boosted_trees", "bg"), others={"boosted_trees": BoostedTrees()})
    with pytest.warns(ApproximationWarning, match="bg stands in for boosted_trees, the champion for value"):
        made = predict_customers(known(), trees, intervals=INTERVALS, annual_discount=0.1)
    assert made["value_model"].unique().to_list() == ["bg"]
    assert made.equals(predicted())


def test_the_order_of_purchases_changes_nothing() -> None:
    shuffled = purchases().sample(fraction=1.0, shuffle=True, seed=7)
    made = predict_customers(
        Known.of_purchases(shuffled.lazy(), AS_OF), champions(), intervals=INTERVALS, annual_discount=0.1
    )
    assert made.equals(predicted())


def test_a_model_read_from_json_predicts_the_same() -> None:
    stored = Champions(
        value="bg",
        probability="bg",
        fitted={"bg": BetaGeo.from_json(fitted()["bg"].to_json())},
        spend=GammaGamma.from_json(champions().spend.to_json()),
    )
    made = predict_customers(known(), stored, intervals=INTERVALS, annual_discount=0.1)
    assert made.equals(predicted())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1) | st.none(), min_size=1, max_size=20))
def test_bands_follow_the_thirds_and_null_stays_null(probabilities: list[float | None]) -> None:
    frame = pl.DataFrame({"p": probabilities}, schema={"p": pl.Float64})
    for p, band in frame.select("p", churn_band(pl.col("p")).alias("band")).iter_rows():
        expected = None if p is None else "low" if p < 1 / 3 else "medium" if p <= 2 / 3 else "high"
        assert band == expected
