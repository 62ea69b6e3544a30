"""Where a likelihood is highest, and how firmly: covariance, convergence, flat directions.

"Converged" is a statement about the likelihood: what one more Newton step could add to it.

Belongs here: the account of a point, however it was found. Does not belong here: the search
(`models._maximum_likelihood`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# e^10: beyond that a parameter of data scaled to about 1 has lost its meaning
LOG_BOUND: Final = 10.0
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


def is_free(theta: FloatArray) -> npt.NDArray[np.bool_]:
    """Tell which log-parameters are not at a bound."""
    return np.asarray(np.abs(theta) < LOG_BOUND - 1e-6)


def inverse_hessian(hessian: FloatArray, free: npt.NDArray[np.bool_]) -> FloatArray | None:
    """Invert among the free parameters; None where the surface is not a hill."""
    if not free.any():
        return None
    inner = hessian[np.ix_(free, free)]
    if not bool(np.all(np.isfinite(inner))) or float(np.linalg.eigvalsh(inner)[0]) <= 0:
        return None
    covariance = np.zeros_like(hessian)
    covariance[np.ix_(free, free)] = np.linalg.inv(inner)
    return covariance


def account_for(
    theta: FloatArray,
    value: float,
    gradient: FloatArray,
    hessian: FloatArray,
    names: Sequence[str],
    customers: float,
    evaluations: int,
    solver: str,
) -> Optimum:
    """Describe the point `theta` with its value, gradient and negative Hessian."""
    free = is_free(theta)
    at_bound = tuple(name for name, inside in zip(names, free, strict=True) if not inside)
    covariance = inverse_hessian(hessian, free)
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
