"""Intervals for accuracy measures, by resampling customers.

All models are measured on the same resamples, so that the difference between two of them has its own,
much narrower interval: customers who are hard to predict are hard for both.

What is measured belongs to `models.metrics`, what is concluded to `models.champion`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Accuracy(Protocol):
    """Predictions beside outcomes, measurable with case weights (`models.metrics`)."""

    names: tuple[str, ...]

    def measure(self, weights: Floats | None = None) -> dict[str, float]:
        """Return each measure's value."""
        ...

    def take(self, rows: npt.NDArray[np.int64]) -> Self:
        """Return the same for some customers."""
        ...


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; NaN where undefined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Resampled:
    """Measures of several models on all customers and on the same resamples of them.

    Attributes
    ----------
    values
        Model -> measure -> value on all customers.
    draws
        Model -> measure -> one value per resample.
    level
        Coverage of the intervals.
    """

    values: Mapping[str, Mapping[str, float]]
    draws: Mapping[str, Mapping[str, Floats]]
    level: float

    def estimate(self, model: str, measure: str) -> Estimate:
        """Return one model's measure with its interval."""
        return _interval(self.values[model][measure], self.draws[model][measure], self.level)

    def difference(self, model: str, versus: str, measure: str) -> Estimate:
        """Return how much higher `model` measures than `versus`, with the interval of the difference."""
        return _interval(
            self.values[model][measure] - self.values[versus][measure],
            self.draws[model][measure] - self.draws[versus][measure],
            self.level,
        )


def resample(
    accuracies: Mapping[str, Accuracy],
    rows: int,
    rng: np.random.Generator,
    *,
    people: npt.NDArray[np.int64] | None = None,
    draws: int = 200,
    level: float = 0.95,
    max_customers: int = 100_000,
) -> Resampled:
    """Measure every model on all customers and on `draws` bootstrap resamples.

    Parameters
    ----------
    accuracies
        Model -> predictions and outcomes, all for the same rows in the same order.
    rows
        How many rows that is.
    rng
        Source of randomness; the same state gives the same intervals.
    people : (rows,) array, optional
        Whose row it is, numbered from 0: people are drawn with all their rows, since what somebody does in two
        horizons is not two independent things. Default: each row is a person of its own.
    draws
        Number of resamples.
    level
        Coverage of the percentile intervals.
    max_customers
        Above this, resamples are drawn from a random sample of this size, and their spread is scaled by
        sqrt(sample / customers) around the value on all customers: an m-out-of-n bootstrap (Bickel,
        Götze & van Zwet 1997), without which 10 million customers would take hours.

    Returns
    -------
    Resampled
    """
    values = {model: accuracy.measure() for model, accuracy in accuracies.items()}
    people = np.arange(rows) if people is None else people
    customers = int(people.max()) + 1
    size, centres = customers, values
    if customers > max_customers:
        size = max_customers
        chosen = np.full(customers, -1)
        chosen[np.sort(rng.choice(customers, size, replace=False, shuffle=False))] = np.arange(size)
        taken = np.flatnonzero(chosen[people] >= 0)
        people = chosen[people[taken]]
        accuracies = {model: accuracy.take(taken) for model, accuracy in accuracies.items()}
        centres = {model: accuracy.measure() for model, accuracy in accuracies.items()}
    measured = {
        model: {name: np.empty(draws) for name in accuracy.names} for model, accuracy in accuracies.items()
    }
    for draw in range(draws):
        weights = np.bincount(rng.integers(0, size, size), minlength=size).astype(np.float64)[people]
        for model, accuracy in accuracies.items():
            for name, value in accuracy.measure(weights).items():
                measured[model][name][draw] = value
    scale = np.sqrt(size / customers)
    scaled = {
        model: {
            name: values[model][name] + scale * (column - centres[model][name])
            for name, column in columns.items()
        }
        for model, columns in measured.items()
    }
    return Resampled(values=values, draws=scaled, level=level)


def _interval(value: float, draws: Floats, level: float) -> Estimate:
    defined = draws[np.isfinite(draws)]
    if not len(defined):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high))
