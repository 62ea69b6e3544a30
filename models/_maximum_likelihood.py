"""Maximum likelihood on the logarithms of positive parameters, with an honest account of how it went.

L-BFGS-B with analytic gradients comes near the maximum; a few Newton steps on the same Hessian that gives the
standard errors then settle the last digits.

Belongs here: the search. Does not belong here: what is said about its result (`models._convergence`), any
likelihood, any unit of time or money (callers scale their data to about 1 first).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from models._convergence import LOG_BOUND, FloatArray, Optimum, account_for, inverse_hessian, is_free
from models._untyped import one_algebra_thread
from models.errors import ConvergenceError

# log-parameters -> (log-likelihood, gradient by the log-parameters)
LogLikelihood = Callable[[FloatArray], tuple[float, FloatArray]]

_HESSIAN_STEP: Final = 1e-4
_REMAINING_RISE: Final = 1e-5


def with_prior(log_likelihood: LogLikelihood, precision: float) -> LogLikelihood:
    """Add independent normal priors with mean 0 and the given precision on the log-parameters.

    The data are scaled to about 1, so the prior means the same in days and in weeks.
    """

    def penalised(theta: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = log_likelihood(theta)
        return value - 0.5 * precision * float(theta @ theta), gradient - precision * theta

    return penalised


def maximise(
    log_likelihood: LogLikelihood,
    names: Sequence[str],
    starts: Sequence[Sequence[float]],
    *,
    customers: float,
    prior_precision: float = 0.0,
    near: FloatArray | None = None,
) -> Optimum:
    """Find the maximum from the first start that converges.

    Parameters
    ----------
    names
        Names of the parameters, for messages.
    starts
        Starting points (log scale), tried in order.
    customers
        Number of customers, to scale the objective.
    near
        A point close to the maximum, e.g. that of a part of the data: Newton steps from there come first.

    Raises
    ------
    ConvergenceError
        No start converged; the message has the numbers of the best one.
    """
    objective = with_prior(log_likelihood, prior_precision)
    with one_algebra_thread():
        tried = _search(objective, names, starts, customers, near)
    best = max(tried, key=lambda pair: pair[0])[1]
    if best.convergence.remaining_rise > _REMAINING_RISE and not best.convergence.at_bound:
        raise ConvergenceError(
            f"The optimiser did not reach a maximum from {len(tried)} start(s): {best.convergence}. "
            "Check the unit of time and outliers, or steady the fit with prior_precision=1."
        )
    return replace(best, log_likelihood=log_likelihood(best.log_parameters)[0])


def _search(
    objective: LogLikelihood,
    names: Sequence[str],
    starts: Sequence[Sequence[float]],
    customers: float,
    near: FloatArray | None,
) -> list[tuple[float, Optimum]]:
    """Try one start after the other until one is sound; give what was found, with its value."""
    if near is not None:
        found = _settle(objective, near, names, customers, 0)
        if _is_sound(found):
            return [(0.0, found)]
    tried: list[tuple[float, Optimum]] = []
    for start in starts:
        theta, evaluations = _climb(objective, start, customers)
        found = _settle(objective, theta, names, customers, evaluations)
        tried.append((objective(found.log_parameters)[0], found))
        if _is_sound(found):
            break
    return tried


def _is_sound(found: Optimum) -> bool:
    return found.convergence.remaining_rise <= _REMAINING_RISE and not found.convergence.flat


def describe_maximum(
    log_likelihood: LogLikelihood,
    log_parameters: FloatArray,
    names: Sequence[str],
    *,
    customers: float,
    solver: str,
) -> Optimum:
    """Give likelihood, covariance and convergence at a point that another solver found."""
    value, gradient = log_likelihood(log_parameters)
    hessian = _negative_hessian(log_likelihood, log_parameters)
    return account_for(log_parameters, value, gradient, hessian, names, customers, 0, solver)


def _climb(objective: LogLikelihood, start: Sequence[float], customers: float) -> tuple[FloatArray, int]:
    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = objective(theta)
        return -value / customers, -gradient / customers

    result = minimize(
        loss,
        np.asarray(start, dtype=np.float64),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-LOG_BOUND, LOG_BOUND)] * len(start),
        options={"maxiter": 500, "ftol": 1e-11, "gtol": 1e-7},
    )
    return np.asarray(result.x, dtype=np.float64), int(result.nfev)


def _settle(
    objective: LogLikelihood, theta: FloatArray, names: Sequence[str], customers: float, evaluations: int
) -> Optimum:
    """Take Newton steps while they help; the Hessian at the start of them is near enough."""
    hessian = _negative_hessian(objective, theta)
    evaluations += 2 * len(theta)
    value, gradient = objective(theta)
    free = is_free(theta)
    for _ in range(20):
        step = _newton_step(hessian, gradient, free)
        if step is None or float(np.max(np.abs(step))) < 1e-9:
            break
        candidate = np.clip(theta + step, -LOG_BOUND, LOG_BOUND)
        new_value, new_gradient = objective(candidate)
        evaluations += 1
        # near the maximum the value is flat to its last bits: then the gradient decides
        better = new_value > value or (
            new_value > value - 1e-9 * customers and np.max(np.abs(new_gradient)) < np.max(np.abs(gradient))
        )
        if not better:
            break
        if float(np.max(np.abs(step))) > 0.05:
            hessian = _negative_hessian(objective, candidate)
            evaluations += 2 * len(theta)
        theta, value, gradient = candidate, new_value, new_gradient
    return account_for(theta, value, gradient, hessian, names, customers, evaluations, "lbfgs")


def _negative_hessian(objective: LogLikelihood, theta: FloatArray) -> FloatArray:
    """Central differences of the analytic gradient, made symmetric."""
    rows: list[FloatArray] = []
    for j in range(len(theta)):
        shift = np.zeros_like(theta)
        shift[j] = _HESSIAN_STEP
        rows.append((objective(theta - shift)[1] - objective(theta + shift)[1]) / (2 * _HESSIAN_STEP))
    matrix = np.array(rows)
    return (matrix + matrix.T) / 2


def _newton_step(hessian: FloatArray, gradient: FloatArray, free: npt.NDArray[np.bool_]) -> FloatArray | None:
    """Newton step among the free parameters, None where the surface is not a hill."""
    covariance = inverse_hessian(hessian, free)
    if covariance is None:
        return None
    step = covariance @ gradient
    return step / max(1.0, float(np.max(np.abs(step))))
