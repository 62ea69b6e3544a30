"""Log-likelihood of the Gamma-Gamma model with its analytic gradient.

Fader & Hardie (2013), note 025, eq. 1a, for x repeat order days with mean spend m:

    L = G(p x + q) / (G(p x) G(q)) * v^q x^(p x) m^(p x - 1) / (v + x m)^(p x + q)

Gamma functions depend on x alone: they are taken once per distinct x.

Does not belong here: the optimiser, guards, predictions.
"""

import numpy as np
from scipy.special import digamma, gammaln

from models._maximum_likelihood import LogLikelihood
from models._spends import FloatArray, Spends


def gamma_gamma_log_likelihood(spends: Spends) -> LogLikelihood:
    """Build the log-likelihood by (log p, log q, log v), v in the unit of the spends."""
    x, weight = spends.frequency, spends.weight
    total_spend = x * spends.mean_spend
    counts, row = np.unique(x, return_inverse=True)
    customers = np.bincount(row, weights=weight)
    total = float(weight.sum())
    log_total_spend = np.log(total_spend)
    # sums rather than dot products: those use threads, and then differ in their last bits between machines
    weighted_log_spend = float(np.sum(weight * x * log_total_spend))
    constant = -float(np.sum(weight * np.log(spends.mean_spend)))

    def evaluate(theta: FloatArray) -> tuple[float, FloatArray]:
        p, q, v = (float(value) for value in np.exp(theta))
        shape, posterior = p * counts, p * counts + q
        weighted_log_rate = weight * np.log(v + total_spend)
        posterior_of_row = posterior[row]
        value = (
            float(customers @ (gammaln(posterior) - gammaln(shape)))
            + total * (q * np.log(v) - float(gammaln(q)))
            + p * weighted_log_spend
            + constant
            - float(np.sum(posterior_of_row * weighted_log_rate))
        )
        gradient = np.array(
            [
                (customers * counts) @ (digamma(posterior) - digamma(shape))
                + weighted_log_spend
                - np.sum(x * weighted_log_rate),
                customers @ digamma(posterior) + total * (np.log(v) - digamma(q)) - np.sum(weighted_log_rate),
                total * q / v - np.sum(weight * posterior_of_row / (v + total_spend)),
            ]
        )
        return value, gradient * np.exp(theta)

    return evaluate
