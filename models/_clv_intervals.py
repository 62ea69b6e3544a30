"""Intervals of predicted orders and value by simulation from both models.

A draw takes parameters of both models from the normal distribution around the estimates (log scale). A
*predictive* interval then draws what each customer does: still there or not, at what rate, how often, what
each order is worth. Otherwise only the expectation moves, and the interval is one of the mean.

Equal customers share their draws: one row per distinct (frequency, recency, T, monetary_value), in slices of
`_ROWS_AT_ONCE`, each with its own random stream. So memory is bounded, and the result depends on the seed and
the customers, not on the number of threads.

Does not belong here: the formulas of the processes (`models.purchases`), point predictions (`models.clv`).
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from models._parameter_draws import Intervals, draw_parameters
from models._spends import known_spend
from models.purchases import PurchaseModel
from models.spend import GammaGamma

FloatArray = npt.NDArray[np.float64]

_ROWS_AT_ONCE: Final = 4_096
_KEY: Final = ("frequency", "recency", "T", "monetary_value")


@dataclass(frozen=True, slots=True)
class _Draws:
    """Parameters of both models, one row a draw; `spend` is empty where spend is a constant."""

    purchases: FloatArray
    spend: FloatArray


def draw_bounds(
    customers: pl.DataFrame,
    discounted_share: FloatArray,
    purchases: PurchaseModel,
    spend: GammaGamma,
    horizon: float,
    intervals: Intervals,
) -> dict[str, FloatArray]:
    """Give lower and upper bounds of orders and value, in row order.

    Parameters
    ----------
    customers
        frequency, recency, T, monetary_value as Float64, one row per customer.
    discounted_share : (rows,) array
        Discounted over undiscounted expected orders; it scales a customer's value in every draw.
    horizon
        In the purchase model's unit of time.
    """
    x, mean_spend = known_spend(customers)
    keyed = customers.with_columns(monetary_value=pl.Series(np.where(x > 0, mean_spend, -1.0)))
    distinct = keyed.unique().sort(_KEY)
    streams = np.random.SeedSequence(intervals.seed).spawn(1 + -(-distinct.height // _ROWS_AT_ONCE))
    draws = _draw_parameters(np.random.default_rng(streams[0]), purchases, spend, intervals.draws)
    starts = range(0, distinct.height, _ROWS_AT_ONCE)

    def bounds_of(start: int) -> FloatArray:
        rows = distinct.slice(start, _ROWS_AT_ONCE)
        rng = np.random.default_rng(streams[1 + start // _ROWS_AT_ONCE])
        return _bounds(rng, rows, draws, purchases, spend, horizon, intervals)

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        bounds = np.concatenate([np.empty((0, 4)), *pool.map(bounds_of, starts)])
    names = ("predicted_orders_low", "predicted_orders_high", "predicted_clv_low", "predicted_clv_high")
    spread = keyed.join(
        distinct.with_columns(pl.Series(name, bounds[:, i]) for i, name in enumerate(names)),
        on=_KEY,
        how="left",
        maintain_order="left",
    )
    return {name: spread[name].to_numpy() * (discounted_share if "clv" in name else 1.0) for name in names}


def _bounds(
    rng: np.random.Generator,
    rows: pl.DataFrame,
    draws: _Draws,
    purchases: PurchaseModel,
    spend: GammaGamma,
    horizon: float,
    intervals: Intervals,
) -> FloatArray:
    """Simulate one slice of customers; (rows, 4) array of orders low, high, value low, high."""
    x, t_x, age, mean_spend = (rows[name].to_numpy() for name in _KEY)
    spend_x = np.where(mean_spend < 0, 0.0, x)  # -1 marks customers whose spend says nothing
    total_spend = spend_x * np.maximum(mean_spend, 0.0)
    orders = np.empty((intervals.draws, len(x)))
    value = np.empty_like(orders)
    for j, parameters in enumerate(draws.purchases):
        process = purchases.process_at(parameters)
        if intervals.predictive:
            orders[j] = process.draw(rng, x, t_x, age, horizon)
        else:
            orders[j] = process.expected(x, t_x, age, horizon)
        if not len(draws.spend):
            value[j] = orders[j] * spend.population_mean_
            continue
        p, q, v = (float(parameter) for parameter in draws.spend[j])
        if intervals.predictive:
            buys = np.flatnonzero(orders[j])
            rate = rng.standard_gamma(q + p * spend_x[buys]) / (v + total_spend[buys])
            value[j] = 0.0
            value[j, buys] = rng.standard_gamma(p * orders[j, buys]) / rate
        else:
            value[j] = orders[j] * p * (v + total_spend) / (p * spend_x + q - 1)
    return np.column_stack([*_quantiles(orders, intervals.level), *_quantiles(value, intervals.level)])


def _quantiles(draws: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Take the order statistics just outside the level: counts stay whole, coverage is not cut short."""
    last = draws.shape[0] - 1
    low, high = int(np.floor((1 - level) / 2 * last)), int(np.ceil((1 + level) / 2 * last))
    ordered = np.partition(np.ascontiguousarray(draws.T), (low, high), axis=1)
    return ordered[:, low], ordered[:, high]


def _draw_parameters(
    rng: np.random.Generator, purchases: PurchaseModel, spend: GammaGamma, draws: int
) -> _Draws:
    of_purchases = draw_parameters(
        rng, purchases.estimates(), purchases.log_covariance_, draws, model="purchase"
    )
    if spend.fallback_:
        return _Draws(of_purchases, np.empty((0, 3)))
    estimates = [spend.params_[name] for name in spend.parameter_names]
    of_spend = draw_parameters(rng, estimates, spend.log_covariance_, draws, model="spend")
    # where a draw has no finite mean spend, the estimate stands in for it
    no_mean = of_spend[:, 1] <= 1.05
    of_spend[no_mean] = estimates
    return _Draws(of_purchases, of_spend)
