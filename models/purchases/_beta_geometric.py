"""The process of BG/NBD and MBG/NBD: Poisson purchases, a chance to leave at certain moments.

The two models differ in one thing: after x repeat purchases a BG/NBD customer has had k = x chances to leave,
an MBG/NBD customer k = x + 1, because the first purchase counts too. Every formula below holds for both with
that k, from Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way", Marketing Science 24 (2), and
Batislam, Denizel & Filiztekin (2007), IJRM 24 (3), with the erratum of Wagner & Hoppe (2008).

Belongs here: closed forms and draws at given parameters. Does not belong here: the likelihood and its
gradient (`_beta_geometric_likelihood`), frames.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import betaincinv, betaln, expit, gammaincinv, gammaln, hyp2f1

from models.purchases._process import FloatArray, Numbers, PurchaseProcess
from models.purchases._scenarios import Fates, Scenario, count_arrivals

# nearer than this to a = 1 or a + b = 1 the closed form is 0/0 in its last digits
_TOO_NEAR: Final = 1e-4
_STEP_AROUND: Final = 1e-3
_WHOLE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class BetaGeometricProcess(PurchaseProcess):
    """BG/NBD (`first_chance` 0) or MBG/NBD (`first_chance` 1).

    Purchase rates are Gamma(r, alpha) (alpha in time units), chances to leave are Beta(a, b).
    """

    r: float
    alpha: float
    a: float
    b: float
    first_chance: int

    def alive(self, frequency: Numbers, recency: Numbers, T: Numbers) -> FloatArray:
        """Probability of not having left: Fader, Hardie & Lee, note 021; MBG/NBD: Batislam et al., eq. 5."""
        x, t_x, age = (np.asarray(value, dtype=np.float64) for value in (frequency, recency, T))
        chances = x + self.first_chance
        stayed = np.maximum(self.b + chances - 1, 1e-300)
        log_odds_gone: FloatArray = (
            np.log(self.a) - np.log(stayed) + (self.r + x) * np.log((self.alpha + age) / (self.alpha + t_x))
        )
        return np.where(chances > 0, expit(-log_odds_gone), 1.0)

    def expected_if_alive(self, frequency: Numbers, T: Numbers, horizon: Numbers) -> FloatArray:
        """Give expected purchases: Fader, Hardie & Lee (2005), eq. 10; MBG: Wagner & Hoppe (2008).

        Removable singularities (a = 1, a + b = 1) are stepped over by a cubic through four neighbours. The
        same where r - a is a whole number: SciPy's 2F1 then loses all digits for some z near 1.
        """
        near = min(abs(self.a - 1), abs(self.a + self.b + self.first_chance - 1))
        if near > _TOO_NEAR and abs(self.r - self.a - round(self.r - self.a)) > _WHOLE:
            return self._closed_form(self.a, self.b, frequency, T, horizon)

        def beside(steps: int) -> FloatArray:
            shift = steps * _STEP_AROUND
            return self._closed_form(self.a * (1 + shift), self.b * (1 + shift), frequency, T, horizon)

        return (4 * (beside(1) + beside(-1)) - (beside(2) + beside(-2))) / 6

    def _closed_form(
        self, a: float, b: float, frequency: Numbers, T: Numbers, horizon: Numbers
    ) -> FloatArray:
        """Evaluate after Euler's transformation: x stands in the third parameter only, so no x overflows."""
        x = np.asarray(frequency, dtype=np.float64)
        start = self.alpha + np.asarray(T, dtype=np.float64)
        z = horizon / (start + horizon)
        c = a + b + x + self.first_chance - 1
        with np.errstate(over="ignore", invalid="ignore"):
            hypergeometric = hyp2f1(a + b + self.first_chance - 1 - self.r, a - 1, c, z)
            value = c / (a - 1) * (1 - np.exp((a - 1) * np.log1p(-z)) * hypergeometric)
        # 2F1 leaves the range of floats only where a is so large that all leave with chance a/(c + 1)
        leaving = a / (c + 1)
        known = -np.expm1(-(self.r + x) * np.log1p(leaving * horizon / start)) / leaving
        return np.maximum(np.where(np.isfinite(value), value, known), 0.0)

    def time_scale(self, T: Numbers) -> FloatArray:
        """Give alpha + T."""
        return self.alpha + np.asarray(T, dtype=np.float64)

    def next_if_alive(self, frequency: Numbers, T: Numbers, horizon: Numbers) -> FloatArray:
        """One minus the Lomax survival function: the rate is Gamma(r + x, alpha + T)."""
        x, age = np.asarray(frequency, dtype=np.float64), np.asarray(T, dtype=np.float64)
        return -np.expm1(-(self.r + x) * np.log1p(horizon / (self.alpha + age)))

    def wait_if_alive(self, frequency: Numbers, T: Numbers, probability: Numbers) -> FloatArray:
        """Lomax quantile."""
        x, age = np.asarray(frequency, dtype=np.float64), np.asarray(T, dtype=np.float64)
        with np.errstate(over="ignore"):
            return (self.alpha + age) * np.expm1(-np.log1p(-np.asarray(probability)) / (self.r + x))

    def count_if_alive(self, frequency: Numbers, T: Numbers, horizon: float, n: int) -> FloatArray:
        """Fader, Hardie & Lee (2005), eq. 8, with the posterior of the rate and of the chance to leave."""
        x = np.asarray(frequency, dtype=np.float64)
        shape, rate = self.r + x, self.alpha + np.asarray(T, dtype=np.float64)
        b = self.b + x + self.first_chance
        none = -shape * np.log1p(horizon / rate)
        with np.errstate(divide="ignore"):
            log_share = np.log(horizon / (rate + horizon))

        def poisson(j: int) -> FloatArray:
            """Probability of j purchases of somebody who never leaves."""
            counted = gammaln(shape + j) - gammaln(shape) - gammaln(j + 1) + none
            return np.exp(counted + j * log_share if j else counted)

        stayed = np.exp(betaln(self.a, b + n) - betaln(self.a, b)) * poisson(n)
        if n == 0:
            return stayed
        more = np.maximum(1.0 - sum(poisson(j) for j in range(n)), 0.0)
        return stayed + np.exp(betaln(self.a + 1, b + n - 1) - betaln(self.a, b)) * more

    def fates(self, scenario: Scenario, frequency: FloatArray) -> Fates:
        """Give everybody a rate and the purchase after which they leave."""
        leaving = betaincinv(self.a, self.b + self.first_chance + frequency, scenario.leave)
        with np.errstate(divide="ignore"):
            last = 1 + np.floor(np.log(scenario.last) / np.log1p(-np.clip(leaving, 1e-12, 1 - 1e-15)))
        rate = gammaincinv(self.r + frequency, scenario.rate).astype(np.float64)
        return Fates(rate, last, np.full(frequency.shape, np.inf))

    def purchases_if_alive(
        self, fates: Fates, scenario: Scenario, T: FloatArray, horizon: float
    ) -> FloatArray:
        """Count arrivals, cut off at the last."""
        until = fates.rate * horizon / (self.alpha + T)
        return np.minimum(count_arrivals(scenario.arrivals, until), fates.last)
