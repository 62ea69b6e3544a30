"""Log-likelihood of BG/NBD and MBG/NBD on distinct weighted histories, with its analytic gradient.

Fader, Hardie & Lee (2005), eq. 6; MBG/NBD: Batislam, Denizel & Filiztekin (2007), eq. 4. With k chances to
leave (see `_beta_geometric`), S = r + x and B the Beta function:

    L = G(S) alpha^r / G(r) * B(a, b + k) / B(a, b)
        * [ (alpha + T)^-S + (k > 0) a / (b + k - 1) (alpha + t_x)^-S ]

Gamma functions depend on x alone: they are taken once per distinct x. A history costs three logarithms, one
exponential and two divisions, in blocks that stay in the processor's cache.

Does not belong here: the optimiser, predictions.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from scipy.special import digamma, gammaln

from models._maximum_likelihood import LogLikelihood
from models.purchases._histories import FloatArray, Histories

# under 10,000 elements a dot product stays in one thread: faster on a busy machine, and the same bits on any
_BLOCK: Final = 8_192


def beta_geometric_log_likelihood(histories: Histories, first_chance: int) -> LogLikelihood:
    """Build the log-likelihood by (log r, log alpha, log a, log b), times in the unit of the histories."""
    counts, row = np.unique(histories.frequency, return_inverse=True)
    chances = counts + first_chance
    customers = np.bincount(row, weights=histories.weight)
    total = float(histories.weight.sum())
    could_leave = chances > 0
    blocks = list(_blocks(histories, row))

    def evaluate(theta: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, a, b = (float(value) for value in np.exp(theta))
        shape = r + counts
        log_ratio = np.full_like(counts, -np.inf)
        log_ratio[could_leave] = np.log(a) - np.log(b + chances[could_leave] - 1)

        value = mean_log = mean_inverse = 0.0
        gone = np.zeros_like(counts)
        for t_x, age, weight, index in blocks:
            shapes = shape[index]
            from_age, from_recency = 1 / (alpha + age), 1 / (alpha + t_x)
            log_age = np.log(alpha + age)
            since = log_age - np.log(alpha + t_x)
            log_odds_gone = log_ratio[index] + shapes * since
            # 1 / (1 + e^-d) and log(1 + e^d) without overflow
            small = np.exp(-np.abs(log_odds_gone))
            weight_gone = weight * np.where(log_odds_gone > 0, 1.0, small) / (1 + small)
            softplus = np.maximum(log_odds_gone, 0.0) + np.log(1 + small)
            value += float(weight @ (softplus - shapes * log_age))
            mean_log += float(weight @ log_age - weight_gone @ since)
            mean_inverse += float(shapes @ (weight * from_age + weight_gone * (from_recency - from_age)))
            gone += np.bincount(index, weights=weight_gone, minlength=len(counts))

        gammas = gammaln(shape) - gammaln(r) + r * np.log(alpha)
        betas = gammaln(b + chances) - gammaln(b) - gammaln(a + b + chances) + gammaln(a + b)
        value += float(customers @ (gammas + betas))
        # where nobody could leave `gone` is 0 and the divisor may be anything
        stayed = np.where(could_leave, b + chances - 1, 1.0)
        both = digamma(a + b) - digamma(a + b + chances)
        gradient = np.array(
            [
                customers @ (digamma(shape) - digamma(r)) + total * np.log(alpha) - mean_log,
                total * r / alpha - mean_inverse,
                customers @ both + gone.sum() / a,
                customers @ (digamma(b + chances) - digamma(b) + both) - gone @ (1 / stayed),
            ]
        )
        return value, gradient * np.exp(theta)

    return evaluate


def _blocks(
    histories: Histories, row: np.ndarray[tuple[int, ...], np.dtype[np.intp]]
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray, np.ndarray[tuple[int, ...], np.dtype[np.intp]]]]:
    for first in range(0, len(row), _BLOCK):
        part = slice(first, first + _BLOCK)
        yield histories.recency[part], histories.T[part], histories.weight[part], row[part]
