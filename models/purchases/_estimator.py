"""Fitting a purchase model on a customer summary.

Belongs here: what all purchase models share in fitting. Does not belong here: predictions (`_predictions`),
keeping (`_known`), any formula (`_process`, its kinds), the optimiser (`models._maximum_likelihood`).
"""

import math
import warnings
from abc import abstractmethod
from typing import ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from models._convergence import Optimum
from models._maximum_likelihood import LogLikelihood, describe_maximum, maximise
from models._untyped import fit_with_lifetimes
from models.errors import ApproximationWarning, ConvergenceError, FlatLikelihoodWarning, NotEnoughDataError
from models.purchases._histories import (
    FloatArray,
    Histories,
    Summary,
    distinct_histories,
    read_histories,
    warn_on_impossible_unit,
)
from models.purchases._known import KnownPurchaseModel

# below this the estimates are an anecdote; the readiness gate of predictions asks for far more
_FEW_REPEATERS: Final = 10
_ROWS_OF_FIRST_LOOK: Final = 2_000


class PurchaseModel(KnownPurchaseModel):
    """Base of the purchase models; see `BetaGeo` for parameters and attributes."""

    starts: ClassVar[tuple[tuple[float, ...], ...]]

    @abstractmethod
    def _log_likelihood(self, histories: Histories) -> LogLikelihood: ...

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
