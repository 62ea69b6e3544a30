"""Log-likelihood of BG/NBD and MBG/NBD on distinct weighted histories, with its analytic gradient.

Fader, Hardie & Lee (2005), eq. 6; MBG/NBD: Batislam, Denizel & Filiztekin (2007), eq. 4. With k chances to
leave (see `_beta_geometric`), S = r + x and B the Beta function:

    L = G(S) alpha^r / G(r) * B(a, b + k) / B(a, b)
        * [ (alpha + T)^-S + (k > 0) a / (b + k - 1) (alpha + t_x)^-S ]

Gamma functions depend on x alone: they are taken once per distinct x. A history costs two logarithms and one
logistic function.

Does not belong here: the optimiser, predictions.
"""

import numpy as np
from scipy.special import digamma, expit, gammaln, log_expit

from models._maximum_likelihood import LogLikelihood
from models.purchases._histories import FloatArray, Histories


def beta_geometric_log_likelihood(histories: Histories, first_chance: int) -> LogLikelihood:
    """Build the log-likelihood by (log r, log alpha, log a, log b), times in the unit of the histories."""
    x, t_x, age, weight = histories.frequency, histories.recency, histories.T, histories.weight
    counts, row = np.unique(x, return_inverse=True)
    chances = counts + first_chance
    customers = np.bincount(row, weights=weight)
    total = float(weight.sum())
    could_leave = chances > 0

    def evaluate(theta: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, a, b = (float(value) for value in np.exp(theta))
        shape = r + counts
        log_ratio = np.full_like(counts, -np.inf)
        log_ratio[could_leave] = np.log(a) - np.log(b + chances[could_leave] - 1)

        log_age, log_recency = np.log(alpha + age), np.log(alpha + t_x)
        shape_of_row = shape[row]
        log_odds_gone = log_ratio[row] + shape_of_row * (log_age - log_recency)
        alive = expit(-log_odds_gone)
        value = float(weight @ (-shape_of_row * log_age - log_expit(-log_odds_gone)))
        value += float(
            customers
            @ (
                gammaln(shape)
                - gammaln(r)
                + r * np.log(alpha)
                + gammaln(b + chances)
                - gammaln(b)
                - gammaln(a + b + chances)
                + gammaln(a + b)
            )
        )

        mean_log = alive * log_age + (1 - alive) * log_recency
        mean_inverse = alive / (alpha + age) + (1 - alive) / (alpha + t_x)
        gone = np.bincount(row, weights=weight * (1 - alive))
        # where nobody could leave `gone` is 0 and the divisor may be anything
        stayed = np.where(could_leave, b + chances - 1, 1.0)
        both = digamma(a + b) - digamma(a + b + chances)
        gradient = np.array(
            [
                customers @ (digamma(shape) - digamma(r)) + total * np.log(alpha) - weight @ mean_log,
                total * r / alpha - weight @ (shape_of_row * mean_inverse),
                customers @ both + gone.sum() / a,
                customers @ (digamma(b + chances) - digamma(b) + both) - gone @ (1 / stayed),
            ]
        )
        return value, gradient * np.exp(theta)

    return evaluate
