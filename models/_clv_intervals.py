"""Intervals of predicted orders and value by simulation from both models.

A draw takes parameters of both models from the normal distribution around the estimates (log scale). A
*predictive* interval then lives through a scenario with them: still there or not, at what rate, how often, what
each order is worth. Otherwise only the expectation moves, and the interval is one of the mean.

Equal customers are computed once: one row per distinct (frequency, recency, T, monetary_value), in slices of
`_ROWS_AT_ONCE`, so memory is bounded. A customer's interval depends on the models, the customer and the seed; not
on other customers or the number of threads.

Does not belong here: the formulas of the processes (`models.purchases`), point predictions (`models.clv`).
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import gammaincinv

from models._parameter_draws import Intervals, draw_parameters
from models._spends import known_spend
from models.purchases import PurchaseModel
from models.purchases._process import PurchaseProcess
from models.purchases._scenarios import Fates, Scenario, draw_scenarios
from models.spend import GammaGamma

FloatArray = npt.NDArray[np.float64]

_ROWS_AT_ONCE: Final = 4_096
_KEY: Final = ("frequency", "recency", "T", "monetary_value")


@dataclass(frozen=True, slots=True)
class _Draw:
    """One draw of everything: parameters, scenario, and what follows from them for each distinct frequency.

    `spend_rate` has one more entry, for customers whose spend is unknown; p = 0 marks a constant spend.
    """

    process: PurchaseProcess
    scenario: Scenario
    fates: Fates
    p: float
    q: float
    v: float
    spend_rate: FloatArray
    spend_path: FloatArray


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
    counts = distinct["frequency"].unique().sort().to_numpy()
    draws = _draw(counts, purchases, spend, intervals)

    def bounds_of(start: int) -> FloatArray:
        return _bounds(distinct.slice(start, _ROWS_AT_ONCE), counts, draws, spend, horizon, intervals)

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        slices = pool.map(bounds_of, range(0, distinct.height, _ROWS_AT_ONCE))
        bounds = np.concatenate([np.empty((0, 4)), *slices])
    names = ("predicted_orders_low", "predicted_orders_high", "predicted_clv_low", "predicted_clv_high")
    spread = keyed.join(
        distinct.with_columns(pl.Series(name, bounds[:, i]) for i, name in enumerate(names)),
        on=_KEY,
        how="left",
        maintain_order="left",
    )
    return {name: spread[name].to_numpy() * (discounted_share if "clv" in name else 1.0) for name in names}


def _draw(
    counts: FloatArray, purchases: PurchaseModel, spend: GammaGamma, intervals: Intervals
) -> list[_Draw]:
    rng = np.random.default_rng(intervals.seed)
    drawn = draw_parameters(
        rng, purchases.estimates(), purchases.log_covariance_, intervals.draws, model="purchase"
    )
    of_spend = _draw_spend(rng, spend, intervals)
    draws: list[_Draw] = []
    for j, scenario in enumerate(draw_scenarios(rng, intervals.draws)):
        process = purchases.process_at(drawn[j])
        p, q, v = (float(value) for value in of_spend[j])
        draws.append(
            _Draw(
                process,
                scenario,
                process.fates(scenario, counts),
                p,
                q,
                v,
                gammaincinv(q + p * np.append(counts, 0.0), scenario.spend).astype(np.float64),
                np.append(0.0, np.cumsum(rng.standard_gamma(p, size=len(scenario.arrivals)))),
            )
        )
    return draws


def _draw_spend(rng: np.random.Generator, spend: GammaGamma, intervals: Intervals) -> FloatArray:
    """Draw p, q, v; all p are 0 where every order is expected to be worth the same."""
    if spend.fallback_:
        return np.tile([0.0, 2.0, 0.0], (intervals.draws, 1))
    estimates = [spend.params_[name] for name in spend.parameter_names]
    drawn = draw_parameters(rng, estimates, spend.log_covariance_, intervals.draws, model="spend")
    # where a draw has no finite mean spend, the estimate stands in for it
    drawn[drawn[:, 1] <= 1.05] = estimates
    return drawn


def _bounds(
    rows: pl.DataFrame,
    counts: FloatArray,
    draws: list[_Draw],
    spend: GammaGamma,
    horizon: float,
    intervals: Intervals,
) -> FloatArray:
    """Compute one slice of customers; (rows, 4) array of orders low, high, value low, high."""
    x, t_x, age, mean_spend = (rows[name].to_numpy() for name in _KEY)
    frequency = np.searchsorted(counts, x)
    unknown = mean_spend < 0  # -1 marks customers whose spend says nothing
    spend_x, spend_row = np.where(unknown, 0.0, x), np.where(unknown, len(counts), frequency)
    total_spend = spend_x * np.maximum(mean_spend, 0.0)
    orders = np.empty((len(draws), len(x)))
    value = np.empty_like(orders)
    for j, draw in enumerate(draws):
        if intervals.predictive:
            fates = draw.fates.take(frequency)
            orders[j] = draw.process.purchases(fates, draw.scenario, x, t_x, age, horizon)
        else:
            orders[j] = draw.process.expected(x, t_x, age, horizon)
        if not draw.p:
            value[j] = orders[j] * spend.population_mean_
        elif intervals.predictive:
            rate = draw.spend_rate[spend_row] / (draw.v + total_spend)
            value[j] = _along(draw.spend_path, orders[j], draw.p) / rate
        else:
            value[j] = orders[j] * draw.p * (draw.v + total_spend) / (draw.p * spend_x + draw.q - 1)
    return np.column_stack([*_quantiles(orders, intervals.level), *_quantiles(value, intervals.level)])


def _along(path: FloatArray, orders: FloatArray, p: float) -> FloatArray:
    """Sum the spend of the first orders; past the end of the path, each is worth its mean."""
    last = len(path) - 1
    return path[np.minimum(orders, last).astype(np.intp)] + p * np.maximum(orders - last, 0.0)


def _quantiles(draws: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Take the order statistics just outside the level: counts stay whole, coverage is not cut short.

    Nothing lies below 0. Where the lower tail is all zeros it would cut off nobody, and the interval would hold
    too much: all that may lie outside then lies above.
    """
    last = draws.shape[0] - 1
    low, high = int(np.floor((1 - level) / 2 * last)), int(np.ceil((1 + level) / 2 * last))
    above = int(np.ceil(level * last))
    ordered = np.partition(np.ascontiguousarray(draws.T), (low, above, high), axis=1)
    return ordered[:, low], np.where(ordered[:, low] > 0, ordered[:, high], ordered[:, above])
