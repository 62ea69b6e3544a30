"""Bootstrap intervals cover the truth as often as they say, repeat with the seed, and pair models."""

from __future__ import annotations

import numpy as np
import pytest

from models.bootstrap import resample
from models.metrics import ProbabilityAccuracy, ValueAccuracy


def spend(rng: np.random.Generator, customers: int) -> tuple[np.ndarray, np.ndarray]:
    predicted = rng.gamma(2.0, 50.0, customers)
    return rng.poisson(1.0, customers) * rng.gamma(5.0, predicted / 5.0), predicted


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    accuracy = {"model": ValueAccuracy(*spend(np.random.default_rng(1), 300))}
    one, same, other = (resample(accuracy, 300, np.random.default_rng(seed), draws=50) for seed in (3, 3, 4))
    assert one.estimate("model", "rmse") == same.estimate("model", "rmse")
    assert one.estimate("model", "rmse") != other.estimate("model", "rmse")


def test_intervals_cover_the_true_probability_as_often_as_they_say() -> None:
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(200):
        probability = rng.uniform(0.2, 0.8, 200)
        outcome = (rng.uniform(size=200) < probability).astype(float)
        brier = resample({"m": ProbabilityAccuracy(outcome, probability)}, 200, rng, draws=100).estimate(
            "m", "brier"
        )
        # E[p(1-p)] for p uniform on .2 to .8.
        covered += brier.low <= 0.22 <= brier.high
    # 95 % nominal; percentile intervals of 200 customers fall a little short of it.
    assert 0.89 <= covered / 200 <= 0.985


def test_a_difference_is_narrower_than_its_parts() -> None:
    actual, predicted = spend(np.random.default_rng(5), 500)
    noisy = predicted * np.random.default_rng(6).lognormal(0.0, 0.1, 500)
    both = {"model": ValueAccuracy(actual, predicted), "noisy": ValueAccuracy(actual, noisy)}
    resampled = resample(both, 500, np.random.default_rng(7))
    alone = resampled.estimate("model", "normalised_gini")
    difference = resampled.difference("model", "noisy", "normalised_gini")
    assert difference.value == pytest.approx(
        alone.value - resampled.estimate("noisy", "normalised_gini").value
    )
    assert difference.high - difference.low < 0.5 * (alone.high - alone.low)
    itself = resampled.difference("model", "model", "normalised_gini")
    assert (itself.low, itself.value, itself.high) == (0, 0, 0)


def test_drawing_from_a_sample_gives_intervals_of_the_same_width() -> None:
    accuracy = {"m": ValueAccuracy(*spend(np.random.default_rng(8), 8_000))}
    full = resample(accuracy, 8_000, np.random.default_rng(9), draws=300).estimate("m", "bias")
    part = resample(accuracy, 8_000, np.random.default_rng(9), draws=300, max_customers=2_000).estimate(
        "m", "bias"
    )
    assert part.value == full.value
    assert (part.high - part.low) / (full.high - full.low) == pytest.approx(1, abs=0.2)


def test_what_is_never_defined_has_no_interval() -> None:
    accuracy = {"m": ValueAccuracy(np.zeros(10), np.arange(10.0))}
    bias = resample(accuracy, 10, np.random.default_rng(1), draws=10).estimate("m", "bias")
    assert np.isnan([bias.value, bias.low, bias.high]).all()
