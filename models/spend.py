"""What a customer will spend per order day: the Gamma-Gamma model, with guards for shops it does not fit.

Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", note 025. Spend per order day is Gamma(p,
nu), nu differs between customers as Gamma(q, v). The first purchase is left out, as in the purchase models:
it is often not like the others. Frequency and spend must be nearly independent; `correlation_` says how near.

Belongs here: the estimator of mean spend. Does not belong here: purchase counts (`models.purchases`), their
product (`models.clv`).
"""

import math
import warnings
from collections.abc import Mapping
from typing import Final, Self, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from models._convergence import Convergence, Optimum
from models._gamma_gamma_likelihood import gamma_gamma_log_likelihood
from models._maximum_likelihood import maximise
from models._model_json import dump_model, load_model, number
from models._spends import Spends, correlation, known_spend, read_spends
from models.errors import ApproximationWarning, ConvergenceError, NotEnoughDataError, NotFittedError

FloatArray = npt.NDArray[np.float64]

# relative spread below which spends are the same number with rounding noise
_IDENTICAL: Final = 1e-9


class GammaGamma:
    """Gamma-Gamma model of the mean spend per repeat order day.

    Parameters
    ----------
    prior_precision
        Precision of normal priors on the log-parameters around 1, with money counted in mean spends.

    Attributes
    ----------
    params_ : dict
        p, q and v (v in the shop's currency); NaN where spends are identical.
    standard_errors_ : dict
        On the same scale, by the delta method.
    log_covariance_ : (3, 3) array
        Of the log-parameters.
    log_likelihood_ : float
    population_mean_ : float
        Expected spend of a customer nothing is known about: p v / (q - 1), or the pooled mean.
    pooled_mean_ : float
        All repeat spend divided by all repeat order days.
    fallback_ : str or None
        Why everybody is expected to spend the pooled mean; None where the model stands.
    correlation_ : float
        Pearson correlation of frequency and mean spend among returning customers; NaN if one is constant.
    excluded_ : dict
        Customers left out of the fit: "one_time", "zero_or_negative", "missing" spend.
    n_customers_ : float
        Customers the fit used.
    convergence_ : Convergence or None
    """

    parameter_names = ("p", "q", "v")

    params_: dict[str, float]
    standard_errors_: dict[str, float]
    log_covariance_: FloatArray
    log_likelihood_: float
    pooled_mean_: float
    fallback_: str | None
    correlation_: float
    excluded_: dict[str, float]
    n_customers_: float
    convergence_: Convergence | None

    def __init__(self, *, prior_precision: float = 0.0) -> None:
        if not (math.isfinite(prior_precision) and prior_precision >= 0):
            raise ValueError("prior_precision must be finite and not negative.")
        self.prior_precision = prior_precision

    def fit(
        self, summary: pl.DataFrame | pl.LazyFrame, weights: npt.ArrayLike | pl.Series | None = None
    ) -> Self:
        """Estimate p, q and v by maximum likelihood.

        Parameters
        ----------
        summary
            One row per customer: frequency (repeat order days), monetary_value (mean net spend of those
            days). Customers without repeats or with a mean that is null, zero or negative are left out and
            counted.
        weights : (rows,) array, optional
            Number of customers behind each row.

        Raises
        ------
        InvalidSummaryError
            Missing columns or impossible values.
        NotEnoughDataError
            No returning customer with a positive mean spend.

        Warns
        -----
        ApproximationWarning
            The model does not fit this shop; everybody is expected to spend the pooled mean.
        """
        spends, self.excluded_ = read_spends(summary, weights)
        if not len(spends.frequency):
            raise NotEnoughDataError(
                f"No returning customer has a positive mean spend to learn from; left out: {self.excluded_}."
            )
        self.n_customers_ = float(spends.weight.sum())
        order_days = spends.weight * spends.frequency
        self.pooled_mean_ = float(order_days @ spends.mean_spend / order_days.sum())
        self.correlation_ = correlation(spends)
        self._set_result(np.full(3, np.nan), np.full((3, 3), np.nan), None)
        self.fallback_ = self._maximise(spends)
        if self.fallback_:
            warnings.warn(
                f"Gamma-Gamma does not fit these {self.n_customers_:,.0f} customers: {self.fallback_}. "
                f"Everybody is expected to spend the pooled mean, {self.pooled_mean_:,.2f} per order day.",
                ApproximationWarning,
                stacklevel=2,
            )
        return self

    def _maximise(self, spends: Spends) -> str | None:
        """Fit, and give the reason if the result must not be used."""
        scale = float(np.average(spends.mean_spend, weights=spends.weight))
        if float(np.ptp(spends.mean_spend)) <= _IDENTICAL * scale:
            return "all of them have the same mean spend"
        relative = Spends(spends.frequency, spends.mean_spend / scale, spends.weight)
        try:
            optimum = maximise(
                gamma_gamma_log_likelihood(relative),
                self.parameter_names,
                starts=((1.0, 1.0, 1.0), (0.0, 1.0, 0.0), (3.0, 1.5, 0.0)),
                customers=self.n_customers_,
                prior_precision=self.prior_precision,
            )
        except ConvergenceError as error:
            return str(error).rstrip(".")
        self._set_result(
            np.exp(optimum.log_parameters) * np.array([1.0, 1.0, scale]), optimum.log_covariance, optimum
        )
        # a density of one mean spend a customer has the dimension 1 / money
        self.log_likelihood_ -= self.n_customers_ * math.log(scale)
        if self.params_["q"] <= 1:
            return f"q = {self.params_['q']:.3f} <= 1, so the population has no finite mean spend"
        if optimum.convergence.flat:
            return f"their spends do not differ enough to tell them apart ({optimum.convergence})"
        return None

    def _set_result(self, parameters: FloatArray, covariance: FloatArray, optimum: Optimum | None) -> None:
        errors = parameters * np.sqrt(np.diag(covariance))
        self.params_ = dict(zip(self.parameter_names, map(float, parameters), strict=True))
        self.standard_errors_ = dict(zip(self.parameter_names, map(float, errors), strict=True))
        self.log_covariance_ = covariance
        self.log_likelihood_ = math.nan if optimum is None else optimum.log_likelihood
        self.convergence_ = None if optimum is None else optimum.convergence

    @property
    def population_mean_(self) -> float:
        """Expected spend per order day of somebody nothing is known about."""
        p, q, v = self._fitted()
        return self.pooled_mean_ if self.fallback_ else p * v / (q - 1)

    def _fitted(self) -> tuple[float, float, float]:
        if not hasattr(self, "params_"):
            raise NotFittedError("This GammaGamma has no parameters yet: call fit(summary) first.")
        return self.params_["p"], self.params_["q"], self.params_["v"]

    def expected_spend(self, summary: pl.DataFrame | pl.LazyFrame) -> FloatArray:
        """Give the expected mean spend per order day of each customer.

        Parameters
        ----------
        summary
            One row per customer: frequency, monetary_value. Without repeats, or with an unknown mean, a
            customer gets the population mean; a negative mean (refunds of older orders) counts as 0.

        Returns
        -------
        (rows,) array, in row order, in the currency of monetary_value (note 025, eq. 5).
        """
        p, q, v = self._fitted()
        columns = summary.lazy().select(
            pl.col("frequency").cast(pl.Float64), pl.col("monetary_value").cast(pl.Float64)
        )
        frame = columns.collect()
        if self.fallback_:
            return np.full(frame.height, self.pooled_mean_)
        x, mean_spend = known_spend(frame)
        return p * (v + x * mean_spend) / (p * x + q - 1)

    def get_params(self, deep: bool = True) -> dict[str, object]:
        """Give the constructor's arguments, as scikit-learn does."""
        return {"prior_precision": self.prior_precision}

    @classmethod
    def from_parameters(
        cls, params: Mapping[str, float], *, log_covariance: npt.ArrayLike | None = None
    ) -> Self:
        """Build a fitted model from known p, q > 1 and v, e.g. published ones."""
        values = np.array([params.get(name, math.nan) for name in cls.parameter_names], dtype=np.float64)
        if set(params) != set(cls.parameter_names) or not bool(np.all(values > 0)) or values[1] <= 1:
            raise ValueError(
                "GammaGamma takes positive p, q, v with q > 1 (else the mean spend is infinite)."
            )
        model = cls()
        unknown = np.full((3, 3), np.nan)
        model._set_result(
            values, unknown if log_covariance is None else np.asarray(log_covariance, dtype=np.float64), None
        )
        model.fallback_ = None
        model.pooled_mean_ = model.correlation_ = model.n_customers_ = math.nan
        model.excluded_ = {}
        return model

    def to_json(self) -> str:
        """Write the fitted model as JSON text; `from_json` gives the same predictions to the last bit."""
        self._fitted()
        return dump_model(
            "GammaGamma",
            {
                "prior_precision": self.prior_precision,
                "params": self.params_,
                "log_covariance": self.log_covariance_.tolist(),
                "log_likelihood": self.log_likelihood_,
                "n_customers": self.n_customers_,
                "pooled_mean": self.pooled_mean_,
                "fallback": self.fallback_,
                "correlation": self.correlation_,
                "excluded": self.excluded_,
                "convergence": None if self.convergence_ is None else str(self.convergence_),
            },
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a model written by `to_json`.

        Raises
        ------
        UnreadableModelError
            Not a GammaGamma of this format version.
        """
        content = load_model(text, "GammaGamma")
        model = cls(prior_precision=content["prior_precision"])
        parameters = np.array([number(content["params"][name]) for name in cls.parameter_names])
        covariance = np.array([[number(value) for value in row] for row in content["log_covariance"]])
        model._set_result(parameters, covariance, None)
        model.log_likelihood_ = number(content["log_likelihood"])
        model.n_customers_ = number(content["n_customers"])
        model.pooled_mean_ = number(content["pooled_mean"])
        model.fallback_ = cast(str | None, content["fallback"])
        model.correlation_ = number(content["correlation"])
        model.excluded_ = cast(dict[str, float], content["excluded"])
        return model

    def __repr__(self) -> str:
        fitted = ", ".join(f"{name}={value:.6g}" for name, value in getattr(self, "params_", {}).items())
        return f"GammaGamma({fitted or 'not fitted'})"
