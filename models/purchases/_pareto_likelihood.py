"""Log-likelihood of Pareto/NBD on distinct weighted histories, with its analytic gradient.

With S = r + x (Fader & Hardie, note 009, before their hypergeometric functions are introduced):

    L = G(S) alpha^r beta^s / G(r)
        * [ (alpha + T)^-S (beta + T)^-s + s int_{t_x}^T (alpha + y)^-S (beta + y)^-(s + 1) dy ]

Both terms are positive; the integral is taken by quadrature (`_decay_integral`), and the derivatives by all
four parameters are means over the same nodes, weighted by what each contributes to L.

Does not belong here: the optimiser, predictions.
"""

from typing import Final

import numpy as np
from scipy.special import digamma, gammaln

from models._maximum_likelihood import LogLikelihood
from models.purchases._decay_integral import decay_nodes, gauss_legendre
from models.purchases._histories import FloatArray, Histories

_BLOCK: Final = 1_024
_NODES: Final = 20


def pareto_log_likelihood(histories: Histories) -> LogLikelihood:
    """Build the log-likelihood by (log r, log alpha, log s, log beta), times in the unit of the histories."""
    counts, row = np.unique(histories.frequency, return_inverse=True)
    customers = np.bincount(row, weights=histories.weight)
    total = float(histories.weight.sum())
    rule = gauss_legendre(_NODES)

    def evaluate(theta: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, s, beta = (float(value) for value in np.exp(theta))
        sums = np.zeros(5)
        for first in range(0, len(row), _BLOCK):
            part = slice(first, first + _BLOCK)
            sums += _block(
                r + histories.frequency[part],
                s,
                alpha + histories.recency[part],
                beta + histories.recency[part],
                histories.T[part] - histories.recency[part],
                histories.weight[part],
                rule,
            )
        bracket, log_alpha, per_alpha, log_beta, per_beta = (float(value) for value in sums)
        gammas = gammaln(r + counts) - gammaln(r)
        value = bracket + float(customers @ gammas) + total * (r * np.log(alpha) + s * np.log(beta))
        gradient = np.array(
            [
                customers @ (digamma(r + counts) - digamma(r)) + total * np.log(alpha) - log_alpha,
                total * r / alpha - per_alpha,
                total * np.log(beta) - log_beta,
                total * s / beta - per_beta,
            ]
        )
        return value, gradient * np.exp(theta)

    return evaluate


def _block(
    shape: FloatArray,
    s: float,
    alpha: FloatArray,
    beta: FloatArray,
    silent: FloatArray,
    weight: FloatArray,
    rule: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """Sum over some histories: log of the bracket, and its (negative) derivatives by r, alpha, s, beta.

    `alpha` and `beta` are taken at t_x, so that all powers are relative to it and cannot overflow.
    """
    still = np.maximum(silent, 0.0)
    nodes = decay_nodes(shape, alpha, np.full_like(shape, s + 1), beta, still, rule)
    left = np.exp(-shape[:, None] * nodes.log_alpha - (s + 1) * nodes.log_beta) * nodes.dy
    left *= (s / beta)[:, None]
    since_alpha, since_beta = np.log1p(still / alpha), np.log1p(still / beta)
    stayed = np.exp(-shape * since_alpha - s * since_beta)
    left_in_all = left.sum(axis=1)
    bracket = stayed + left_in_all
    stayed /= bracket
    left /= bracket[:, None]
    gone = left_in_all / bracket
    log_alpha, log_beta = np.log(alpha), np.log(beta)
    by_row = (
        np.log(bracket) - shape * log_alpha - s * log_beta,
        log_alpha + stayed * since_alpha + (left * nodes.log_alpha).sum(axis=1),
        shape * (stayed / (alpha + still) + (left / (alpha[:, None] + nodes.y)).sum(axis=1)),
        log_beta + stayed * since_beta + (left * nodes.log_beta).sum(axis=1) - gone / s,
        s * stayed / (beta + still) + (s + 1) * (left / (beta[:, None] + nodes.y)).sum(axis=1),
    )
    return np.array([weight @ term for term in by_row])
