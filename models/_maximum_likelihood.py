"""Maximum likelihood on the logarithms of positive parameters, with an honest account of how it went.

L-BFGS-B with analytic gradients comes near the maximum; a few Newton steps on the same Hessian that gives the
standard errors then settle the last digits. "Converged" is a statement about the likelihood: a Newton step
could raise it by no more than `_REMAINING_RISE`.

Belongs here: the optimiser, the Hessian, what counts as converged or flat. Does not belong here: any
likelihood, any unit of time or money (callers scale their data to about 1 first).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from models.errors import ConvergenceError

FloatArray = npt.NDArray[np.float64]
# log-parameters -> (log-likelihood, gradient by the log-parameters)
LogLikelihood = Callable[[FloatArray], tuple[float, FloatArray]]

# e^10: beyond that a parameter of data scaled to about 1 has lost its meaning
_LOG_BOUND: Final = 10.0
_HESSIAN_STEP: Final = 1e-4
_REMAINING_RISE: Final = 1e-5
# a log-parameter known to e^+-3 only: its order of magnitude is open
_FLAT_STANDARD_ERROR: Final = 3.0
_FLAT_CONDITION: Final = 1e8


@dataclass(frozen=True, slots=True)
class Convergence:
    """How a fit went.

    Attributes
    ----------
    solver
        "lbfgs" or "lifetimes".
    evaluations
        Evaluations of likelihood and gradient.
    largest_gradient
        Largest |derivative| by a log-parameter, per customer.
    remaining_rise
        What one more Newton step would add to the log-likelihood.
    condition_number
        Of the Hessian, scaled to a unit diagonal; 1 is ideal.
    at_bound, flat
        Names of the parameters that ended at a bound, or that the data hardly determine.
    """

    solver: str
    evaluations: int
    largest_gradient: float
    remaining_rise: float
    condition_number: float
    at_bound: tuple[str, ...]
    flat: tuple[str, ...]

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.evaluations} evaluations by {self.solver}, largest gradient {self.largest_gradient:.1e} "
            f"per customer, remaining rise of the log-likelihood {self.remaining_rise:.1e}, "
            f"condition number {self.condition_number:.1e}"
            + (f", at a bound: {', '.join(self.at_bound)}" if self.at_bound else "")
            + (f", hardly determined: {', '.join(self.flat)}" if self.flat else "")
        )


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the likelihood is highest.

    Attributes
    ----------
    log_parameters : (k,) array
    log_likelihood
        Without the prior.
    log_covariance : (k, k) array
        Inverse of the negative Hessian by the log-parameters; rows of parameters at a bound are 0.
    """

    log_parameters: FloatArray
    log_likelihood: float
    log_covariance: FloatArray
    convergence: Convergence


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
    tried: list[tuple[float, Optimum]] = []
    if near is not None:
        found = _settle(objective, near, names, customers, 0)
        if _is_sound(found):
            return replace(found, log_likelihood=log_likelihood(found.log_parameters)[0])
    for start in starts:
        theta, evaluations = _climb(objective, start, customers)
        found = _settle(objective, theta, names, customers, evaluations)
        tried.append((objective(found.log_parameters)[0], found))
        if _is_sound(found):
            break
    best = max(tried, key=lambda pair: pair[0])[1]
    if best.convergence.remaining_rise > _REMAINING_RISE and not best.convergence.at_bound:
        raise ConvergenceError(
            f"The optimiser did not reach a maximum from {len(tried)} start(s): {best.convergence}. "
            "Check the unit of time and outliers, or steady the fit with prior_precision=1."
        )
    return replace(best, log_likelihood=log_likelihood(best.log_parameters)[0])


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
    return _optimum(log_parameters, value, gradient, hessian, names, customers, 0, solver)


def _climb(objective: LogLikelihood, start: Sequence[float], customers: float) -> tuple[FloatArray, int]:
    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = objective(theta)
        return -value / customers, -gradient / customers

    result = minimize(
        loss,
        np.asarray(start, dtype=np.float64),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-_LOG_BOUND, _LOG_BOUND)] * len(start),
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
    free = np.abs(theta) < _LOG_BOUND - 1e-6
    for _ in range(20):
        step = _newton_step(hessian, gradient, free)
        if step is None or float(np.max(np.abs(step))) < 1e-9:
            break
        candidate = np.clip(theta + step, -_LOG_BOUND, _LOG_BOUND)
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
    return _optimum(theta, value, gradient, hessian, names, customers, evaluations, "lbfgs")


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
    covariance = _inverse(hessian, free)
    if covariance is None:
        return None
    step = covariance @ gradient
    return step / max(1.0, float(np.max(np.abs(step))))


def _inverse(hessian: FloatArray, free: npt.NDArray[np.bool_]) -> FloatArray | None:
    if not free.any():
        return None
    inner = hessian[np.ix_(free, free)]
    if not bool(np.all(np.isfinite(inner))) or float(np.linalg.eigvalsh(inner)[0]) <= 0:
        return None
    covariance = np.zeros_like(hessian)
    covariance[np.ix_(free, free)] = np.linalg.inv(inner)
    return covariance


def _optimum(
    theta: FloatArray,
    value: float,
    gradient: FloatArray,
    hessian: FloatArray,
    names: Sequence[str],
    customers: float,
    evaluations: int,
    solver: str,
) -> Optimum:
    free = np.abs(theta) < _LOG_BOUND - 1e-6
    at_bound = tuple(name for name, inside in zip(names, free, strict=True) if not inside)
    covariance = _inverse(hessian, free)
    diagonal = np.diag(hessian)
    if covariance is None:
        covariance = np.full_like(hessian, np.nan)
        rise, condition, flat = np.inf, np.inf, tuple(names)
        if np.max(np.abs(gradient[free]), initial=0.0) < 1e-6 * customers:
            # no hill, but no slope either: a plateau is the answer, and "flat" says so
            rise = 0.0
    else:
        rise = float(gradient[free] @ covariance[np.ix_(free, free)] @ gradient[free]) / 2
        scaled = hessian[np.ix_(free, free)] / np.sqrt(np.outer(diagonal[free], diagonal[free]))
        condition = float(np.linalg.cond(scaled))
        wide = np.sqrt(np.diag(covariance)) > _FLAT_STANDARD_ERROR
        loose = wide | ~free | (condition > _FLAT_CONDITION)
        flat = tuple(name for name, is_loose in zip(names, loose, strict=True) if is_loose)
    report = Convergence(
        solver=solver,
        evaluations=evaluations,
        largest_gradient=float(np.max(np.abs(gradient))) / customers,
        remaining_rise=float(rise),
        condition_number=condition,
        at_bound=at_bound,
        flat=flat,
    )
    return Optimum(theta, value, covariance, report)
