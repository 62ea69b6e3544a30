"""The estimator around a purchase process: fit on a summary, predict in row order, keep as JSON.

Belongs here: what all purchase models share. Does not belong here: any formula (`_process`, its kinds), the
optimiser (`models._maximum_likelihood`), intervals (`models.clv`).

Predictions are computed row by row, not on distinct histories: the closed forms cost less than the join that
would spread distinct results back (1 M customers: 0.35 s against 0.8 s for the join alone).
"""

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final, Literal, Self, get_args

import numpy as np
import numpy.typing as npt
import polars as pl

from models._maximum_likelihood import Convergence, LogLikelihood, Optimum, describe_maximum, maximise
from models._model_json import dump_model, load_model, number
from models._untyped import fit_with_lifetimes
from models.errors import (
    ApproximationWarning,
    ConvergenceError,
    FlatLikelihoodWarning,
    NotEnoughDataError,
    NotFittedError,
)
from models.purchases._histories import (
    DAYS_PER_UNIT,
    FloatArray,
    Histories,
    Summary,
    check_horizon,
    distinct_histories,
    read_histories,
    warn_on_impossible_unit,
)
from models.purchases._process import PurchaseProcess

Solver = Literal["lbfgs", "lifetimes"]
TimeUnit = Literal["days", "weeks", "months", "years"]

# below this the estimates are an anecdote; the readiness gate of predictions asks for far more
_FEW_REPEATERS: Final = 10
_ROWS_AT_ONCE: Final = 200_000
_ROWS_OF_FIRST_LOOK: Final = 2_000


class PurchaseModel(ABC):
    """Base of the purchase models; see `BetaGeo` for parameters and attributes."""

    parameter_names: ClassVar[tuple[str, ...]]
    time_parameters: ClassVar[tuple[str, ...]]
    starts: ClassVar[tuple[tuple[float, ...], ...]]

    params_: dict[str, float]
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
        self.time_unit: TimeUnit = time_unit
        self.solver: Solver = solver
        self.prior_precision = prior_precision

    @abstractmethod
    def process_at(self, parameters: Sequence[float] | FloatArray) -> PurchaseProcess:
        """Build the process at parameters in the order of `parameter_names`."""

    @abstractmethod
    def _log_likelihood(self, histories: Histories) -> LogLikelihood: ...

    # ------------------------------------------------------------------ fitting

    def fit(self, summary: Summary, weights: npt.ArrayLike | pl.Series | None = None) -> Self:
        """Estimate the parameters by maximum likelihood.

        Parameters
        ----------
        summary
            One row per customer (or per history, with `weights`): frequency (repeat order days), recency
            and T in `time_unit`. Customers with T = 0 carry no information; they are counted and left out.
        weights : (rows,) array, optional
            Number of customers behind each row.

        Raises
        ------
        InvalidSummaryError
            Values that cannot be a purchase history.
        NotEnoughDataError
            Nobody came back, so there is nothing to fit.
        ConvergenceError
            No maximum was reached.

        Warns
        -----
        FlatLikelihoodWarning
            Some parameters are hardly determined; the message has the numbers.
        UnitWarning
            More repeat order days than days.
        """
        frame = read_histories(summary)
        warn_on_impossible_unit(frame, self.time_unit, stacklevel=3)
        histories = distinct_histories(frame, weights)
        total = float(frame.height if weights is None else np.sum(np.asarray(weights, dtype=np.float64)))
        if histories.repeaters == 0:
            raise NotEnoughDataError(
                f"None of {total:,.0f} customers has come back: there is no repeat purchase to learn from."
            )
        if histories.repeaters < _FEW_REPEATERS:
            warnings.warn(
                f"The estimates rest on {histories.repeaters:,.0f} returning customers of {total:,.0f}.",
                ApproximationWarning,
                stacklevel=2,
            )
        scale = histories.mean_age
        optimum = self._optimum(histories.in_units_of(scale))
        units = np.array([scale if name in self.time_parameters else 1.0 for name in self.parameter_names])
        self._set_result(np.exp(optimum.log_parameters) * units, optimum.log_covariance)
        # a density of x purchase times has the dimension time^-x
        rescaling = float(histories.weight @ histories.frequency) * math.log(scale)
        self.log_likelihood_ = optimum.log_likelihood - rescaling
        self.convergence_ = optimum.convergence
        self.n_customers_ = histories.customers
        self.n_repeaters_ = histories.repeaters
        self.n_uninformative_ = total - histories.customers
        self.n_distinct_ = len(histories.weight)
        if optimum.convergence.flat:
            warnings.warn(
                f"The data hardly determine {', '.join(optimum.convergence.flat)} of {type(self).__name__}: "
                f"{optimum.convergence}. Estimates: {self.params_}. Predictions within the observed range "
                "may still hold; more customers, a longer window or prior_precision=1 steady the parameters.",
                FlatLikelihoodWarning,
                stacklevel=2,
            )
        return self

    def _optimum(self, scaled: Histories) -> Optimum:
        log_likelihood = self._log_likelihood(scaled)
        if self.solver == "lbfgs":
            return self._maximum(log_likelihood, scaled, near=self._first_look(scaled))
        parameters = fit_with_lifetimes(
            type(self).__name__, scaled.frequency, scaled.recency, scaled.T, scaled.weight
        )
        return describe_maximum(
            log_likelihood,
            np.log(parameters),
            self.parameter_names,
            customers=scaled.customers,
            solver="lifetimes",
        )

    def _first_look(self, scaled: Histories) -> FloatArray | None:
        """Fit a twentieth of many histories: the whole then needs a few Newton steps only."""
        if len(scaled.weight) < 20 * _ROWS_OF_FIRST_LOOK:
            return None
        part = scaled.every(20)
        try:
            return self._maximum(self._log_likelihood(part), part, near=None).log_parameters
        except ConvergenceError:
            return None  # the whole is then climbed from the usual starts, and has its own say

    def _maximum(self, log_likelihood: LogLikelihood, scaled: Histories, near: FloatArray | None) -> Optimum:
        return maximise(
            log_likelihood,
            self.parameter_names,
            self.starts,
            customers=scaled.customers,
            prior_precision=self.prior_precision,
            near=near,
        )

    def _set_result(self, parameters: FloatArray, log_covariance: FloatArray) -> None:
        # delta method: d exp(theta) = exp(theta) d theta
        errors = parameters * np.sqrt(np.diag(log_covariance))
        self.params_ = dict(zip(self.parameter_names, map(float, parameters), strict=True))
        self.standard_errors_ = dict(zip(self.parameter_names, map(float, errors), strict=True))
        self.log_covariance_ = log_covariance

    # ------------------------------------------------------------------ predictions

    @property
    def process(self) -> PurchaseProcess:
        """The process at the estimates.

        Raises
        ------
        NotFittedError
        """
        return self.process_at([self._fitted()[name] for name in self.parameter_names])

    def _fitted(self) -> dict[str, float]:
        if not hasattr(self, "params_"):
            raise NotFittedError(
                f"This {type(self).__name__} has no parameters yet: call fit(summary) first."
            )
        return self.params_

    def expected_purchases(self, summary: Summary, horizon: npt.ArrayLike) -> FloatArray:
        """Give the expected purchases of each customer in (T, T + horizon].

        Parameters
        ----------
        summary
            One row per customer: frequency, recency, T.
        horizon
            In the unit of T; one number, or one a customer.

        Returns
        -------
        (rows,) array, in row order.
        """
        process, ahead = self.process, check_horizon(horizon)
        return self._by_row(summary, lambda x, t_x, age, h: process.expected(x, t_x, age, h), ahead)

    def probability_alive(self, summary: Summary) -> FloatArray:
        """Probability that each customer has not left by T; (rows,) array, in row order.

        Not a churn score: BG/NBD gives 1.0 to every one-time buyer. Use `purchase_probability`.
        """
        process = self.process
        return self._by_row(summary, lambda x, t_x, age, _: process.alive(x, t_x, age), np.zeros(()))

    def purchase_probability(self, summary: Summary, horizon: npt.ArrayLike) -> FloatArray:
        """Probability of at least one purchase in (T, T + horizon]; (rows,) array, in row order.

        It equals 1 - L(x, t_x, T + horizon) / L(x, t_x, T), without that quotient's cancellation.
        """
        process, ahead = self.process, check_horizon(horizon)
        return self._by_row(summary, lambda x, t_x, age, h: process.at_least_one(x, t_x, age, h), ahead)

    def purchase_count_probability(self, summary: Summary, horizon: float, n: int) -> FloatArray:
        """Probability of exactly n purchases in (T, T + horizon]; (rows,) array, in row order."""
        process, ahead = self.process, float(check_horizon(horizon))
        _check_count(n)
        return self._by_row(
            summary, lambda x, t_x, age, _: process.count(x, t_x, age, ahead, n), np.zeros(())
        )

    def time_to_next_purchase(self, summary: Summary, quantile: float) -> FloatArray:
        """Time from T by which the next purchase has happened with probability `quantile`.

        Returns
        -------
        (rows,) array, in row order and the unit of T; inf where the probability is never reached, i.e. where
        the customer is gone (or will leave without buying) with more than 1 - quantile.
        """
        if not 0 < quantile < 1:
            raise ValueError("quantile must lie between 0 and 1, e.g. 0.5 or 0.8.")
        process = self.process
        return self._by_row(summary, lambda x, t_x, age, _: process.wait(x, t_x, age, quantile), np.zeros(()))

    def expected_purchases_new(self, horizon: npt.ArrayLike) -> FloatArray:
        """Give a new customer's expected repeat purchases within `horizon`; shape of `horizon`."""
        return np.asarray(self.process.expected(0.0, 0.0, 0.0, check_horizon(horizon)))

    def purchase_count_probability_new(self, horizon: float, n: int) -> float:
        """Probability that a new customer makes exactly n repeat purchases within `horizon`."""
        _check_count(n)
        return float(self.process.count(0.0, 0.0, 0.0, float(check_horizon(horizon)), n))

    def _by_row(
        self,
        summary: Summary,
        formula: Callable[[FloatArray, FloatArray, FloatArray, FloatArray], FloatArray],
        horizon: FloatArray,
    ) -> FloatArray:
        """Apply a formula in slices: its temporaries stay small however many customers there are."""
        frame = read_histories(summary)
        x, t_x, age = (frame[name].to_numpy() for name in frame.columns)
        ahead = np.broadcast_to(horizon, x.shape)
        result = np.empty(frame.height)
        for first in range(0, frame.height, _ROWS_AT_ONCE):
            rows = slice(first, first + _ROWS_AT_ONCE)
            result[rows] = formula(x[rows], t_x[rows], age[rows], ahead[rows])
        return result

    # ------------------------------------------------------------------ keeping

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


def _check_count(n: int) -> None:
    if n < 0:
        raise ValueError("n, the number of purchases, must not be negative.")
