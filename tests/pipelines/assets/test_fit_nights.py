"""Nights of one week share a fit; a fit is made weekly, on drift and on request, and never from a later day.

The shop is composed: 800 made-up customers who behave as BG/NBD and Gamma-Gamma assume.
"""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from data_contracts import table
from models.errors import MismatchedModelError
from pipelines.assets.catalogue import steps_of
from pipelines.assets.given import Given
from pipelines.assets.step import Moment
from tests.models.composed_purchases import day, simulated_orders
from tests.pipelines.assets.nights import Nights
from tests.pipelines.small_shops import NOW

FIRST = 500
CARRIED = ("purchase_models", "backtest", "backtest_origins", "backtest_calibration", "champions")


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """Three nights of one week."""
    nights = Nights.opened(tmp_path_factory.mktemp("nights"), simulated_orders(3))
    for number in (FIRST, FIRST + 1, FIRST + 6):
        nights.night(number)
    return nights


def test_the_first_night_fits_and_the_others_of_the_week_score(week: Nights) -> None:
    assert week.fit(FIRST) == (day(FIRST), "no models were fitted before")
    for later in (FIRST + 1, FIRST + 6):
        assert week.fit(later) == (day(FIRST), f"not fitted: the models of {day(FIRST)} score this day")
        for name in CARRIED:
            assert_frame_equal(
                week.rows(name, later).drop("as_of"),
                week.rows(name, FIRST).drop("as_of"),
                check_row_order=False,
            )
        # Too large to be kept once a night.
        assert week.rows("backtest_predictions", later).is_empty()
        assert not week.rows("backtest_predictions", FIRST).is_empty()


def test_every_night_scores_everybody_known_then(week: Nights) -> None:
    for number in (FIRST, FIRST + 1, FIRST + 6):
        known = (
            week.lake.scan("orders")
            .filter(pl.col("order_day") <= day(number))
            .select("customer_key")
            .unique()
            .collect()
        )
        scored = week.rows("customer_predictions", number)
        assert set(scored["customer_key"]) == set(known["customer_key"])
        assert scored["churn_probability_90d"].is_between(0, 1).all()
    one = week.rows("customer_predictions", FIRST).sort("customer_key")
    other = week.rows("customer_predictions", FIRST + 6).sort("customer_key").head(one.height)
    assert one["churn_probability_90d"].to_list() != other["churn_probability_90d"].to_list()


def test_a_night_that_is_repeated_makes_nothing_anew(week: Nights) -> None:
    assert all(
        outcome.was_unchanged for name, outcome in week.night(FIRST + 6).items() if name != "purchases"
    )


def test_where_no_trees_can_be_grown_the_reason_is_kept(week: Nights) -> None:
    without = week.rows("boosted_models", FIRST)
    assert without.select("horizon_days", "content").rows() == [(365, None)]
    assert "at least 50 customers who bought and 50 who did not" in without["notes"].item()


def test_a_stored_model_refuses_a_changed_contract(week: Nights, tmp_path: Path) -> None:
    nights = week.copy(tmp_path)
    steps = steps_of(nights.shop)
    given = Given(nights.shop, nights.lake, Moment("changed", NOW, day(FIRST + 6)), steps)
    stored = nights.rows("purchase_models", FIRST + 6).with_columns(
        pl.col("parameters").str.replace(table("purchases").version, "another")
    )
    nights.lake.replace("purchase_models", stored.lazy(), fingerprint="changed", as_of=day(FIRST + 6))
    with pytest.raises(MismatchedModelError, match=r"contract version 'another'.*--refit"):
        steps["customer_predictions"].make(given)


DECIDED = ("purchases", "readiness", "model_fits")


def test_a_fit_on_request_stays_one_when_its_night_is_repeated(week: Nights, tmp_path: Path) -> None:
    nights = week.copy(tmp_path)
    nights.night(FIRST + 2, refit=True)
    assert nights.fit(FIRST + 2) == (day(FIRST + 2), "requested")
    assert nights.rows("champions", FIRST + 2)["fitted_as_of"].unique().to_list() == [day(FIRST + 2)]
    repeated = nights.night(FIRST + 2)
    assert all(outcome.was_unchanged for outcome in repeated.values())
    # The next nights of that week score with it.
    nights.night(FIRST + 8, DECIDED)
    assert nights.fit(FIRST + 8)[0] == day(FIRST + 2)


def test_a_week_later_models_are_fitted_anew_and_never_know_the_future(week: Nights, tmp_path: Path) -> None:
    nights = week.copy(tmp_path)
    nights.night(FIRST + 7, DECIDED)
    assert nights.fit(FIRST + 7) == (day(FIRST + 7), "weekly: the last fit is 7 days old")
    nights.night(FIRST - 30, DECIDED)
    assert nights.fit(FIRST - 30) == (day(FIRST - 30), "no models were fitted before")


def test_a_shop_that_changes_overnight_is_fitted_anew(week: Nights, tmp_path: Path) -> None:
    nights = week.copy(tmp_path)
    more = [
        simulated_orders(seed, customers=900)
        .filter(pl.col("order_day") > day(300))
        .with_columns(
            pl.format("{}-{}", pl.col("order_id"), pl.lit(seed)).alias("order_id"),
            pl.format("{}-{}", pl.col("customer_key"), pl.lit(seed)).alias("customer_key"),
        )
        for seed in (7, 8)
    ]
    nights.take_in(pl.concat([simulated_orders(3), *more]))
    nights.night(FIRST + 2, DECIDED)
    fitted, reason = nights.fit(FIRST + 2)
    assert fitted == day(FIRST + 2)
    assert reason.startswith("drift: T of the ")


def test_trees_that_win_are_published_and_score_the_week_without_growing_again(tmp_path: Path) -> None:
    nights = Nights.opened(tmp_path, simulated_orders(5, customers=2_500))
    last = 720
    nights.night(last)
    # Nothing is known here that purchase models do not know, so the back-test is told another story.
    is_trees = pl.col("model") == "boosted_trees"
    best = {"log_loss": 0.01, "normalised_gini": 0.99, "bias": 0.0}
    told = nights.rows("backtest", last).with_columns(
        pl.when(is_trees)
        .then(pl.col("metric").replace_strict(best, default=pl.col("value")))
        .otherwise("value")
        .alias("value")
    )
    apart = nights.rows("backtest_comparisons", last).with_columns(
        pl.when(is_trees).then(0.1).otherwise("low").alias("low"),
        pl.when(is_trees).then(0.2).otherwise("high").alias("high"),
    )
    for name, rows in (("backtest", told), ("backtest_comparisons", apart)):
        nights.lake.replace(name, rows.lazy(), fingerprint="trees win", as_of=day(last))
    nights.night(last, ("boosted_models", "churn_importances", "champions", "customer_predictions"))
    assert nights.rows("champions", last)["model"].unique().to_list() == ["boosted_trees"]
    grown = nights.rows("boosted_models", last).sort("horizon_days")
    assert grown["horizon_days"].to_list() == [90, 365]
    assert grown["content"].null_count() == 0
    published = nights.rows("customer_predictions", last)
    for name in ("predicted_clv_365d", "churn_probability_365d"):
        assert published.select(pl.col(name, f"{name}_low", f"{name}_high").null_count()).row(0) == (0, 0, 0)
    assert (published["churn_probability_365d"] <= published["churn_probability_90d"]).all()
    nights.night(last + 1)
    assert nights.fit(last + 1)[0] == day(last)
    assert nights.rows("boosted_models", last + 1)["content"].sort().equals(grown["content"].sort())
    assert nights.rows("customer_predictions", last + 1)["probability_model"].unique().to_list() == [
        "boosted_trees"
    ]
