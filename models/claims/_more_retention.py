"""What more retention does to a buy-till-you-die model: more customers stay after an order, nothing else changes.

In BG/NBD and MBG/NBD everybody has a chance to leave after an order, Beta(a, b) over customers, so the mean chance to
stay is b / (a + b). More retention moves that mean and keeps a + b, which says how much customers differ: the model
stays in its family and every closed form holds. How fast people buy while they are customers does not change.

What does not belong here: money (`models.claims.retained_profit`), and models without a chance to stay after an order
(Pareto/NBD).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.purchases import BetaGeo, ModifiedBetaGeo

__all__ = [
    "MOST_STAYING",
    "RetentionChange",
    "StayingModel",
    "discounted_repeats",
    "expected_repeats",
    "repurchase_rate",
    "stay_chance",
]

FloatArray = npt.NDArray[np.float64]
StayingModel = BetaGeo | ModifiedBetaGeo

MOST_STAYING: Final = 0.999
"""Nobody can stay with more than certainty; a change that asks for more is cut here (ours)."""
_STEP_DAYS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionChange:
    """By how much the mean chance to stay after an order changes.

    Attributes
    ----------
    amount
        0.05 is 5 % of the chance, or 5 points.
    is_points
        Added to the chance; otherwise the chance is multiplied by 1 + amount.
    """

    amount: float
    is_points: bool = False

    def applied(self, chance: float) -> float:
        """Give the chance after the change, at most `MOST_STAYING`."""
        wanted = chance + self.amount if self.is_points else chance * (1 + self.amount)
        return min(max(wanted, 0.0), max(MOST_STAYING, chance))

    def is_cut(self, chance: float) -> bool:
        """Say whether the change asks for more than there is."""
        return (chance + self.amount if self.is_points else chance * (1 + self.amount)) > MOST_STAYING

    def parameters(self, parameters: FloatArray) -> FloatArray:
        """Move the mean of Beta(a, b) in (r, alpha, a, b) and keep a + b."""
        r, alpha, a, b = (float(value) for value in parameters)
        chance = self.applied(stay_chance(parameters))
        return np.array([r, alpha, (a + b) * (1 - chance), (a + b) * chance])


def stay_chance(parameters: FloatArray) -> float:
    """Mean chance of a new customer to stay after an order: b / (a + b) of (r, alpha, a, b)."""
    return float(parameters[3] / (parameters[2] + parameters[3]))


def repurchase_rate(model: StayingModel, parameters: FloatArray, days: float) -> float:
    """Share of new customers with a second order day within so many days."""
    return float(model.process_at(parameters).at_least_one(0.0, 0.0, 0.0, days))


def discounted_repeats(
    model: StayingModel, parameters: FloatArray, horizon_days: float, annual_discount: float
) -> float:
    """Repeat order days of a new customer within a horizon, each worth less the later it is.

    Steps of at most 30 days; what falls into one is discounted to its middle.
    """
    steps = max(int(np.ceil(horizon_days / _STEP_DAYS)), 1)
    edges = np.linspace(0.0, horizon_days, steps + 1)
    process = model.process_at(parameters)
    expected = np.concatenate(
        [[0.0], process.expected(np.zeros(steps), np.zeros(steps), np.zeros(steps), edges[1:])]
    )
    worth = (1 + annual_discount) ** (-(edges[1:] + edges[:-1]) / 2 / 365)
    return float(np.diff(expected) @ worth)


def expected_repeats(
    model: StayingModel,
    parameters: FloatArray,
    changed: FloatArray,
    history: tuple[FloatArray, FloatArray, FloatArray],
    days: float,
) -> FloatArray:
    """Order days of known customers in the days to come, if from now on they stay as `changed` says.

    Who is still a customer today was decided under the old chance, what comes under the new one.

    Parameters
    ----------
    history
        frequency, recency and T of each customer, in days.
    """
    frequency, recency, age = history
    alive = model.process_at(parameters).alive(frequency, recency, age)
    return alive * model.process_at(changed).expected_if_alive(frequency, age, days)
