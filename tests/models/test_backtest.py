"""The back-test shows candidates the past alone, and measures them on what customers then did."""

from __future__ import annotations

from datetime import date
from typing import Self

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from models.backtest import BacktestResult, backtest, default_candidates, measure, predict_candidates
from models.baselines import GlobalMean
from models.champion import choose_champion
from models.known import Known
from tests.models.composed_purchases import day, orders, returns, simulated_orders

CUT, AS_OF = 60, 100
# "refunded earlier" and "late refund" bought before the cut and in the horizon.
ORDERS = [
    ("o1", "regular", 0, 50),
    ("o2", "regular", CUT, 40),
    ("o3", "regular", CUT + 1, 30),
    ("o4", "regular", AS_OF, 20),
    ("o5", "gone", 10, 70),
    ("o6", "sends back", 20, 60),
    ("o7", "sends back", 80, 100),
    ("o8", "newcomer", 90, 500),
    ("o9", "regular", AS_OF + 1, 9_000),
]
RETURNS = [
    ("o6", 60, 70),  # after the cut, of an order before it
    ("o7", 25, 95),  # by as_of, of an order in the horizon
    ("o7", 75, AS_OF + 1),  # not known at as_of
]


class Spy:
    """Remembers what it was shown, and predicts as told."""

    def __init__(
        self, name: str = "spy", *, value: float | None = 1.0, probability: float | None = 0.5
    ) -> None:
        self.name, self.value, self.probability = name, value, probability
        self.seen = pl.DataFrame()
        self.as_of = date.min

    def fit(self, known: Known) -> Self:
        self.seen, self.as_of = known.purchases.collect(), known.as_of
        return self

    def predict(self, horizon_days: int) -> pl.DataFrame:
        return self.seen.select(
            pl.col("customer_key").unique().sort(),
            predicted_value=pl.lit(self.value, pl.Float64),
            purchase_probability=pl.lit(self.probability, pl.Float64),
            model=pl.lit(self.name),
        )


def small(*candidates: Spy, seed: int = 1) -> BacktestResult:
    return backtest(
        orders(ORDERS),
        returns(RETURNS),
        as_of=day(AS_OF),
        horizon_days=AS_OF - CUT,
        candidates=candidates,
        seed=seed,
        draws=20,
    )


def test_candidates_see_what_was_known_at_the_cut_and_no_more() -> None:
    spy = Spy()
    small(spy)
    assert spy.as_of == day(CUT)
    seen = spy.seen.sort("customer_key", "order_day").select(
        "customer_key", "order_day", pl.col("net").cast(int)
    )
    assert seen.rows() == [
        ("gone", day(10), 70),
        ("regular", day(0), 50),
        ("regular", day(CUT), 40),
        # Sent back later: at the cut it was still a sale of 60.
        ("sends back", day(20), 60),
    ]


def test_the_truth_is_net_of_orders_in_the_horizon_with_refunds_known_by_as_of() -> None:
    truth = small(Spy()).predictions.select("customer_key", "actual_value", "has_bought").rows()
    assert truth == [("gone", 0.0, False), ("regular", 50.0, True), ("sends back", 75.0, True)]


def test_nothing_after_as_of_changes_anything() -> None:
    until_as_of = [row for row in ORDERS if row[2] <= AS_OF]
    known_returns = [row for row in RETURNS if row[2] <= AS_OF]
    alone = backtest(
        orders(until_as_of),
        returns(known_returns),
        as_of=day(AS_OF),
        horizon_days=AS_OF - CUT,
        candidates=[Spy()],
        seed=1,
        draws=20,
    )
    together = small(Spy())
    for table in ("metrics", "comparisons", "calibration", "predictions"):
        assert_frame_equal(getattr(alone, table), getattr(together, table))


def test_every_row_says_which_split_it_belongs_to() -> None:
    result = small(Spy())
    for table in (result.metrics, result.calibration, result.predictions):
        split = table.select("as_of", "cut", "horizon_days").unique().rows()
        assert split == [(day(AS_OF), day(CUT), AS_OF - CUT)]
    assert set(result.metrics["n"]) == {3}


def test_a_candidate_is_measured_on_what_it_predicts() -> None:
    result = small(Spy("both"), Spy("only probability", value=None), Spy("only value", probability=None))
    measured = result.metrics.select("quantity", "model").unique().sort("quantity", "model").rows()
    assert measured == [
        ("probability", "both"),
        ("probability", "only probability"),
        ("value", "both"),
        ("value", "only value"),
    ]


def test_the_same_seed_repeats_and_another_moves_the_intervals_alone() -> None:
    one, same, other = small(Spy(), seed=1), small(Spy(), seed=1), small(Spy(), seed=2)
    assert_frame_equal(one.metrics, same.metrics)
    assert_frame_equal(one.metrics.drop("low", "high"), other.metrics.drop("low", "high"))
    assert not one.metrics.equals(other.metrics)


@pytest.mark.parametrize(("history", "horizon"), [(400, 100), (1459, 364), (2000, 365)])
def test_the_default_horizon_is_a_quarter_of_the_history_up_to_a_year(history: int, horizon: int) -> None:
    shop = orders([("o1", "a", 0, 10), ("o2", "a", history, 10)])
    result = backtest(shop, returns(), as_of=day(history), candidates=[Spy()], seed=1, draws=2)
    assert (result.horizon_days, result.cut) == (horizon, day(history - horizon))


class Forgetful(Spy):
    def predict(self, horizon_days: int) -> pl.DataFrame:
        return super().predict(horizon_days).tail(1)


class HalfBlind(Spy):
    def predict(self, horizon_days: int) -> pl.DataFrame:
        is_first = pl.int_range(pl.len()) == 0
        return (
            super()
            .predict(horizon_days)
            .with_columns(predicted_value=pl.when(is_first).then("predicted_value"))
        )


def test_a_customer_without_prediction_is_refused() -> None:
    with pytest.raises(ValueError, match="forgetful leaves 2 of 3 customers unpredicted"):
        small(Forgetful("forgetful"))
    with pytest.raises(ValueError, match="a missing prediction is not a zero"):
        small(HalfBlind("half blind"))


def test_impossible_splits_and_names_are_refused() -> None:
    for horizon in (0, 100, 5_000):
        with pytest.raises(
            ValueError, match=f"horizon of {horizon} days cannot be tested on a history of 100 days"
        ):
            backtest(orders(ORDERS), returns(), as_of=day(AS_OF), horizon_days=horizon, seed=1)
    with pytest.raises(ValueError, match="nothing to back-test"):
        backtest(orders([]), returns(), as_of=day(AS_OF), seed=1)
    with pytest.raises(ValueError, match="distinct names"):
        small(Spy(), Spy())


@pytest.fixture(scope="module")
def simulated() -> BacktestResult:
    return backtest(simulated_orders(3), returns(), as_of=day(720), seed=1)


def test_purchase_models_win_where_customers_behave_as_they_assume(simulated: BacktestResult) -> None:
    value = choose_champion(simulated.metrics, "value", simulated.comparisons)
    probability = choose_champion(simulated.metrics, "probability", simulated.comparisons)
    assert value.name == probability.name == "bg_nbd_gamma_gamma"
    auc = dict(simulated.metrics.filter(pl.col("metric") == "auc").select("model", "value").iter_rows())
    assert auc["bg_nbd_gamma_gamma"] > auc["rfm_cell_mean"] > auc["global_mean"] == 0.5


def test_intervals_hold_their_values_and_differences_mirror(simulated: BacktestResult) -> None:
    # The bootstrap of an absolute gap is biased upwards near 0, which is where good models lie.
    metrics = simulated.metrics.filter(pl.col("metric") != "ece").drop_nulls()
    assert metrics.select(
        ((pl.col("low") <= pl.col("value")) & (pl.col("value") <= pl.col("high"))).all()
    ).item()
    one_way = simulated.comparisons.sort("quantity", "metric", "model", "versus")
    other_way = simulated.comparisons.sort("quantity", "metric", "versus", "model")
    assert_frame_equal(
        one_way.select("difference", "low", "high"),
        other_way.select(difference=-pl.col("difference"), low=-pl.col("high"), high=-pl.col("low")),
    )


def test_every_candidate_predicts_everybody_once(simulated: BacktestResult) -> None:
    # This shop tells no order lines, so that nothing can be said of the goods that come back.
    names = [c.name for c in default_candidates() if c.name != "mbg_nbd_less_returns"]
    left_out = simulated.candidates.filter(~pl.col("took_part"))
    assert "mbg_nbd_less_returns" in left_out["model"].to_list()
    assert left_out["notes"].str.len_chars().min() != 0
    newest = simulated.predictions.filter(pl.col("cut") == simulated.cut)
    counts = dict(newest.group_by("model").len().iter_rows())
    assert counts == dict.fromkeys(names, simulated.metrics["n"][0])
    assert not simulated.predictions.select("cut", "customer_key", "model").is_duplicated().any()
    calibrated = simulated.calibration.group_by("quantity", "model").agg(pl.col("customers").sum())
    assert set(calibrated["customers"]) == {simulated.metrics["n"][0]}


def test_a_horizon_without_purchases_has_undefined_measures_as_nulls() -> None:
    quiet = orders([("o1", "a", 0, 10), ("o2", "b", 50, 10)])
    result = backtest(
        quiet, returns(), as_of=day(100), horizon_days=20, candidates=[GlobalMean()], seed=1, draws=5
    )
    undefined = result.metrics.filter(pl.col("value").is_null())
    assert sorted(undefined.select("quantity", "metric").rows()) == [
        ("probability", "auc"),
        ("probability", "bias"),
        ("value", "bias"),
        ("value", "normalised_gini"),
        ("value", "spearman"),
        ("value", "top_decile_share"),
    ]


def test_kept_predictions_measure_the_same_in_any_order() -> None:
    kept = predict_candidates(
        orders(ORDERS),
        returns(RETURNS),
        as_of=day(AS_OF),
        horizon_days=AS_OF - CUT,
        candidates=[Spy("one"), Spy("two", value=2.0)],
    ).predictions
    together = small(Spy("one"), Spy("two", value=2.0))
    assert_frame_equal(kept, together.predictions)
    shuffled = measure(kept.sample(fraction=1, shuffle=True, seed=5), seed=1, draws=20)
    assert_frame_equal(shuffled.metrics, together.metrics)
    assert_frame_equal(shuffled.comparisons, together.comparisons)


def test_predictions_that_do_not_belong_together_are_refused() -> None:
    kept = small(Spy("one"), Spy("two")).predictions
    with pytest.raises(ValueError, match="these predictions hold 0"):
        measure(kept.clear(), seed=1)
    with pytest.raises(ValueError, match="these predictions hold 2"):
        measure(pl.concat([kept, kept.with_columns(as_of=pl.lit(day(0)))]), seed=1)
    with pytest.raises(ValueError, match="two has predictions for other customers"):
        measure(kept.head(-1), seed=1)
