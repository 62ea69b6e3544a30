"""Making probabilities mean what they say, on customers that the model was not fitted on.

Two ways. *Sigmoid*: a logistic regression on the log-odds; two numbers, keeps the order of people, never says 0 or 1.
*Isotonic*: a rising step curve; bends wherever the data do, so it needs thousands of customers, and makes ties.

What does not belong here: which customers those are (`models._time_split`).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from models._boosting import isotonic, sigmoid
from models._model_json import number
from models.errors import ApproximationWarning

__all__ = ["Calibration", "Method", "calibrated"]

FloatArray = npt.NDArray[np.float64]
Method = Literal["sigmoid", "isotonic"]

_SMALLEST: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Calibration:
    """A curve from predicted to calibrated probability.

    Attributes
    ----------
    method
    slope, intercept
        Of the sigmoid on log-odds; 1 and 0 change nothing. NaN for isotonic.
    corners
        Of the isotonic curve: predicted, calibrated. Empty for the sigmoid.
    """

    method: Method
    slope: float
    intercept: float
    corners: tuple[FloatArray, FloatArray]

    def apply(self, probability: FloatArray) -> FloatArray:
        """Calibrate probabilities."""
        if self.method == "sigmoid":
            return expit(self.intercept + self.slope * _log_odds(probability))
        return np.interp(probability, *self.corners)

    def content(self) -> dict[str, object]:
        """What is stored of it, for JSON."""
        return {
            "method": self.method,
            "slope": self.slope,
            "intercept": self.intercept,
            "corners": [corner.tolist() for corner in self.corners],
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Read what `content` gave."""
        predicted, told = (np.array(corner, np.float64) for corner in content["corners"])
        return cls(
            content["method"], number(content["slope"]), number(content["intercept"]), (predicted, told)
        )


def calibrated(
    method: Method, probability: FloatArray, happened: FloatArray, *, stacklevel: int
) -> Calibration:
    """Learn the curve from probabilities and what happened.

    Warns
    -----
    ApproximationWarning
        The probabilities say nothing about what happened: everybody gets the share of those to whom it happened.
    """
    none = np.empty(0)
    if method == "isotonic":
        return Calibration(method, np.nan, np.nan, _inside(isotonic(probability, happened), len(happened)))
    log_odds = _log_odds(probability)
    slope, intercept = sigmoid(log_odds, happened) if np.ptp(log_odds) > 0 else (0.0, 0.0)
    if slope <= 0:
        share = float(happened.mean())
        warnings.warn(
            f"On the {len(happened):,} customers held back the predictions have no skill (slope {slope:.3g}): "
            f"everybody gets {share:.3f}.",
            ApproximationWarning,
            stacklevel=stacklevel,
        )
        slope, intercept = 0.0, float(np.log(share / (1 - share)))
    return Calibration(method, slope, intercept, (none, none))


def _log_odds(probability: FloatArray) -> FloatArray:
    inside = np.clip(probability, _SMALLEST, 1 - _SMALLEST)
    return np.log(inside) - np.log1p(-inside)


def _inside(corners: tuple[FloatArray, FloatArray], n: int) -> tuple[FloatArray, FloatArray]:
    """Keep off 0 and 1: from n customers nobody can tell less than one in n + 2 (Laplace)."""
    predicted, told = corners
    return predicted, np.clip(told, 1 / (n + 2), (n + 1) / (n + 2))
