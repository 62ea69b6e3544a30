"""What holds for every purchase model, whatever the parameters: identities, bounds, finite values."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import roots_genlaguerre, roots_jacobi

from models._maximum_likelihood import LogLikelihood
from models.purchases import BetaGeo, ModifiedBetaGeo, ParetoNBD, PurchaseModel
from models.purchases._beta_geometric_likelihood import beta_geometric_log_likelihood
from models.purchases._decay_integral import decay_integral
from models.purchases._histories import Histories, distinct_histories, read_histories
from models.purchases._pareto_likelihood import pareto_log_likelihood
from models.purchases._scenarios import count_arrivals, draw_scenarios
from tests.models.cdnow import weekly_summary
from tests.models.simulated_histories import simulate

MODELS: list[type[PurchaseModel]] = [BetaGeo, ModifiedBetaGeo, ParetoNBD]
STORIES = {BetaGeo: "bg", ModifiedBetaGeo: "mbg", ParetoNBD: "pareto"}
TRUE = {
    BetaGeo: (0.8, 60.0, 0.9, 2.5),
    ModifiedBetaGeo: (0.9, 60.0, 0.8, 2.0),
    ParetoNBD: (0.8, 60.0, 0.7, 200.0),
}

positive = st.floats(-3, 3).map(math.exp)


@st.composite
def questions(draw: st.DrawFn) -> tuple[PurchaseModel, pl.DataFrame]:
    """A model with any parameters, and some histories."""
    model = draw(st.sampled_from(MODELS))
    values = [draw(positive) for _ in range(4)]
    rows = [
        (float(x), T * share if x else 0.0, T)
        for x, share, T in draw(
            st.lists(
                st.tuples(st.integers(0, 300), st.floats(0, 1), st.floats(0, 1000)), min_size=1, max_size=5
            )
        )
    ]
    frame = pl.DataFrame(rows, schema=["frequency", "recency", "T"], orient="row")
    return model.from_parameters(dict(zip(model.parameter_names, values, strict=True))), frame


def likelihood(model: PurchaseModel, x: float, t_x: float, T: float) -> float:
    one = Histories(*(np.array([float(value)]) for value in (x, t_x, T, 1.0)))
    theta = np.log(np.array(list(model.params_.values())))
    return _log_likelihood(type(model), one)(theta)[0]


def _log_likelihood(model: type[PurchaseModel], histories: Histories) -> LogLikelihood:
    if model is ParetoNBD:
        return pareto_log_likelihood(histories)
    return beta_geometric_log_likelihood(histories, first_chance=int(model is ModifiedBetaGeo))


@settings(max_examples=60, deadline=None)
@given(questions(), st.floats(0, 2000))
def test_probabilities_are_probabilities_and_nothing_overflows(
    question: tuple[PurchaseModel, pl.DataFrame], horizon: float
) -> None:
    model, frame = question
    alive, buys = model.probability_alive(frame), model.purchase_probability(frame, horizon)
    none, orders = (
        model.purchase_count_probability(frame, horizon, 0),
        model.expected_purchases(frame, horizon),
    )
    assert np.all((alive >= 0) & (alive <= 1))
    assert np.all((buys >= 0) & (buys <= alive + 1e-12))
    np.testing.assert_allclose(none, 1 - buys, atol=1e-9)
    assert np.all(np.isfinite(orders) & (orders >= 0))
    assert np.all(orders >= buys - 1e-9 * (1 + orders))  # at least one purchase, if any


@settings(max_examples=60, deadline=None)
@given(questions(), st.floats(0.1, 500), st.floats(1.01, 4))
def test_more_time_brings_more_purchases(
    question: tuple[PurchaseModel, pl.DataFrame], horizon: float, factor: float
) -> None:
    model, frame = question
    for ask in (model.purchase_probability, model.expected_purchases):
        less, more = ask(frame, horizon), ask(frame, horizon * factor)
        assert np.all(more >= less - 1e-9 * (1 + less))


@settings(max_examples=40, deadline=None)
@given(questions(), st.floats(0.05, 0.95))
def test_waiting_until_a_quantile_reaches_it(
    question: tuple[PurchaseModel, pl.DataFrame], quantile: float
) -> None:
    model, frame = question
    wait = model.time_to_next_purchase(frame, quantile)
    known = wait < 1e9
    if known.any():
        reached = model.purchase_probability(frame.filter(pl.Series(known)), wait[known])
        np.testing.assert_allclose(reached, quantile, atol=1e-7)
    never = np.isinf(wait)
    if never.any():
        assert np.all(model.purchase_probability(frame.filter(pl.Series(never)), 1e9) <= quantile + 1e-6)


@settings(max_examples=60, deadline=None)
@given(questions(), st.floats(0.1, 500))
def test_purchase_probability_is_one_minus_a_ratio_of_likelihoods(
    question: tuple[PurchaseModel, pl.DataFrame], horizon: float
) -> None:
    model, frame = question
    found = model.purchase_probability(frame, horizon)
    for (x, t_x, T), probability in zip(frame.rows(), found, strict=True):
        ratio = math.exp(likelihood(model, x, t_x, T + horizon) - likelihood(model, x, t_x, T))
        assert probability == pytest.approx(1 - ratio, abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(questions())
def test_one_time_buyers_are_alive_to_bg_nbd_only(question: tuple[PurchaseModel, pl.DataFrame]) -> None:
    model, _ = question
    once = pl.DataFrame({"frequency": [0.0], "recency": [0.0], "T": [300.0]})
    alive = model.probability_alive(once)[0]
    assert alive == 1.0 if isinstance(model, BetaGeo) else alive < 1.0


@pytest.mark.parametrize("model", MODELS)
def test_counts_add_up_to_one_and_to_the_expectation(model: type[PurchaseModel]) -> None:
    known = model.from_parameters(dict(zip(model.parameter_names, (0.9, 50.0, 0.8, 2.5), strict=True)))
    frame = pl.DataFrame({"frequency": [0.0, 3.0], "recency": [0.0, 100.0], "T": [200.0, 150.0]})
    counts = np.array([known.purchase_count_probability(frame, 60.0, n) for n in range(200)])
    np.testing.assert_allclose(counts.sum(axis=0), 1.0, atol=1e-9)
    np.testing.assert_allclose(np.arange(200) @ counts, known.expected_purchases(frame, 60.0), rtol=1e-7)
    new = [known.purchase_count_probability_new(60.0, n) for n in range(200)]
    assert np.arange(200) @ np.array(new) == pytest.approx(
        float(known.expected_purchases_new(60.0)), rel=1e-7
    )


@pytest.mark.parametrize("a", [0.3, 0.9999, 1.0, 1.00005, 2.7])
@pytest.mark.parametrize("x", [0, 1, 12])
@pytest.mark.parametrize("model", [BetaGeo, ModifiedBetaGeo])
def test_expected_purchases_agree_with_an_integral_over_the_chance_to_leave(
    model: type[PurchaseModel], a: float, x: int
) -> None:
    r, alpha, b, T, horizon = 0.7, 30.0, 1.8, 120.0, 200.0
    known = model.from_parameters({"r": r, "alpha": alpha, "a": a, "b": b})
    frame = pl.DataFrame({"frequency": [x], "recency": [80.0 if x else 0.0], "T": [T]})
    at, weight = _beta_mean(a, b + x + (model is ModifiedBetaGeo))
    # E[(1 - exp(-rate p horizon)) / p] over a Gamma(r + x, alpha + T) rate
    expected = weight @ ((1 - (1 + at * horizon / (alpha + T)) ** -(r + x)) / at)
    found = known.expected_purchases(frame, horizon)[0]
    assert found == pytest.approx(expected * known.probability_alive(frame)[0], rel=1e-9)


def _beta_mean(a: float, b: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of a mean over Beta(a, b)."""
    at, weight = roots_jacobi(80, b - 1, a - 1)
    return (1 + at) / 2, weight / weight.sum()


def test_expected_purchases_are_continuous_where_a_plus_b_is_one() -> None:
    once = pl.DataFrame({"frequency": [0.0], "recency": [0.0], "T": [39.0]})
    values = [
        BetaGeo.from_parameters({"r": 0.11, "alpha": 2.24, "a": 0.31, "b": 0.69 + gap}).expected_purchases(
            once, 52
        )
        for gap in (-2e-4, -1e-6, 0.0, 1e-6, 2e-4)
    ]
    assert np.ptp(values) < 1e-4 * np.mean(values)
    assert values[2] == pytest.approx(np.mean([values[0], values[4]]), rel=1e-6)


def test_expected_purchases_survive_r_minus_a_being_whole() -> None:
    # found by hypothesis: scipy.special.hyp2f1 is wrong by 5 % there
    frame = pl.DataFrame({"frequency": [79.0], "recency": [0.0], "T": [0.0]})
    params = {"r": 20.0855, "alpha": 1.0, "a": 20.0855, "b": 20.0855}
    at, beside = (
        BetaGeo.from_parameters(params | {"r": 20.0855 + gap}).expected_purchases(frame, [12.0])[0]
        for gap in (0.0, 1e-6)
    )
    assert at == pytest.approx(beside, rel=1e-6)
    assert at > BetaGeo.from_parameters(params).expected_purchases(frame, 3.0)[0]


def test_pareto_is_continuous_where_s_is_one_and_where_alpha_is_beta() -> None:
    frame = pl.DataFrame({"frequency": [4.0], "recency": [20.0], "T": [39.0]})
    base = {"r": 0.5, "alpha": 10.0, "s": 1.0, "beta": 10.0}

    def ask(**change: float) -> float:
        return float(ParetoNBD.from_parameters(base | change).expected_purchases(frame, 52)[0])

    assert ask() == pytest.approx((ask(s=1 - 1e-6) + ask(s=1 + 1e-6)) / 2, rel=1e-9)
    assert ask() == pytest.approx((ask(beta=10 - 1e-6) + ask(beta=10 + 1e-6)) / 2, rel=1e-9)


@pytest.mark.parametrize(
    ("model", "params", "rows"),
    [
        (
            ParetoNBD,
            (0.5143, 2.8845, 0.2856, 14.1087),
            [
                (221, 103.42857, 103.57143),
                (254, 97.14286, 97.28571),
                (161, 94.71429, 98),
                (204, 98.57143, 99.42857),
            ],
        ),
        (ParetoNBD, (10.465, 0.00798565, 3.0516, 2.82), [(400, 5, 6), (500, 1, 37), (500, 4, 37)]),
        (BetaGeo, (0.2425945, 4.4136019, 0.7929199, 2.4258881), [(20_000, 38.5, 39), (20_000, 5, 39)]),
        (ModifiedBetaGeo, (0.525, 6.183, 0.891, 1.614), [(20_000, 38.5, 39), (20_000, 5, 39)]),
        (BetaGeo, (0.11, 2.24, 0.31, 0.5), [(0, 0, 39), (0, 0, 1e6)]),
        (BetaGeo, (0.3, 2.0, 5_000.0, 3.0), [(0, 0, 39), (3, 10, 39)]),  # 2F1 itself overflows here
    ],
)
def test_known_troublemakers_stay_finite(
    model: type[PurchaseModel], params: tuple[float, ...], rows: list[tuple[float, float, float]]
) -> None:
    known = model.from_parameters(dict(zip(model.parameter_names, params, strict=True)))
    frame = pl.DataFrame(rows, schema=["frequency", "recency", "T"], orient="row", strict=False)
    for values in (
        known.expected_purchases(frame, 52),
        known.probability_alive(frame),
        known.purchase_probability(frame, 52),
        known.purchase_count_probability(frame, 52, 3),
    ):
        assert np.all(np.isfinite(values) & (values >= 0))
    for x, t_x, T in rows:
        assert math.isfinite(likelihood(known, x, t_x, T))


def test_the_likelihood_of_bg_nbd_is_its_story_integrated() -> None:
    r, alpha, a, b = 1.3, 5.0, 1.4, 2.2
    model = BetaGeo.from_parameters({"r": r, "alpha": alpha, "a": a, "b": b})
    p, of_p = _beta_mean(a, b)
    rate, of_rate = roots_genlaguerre(80, r - 1)
    rate, of_rate = rate[:, None] / alpha, of_rate / of_rate.sum()
    for x, t_x, T in ((0, 0.0, 4.0), (1, 2.0, 6.0), (3, 5.0, 6.0)):
        # stayed after all x purchases and silent since, or left after the last
        story = (1 - p) ** x * rate**x * np.exp(-rate * T)
        if x:
            story = story + p * (1 - p) ** (x - 1) * rate**x * np.exp(-rate * t_x)
        assert likelihood(model, x, t_x, T) == pytest.approx(math.log(of_rate @ story @ of_p), abs=1e-10)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(MODELS), st.lists(st.floats(-1.5, 1.5), min_size=4, max_size=4))
def test_gradients_are_the_slopes_of_the_likelihood(model: type[PurchaseModel], theta: list[float]) -> None:
    histories = distinct_histories(read_histories(weekly_summary()[::20]), None)
    evaluate, at = _log_likelihood(model, histories.in_units_of(histories.mean_age)), np.array(theta)
    gradient = evaluate(at)[1]
    for j in range(4):
        shift = np.zeros(4)
        shift[j] = 1e-5
        slope = (evaluate(at + shift)[0] - evaluate(at - shift)[0]) / 2e-5
        assert gradient[j] == pytest.approx(slope, rel=1e-5, abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.floats(0.05, 50), positive, st.floats(1.05, 8), positive, positive),
    st.integers(0, 3),
)
def test_the_decay_integral_agrees_with_adaptive_quadrature(
    case: tuple[float, float, float, float, float], n: int
) -> None:
    p, alpha, q, beta, length = case

    def integrand(y: float) -> float:
        return (y / (alpha + y)) ** n * (1 + y / alpha) ** -p * (1 + y / beta) ** -q

    expected = quad(integrand, 0, length, epsabs=0, epsrel=1e-11, limit=500)[0]
    found = decay_integral(p, alpha, q, beta, length, n=n)
    assert float(found) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("model", MODELS)
def test_parameters_of_a_simulated_shop_are_recovered(model: type[PurchaseModel]) -> None:
    shop = simulate(STORIES[model], TRUE[model], customers=12_000, seed=20240229)
    found = model().fit(shop)
    truth = np.log(TRUE[model])
    distance = np.log(list(found.params_.values())) - truth
    mahalanobis = float(distance @ np.linalg.inv(found.log_covariance_) @ distance)
    assert mahalanobis < 18.5  # chi-squared with 4 degrees of freedom, 99.9 %


@pytest.mark.parametrize("model", MODELS)
def test_predictions_hold_in_a_simulated_shop(model: type[PurchaseModel]) -> None:
    shop = simulate(STORIES[model], TRUE[model], customers=40_000, seed=7, horizon=90.0)
    known = model.from_parameters(dict(zip(model.parameter_names, TRUE[model], strict=True)))
    for actual, predicted in (
        (shop["later"].to_numpy(), known.expected_purchases(shop, 90)),
        ((shop["later"] > 0).to_numpy(), known.purchase_probability(shop, 90)),
        ((shop["later"] == 2).to_numpy(), known.purchase_count_probability(shop, 90, 2)),
    ):
        error = actual - predicted
        for group in (shop["frequency"] == 0, shop["frequency"].is_between(1, 3), shop["frequency"] > 3):
            part = error[group.to_numpy()]
            assert abs(part.mean()) < 4 * part.std() / math.sqrt(len(part))


@pytest.mark.parametrize("model", MODELS)
def test_scenarios_have_the_predicted_distribution(model: type[PurchaseModel]) -> None:
    process = model.from_parameters(dict(zip(model.parameter_names, TRUE[model], strict=True))).process
    scenarios = draw_scenarios(np.random.default_rng(1), 2_000)
    x, t_x, T = np.array([0.0, 6.0]), np.array([0.0, 250.0]), np.array([200.0, 300.0])
    counts = np.array([process.purchases(process.fates(s, x), s, x, t_x, T, 180.0) for s in scenarios])
    for n in range(4):
        expected = process.count(x, t_x, T, 180.0, n)
        np.testing.assert_allclose((counts == n).mean(axis=0), expected, atol=4 * math.sqrt(0.25 / 2_000))
    np.testing.assert_allclose(counts.mean(axis=0), process.expected(x, t_x, T, 180.0), rtol=0.08)


def test_more_purchases_than_a_path_has_are_their_expectation() -> None:
    arrivals = np.arange(1.0, 11.0)
    np.testing.assert_array_equal(
        count_arrivals(arrivals, np.array([0.0, 2.5, 10.0, 300.2])), [0, 2, 10, 300]
    )
