# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportArgumentType=false
"""The one door to packages without types: lifetimes, threadpoolctl.

Type checks are relaxed here, and here only, because these packages ship neither annotations nor stubs. They
are imported inside the functions: importing `models` must not cost their start-up.

Does not belong here: anything that could be written with typed packages.
"""

import warnings
from contextlib import AbstractContextManager

import numpy as np
import numpy.typing as npt

from models.errors import ConvergenceError

FloatArray = npt.NDArray[np.float64]


def one_algebra_thread() -> AbstractContextManager[object]:
    """Keep linear algebra in one thread: matrices of a few parameters gain nothing from more.

    On a busy machine the others would be waited for: a fit of a small shop takes five times as long.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")


def fit_with_lifetimes(
    model: str, frequency: FloatArray, recency: FloatArray, T: FloatArray, weights: FloatArray
) -> FloatArray:
    """Fit BetaGeo, ModifiedBetaGeo or ParetoNBD with lifetimes' own code.

    Returns
    -------
    (4,) array
        Parameters in the unit of T, in lifetimes' order: r, alpha, a, b or r, alpha, s, beta.

    Raises
    ------
    ConvergenceError
        lifetimes did not converge.
    """
    with warnings.catch_warnings():
        # lifetimes sets a pandas option that pandas 3 deprecates, and strays through log(0) on its way
        warnings.simplefilter("ignore")
        import lifetimes
        from lifetimes.utils import ConvergenceError as LifetimesConvergenceError

        fitters = {
            "BetaGeo": lifetimes.BetaGeoFitter,
            "ModifiedBetaGeo": lifetimes.ModifiedBetaGeoFitter,
            "ParetoNBD": lifetimes.ParetoNBDFitter,
        }
        # Nelder-Mead from random starts is lifetimes' default for Pareto/NBD; a fixed start repeats
        options: dict[str, object] = (
            {"initial_params": np.ones(4), "tol": 1e-9, "maxiter": 5_000} if model == "ParetoNBD" else {}
        )
        fitter = fitters[model](penalizer_coef=0.0)
        try:
            fitter.fit(frequency, recency, T, weights=weights, **options)
        except LifetimesConvergenceError as error:
            raise ConvergenceError(
                f"lifetimes did not converge ({str(error).splitlines()[0]}); use solver='lbfgs'."
            ) from error
        return np.array(fitter.params_, dtype=np.float64)
