"""The purchase models agree with the papers, with CLVTools, BTYD and BTYDplus, and with lifetimes."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from models.purchases import BetaGeo, ModifiedBetaGeo, ParetoNBD, PurchaseModel
from tests.models.cdnow import (
    END_OF_CALIBRATION,
    daily_summary,
    order_days,
    published_summary,
    weekly_summary,
)

MODELS: list[type[PurchaseModel]] = [BetaGeo, ModifiedBetaGeo, ParetoNBD]

# 25 customers of the CDNOW sample; provenance inside the file
REFERENCE: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "btyd_reference.json").read_text())
REFERENCE_NAMES = {"BG/NBD": BetaGeo, "MBG/NBD": ModifiedBetaGeo, "Pareto/NBD": ParetoNBD}


@cache
def fitted(model: type[PurchaseModel]) -> PurchaseModel:
    return model(time_unit="weeks").fit(weekly_summary())


def test_estimates_of_bg_nbd_agree_with_fader_hardie_lee_and_clvtools() -> None:
    model = fitted(BetaGeo)
    expected = {"r": 0.2425945, "alpha": 4.4136019, "a": 0.7929199, "b": 2.4258881}
    assert model.params_ == pytest.approx(expected, abs=1e-4)
    assert model.log_likelihood_ == pytest.approx(-9582.429, abs=1e-3)


def test_estimates_of_mbg_nbd_agree_with_btydplus() -> None:
    model = fitted(ModifiedBetaGeo)
    assert {name: round(value, 3) for name, value in model.params_.items()} == {
        "r": 0.525,
        "alpha": 6.183,
        "a": 0.891,
        "b": 1.614,
    }
    assert model.log_likelihood_ == pytest.approx(-9582.136, abs=1e-3)


def test_estimates_of_pareto_nbd_agree_with_clvtools_and_btyd() -> None:
    # their optimisers stop 5e-6 below the maximum, so the estimates agree to 3e-4, a hundredth of an error
    model = fitted(ParetoNBD)
    expected = {"r": 0.55315, "alpha": 10.57633, "s": 0.60625, "beta": 11.67150}
    assert model.params_ == pytest.approx(expected, rel=3e-4)
    assert model.log_likelihood_ == pytest.approx(-9594.976, abs=1e-3)


@pytest.mark.parametrize(
    ("model", "errors", "summary", "digits"),
    [
        # computed with lifetimes on the published summary
        (BetaGeo, [0.012557, 0.378221, 0.185719, 0.705345], published_summary, 1e-4),
        (ModifiedBetaGeo, [0.083264, 0.695597, 0.154785, 0.537472], published_summary, 1e-4),
        (ParetoNBD, [0.0476, 0.8427, 0.1873, 6.2105], weekly_summary, 1e-3),  # CLVTools
    ],
)
def test_standard_errors_agree(
    model: type[PurchaseModel], errors: list[float], summary: Any, digits: float
) -> None:
    found = model(time_unit="weeks").fit(summary()).standard_errors_
    assert list(found.values()) == pytest.approx(errors, rel=digits)


@pytest.mark.parametrize("name", REFERENCE_NAMES)
def test_predictions_for_25_customers_agree_with_pymc_marketing(name: str) -> None:
    reference = REFERENCE[name]
    customers = pl.DataFrame(REFERENCE["customers"])
    model = REFERENCE_NAMES[name].from_parameters(reference["params"], time_unit="weeks")
    found = {"expected_probability_alive|now": model.probability_alive(customers)}
    for horizon in ("1", "3", "6"):
        found[f"expected_purchases|{horizon}"] = model.expected_purchases(customers, float(horizon))
        new = model.expected_purchases_new(float(horizon))
        assert new == pytest.approx(reference["new_customer"][horizon], abs=1e-12)
    if name == "Pareto/NBD":
        for n in (1, 2):
            key = f"expected_purchase_probability|({n}, {n})"
            found[key] = model.purchase_count_probability(customers, float(n), n)
    assert set(found) == {key for key in reference if "|" in key}
    for key, values in found.items():
        np.testing.assert_allclose(values, reference[key], atol=1e-8, rtol=0, err_msg=key)


def test_heavy_buyer_agrees_with_clvtools() -> None:
    customer = pl.DataFrame({"frequency": [26], "recency": [30.85714], "T": [31.0]})
    pareto, bg = fitted(ParetoNBD), fitted(BetaGeo)
    assert pareto.expected_purchases(customer, 52) == pytest.approx(25.45647, rel=1e-4)
    assert pareto.probability_alive(customer) == pytest.approx(0.997874, abs=1e-6)
    assert pareto.expected_purchases_new(52) == pytest.approx(1.473434, rel=1e-4)
    assert bg.expected_purchases(customer, 52) == pytest.approx(25.75659, rel=1e-4)
    assert bg.probability_alive(customer) == pytest.approx(0.9688523, abs=1e-5)
    assert bg.expected_purchases_new(52) == pytest.approx(1.444004, rel=1e-5)


def test_increasing_frequency_paradox_agrees_with_clvtools() -> None:
    silent = pl.DataFrame({"frequency": [10, 15, 20, 25], "recency": [20.0] * 4, "T": [39.0] * 4})
    pareto = [0.7062289, 0.1442396, 0.02250658, 0.00309267]
    bg = [0.3474606, 0.04283391, 0.004158973, 0.0003583685]
    assert fitted(ParetoNBD).expected_purchases(silent, 52) == pytest.approx(pareto, rel=1e-3)
    assert fitted(BetaGeo).expected_purchases(silent, 52) == pytest.approx(bg, rel=1e-4)


def test_customer_1_of_fader_hardie_lee() -> None:
    customer = pl.DataFrame({"frequency": [2], "recency": [30.43], "T": [38.86]})
    assert fitted(BetaGeo).expected_purchases(customer, 39) == pytest.approx(1.22592265799, rel=5e-5)


def test_new_customer_agrees_with_fader_hardie_lee() -> None:
    # their spreadsheet's estimates, to three digits
    model = BetaGeo.from_parameters({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, time_unit="weeks")
    horizons = [0.1429, 1, 3, 31.8571, 32, 78]
    assert fitted(BetaGeo).expected_purchases_new(horizons) == pytest.approx(
        [0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576], abs=5e-4
    )
    assert model.purchase_count_probability_new(39, 0) == pytest.approx(0.5737864, abs=1e-7)


def test_hold_out_by_calibration_frequency_agrees_with_the_published_table() -> None:
    later = (
        order_days().filter(pl.col("order_day") > END_OF_CALIBRATION).group_by("customer_key").len("actual")
    )
    customers = weekly_summary().join(later, on="customer_key", how="left", maintain_order="left")
    table = (
        customers.with_columns(
            pl.col("actual").fill_null(0),
            bg=fitted(BetaGeo).expected_purchases(customers, 39),
            pareto=fitted(ParetoNBD).expected_purchases(customers, 39),
        )
        .group_by(pl.col("frequency").clip(upper_bound=7))
        .agg(pl.len(), pl.col("actual", "bg", "pareto").mean())
        .sort("frequency")
    )
    assert table["len"].to_list() == [1411, 439, 214, 100, 62, 38, 29, 64]
    actual = [0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359]
    pareto = [0.138, 0.600, 1.196, 1.714, 2.399, 2.907, 3.819, 6.403]
    bg = [0.2250893, 0.5231364, 1.044126, 1.520256, 2.163824, 2.653789, 3.503957, 6.157036]
    assert table["actual"].to_list() == pytest.approx(actual, abs=5e-4)
    assert table["pareto"].to_list() == pytest.approx(pareto, abs=1e-3)
    assert table["bg"].to_list() == pytest.approx(bg, rel=5e-5)


@pytest.mark.parametrize("model", MODELS)
def test_lifetimes_as_second_solver_finds_the_same(model: type[PurchaseModel]) -> None:
    other = model(time_unit="weeks", solver="lifetimes").fit(weekly_summary())
    assert other.params_ == pytest.approx(fitted(model).params_, rel=1e-4)
    assert other.log_likelihood_ == pytest.approx(fitted(model).log_likelihood_, abs=1e-5)
    assert other.standard_errors_ == pytest.approx(fitted(model).standard_errors_, rel=1e-3)
    assert other.convergence_ is not None and other.convergence_.solver == "lifetimes"


@pytest.mark.parametrize("model", MODELS)
def test_weighted_histories_are_the_same_as_customers(model: type[PurchaseModel]) -> None:
    condensed = weekly_summary().group_by("frequency", "recency", "T").len("customers")
    weighted = model(time_unit="weeks").fit(condensed, weights=condensed["customers"])
    assert weighted.params_ == pytest.approx(fitted(model).params_, rel=1e-12)
    assert weighted.log_likelihood_ == pytest.approx(fitted(model).log_likelihood_, rel=1e-12)
    assert weighted.n_customers_ == 2357
    assert weighted.n_distinct_ == condensed.height < 2357


@pytest.mark.parametrize("model", MODELS)
def test_the_unit_of_time_changes_nothing(model: type[PurchaseModel]) -> None:
    days, weeks = model().fit(daily_summary()), fitted(model)
    in_weeks = {
        name: value / 7 if name in model.time_parameters else value for name, value in days.params_.items()
    }
    assert in_weeks == pytest.approx(weeks.params_, rel=1e-8)
    # the density of each repeat purchase is one per week or one per day
    purchases = float(daily_summary()["frequency"].sum())
    assert days.log_likelihood_ + purchases * np.log(7) == pytest.approx(weeks.log_likelihood_, rel=1e-11)
    np.testing.assert_allclose(days.log_covariance_, weeks.log_covariance_, rtol=1e-5)
    np.testing.assert_allclose(
        days.expected_purchases(daily_summary(), 364),
        weeks.expected_purchases(weekly_summary(), 52),
        rtol=1e-8,
    )


@pytest.mark.parametrize("model", MODELS)
def test_the_prior_pulls_and_is_free_of_units(model: type[PurchaseModel]) -> None:
    days = model(prior_precision=50.0).fit(daily_summary())
    weeks = model(prior_precision=50.0, time_unit="weeks").fit(weekly_summary())
    plain = fitted(model)
    np.testing.assert_allclose(days.log_covariance_, weeks.log_covariance_, rtol=1e-5)
    assert days.params_["r"] == pytest.approx(weeks.params_["r"], rel=1e-8)
    mean_age = float(weekly_summary()["T"].mean())  # type: ignore[arg-type]

    def distance_from_one(found: PurchaseModel) -> float:
        units = [mean_age if name in model.time_parameters else 1.0 for name in model.parameter_names]
        return float(np.sum(np.log(np.array(list(found.params_.values())) / units) ** 2))

    assert distance_from_one(weeks) < distance_from_one(plain)
    assert weeks.log_likelihood_ < plain.log_likelihood_
    assert np.all(np.diag(weeks.log_covariance_) < np.diag(plain.log_covariance_))


def test_a_day_old_customer_is_scored_but_teaches_nothing() -> None:
    newcomers = pl.DataFrame({"frequency": [0.0] * 50, "recency": [0.0] * 50, "T": [0.0] * 50})
    everybody = pl.concat([weekly_summary().select(newcomers.columns), newcomers])
    model = BetaGeo(time_unit="weeks").fit(everybody)
    assert model.params_ == pytest.approx(fitted(BetaGeo).params_, rel=1e-12)
    assert (model.n_customers_, model.n_uninformative_) == (2357, 50)
    predictions = model.expected_purchases(everybody, 52)
    assert predictions.shape == (2407,)
    assert predictions[-1] == pytest.approx(float(model.expected_purchases_new(52)), rel=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_a_lazy_frame_is_as_good(model: type[PurchaseModel]) -> None:
    lazy = weekly_summary().lazy()
    assert model(time_unit="weeks").fit(lazy).params_ == fitted(model).params_
    np.testing.assert_array_equal(
        fitted(model).probability_alive(lazy), fitted(model).probability_alive(weekly_summary())
    )


@pytest.mark.parametrize("model", MODELS)
def test_json_keeps_every_bit(model: type[PurchaseModel]) -> None:
    before = fitted(model)
    after = model.from_json(before.to_json())
    assert after.params_ == before.params_
    assert after.standard_errors_ == before.standard_errors_
    assert after.log_likelihood_ == before.log_likelihood_
    assert after.n_customers_ == before.n_customers_
    assert after.get_params() == before.get_params()
    np.testing.assert_array_equal(after.log_covariance_, before.log_covariance_)
    np.testing.assert_array_equal(
        after.expected_purchases(weekly_summary(), 52), before.expected_purchases(weekly_summary(), 52)
    )
    assert after.to_json().splitlines()[:4] == before.to_json().splitlines()[:4]
