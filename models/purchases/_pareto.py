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
# relative change of log(1 + wait) below which Newton's method has arrived
_SETTLED: Final = 1e-11


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
        """Invert `next_if_alive` by Newton's method, from a start that is all but right."""
        shape = np.broadcast(frequency, T, probability).shape
        x, age, wanted = (np.ravel(np.broadcast_to(v, shape)) for v in _floats(frequency, T, probability))
        result = self._near_wait(x, age, wanted)
        rows = np.flatnonzero(np.isfinite(result))
        # `_ever` is cut off far out, where it may still count: what is asked for has the last word
        for _ in range(_NEWTON_STEPS):
            alpha, beta, shape_of = self.alpha + age[rows], self.beta + age[rows], self.r + x[rows]
            wait = result[rows]
            log_wait = np.log1p(wait / alpha)
            missing = wanted[rows] - self.next_if_alive(x[rows], age[rows], wait)
            slope = shape_of * np.exp(-shape_of * log_wait - self.s * np.log1p(wait / beta))
            step = missing / np.maximum(slope, 1e-300)
            moving = np.abs(step) > _SETTLED * (1 + log_wait)
            result[rows[moving]] = (alpha * np.expm1(log_wait + step))[moving]
            rows = rows[moving]
            if not len(rows):
                break
        return result.reshape(shape)

    def _near_wait(self, x: FloatArray, age: FloatArray, wanted: FloatArray) -> FloatArray:
        """Invert on what is missing to a purchase at any time; inf where it never gets there.

        A purchase later than y needs silence till y, and one ever after: its probability is that of silence
        times `_ever` at T + y. The logarithm of it is nearly straight in log(1 + y / (alpha + T)), far out
        too, where the probability itself is flat and Newton's method would crawl.
        """
        result = np.full(x.shape, np.inf)
        ever_now = self._ever(x, age)
        rows = np.flatnonzero(ever_now > wanted)
        alpha = self.alpha + age
        longest = np.log1p(_FOREVER * (alpha + self.beta + age) / alpha)
        missing = -np.log(np.where(ever_now > wanted, ever_now - wanted, 1.0))
        log_wait = np.minimum((missing + np.log(ever_now)) * ever_now / (self.r + x), longest)
        low, high = np.zeros(x.shape), longest.copy()
        for _ in range(_NEWTON_STEPS):
            now, shape = log_wait[rows], self.r + x[rows]
            wait = alpha[rows] * np.expm1(now)
            ever = self._ever(x[rows], age[rows] + wait)
            silence = shape * now + self.s * np.log1p(wait / (self.beta + age[rows]))
            short = missing[rows] - silence + np.log(ever)
            low[rows] = np.where(short > 0, now, low[rows])
            high[rows] = np.where(short > 0, high[rows], now)
            step = now + short * ever / shape
            inside = (step >= low[rows]) & (step <= high[rows])
            log_wait[rows] = np.where(inside, step, (low[rows] + high[rows]) / 2)
            settled = np.abs(log_wait[rows] - now) <= _SETTLED * (1 + now)
            result[rows] = np.where(
                log_wait[rows] < longest[rows], alpha[rows] * np.expm1(log_wait[rows]), np.inf
            )
            rows = rows[~settled]
            if not len(rows):
                break
        return result

    def _ever(self, x: FloatArray, age: FloatArray) -> FloatArray:
        """Probability of any further purchase, given alive at `age`."""
        return np.minimum(self.next_if_alive(x, age, np.inf), 1.0)

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
