"""A purchase model whose parameters are known, wherever they come from, and how it is kept as JSON.

Belongs here: settings, results, JSON. Does not belong here: estimating (`_estimator`), asking
(`_predictions`).
"""

import math
from collections.abc import Mapping
from typing import ClassVar, Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from models._convergence import Convergence
from models._model_json import dump_model, load_model, number
from models.purchases._histories import DAYS_PER_UNIT, FloatArray, TimeUnit
from models.purchases._predictions import PurchasePredictions

Solver = Literal["lbfgs", "lifetimes"]


class KnownPurchaseModel(PurchasePredictions):
    """Settings and results of a purchase model; see `BetaGeo` for parameters and attributes."""

    time_parameters: ClassVar[tuple[str, ...]]

    standard_errors_: dict[str, float]
    log_covariance_: FloatArray
    log_likelihood_: float
    convergence_: Convergence | None
    n_customers_: float
    n_repeaters_: float
    n_uninformative_: float
    n_distinct_: int

    def __init__(
        self, *, time_unit: TimeUnit = "days", solver: Solver = "lbfgs", prior_precision: float = 0.0
    ) -> None:
        if time_unit not in DAYS_PER_UNIT:
            raise ValueError(f"time_unit must be one of {', '.join(DAYS_PER_UNIT)}, not {time_unit!r}.")
        if solver not in get_args(Solver):
            raise ValueError(f"solver must be 'lbfgs' or 'lifetimes', not {solver!r}.")
        if not (math.isfinite(prior_precision) and prior_precision >= 0):
            raise ValueError("prior_precision must be finite and not negative.")
        if prior_precision and solver == "lifetimes":
            raise ValueError(
                "lifetimes' penalty depends on the unit of time; use solver='lbfgs' for a prior."
            )
        self.time_unit = time_unit
        self.solver: Solver = solver
        self.prior_precision = prior_precision

    def _set_result(self, parameters: FloatArray, log_covariance: FloatArray) -> None:
        # delta method: d exp(theta) = exp(theta) d theta
        errors = parameters * np.sqrt(np.diag(log_covariance))
        self.params_ = dict(zip(self.parameter_names, map(float, parameters), strict=True))
        self.standard_errors_ = dict(zip(self.parameter_names, map(float, errors), strict=True))
        self.log_covariance_ = log_covariance

    def get_params(self, deep: bool = True) -> dict[str, object]:
        """Give the constructor's arguments, as scikit-learn does."""
        return {
            "time_unit": self.time_unit,
            "solver": self.solver,
            "prior_precision": self.prior_precision,
        }

    @classmethod
    def from_parameters(
        cls,
        params: Mapping[str, float],
        *,
        log_covariance: npt.ArrayLike | None = None,
        time_unit: TimeUnit = "days",
    ) -> Self:
        """Build a fitted model from known parameters, e.g. published ones.

        Parameters
        ----------
        params
            One positive value for each of `parameter_names`.
        log_covariance : (k, k) array, optional
            Covariance of the log-parameters; needed for intervals.
        """
        names = cls.parameter_names
        if set(params) != set(names) or not all(math.isfinite(p) and p > 0 for p in params.values()):
            raise ValueError(f"{cls.__name__} takes a positive number for each of {', '.join(names)}.")
        model = cls(time_unit=time_unit)
        unknown = np.full((len(names), len(names)), np.nan)
        covariance = unknown if log_covariance is None else np.asarray(log_covariance, dtype=np.float64)
        if covariance.shape != unknown.shape:
            raise ValueError(f"log_covariance must have the shape {unknown.shape}.")
        model._set_result(np.array([params[name] for name in names], dtype=np.float64), covariance)
        model.log_likelihood_ = math.nan
        model.convergence_ = None
        model.n_customers_ = model.n_repeaters_ = model.n_uninformative_ = math.nan
        model.n_distinct_ = 0
        return model

    def to_json(self) -> str:
        """Write the fitted model as JSON text; `from_json` gives the same predictions to the last bit."""
        return dump_model(
            type(self).__name__,
            {
                "time_unit": self.time_unit,
                "solver": self.solver,
                "prior_precision": self.prior_precision,
                "params": self._fitted(),
                "log_covariance": self.log_covariance_.tolist(),
                "log_likelihood": self.log_likelihood_,
                "n_customers": self.n_customers_,
                "n_repeaters": self.n_repeaters_,
                "n_uninformative": self.n_uninformative_,
                "n_distinct": self.n_distinct_,
                "convergence": None if self.convergence_ is None else str(self.convergence_),
            },
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a model written by `to_json`.

        Raises
        ------
        UnreadableModelError
            Not a model of this class and format version.
        """
        content = load_model(text, cls.__name__)
        covariance = np.array([[number(v) for v in row] for row in content["log_covariance"]])
        model = cls.from_parameters(
            content["params"], log_covariance=covariance, time_unit=content["time_unit"]
        )
        model.solver = content["solver"]
        model.prior_precision = content["prior_precision"]
        model.log_likelihood_ = number(content["log_likelihood"])
        model.n_customers_ = number(content["n_customers"])
        model.n_repeaters_ = number(content["n_repeaters"])
        model.n_uninformative_ = number(content["n_uninformative"])
        model.n_distinct_ = int(content["n_distinct"])
        return model

    def __repr__(self) -> str:
        fitted = ", ".join(f"{name}={value:.6g}" for name, value in getattr(self, "params_", {}).items())
        return f"{type(self).__name__}({fitted or 'not fitted'}, time_unit={self.time_unit!r})"
