"""What an interval is made of: its settings, and parameters drawn around their estimates.

Belongs here: settings and parameter draws shared by all prediction intervals. Does not belong here: what is
computed at the drawn parameters (`models._clv_intervals`, `models.purchase_bounds`), intervals of observed
rates (`models.intervals`).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import ApproximationWarning

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """Settings of prediction intervals.

    Parameters
    ----------
    draws
        Simulations; 200 place a 90 % bound within about 2 points of its level.
    level
        Share of customers whose outcome should fall inside, 0.90 by default.
    seed
        Of the random numbers: the same seed and customers give the same intervals.
    predictive
        True for intervals of what a customer will do, False for intervals of the expectation.
    """

    draws: int = 200
    level: float = 0.90
    seed: int = 0
    predictive: bool = True

    def __post_init__(self) -> None:
        if self.draws < 20:
            raise ValueError("draws must be at least 20; 200 is a good number.")
        if not 0 < self.level < 1:
            raise ValueError("level must lie between 0 and 1, e.g. 0.90.")


def draw_parameters(
    rng: np.random.Generator,
    estimates: Sequence[float],
    log_covariance: FloatArray,
    draws: int,
    *,
    model: str,
) -> FloatArray:
    """Draw parameters from the normal distribution of their logarithms.

    Returns
    -------
    (draws, k) array
        On the natural scale.

    Warns
    -----
    ApproximationWarning
        The covariance is unknown: every draw is then the estimate.
    """
    centre = np.log(np.array(estimates))
    covariance = log_covariance
    if not bool(np.all(np.isfinite(covariance))):
        warnings.warn(
            f"The covariance of the {model} model's parameters is unknown, so the intervals leave their "
            "uncertainty out; fit the model, or give from_parameters a log_covariance.",
            ApproximationWarning,
            stacklevel=4,
        )
        covariance = np.zeros_like(covariance)
    logs = rng.multivariate_normal(centre, covariance, size=draws, method="eigh")
    return np.exp(np.clip(logs, centre - 10, centre + 10))
