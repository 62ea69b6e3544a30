"""What a buy-till-you-die process can be asked, at given parameters, on plain arrays.

A process is the mathematics of a model without data: closed forms that take (frequency, recency, T) arrays of
one shape and answer in the same shape. Estimators wrap it for frames; intervals call it for drawn parameters.

Belongs here: the questions. Does not belong here: fitting, frames, JSON, any one model's formula.
"""

from abc import ABC, abstractmethod
from typing import Final

import numpy as np
import numpy.typing as npt

from models.purchases._decay_integral import gauss_legendre
from models.purchases._scenarios import Fates, Scenario

FloatArray = npt.NDArray[np.float64]
Numbers = FloatArray | float

# a purchase at rate * t = 50 is worth e^-50 < 2e-22
_NEGLIGIBLE: Final = 50.0
_NODES: Final = 64


class PurchaseProcess(ABC):
    """Purchases of customers who buy at a rate of their own until they leave, unseen.

    Times share one unit. All methods broadcast; none overflows for any finite history.
    """

    @abstractmethod
    def alive(self, frequency: Numbers, recency: Numbers, T: Numbers) -> FloatArray:
        """Probability of not having left by T."""

    @abstractmethod
    def expected_if_alive(self, frequency: Numbers, T: Numbers, horizon: Numbers) -> FloatArray:
        """Give the expected purchases in (T, T + horizon], given alive at T."""

    @abstractmethod
    def time_scale(self, T: Numbers) -> FloatArray:
        """Time over which `expected_if_alive` bends: it is smooth in the logarithm of 1 + horizon / scale."""

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

    def expected(self, frequency: Numbers, recency: Numbers, T: Numbers, horizon: Numbers) -> FloatArray:
        """Give the expected purchases in (T, T + horizon]."""
        return self.expected_if_alive(frequency, T, horizon) * self.alive(frequency, recency, T)

    def discounted_if_alive(self, frequency: Numbers, T: Numbers, rate: float) -> FloatArray:
        """Give all future purchases, each worth exp(-rate t), given alive at T; `rate` > 0 is continuous.

        By parts it is the mean of `expected_if_alive` over an exponential horizon, finite for every rate > 0:
        Gauss-Legendre in log(1 + t / scale), where nothing is ever negative. For Pareto/NBD it equals Fader,
        Hardie & Lee (2005), "RFM and CLV", Journal of Marketing Research 42, 415-430, whose Tricomi function
        U(s, s, .) SciPy gives as nan from s = 20 on. For BG/NBD no closed form is in use.
        """
        total = np.zeros(np.broadcast(frequency, T).shape)
        scale = self.time_scale(T)
        span = np.log1p(_NEGLIGIBLE / (rate * scale))
        for at, weight in zip(*gauss_legendre(_NODES), strict=True):
            until = scale * np.expm1(span * at)
            density = rate * np.exp(-rate * until) * span * (scale + until)
            total += weight * density * self.expected_if_alive(frequency, T, until)
        return total

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
