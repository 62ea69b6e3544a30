"""What a fitted purchase model says about customers, in the order of their rows.

Rows are computed one by one, not on distinct histories: the closed forms cost less than the join that would
spread distinct results back. What depends on (frequency, T) only is asked once a pair, which needs no join.

Belongs here: the public questions. Does not belong here: fitting and keeping
(`_estimator`), any formula (`_process` and its kinds).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from models.errors import NotFittedError
from models.purchases._histories import (
    DAYS_PER_UNIT,
    FloatArray,
    Summary,
    TimeUnit,
    check_horizon,
    read_histories,
)
from models.purchases._process import PurchaseProcess
from models.purchases._slices import in_slices, once_a_pair


class PurchasePredictions(ABC):
    """Predictions of a model with parameters `params_`.

    A LazyFrame is collected on each call; collect it first if its rows have no fixed order.
    """

    parameter_names: ClassVar[tuple[str, ...]]
    params_: dict[str, float]
    time_unit: TimeUnit

    @abstractmethod
    def process_at(self, parameters: Sequence[float] | FloatArray) -> PurchaseProcess:
        """Build the process at parameters in the order of `parameter_names`."""

    @property
    def process(self) -> PurchaseProcess:
        """The process at the estimates.

        Raises
        ------
        NotFittedError
        """
        return self.process_at(self.estimates())

    def estimates(self) -> list[float]:
        """Give the parameters in the order of `parameter_names`."""
        known = self._fitted()
        return [known[name] for name in self.parameter_names]

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
        if ahead.ndim:
            return self._by_row(summary, lambda x, t_x, age, h: process.expected(x, t_x, age, h), ahead)
        return self.weighted_expected_purchases(summary, [float(ahead)], [1.0])

    def weighted_expected_purchases(
        self, summary: Summary, horizons: Sequence[float], weights: Sequence[float]
    ) -> FloatArray:
        """Give the weighted sum of each customer's expected purchases over several horizons, in one pass.

        Discounting is such a sum. Costs little more than one horizon; (rows,) array, in row order.
        """
        process, ahead = self.process, check_horizon(horizons)

        def if_alive(x: FloatArray, age: FloatArray) -> FloatArray:
            total = np.zeros(x.shape)
            for horizon, weight in zip(ahead, weights, strict=True):
                total += weight * process.expected_if_alive(x, age, float(horizon))
            return total

        def formula(x: FloatArray, t_x: FloatArray, age: FloatArray, _: FloatArray) -> FloatArray:
            return once_a_pair(x, age, if_alive) * process.alive(x, t_x, age)

        return self._by_row(summary, formula, np.zeros(()))

    def discounted_expected_residual_transactions(
        self, summary: Summary, annual_discount: float
    ) -> FloatArray:
        """Give all expected future purchases of each customer, without horizon, discounted (DERT).

        Parameters
        ----------
        summary
            One row per customer: frequency, recency, T.
        annual_discount
            Yearly rate above 0, e.g. 0.15; applied continuously, as log(1.15) a year of 365 days. Without one
            the sum is infinite wherever s <= 1 (Pareto/NBD) or a <= 1, as it mostly is.

        Returns
        -------
        (rows,) array, in row order: purchases, worth less the later they come. Times expected spend it is
        the customer's residual value: Fader, Hardie & Lee (2005), "RFM and CLV", JMR 42, 415-430.

        Raises
        ------
        ValueError
            A discount that is not above 0.
        """
        if not (math.isfinite(annual_discount) and annual_discount > 0):
            raise ValueError(
                "annual_discount must be above 0, e.g. 0.15 for 15 %: undiscounted, purchases without a horizon mostly "
                "add up to infinity. For an undiscounted value use expected_purchases with a horizon."
            )
        process = self.process
        rate = math.log1p(annual_discount) * DAYS_PER_UNIT[self.time_unit] / DAYS_PER_UNIT["years"]

        def formula(x: FloatArray, t_x: FloatArray, age: FloatArray, _: FloatArray) -> FloatArray:
            coming = once_a_pair(x, age, lambda count, T: process.discounted_if_alive(count, T, rate))
            return process.alive(x, t_x, age) * coming

        return self._by_row(summary, formula, np.zeros(()))

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
        if ahead.ndim:
            return self._by_row(summary, lambda x, t_x, age, h: process.at_least_one(x, t_x, age, h), ahead)

        def formula(x: FloatArray, t_x: FloatArray, age: FloatArray, _: FloatArray) -> FloatArray:
            coming = once_a_pair(x, age, lambda count, T: process.next_if_alive(count, T, float(ahead)))
            return process.alive(x, t_x, age) * coming

        return self._by_row(summary, formula, ahead)

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
        return in_slices(frame.height, lambda rows: formula(x[rows], t_x[rows], age[rows], ahead[rows]))


def _check_count(n: int) -> None:
    if n < 0:
        raise ValueError("n, the number of purchases, must not be negative.")
