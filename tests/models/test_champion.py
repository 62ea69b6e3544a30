"""The champion follows the glossary's rule, and its reason carries the numbers."""

from __future__ import annotations

import polars as pl
import pytest

from models.champion import Quantity, choose_champion

# model: (bias, score, low, high); composed.
Table = dict[str, tuple[float | None, float | None, float, float]]


def metrics(table: Table, quantity: str = "value", metric: str = "normalised_gini") -> pl.DataFrame:
    rows = [
        row
        for model, (bias, score, low, high) in table.items()
        for row in ((quantity, model, "bias", bias, None, None), (quantity, model, metric, score, low, high))
    ]
    schema = {"quantity": pl.String, "model": pl.String, "metric": pl.String}
    numbers = dict.fromkeys(("value", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, schema={**schema, **numbers}, orient="row")


def comparison(model: str, versus: str, low: float, high: float) -> pl.DataFrame:
    row = {"quantity": "value", "metric": "normalised_gini", "model": model, "versus": versus}
    return pl.DataFrame([{**row, "difference": (low + high) / 2, "low": low, "high": high}])


APART: Table = {
    "global_mean": (0.02, 0.0, 0.0, 0.0),
    "last_12_months": (0.05, 0.50, 0.48, 0.52),
    "bg_nbd_gamma_gamma": (-0.06, 0.60, 0.58, 0.62),
}


def test_the_best_order_wins_among_unbiased_models() -> None:
    champion = choose_champion(metrics(APART), "value")
    assert (champion.name, champion.is_baseline) == ("bg_nbd_gamma_gamma", False)
    assert (
        champion.reason
        == "bg_nbd_gamma_gamma has the best normalised_gini (0.600) and its total is off by -6.0%."
    )


def test_the_lowest_log_loss_wins_for_probabilities() -> None:
    table: Table = {"last_12_months": (0.0, 0.5, 0.49, 0.51), "bg_nbd_gamma_gamma": (0.0, 0.4, 0.39, 0.41)}
    assert (
        choose_champion(metrics(table, "probability", "log_loss"), "probability").name == "bg_nbd_gamma_gamma"
    )


@pytest.mark.parametrize(("bias", "winner"), [(0.10, "bg_nbd_gamma_gamma"), (-0.101, "last_12_months")])
def test_a_total_off_by_more_than_a_tenth_is_out(bias: float, winner: str) -> None:
    champion = choose_champion(metrics({**APART, "bg_nbd_gamma_gamma": (bias, 0.6, 0.58, 0.62)}), "value")
    assert champion.name == winner
    assert ("Out for a bias above 10%: bg_nbd_gamma_gamma -10.1%." in champion.reason) == (bias < 0)


def test_if_no_total_is_right_the_order_decides_and_the_reason_warns() -> None:
    table: Table = {model: (0.4, *rest) for model, (_, *rest) in APART.items()}  # type: ignore[misc]
    champion = choose_champion(metrics(table), "value")
    assert champion.name == "bg_nbd_gamma_gamma"
    assert champion.reason.endswith(
        "No model is within 10% of the actual total: trust the order, not the amounts."
    )


def test_within_the_interval_the_simpler_wins_and_a_baseline_is_named_as_one() -> None:
    table: Table = {**APART, "bg_nbd_gamma_gamma": (0.01, 0.51, 0.49, 0.53)}
    champion = choose_champion(metrics(table), "value")
    assert (champion.name, champion.is_baseline) == ("last_12_months", True)
    assert champion.reason == (
        "last_12_months (normalised_gini 0.500) is simpler than bg_nbd_gamma_gamma (0.510), the back-test "
        "cannot tell them apart, and its total is off by +5.0%. It is a baseline and published as one."
    )


def test_the_interval_of_the_difference_decides_if_there_is_one() -> None:
    table: Table = {
        "last_12_months": (0.0, 0.50, 0.45, 0.55),
        "bg_nbd_gamma_gamma": (0.0, 0.52, 0.47, 0.57),
    }
    clear = comparison("bg_nbd_gamma_gamma", "last_12_months", 0.01, 0.03)
    unclear = comparison("bg_nbd_gamma_gamma", "last_12_months", -0.01, 0.05)
    assert choose_champion(metrics(table), "value").name == "last_12_months"
    assert choose_champion(metrics(table), "value", unclear).name == "last_12_months"
    assert choose_champion(metrics(table), "value", clear).name == "bg_nbd_gamma_gamma"


def test_a_model_nobody_has_heard_of_is_the_least_simple() -> None:
    table: Table = {"new idea": (0.0, 0.6, 0.58, 0.62), "bg_nbd_gamma_gamma": (0.0, 0.6, 0.58, 0.62)}
    assert choose_champion(metrics(table), "value").name == "bg_nbd_gamma_gamma"
    better: Table = {**table, "new idea": (0.0, 0.7, 0.68, 0.72)}
    assert choose_champion(metrics(better), "value").name == "new idea"


@pytest.mark.parametrize("quantity", ["value", "probability"])
def test_nothing_measurable_is_refused(quantity: Quantity) -> None:
    undefined: Table = {"global_mean": (None, None, 0.0, 0.0)}
    with pytest.raises(ValueError, match="nothing can be chosen"):
        choose_champion(metrics(undefined), quantity)
