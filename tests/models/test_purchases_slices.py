"""Sharing rows out changes no result: slices, threads, equal questions asked once, equal histories counted once."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clv import Intervals, customer_lifetime_value
from models.errors import InvalidSummaryError
from models.purchases import BetaGeo, ModifiedBetaGeo, ParetoNBD, PurchaseModel, _slices
from models.purchases._histories import COLUMNS, distinct_histories, read_histories
from models.purchases._slices import in_slices, once_a_pair
from models.spend import GammaGamma
from tests.models.cdnow import daily_summary, weekly_summary

MODELS: list[type[PurchaseModel]] = [BetaGeo, ModifiedBetaGeo, ParetoNBD]
SPEND = {"p": 6.25, "q": 3.74, "v": 15.44}


def known(model: type[PurchaseModel]) -> PurchaseModel:
    return model.from_parameters(dict(zip(model.parameter_names, (0.6, 40.0, 0.8, 3.0), strict=True)))


@st.composite
def summaries(draw: st.DrawFn) -> pl.DataFrame:
    """Some histories, many of them equal; in days, or in sevenths of them."""
    ages = draw(st.lists(st.integers(0, 60), min_size=1, max_size=60))
    counts = draw(st.lists(st.sampled_from([0, 0, 1, 2, 20_000]), min_size=len(ages), max_size=len(ages)))
    unit = draw(st.sampled_from([1.0, 7.0]))
    rows = [
        (float(x if T else 0), (T - T % 3) / unit if x and T else 0.0, T / unit)
        for x, T in zip(counts, ages, strict=True)
    ]
    return pl.DataFrame(rows, schema=list(COLUMNS), orient="row")


@settings(max_examples=50, deadline=None)
@given(summaries())
def test_counting_packed_histories_is_grouping_them(summary: pl.DataFrame) -> None:
    frame = read_histories(summary)
    counted, grouped = distinct_histories(frame, None), distinct_histories(frame, np.ones(frame.height))
    for name in (*COLUMNS[:2], "T", "weight"):
        np.testing.assert_array_equal(getattr(counted, name), getattr(grouped, name))


@settings(max_examples=50, deadline=None)
@given(summaries())
def test_asking_once_a_pair_is_asking_each_row(summary: pl.DataFrame) -> None:
    x, T = (summary[name].to_numpy() for name in ("frequency", "T"))
    np.testing.assert_array_equal(once_a_pair(x, T, lambda a, b: 1 / (1 + a + b * b)), 1 / (1 + x + T * T))


@pytest.mark.parametrize("rows", [0, 1, 7, 50])
def test_slices_come_together_in_order(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_slices, "_ROWS_AT_ONCE", 7)
    numbers = np.arange(float(rows))
    np.testing.assert_array_equal(in_slices(rows, lambda part: numbers[part] * 2), numbers * 2)


def test_what_breaks_in_a_slice_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_slices, "_ROWS_AT_ONCE", 7)

    def fails(part: slice) -> np.ndarray:
        raise ArithmeticError(f"rows from {part.start}")

    with pytest.raises(ArithmeticError, match="rows from"):
        in_slices(50, fails)


@pytest.mark.parametrize("summary", [daily_summary, weekly_summary])
@pytest.mark.parametrize("model", MODELS)
def test_predictions_do_not_depend_on_slices_or_neighbours(
    model: type[PurchaseModel], summary: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = daily_summary() if summary is daily_summary else weekly_summary()
    purchases = known(model)
    asked = [
        lambda rows: purchases.expected_purchases(rows, 90),
        lambda rows: purchases.purchase_probability(rows, 90),
        lambda rows: purchases.time_to_next_purchase(rows, 0.5),
        lambda rows: purchases.discounted_expected_residual_transactions(rows, 0.1),
    ]
    together = [ask(frame) for ask in asked]
    monkeypatch.setattr(_slices, "_ROWS_AT_ONCE", 500)
    for ask, before in zip(asked, together, strict=True):
        np.testing.assert_allclose(ask(frame), before, rtol=1e-12)
        np.testing.assert_allclose(ask(frame[1000:1003]), before[1000:1003], rtol=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_one_horizon_for_all_is_the_same_as_one_each(model: type[PurchaseModel]) -> None:
    purchases, frame = known(model), daily_summary()
    each = np.full(frame.height, 90.0)
    for ask in (purchases.expected_purchases, purchases.purchase_probability):
        np.testing.assert_allclose(ask(frame, 90), ask(frame, each), rtol=1e-12)
    weighted = purchases.weighted_expected_purchases(frame, [30.0, 90.0], [0.25, 2.0])
    by_hand = 0.25 * purchases.expected_purchases(frame, 30) + 2 * purchases.expected_purchases(frame, 90)
    np.testing.assert_allclose(weighted, by_hand, rtol=1e-12)


def test_waits_of_those_who_hardly_ever_buy_are_reached() -> None:
    rare = ParetoNBD.from_parameters({"r": 0.0863, "alpha": 0.54, "s": 0.0667, "beta": 3.338})
    frame = pl.DataFrame(
        {"frequency": [0.0, 0.0, 3.0], "recency": [0.0, 0.0, 900.0], "T": [0.0, 10.0, 1000.0]}
    )
    for quantile in (0.02, 0.2, 0.5):
        wait = rare.time_to_next_purchase(frame, quantile)
        some = np.isfinite(wait) & (wait < 1e9)
        assert some.any()
        reached = rare.purchase_probability(frame.filter(pl.Series(some)), wait[some])
        np.testing.assert_allclose(reached, quantile, atol=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_value_of_20000_order_days_is_finite_and_bounded(model: type[PurchaseModel]) -> None:
    covariance = 0.01 * np.eye(4)
    purchases = model.from_parameters(known(model).params_, log_covariance=covariance)
    spend = GammaGamma.from_parameters(SPEND, log_covariance=0.01 * np.eye(3))
    heavy = pl.DataFrame(
        {"frequency": [20_000.0], "recency": [20_300.0], "T": [20_301.0], "monetary_value": [25.0]}
    )
    table = customer_lifetime_value(heavy, purchases, spend, intervals=Intervals(draws=40))
    low, expected, high = (table[f"predicted_clv{bound}"][0] for bound in ("_low", "", "_high"))
    assert 0 < low < expected < high < 20_000 * 25
    assert expected == pytest.approx(365 * 25, rel=0.1)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"frequency": [np.nan]}, "frequency is missing or not finite"),
        ({"recency": [-1.0]}, "recency is negative"),
        ({"recency": [31.0]}, "recency is after T"),
    ],
)
def test_value_of_impossible_histories_is_refused(change: dict[str, list[float]], rule: str) -> None:
    good = {"frequency": [1.0], "recency": [10.0], "T": [30.0], "monetary_value": [25.0]}
    with pytest.raises(InvalidSummaryError, match=f"{rule}: 1 of 1"):
        customer_lifetime_value(
            pl.DataFrame(good | change), known(BetaGeo), GammaGamma.from_parameters(SPEND)
        )
