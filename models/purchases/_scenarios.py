"""Scenarios: random numbers that turn a history into one possible future, the same numbers for everybody.

A scenario holds uniform numbers (how fast, still here, when to leave) and one path of arrivals. Each customer's
future is their own function of them, so drawing costs nothing per customer, an interval depends on the customer
and the seed but not on who else is in the shop, and like customers get like intervals. Uniform numbers are
stratified over the scenarios, which places quantiles better than independent ones.

Belongs here: the random numbers. Does not belong here: what a model makes of them (`_process` and its kinds).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# beyond that many purchases within a horizon the count is as good as its mean
_PATH: Final = 2_048


@dataclass(frozen=True, slots=True)
class Scenario:
    """One possible future. `rate`, `alive`, `leave`, `last` and `spend` are uniform in (0, 1)."""

    rate: float
    alive: float
    leave: float
    last: float
    spend: float
    arrivals: FloatArray
    """Times of the purchases of somebody who buys once per unit of time, for ever."""


@dataclass(frozen=True, slots=True)
class Fates:
    """What becomes of customers in one scenario, in units of their own scale.

    Attributes
    ----------
    rate
        Purchases per unit of time, to be divided by alpha + T.
    last
        Purchase after which they leave, inf for never.
    lifetime
        Time until they leave, to be multiplied by the model's second time scale + T; inf for never.
    """

    rate: FloatArray
    last: FloatArray
    lifetime: FloatArray

    def take(self, rows: npt.NDArray[np.intp]) -> "Fates":
        """Give each row the fate of its frequency."""
        return Fates(self.rate[rows], self.last[rows], self.lifetime[rows])


def draw_scenarios(rng: np.random.Generator, scenarios: int) -> list[Scenario]:
    """Draw scenarios, their uniform numbers stratified."""
    uniform = np.column_stack(
        [(rng.permutation(scenarios) + rng.random(scenarios)) / scenarios for _ in range(5)]
    )
    arrivals = np.cumsum(rng.standard_exponential((scenarios, _PATH)), axis=1)
    return [Scenario(*(float(value) for value in uniform[j]), arrivals=arrivals[j]) for j in range(scenarios)]


def count_arrivals(arrivals: FloatArray, until: FloatArray) -> FloatArray:
    """Count the arrivals up to each time; past the end of the path, time itself is the count."""
    counted = np.searchsorted(arrivals, until, side="right").astype(np.float64)
    return np.where(until > arrivals[-1], np.round(until), counted)
