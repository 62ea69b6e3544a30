"""What a buy-till-you-die process can be asked, at given parameters, on plain arrays.

A process is the mathematics of a model without data: closed forms that take (frequency, recency, T) arrays of
one shape and answer in the same shape. Estimators wrap it for frames; intervals call it for drawn parameters.

Belongs here: the questions. Does not belong here: fitting, frames, JSON, any one model's formula.
"""

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from models.purchases._scenarios import Fates, Scenario

FloatArray = npt.NDArray[np.float64]
Numbers = FloatArray | float


class PurchaseProcess(ABC):
    """Purchases of customers who buy at a rate of their own until they leave, unseen.

    Times share one unit. All methods broadcast; none overflows for any finite history.
    """

    @abstractmethod
    def alive(self, frequency: Numbers, recency: Numbers, T: Numbers) -> FloatArray:
        """Probability of not having left by T."""

    @abstractmethod
    def expected(self, frequency: Numbers, recency: Numbers, T: Numbers, horizon: Numbers) -> FloatArray:
        """Give the expected purchases in (T, T + horizon]."""

    @abstractmethod
    def next_if_alive(self, frequency: Numbers, T: Numbers, horizon: Numbers) -> FloatArray:
        """Probability of at least one purchase in (T, T + horizon], given alive at T."""

    @abstractmethod
    def wait_if_alive(self, frequency: Numbers, T: Numbers, probability: Numbers) -> FloatArray:
        """Horizon by which `next_if_alive` reaches `probability`; inf where it never does."""

    @abstractmethod
    def count_if_alive(self, frequency: Numbers, T: Numbers, horizon: float, n: int) -> FloatArray:
        """Probability of exactly n purchases in (T, T + horizon], given alive at T."""

    @abstractmethod
    def fates(self, scenario: Scenario, frequency: FloatArray) -> Fates:
        """Read a scenario for customers alive at T with the given frequencies."""

    @abstractmethod
    def purchases_if_alive(
        self, fates: Fates, scenario: Scenario, T: FloatArray, horizon: float
    ) -> FloatArray:
        """Count the purchases in (T, T + horizon] that the fates bring, given alive at T."""

    def at_least_one(self, frequency: Numbers, recency: Numbers, T: Numbers, horizon: Numbers) -> FloatArray:
        """Probability of a purchase in (T, T + horizon]: equals 1 - L(x, t_x, T + horizon) / L(x, t_x, T)."""
        return self.alive(frequency, recency, T) * self.next_if_alive(frequency, T, horizon)

    def wait(self, frequency: Numbers, recency: Numbers, T: Numbers, quantile: float) -> FloatArray:
        """Horizon by which the next purchase has happened with probability `quantile`; inf where never."""
        alive = self.alive(frequency, recency, T)
        reachable = alive > quantile
        share = np.where(reachable, quantile / np.where(reachable, alive, 1.0), 0.5)
        return np.where(reachable, self.wait_if_alive(frequency, T, share), np.inf)

    def count(self, frequency: Numbers, recency: Numbers, T: Numbers, horizon: float, n: int) -> FloatArray:
        """Probability of exactly n purchases in (T, T + horizon]."""
        alive = self.alive(frequency, recency, T)
        gone = (1.0 - alive) if n == 0 else 0.0
        return alive * self.count_if_alive(frequency, T, horizon, n) + gone

    def purchases(
        self,
        fates: Fates,
        scenario: Scenario,
        frequency: FloatArray,
        recency: FloatArray,
        T: FloatArray,
        horizon: float,
    ) -> FloatArray:
        """Count the purchases in (T, T + horizon] of each customer in one scenario; `fates` has a row each."""
        counts = self.purchases_if_alive(fates, scenario, T, horizon)
        # many histories bring none anyway: whether they are alive need not be asked
        some = np.flatnonzero(counts)
        gone = scenario.alive >= self.alive(frequency[some], recency[some], T[some])
        counts[some[gone]] = 0.0
        return counts
