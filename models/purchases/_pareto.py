"""The process of Pareto/NBD: Poisson purchases until an exponential lifetime ends.

Schmittlein, Morrison & Colombo (1987), "Counting Your Customers: Who Are They and What Will They Do Next?",
Management Science 33 (1); derivations as in Fader & Hardie (2005), note 009, and (2014), note 028, with their
hypergeometric functions replaced by one positive integral (`_decay_integral`).

Belongs here: closed forms, integrals and draws at given parameters. Does not belong here: the likelihood and
its gradient (`_pareto_likelihood`), frames.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit, gammaincinv, gammaln

from models.purchases._decay_integral import decay_integral
from models.purchases._process import FloatArray, Numbers, PurchaseProcess
from models.purchases._scenarios import Fates, Scenario, count_arrivals

# "never": nobody lives a million times the longest time scale of the model
_FOREVER: Final = 1e6
_NEWTON_STEPS: Final = 40


@dataclass(frozen=True, slots=True)
class ParetoProcess(PurchaseProcess):
    """Purchase rates are Gamma(r, alpha), rates of leaving Gamma(s, beta); alpha and beta in time units."""

    r: float
    alpha: float
    s: float
    beta: float

    def alive(self, frequency: Numbers, recency: Numbers, T: Numbers) -> FloatArray:
        """Probability of not having left: note 009, eq. 11, on the log-odds."""
        x, t_x, age = _floats(frequency, recency, T)
        shape = self.r + x
        alpha, beta = self.alpha + t_x, self.beta + t_x
        silent = np.maximum(age - t_x, 0.0)
        left_since = decay_integral(shape, alpha, self.s + 1, beta, silent)
        with np.errstate(divide="ignore"):
            log_odds_gone: FloatArray = (
                np.log(self.s * left_since / beta)
                + shape * np.log1p(silent / alpha)
                + self.s * np.log1p(silent / beta)
            )
        return np.asarray(expit(-log_odds_gone), dtype=np.float64)

    def expected_if_alive(self, frequency: Numbers, T: Numbers, horizon: Numbers) -> FloatArray:
        """Give expected purchases: note 009, eq. 41; s = 1 is no exception."""
        x, age, ahead = _floats(frequency, T, horizon)
        log_growth = np.log1p(ahead / (self.beta + age))
        lifetime = log_growth if self.s == 1 else -np.expm1((1 - self.s) * log_growth) / (self.s - 1)
        rate = (self.r + x) / (self.alpha + age)
        return rate * (self.beta + age) * lifetime

    def time_scale(self, T: Numbers) -> FloatArray:
        """Give beta + T."""
        return self.beta + np.asarray(T, dtype=np.float64)

    def next_if_alive(self, frequency: Numbers, T: Numbers, horizon: Numbers) -> FloatArray:
        """Integrate the density of the next purchase before leaving."""
        x, age, ahead = _floats(frequency, T, horizon)
        alpha, shape = self.alpha + age, self.r + x
        return shape / alpha * decay_integral(shape + 1, alpha, self.s, self.beta + age, ahead)

    def wait_if_alive(self, frequency: Numbers, T: Numbers, probability: Numbers) -> FloatArray:
        """Invert `next_if_alive` by Newton's method on log(1 + t / (alpha + T)), kept inside a bracket."""
        x, age, wanted = np.broadcast_arrays(*_floats(frequency, T, probability))
        shape, alpha, beta = self.r + x, self.alpha + age, self.beta + age
        result = np.full(x.shape, np.inf)
        high = np.log1p(_FOREVER * (alpha + beta) / alpha)
        open_rows = np.nonzero(self.next_if_alive(x, age, alpha * np.expm1(high)) >= wanted)
        x, age, wanted, shape, alpha, beta, high = (
            values[open_rows] for values in (x, age, wanted, shape, alpha, beta, high)
        )
        low = np.zeros(x.shape)
        # the wait of somebody who never leaves is the shortest possible
        log_wait = np.minimum(-np.log1p(-wanted) / shape, high)
        for _ in range(_NEWTON_STEPS):
            wait = alpha * np.expm1(log_wait)
            missing = wanted - self.next_if_alive(x, age, wait)
            low, high = np.where(missing > 0, log_wait, low), np.where(missing > 0, high, log_wait)
            slope = shape * np.exp(-shape * log_wait - self.s * np.log1p(wait / beta))
            step = log_wait + missing / np.maximum(slope, 1e-300)
            settled = np.where((step >= low) & (step <= high), step, (low + high) / 2)
            moving = np.abs(settled - log_wait) > 1e-11 * (1 + log_wait)
            log_wait = settled
            if not moving.any():
                break
        result[open_rows] = alpha * np.expm1(log_wait)
        return result

    def count_if_alive(self, frequency: Numbers, T: Numbers, horizon: float, n: int) -> FloatArray:
        """Count n purchases while staying, or before leaving within the horizon: note 028, eq. 16."""
        x, age = _floats(frequency, T)
        shape, alpha, beta = self.r + x, self.alpha + age, self.beta + age
        ways = gammaln(shape + n) - gammaln(shape) - gammaln(n + 1)
        with np.errstate(divide="ignore"):
            log_share = np.log(horizon / (alpha + horizon))
        survive = -shape * np.log1p(horizon / alpha) - self.s * np.log1p(horizon / beta)
        stayed = np.exp(ways + survive + (n * log_share if n else 0.0))
        left = self.s / beta * decay_integral(shape, alpha, self.s + 1, beta, horizon, n=n, nodes=48)
        return stayed + np.exp(ways) * left

    def fates(self, scenario: Scenario, frequency: FloatArray) -> Fates:
        """Give everybody a rate and a lifetime."""
        leaving = max(float(gammaincinv(self.s, scenario.leave)), 1e-300)
        lifetime = np.full(frequency.shape, -np.log(scenario.last) / leaving)
        rate: FloatArray = gammaincinv(self.r + frequency, scenario.rate).astype(np.float64)
        return Fates(rate, np.full(frequency.shape, np.inf), lifetime)

    def purchases_if_alive(
        self, fates: Fates, scenario: Scenario, T: FloatArray, horizon: float
    ) -> FloatArray:
        """Count arrivals over what is left of the lifetime."""
        time = np.minimum(horizon, fates.lifetime * (self.beta + T))
        return count_arrivals(scenario.arrivals, fates.rate * time / (self.alpha + T))


def _floats(*values: Numbers) -> list[FloatArray]:
    return [np.asarray(value, dtype=np.float64) for value in values]
