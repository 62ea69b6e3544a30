"""How good predictions were: measures for values and for probabilities.

Mean absolute error is left out on purpose: most customers buy nothing in most horizons, and predicting
zero for all has the best one. Bias says whether the total is right, the Gini index and its relatives
whether the best customers are found, squared error and log-loss punish confident mistakes.

Ties count as a random order would on average, so a constant prediction has no skill (Gini 0, AUC 1/2),
whatever order the rows stand in. All measures take case weights, by which intervals are drawn
(`models.bootstrap`). Splitting time, fitting and choosing do not belong here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

VALUE_METRICS = ("rmse", "bias", "normalised_gini", "spearman", "top_decile_share")
PROBABILITY_METRICS = ("log_loss", "brier", "auc", "ece", "bias")

CALIBRATION_BINS = 10
# As scikit-learn: a probability of exactly 0 or 1 that turns out wrong costs much, not everything.
_SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)


class ValueAccuracy:
    """Predicted against actual values, one pair a customer.

    Parameters
    ----------
    actual, predicted
        Values in the shop's currency, same length, finite.

    Raises
    ------
    ValueError
        If the arrays are empty, differ in length or hold values that are not finite.
    """

    names: tuple[str, ...] = VALUE_METRICS

    def __init__(self, actual: Floats, predicted: Floats) -> None:
        self.actual, self.predicted = _checked(actual, predicted)
        self._by_actual = _tie_groups(self.actual)
        self._by_predicted = _tie_groups(self.predicted)

    def take(self, rows: npt.NDArray[np.int64]) -> ValueAccuracy:
        """Return the same for some customers."""
        return ValueAccuracy(self.actual[rows], self.predicted[rows])

    def measure(self, weights: Floats | None = None) -> dict[str, float]:
        """Measure accuracy, each customer counted `weights` times (default once).

        Returns
        -------
        dict[str, float]
            rmse: root mean squared error, currency. bias: (predicted total - actual total) / actual total.
            normalised_gini: Gini index of actual values ordered by prediction, divided by the one of the
            best possible order; 1 is a perfect order, 0 a random one. spearman: correlation of average
            ranks. top_decile_share: share of the actual total held by the tenth with the highest
            predictions. NaN where undefined (nothing bought, nothing predicted apart).
        """
        weights = np.ones(len(self.actual)) if weights is None else weights
        total, total_weight = _dot(weights, self.actual), _dot(weights)
        curve = _lorenz(self._by_predicted, self.actual, weights)
        best = _lorenz(self._by_actual, self.actual, weights)
        error = self.predicted - self.actual
        return {
            "rmse": (_dot(weights, error**2) / total_weight) ** 0.5,
            "bias": _ratio(_dot(weights, self.predicted) - total, total),
            "normalised_gini": _ratio(_gini(curve), _gini(best)),
            "spearman": _correlation(
                _average_ranks(self._by_predicted, weights), _average_ranks(self._by_actual, weights), weights
            ),
            "top_decile_share": float(1 - np.interp(0.9, curve.people, curve.amount)),
        }


class ProbabilityAccuracy:
    """Predicted probabilities against what happened, one pair a customer.

    Parameters
    ----------
    outcome
        1 where it happened, else 0.
    probability
        Predicted probability, 0 to 1.

    Raises
    ------
    ValueError
        If the arrays are empty, differ in length, or hold anything but 0 and 1, or 0 to 1.
    """

    names: tuple[str, ...] = PROBABILITY_METRICS

    def __init__(self, outcome: Floats, probability: Floats) -> None:
        self.outcome, self.probability = _checked(outcome, probability)
        if not np.isin(self.outcome, (0.0, 1.0)).all():
            raise ValueError("Outcomes must be 0 or 1.")
        if self.probability.min() < 0 or self.probability.max() > 1:
            raise ValueError("Probabilities must lie between 0 and 1.")
        self._by_probability = _tie_groups(self.probability)
        # The last bin includes 1.
        self._bin = np.minimum((self.probability * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)

    def take(self, rows: npt.NDArray[np.int64]) -> ProbabilityAccuracy:
        """Return the same for some customers."""
        return ProbabilityAccuracy(self.outcome[rows], self.probability[rows])

    def measure(self, weights: Floats | None = None) -> dict[str, float]:
        """Measure accuracy, each customer counted `weights` times (default once).

        Returns
        -------
        dict[str, float]
            log_loss (natural logarithm) and brier: means. auc: probability that of two customers with
            different outcomes the right one has the higher prediction. ece: expected calibration error on
            ten bins of equal width (Guo et al. 2017, On Calibration of Modern Neural Networks, equation 3).
            bias: (predicted - actual buyers) / actual buyers. NaN where undefined.
        """
        weights = np.ones(len(self.outcome)) if weights is None else weights
        total_weight = _dot(weights)
        clipped = np.clip(self.probability, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
        likelihood = np.where(self.outcome == 1, np.log(clipped), np.log1p(-clipped))
        gaps = np.bincount(self._bin, weights * (self.probability - self.outcome), CALIBRATION_BINS)
        happened = _dot(weights, self.outcome)
        return {
            "log_loss": -_dot(weights, likelihood) / total_weight,
            "brier": _dot(weights, (self.probability - self.outcome) ** 2) / total_weight,
            "auc": _auc(self._by_probability, self.outcome, weights),
            "ece": _dot(np.abs(gaps)) / total_weight,
            "bias": _ratio(_dot(weights, self.probability) - happened, happened),
        }


class _Curve(NamedTuple):
    """A Lorenz curve: cumulated shares of people and of amount, lowest predictions first, from (0, 0)."""

    people: Floats
    amount: Floats


def _checked(actual: Floats, predicted: Floats) -> tuple[Floats, Floats]:
    actual, predicted = np.asarray(actual, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if actual.ndim != 1 or actual.shape != predicted.shape or not len(actual):
        raise ValueError(
            f"Need two columns of equal, positive length, got {actual.shape} and {predicted.shape}."
        )
    if not (np.isfinite(actual).all() and np.isfinite(predicted).all()):
        raise ValueError("Actual and predicted numbers must be finite: a missing prediction is not a zero.")
    return actual, predicted


def _tie_groups(values: Floats) -> npt.NDArray[np.int64]:
    """Give each row the number of its group of equal values, lowest first."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _sums(groups: npt.NDArray[np.int64], amounts: Floats) -> Floats:
    """Add up amounts by group."""
    return np.bincount(groups, amounts).astype(np.float64)


def _lorenz(groups: npt.NDArray[np.int64], actual: Floats, weights: Floats) -> _Curve:
    """Straight within a group of ties, which is what random orders give on average."""
    people = np.concatenate([[0.0], _sums(groups, weights).cumsum()])
    amount = np.concatenate([[0.0], _sums(groups, weights * actual).cumsum()])
    with np.errstate(divide="ignore", invalid="ignore"):
        return _Curve(people / people[-1], amount / amount[-1])


def _gini(curve: _Curve) -> float:
    return float(1 - 2 * np.trapezoid(curve.amount, curve.people))


def _average_ranks(groups: npt.NDArray[np.int64], weights: Floats) -> Floats:
    sizes = _sums(groups, weights)
    return (sizes.cumsum() - (sizes - 1) / 2)[groups]


def _correlation(one: Floats, other: Floats, weights: Floats) -> float:
    one = one - _dot(weights, one) / _dot(weights)
    other = other - _dot(weights, other) / _dot(weights)
    return _ratio(_dot(weights, one * other), (_dot(weights, one**2) * _dot(weights, other**2)) ** 0.5)


def _auc(groups: npt.NDArray[np.int64], outcome: Floats, weights: Floats) -> float:
    """Mann-Whitney: pairs in the right order plus half of the tied ones, over all pairs."""
    happened = _sums(groups, weights * outcome)
    not_happened = _sums(groups, weights * (1 - outcome))
    right = _dot(happened, not_happened.cumsum() - not_happened / 2)
    return _ratio(right, _dot(happened) * _dot(not_happened))


def _dot(one: Floats, other: Floats | float = 1.0) -> float:
    return float(np.sum(one * other))


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else float("nan")
