"""Accuracy measures agree with scikit-learn, SciPy and the textbook, also when customers count twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score, root_mean_squared_error

from models.metrics import ProbabilityAccuracy, ValueAccuracy

amounts = st.integers(0, 20).map(float)
values = st.lists(st.tuples(amounts, amounts), min_size=3, max_size=40).filter(
    lambda pairs: len({actual for actual, _ in pairs}) > 1 and len({predicted for _, predicted in pairs}) > 1
)
chances = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=3, max_size=40).filter(
    lambda pairs: len({outcome for outcome, _ in pairs}) > 1
)


def columns(pairs: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    actual, predicted = np.array(pairs, dtype=np.float64).T
    return actual, predicted


def kaggle_gini(actual: np.ndarray, order: np.ndarray) -> float:
    """Kaggle's "normalized Gini" competition metric, before normalising."""
    shares = actual[np.argsort(-order, kind="stable")].cumsum() / actual.sum()
    return (shares.sum() - (len(actual) + 1) / 2) / len(actual)


@settings(max_examples=100, deadline=None)
@given(values)
def test_value_measures_agree_with_scikit_learn_and_scipy(pairs: list[tuple[float, float]]) -> None:
    actual, predicted = columns(pairs)
    measured = ValueAccuracy(actual, predicted).measure()
    assert measured["rmse"] == pytest.approx(root_mean_squared_error(actual, predicted))
    assert measured["bias"] == pytest.approx(predicted.sum() / actual.sum() - 1)
    assert measured["spearman"] == pytest.approx(spearmanr(actual, predicted).statistic)


@settings(max_examples=60, deadline=None)
@given(values, st.randoms(use_true_random=False))
def test_gini_agrees_with_the_competition_metric_averaged_over_orders_of_ties(
    pairs: list[tuple[float, float]], random: object
) -> None:
    actual, predicted = columns(pairs)
    # Spread out every tie in one order and in its reverse: their mean is the mean over all orders.
    step = np.arange(len(actual)) * 1e-6
    mean = (kaggle_gini(actual, predicted + step) + kaggle_gini(actual, predicted - step)) / 2
    expected = mean / kaggle_gini(actual, actual)
    assert ValueAccuracy(actual, predicted).measure()["normalised_gini"] == pytest.approx(expected, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(chances)
def test_probability_measures_agree_with_scikit_learn(pairs: list[tuple[bool, int]]) -> None:
    outcome, twentieths = columns([(float(outcome), float(number)) for outcome, number in pairs])
    probability = twentieths / 20
    measured = ProbabilityAccuracy(outcome, probability).measure()
    assert measured["log_loss"] == pytest.approx(log_loss(outcome, probability))
    assert measured["brier"] == pytest.approx(brier_score_loss(outcome, probability))
    assert measured["auc"] == pytest.approx(roc_auc_score(outcome, probability))
    bins = np.minimum((probability * 10).astype(int), 9)
    gaps = [
        (bins == number).sum() * abs(outcome[bins == number].mean() - probability[bins == number].mean())
        for number in set(bins.tolist())
    ]
    assert measured["ece"] == pytest.approx(sum(gaps) / len(outcome))
    assert measured["bias"] == pytest.approx(probability.sum() / outcome.sum() - 1)


@settings(max_examples=60, deadline=None)
@given(values, st.data())
def test_a_weight_is_a_number_of_copies(pairs: list[tuple[float, float]], data: st.DataObject) -> None:
    actual, predicted = columns(pairs)
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(pairs), max_size=len(pairs)))
    weights = np.array(counts)
    if not weights.sum():
        return
    weighted = ValueAccuracy(actual, predicted).measure(weights.astype(float))
    copied = ValueAccuracy(np.repeat(actual, weights), np.repeat(predicted, weights)).measure()
    assert weighted == pytest.approx(copied, nan_ok=True, abs=1e-9)
    outcome, probability = (actual > 10).astype(float), predicted / 20
    weighted = ProbabilityAccuracy(outcome, probability).measure(weights.astype(float))
    copied = ProbabilityAccuracy(np.repeat(outcome, weights), np.repeat(probability, weights)).measure()
    assert weighted == pytest.approx(copied, nan_ok=True, abs=1e-9)


def test_a_perfect_prediction_has_nothing_to_improve() -> None:
    actual = np.arange(20.0)
    assert ValueAccuracy(actual, actual).measure() == pytest.approx(
        {"rmse": 0, "bias": 0, "normalised_gini": 1, "spearman": 1, "top_decile_share": (18 + 19) / 190}
    )
    outcome = (actual > 12).astype(float)
    assert ProbabilityAccuracy(outcome, outcome).measure() == pytest.approx(
        {"log_loss": 0, "brier": 0, "auc": 1, "ece": 0, "bias": 0}, abs=1e-9
    )


def test_a_constant_prediction_has_no_skill_whatever_the_row_order() -> None:
    actual = np.array([0.0] * 15 + [100.0] * 5)
    for order in (actual, actual[::-1].copy()):
        measured = ValueAccuracy(order, np.full(20, 25.0)).measure()
        assert measured["normalised_gini"] == pytest.approx(0)
        assert measured["top_decile_share"] == pytest.approx(0.1)
        assert np.isnan(measured["spearman"])
        assert ProbabilityAccuracy(order / 100, np.full(20, 0.25)).measure()["auc"] == 0.5


def test_predicting_zero_for_all_is_found_out() -> None:
    measured = ValueAccuracy(np.array([0.0] * 9 + [10.0]), np.zeros(10)).measure()
    assert (measured["bias"], measured["normalised_gini"]) == (-1, pytest.approx(0))


def test_a_horizon_without_purchases_leaves_measures_undefined() -> None:
    measured = ValueAccuracy(np.zeros(4), np.arange(4.0)).measure()
    assert np.isnan([measured["bias"], measured["normalised_gini"], measured["top_decile_share"]]).all()
    measured = ProbabilityAccuracy(np.zeros(4), np.full(4, 0.1)).measure()
    assert np.isnan([measured["bias"], measured["auc"]]).all()
    assert measured["brier"] == pytest.approx(0.01)


def test_unusable_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="equal, positive length"):
        ValueAccuracy(np.array([]), np.array([]))
    with pytest.raises(ValueError, match="equal, positive length"):
        ValueAccuracy(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="a missing prediction is not a zero"):
        ValueAccuracy(np.zeros(2), np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="Outcomes must be 0 or 1"):
        ProbabilityAccuracy(np.array([0.5]), np.array([0.5]))
    with pytest.raises(ValueError, match="Probabilities must lie"):
        ProbabilityAccuracy(np.array([1.0]), np.array([1.5]))
