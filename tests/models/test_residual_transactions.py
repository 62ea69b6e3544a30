"""Discounted expected residual transactions agree with other ways to compute them, and never overflow."""

import math

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad
from scipy.special import hyperu, roots_genlaguerre, roots_jacobi

from models.purchases import BetaGeo, ModifiedBetaGeo, ParetoNBD, PurchaseModel

MODELS: list[type[PurchaseModel]] = [BetaGeo, ModifiedBetaGeo, ParetoNBD]
# estimates on all 78 weeks of CDNOW and the 15 % a year of Fader, Hardie & Lee (2005), "RFM and CLV", as printed
# with the examples of the R package BTYD (pnbd.Plot.DERT)
CDNOW_78 = {"r": 0.5629966, "alpha": 12.5590370, "s": 0.4081095, "beta": 10.5148048}
DISCOUNT = 0.15
CUSTOMERS = pl.DataFrame(
    {"frequency": [0.0, 1.0, 7.0, 14.0], "recency": [0.0, 30.0, 35.0, 77.0], "T": [77.86] * 4}
)


def _rate_a_week(annual_discount: float) -> float:
    return math.log1p(annual_discount) * 7 / 365


def test_pareto_nbd_agrees_with_tricomi_and_with_an_integral() -> None:
    model = ParetoNBD.from_parameters(CDNOW_78, time_unit="weeks")
    found = model.discounted_expected_residual_transactions(CUSTOMERS, DISCOUNT)
    delta, s = _rate_a_week(DISCOUNT), CDNOW_78["s"]
    alive = model.probability_alive(CUSTOMERS)
    for i, (x, _, T) in enumerate(CUSTOMERS.rows()):
        age = CDNOW_78["beta"] + T
        rate = (CDNOW_78["r"] + x) / (CDNOW_78["alpha"] + T) * alive[i]
        tricomi = rate * age**s * delta ** (s - 1) * hyperu(s, s, delta * age)
        assert found[i] == pytest.approx(tricomi, rel=1e-9)

        def staying(t: float, age: float = age) -> float:
            return math.exp(-delta * t) * (1 + t / age) ** -s

        integral = quad(staying, 0, 60 / delta, epsabs=0, epsrel=1e-12, limit=500)[0]
        assert found[i] == pytest.approx(rate * integral, rel=1e-10)


def test_more_purchases_long_ago_are_worth_less_than_fewer() -> None:
    """The "increasing frequency" paradox holds for residual value too (Fader, Hardie & Lee 2005)."""
    silent = pl.DataFrame({"frequency": [4.0, 14.0], "recency": [30.0, 30.0], "T": [77.86] * 2})
    model = ParetoNBD.from_parameters(CDNOW_78, time_unit="weeks")
    fewer, more = model.discounted_expected_residual_transactions(silent, DISCOUNT)
    assert more < fewer


@pytest.mark.parametrize("first_chance", [0, 1])
@pytest.mark.parametrize("a", [0.6, 1.0, 2.3])
def test_bg_nbd_agrees_with_integrals_over_rate_and_chance_to_leave(a: float, first_chance: int) -> None:
    """Of somebody with rate l who leaves with chance p, all purchases are worth l / (delta + l p) at present."""
    r, alpha, b = 0.9, 8.0, 2.4
    model = (ModifiedBetaGeo if first_chance else BetaGeo).from_parameters(
        {"r": r, "alpha": alpha, "a": a, "b": b}, time_unit="weeks"
    )
    some = CUSTOMERS[[1, 2]]
    found = model.discounted_expected_residual_transactions(some, 3.0)
    delta, alive = _rate_a_week(3.0), model.probability_alive(some)
    for i, (x, _, T) in enumerate(some.rows()):
        p, of_p = roots_jacobi(120, b + first_chance + x - 1, a - 1)
        rate, of_rate = roots_genlaguerre(120, r + x - 1)
        p, rate = (1 + p[:, None]) / 2, rate / (alpha + T)
        worth = of_p @ (rate / (delta + rate * p)) @ of_rate / (of_p.sum() * of_rate.sum())
        assert found[i] == pytest.approx(worth * alive[i], rel=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_it_is_the_limit_of_discounted_horizons(model: type[PurchaseModel]) -> None:
    known = model.from_parameters(
        dict(zip(model.parameter_names, (0.8, 9.0, 0.7, 2.5), strict=True)), time_unit="weeks"
    )
    found = known.discounted_expected_residual_transactions(CUSTOMERS, 5.0)
    ends = np.linspace(0, 26 * 52, 60_000)[1:]
    factors = np.exp(-_rate_a_week(5.0) * (ends - ends[0] / 2))
    for i in range(CUSTOMERS.height):
        x, t_x, T = (float(value) for value in CUSTOMERS.row(i))
        coming = np.diff(known.process.expected(x, t_x, T, ends), prepend=0.0)
        assert found[i] == pytest.approx(float(coming @ factors), rel=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_days_and_weeks_give_the_same(model: type[PurchaseModel]) -> None:
    params = dict(zip(model.parameter_names, (0.8, 9.0, 0.7, 2.5), strict=True))
    in_days = {name: value * 7 if name in model.time_parameters else value for name, value in params.items()}
    weeks = model.from_parameters(params, time_unit="weeks")
    days = model.from_parameters(in_days)
    np.testing.assert_allclose(
        days.discounted_expected_residual_transactions(
            CUSTOMERS.with_columns(pl.col("recency", "T") * 7), 0.1
        ),
        weeks.discounted_expected_residual_transactions(CUSTOMERS, 0.1),
        rtol=1e-10,
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_higher_discount_makes_it_worth_less_and_nothing_overflows(model: type[PurchaseModel]) -> None:
    extreme = pl.DataFrame(
        {"frequency": [0.0, 20_000.0, 400.0], "recency": [0.0, 20_300.0, 5.0], "T": [0.0, 20_301.0, 6.0]}
    )
    for third in (0.01, 1.0, 40.0):  # Tricomi's U of SciPy is nan from s = 20 on
        known = model.from_parameters(dict(zip(model.parameter_names, (0.5, 0.01, third, 3.0), strict=True)))
        values = [
            known.discounted_expected_residual_transactions(extreme, discount)
            for discount in (1e-4, 0.1, 1.0, 1e6)
        ]
        assert np.all(np.isfinite(values)) and np.all(np.array(values) >= 0)
        assert np.all(np.diff(values, axis=0) <= 0)


@pytest.mark.parametrize("discount", [0.0, -0.1, math.nan, math.inf])
def test_without_a_discount_there_is_no_finite_value(discount: float) -> None:
    model = ParetoNBD.from_parameters(CDNOW_78, time_unit="weeks")
    with pytest.raises(ValueError, match="annual_discount must be above 0"):
        model.discounted_expected_residual_transactions(CUSTOMERS, discount)
