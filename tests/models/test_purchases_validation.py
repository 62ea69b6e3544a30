"""Bad or thin data are refused or flagged by name, with counts and a remedy. All data here are composed."""

import json
import math
import warnings

import numpy as np
import polars as pl
import pytest

from models.errors import (
    ApproximationWarning,
    ConvergenceError,
    FlatLikelihoodWarning,
    InvalidSummaryError,
    ModelError,
    NotEnoughDataError,
    NotFittedError,
    UnitWarning,
    UnreadableModelError,
)
from models.purchases import BetaGeo, ModifiedBetaGeo, ParetoNBD, PurchaseModel
from models.spend import GammaGamma
from tests.models.cdnow import daily_summary, weekly_summary
from tests.models.simulated_histories import simulate

MODELS: list[type[PurchaseModel]] = [BetaGeo, ModifiedBetaGeo, ParetoNBD]

GOOD = {"frequency": [2.0, 0.0], "recency": [10.0, 0.0], "T": [30.0, 20.0]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frequency": [math.nan, 0.0]}, "frequency is missing or not finite: 1 of 2"),
        ({"frequency": [None, 0.0]}, "frequency is missing or not finite: 1 of 2"),
        ({"T": [math.inf, 20.0]}, "T is missing or not finite: 1 of 2"),
        ({"frequency": [-1.0, 0.0]}, "frequency is negative: 1 of 2"),
        ({"recency": [-3.0, 0.0]}, "recency is negative: 1 of 2"),
        ({"frequency": [1.5, 0.0]}, "frequency is not a whole number: 1 of 2"),
        ({"recency": [31.0, 0.0]}, "recency is after T: 1 of 2"),
        ({"recency": [10.0, 5.0]}, "recency without a repeat purchase: 1 of 2"),
    ],
)
def test_impossible_histories_are_refused_and_counted(change: dict[str, list[float]], message: str) -> None:
    bad = pl.DataFrame(GOOD | change)
    known = BetaGeo.from_parameters({"r": 0.2, "alpha": 4.0, "a": 0.8, "b": 2.4})
    for refuse in (BetaGeo().fit, known.probability_alive):
        with pytest.raises(InvalidSummaryError, match=message):
            refuse(bad)


def test_all_broken_rules_are_told_at_once() -> None:
    bad = pl.DataFrame({"frequency": [1.5, -2.0], "recency": [40.0, -1.0], "T": [30.0, 20.0]})
    with pytest.raises(InvalidSummaryError) as refused:
        BetaGeo().fit(bad)
    for rule in ("frequency is negative", "recency is negative", "not a whole number", "recency is after T"):
        assert rule in str(refused.value)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InvalidSummaryError, match="lacks the column\\(s\\) recency, T"):
        BetaGeo().fit(pl.DataFrame({"frequency": [1.0]}))


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [1.0, math.nan]])
def test_weights_must_be_weights(weights: list[float]) -> None:
    with pytest.raises(InvalidSummaryError, match="one finite number >= 0 for each of the 2 rows"):
        BetaGeo().fit(pl.DataFrame(GOOD), weights=weights)


@pytest.mark.parametrize("model", MODELS)
def test_one_time_buyers_alone_teach_nothing(model: type[PurchaseModel]) -> None:
    once = pl.DataFrame({"frequency": [0.0] * 40, "recency": [0.0] * 40, "T": list(range(40))})
    with pytest.raises(NotEnoughDataError, match="None of 40 customers has come back"):
        model().fit(once)
    with pytest.raises(NotEnoughDataError):
        model().fit(once.clear())


@pytest.mark.parametrize("model", MODELS)
def test_three_customers_are_an_anecdote(model: type[PurchaseModel]) -> None:
    three = pl.DataFrame({"frequency": [0.0, 2.0, 1.0], "recency": [0.0, 20.0, 9.0], "T": [30.0, 40.0, 10.0]})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = model().fit(three)
        except ConvergenceError as error:
            assert "gradient" in str(error)
        else:
            assert np.all(np.isfinite(found.expected_purchases(three, 30)))
    messages = [str(warning.message) for warning in caught if warning.category is ApproximationWarning]
    assert messages == ["The estimates rest on 2 returning customers of 3."]


def test_customers_who_never_leave_make_a_flat_likelihood_with_numbers() -> None:
    loyal = simulate("bg", (2.0, 60.0, 1e-9, 1.0), customers=400, seed=3)
    with pytest.warns(FlatLikelihoodWarning, match="hardly determine .*a.* of BetaGeo: .* condition number"):
        model = BetaGeo().fit(loyal)
    assert model.convergence_ is not None and {"a", "b"} & set(model.convergence_.flat)
    steady = BetaGeo(prior_precision=1.0).fit(loyal)  # the remedy in the message works
    assert steady.convergence_ is not None and not steady.convergence_.flat


def test_weeks_taken_for_days_are_noticed() -> None:
    busy = pl.DataFrame({"frequency": [0.0, 60.0] * 30, "recency": [0.0, 38.0] * 30, "T": [39.0, 39.5] * 30})
    with pytest.warns() as caught:
        BetaGeo().fit(busy)
    message = next(str(warning.message) for warning in caught if warning.category is UnitWarning)
    assert "30 of 60 customers" in message and "time_unit='weeks'" in message
    with pytest.warns() as caught:
        BetaGeo(time_unit="weeks").fit(busy)
    assert UnitWarning not in {warning.category for warning in caught}


def test_one_customer_with_20000_order_days_does_not_break_a_shop() -> None:
    columns = ["frequency", "recency", "T"]
    heavy = pl.DataFrame({"frequency": [20_000.0], "recency": [20_300.0], "T": [20_301.0]})
    for model in MODELS:
        found = model().fit(pl.concat([daily_summary().select(columns), heavy]))
        assert np.all(np.isfinite(list(found.params_.values())))
        assert found.expected_purchases(heavy, 30)[0] == pytest.approx(30, rel=0.05)


@pytest.mark.parametrize("horizon", [-1.0, math.nan, math.inf])
def test_horizons_must_be_finite_and_ahead(horizon: float) -> None:
    known = BetaGeo.from_parameters({"r": 0.2, "alpha": 4.0, "a": 0.8, "b": 2.4})
    with pytest.raises(ValueError, match="horizon must be finite and not negative"):
        known.expected_purchases(pl.DataFrame(GOOD), horizon)


def test_a_horizon_of_nothing_brings_nothing() -> None:
    for model in MODELS:
        known = model.from_parameters(dict.fromkeys(model.parameter_names, 1.5))
        assert not known.expected_purchases(pl.DataFrame(GOOD), 0).any()
        assert not known.purchase_probability(pl.DataFrame(GOOD), 0).any()
        assert known.purchase_count_probability(pl.DataFrame(GOOD), 0, 0) == pytest.approx(1.0)


def test_one_horizon_a_customer_is_possible() -> None:
    known = BetaGeo.from_parameters({"r": 0.2, "alpha": 4.0, "a": 0.8, "b": 2.4})
    frame = pl.DataFrame(GOOD)
    each = known.expected_purchases(frame, [10.0, 50.0])
    assert each[0] == known.expected_purchases(frame, 10)[0]
    assert each[1] == known.expected_purchases(frame, 50)[1]


@pytest.mark.parametrize("estimator", [BetaGeo(), GammaGamma()])
def test_predictions_before_a_fit_say_what_to_do(estimator: BetaGeo | GammaGamma) -> None:
    with pytest.raises(NotFittedError, match="call fit\\(summary\\) first"):
        estimator.to_json()


@pytest.mark.parametrize(
    "settings", [{"time_unit": "fortnights"}, {"solver": "newton"}, {"prior_precision": -1.0}]
)
def test_settings_are_checked(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        BetaGeo(**settings)  # type: ignore[arg-type]


def test_a_prior_is_not_lifetimes_own() -> None:
    with pytest.raises(ValueError, match="use solver='lbfgs' for a prior"):
        BetaGeo(solver="lifetimes", prior_precision=1.0)


def test_quantiles_and_counts_are_checked() -> None:
    known = BetaGeo.from_parameters({"r": 0.2, "alpha": 4.0, "a": 0.8, "b": 2.4})
    with pytest.raises(ValueError, match="quantile"):
        known.time_to_next_purchase(pl.DataFrame(GOOD), 1.0)
    with pytest.raises(ValueError, match="must not be negative"):
        known.purchase_count_probability(pl.DataFrame(GOOD), 10, -1)


@pytest.mark.parametrize("params", [{"r": 1.0}, {"r": 1.0, "alpha": 0.0, "a": 1.0, "b": 1.0}])
def test_known_parameters_must_be_complete_and_positive(params: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a positive number for each of r, alpha, a, b"):
        BetaGeo.from_parameters(params)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "not JSON"),
        ({"format": "other"}, "not a saved model"),
        ({"format_version": 99}, "format version 99"),
        ({"model": "ParetoNBD"}, "holds a ParetoNBD, not a BetaGeo"),
    ],
)
def test_unreadable_models_are_named(change: dict[str, object] | None, message: str) -> None:
    text = BetaGeo(time_unit="weeks").fit(weekly_summary()).to_json()
    broken = text[:-5] if change is None else json.dumps(json.loads(text) | change)
    with pytest.raises(UnreadableModelError, match=message):
        BetaGeo.from_json(broken)
    assert issubclass(UnreadableModelError, ModelError)


def test_settings_can_be_read_back() -> None:
    model = BetaGeo(time_unit="weeks", prior_precision=2.0)
    assert model.get_params() == {"time_unit": "weeks", "solver": "lbfgs", "prior_precision": 2.0}
    assert BetaGeo(**model.get_params()).get_params() == model.get_params()  # type: ignore[arg-type]
    assert "not fitted" in repr(model)
