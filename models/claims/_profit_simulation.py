"""Profit with more retention beside profit without, on a fitted purchase model and with costs as inputs.

Expected orders come from the model's closed forms, not from people drawn one by one; what is drawn is the model's
parameters, for the interval.

What does not belong here: what more retention means (`models.claims._more_retention`), where the inputs come from
(`models.claims._profit_inputs`), the claims (`models.claims.retained_profit`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import brentq

from models._parameter_draws import draw_parameters
from models.claims._estimate import Estimate
from models.claims._more_retention import (
    MOST_STAYING,
    FloatArray,
    RetentionChange,
    StayingModel,
    discounted_repeats,
    expected_repeats,
    repurchase_rate,
    stay_chance,
)
from models.claims._till import COST_CUT, Till

__all__ = ["COST_CUT", "Base", "Simulated", "equal_change", "simulate_base", "simulate_retention"]

YEAR_DAYS: Final = 365
_LEVEL: Final = 0.95

Orders = Callable[[FloatArray, FloatArray], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Base:
    """The customers a shop has, or a sample of them.

    Attributes
    ----------
    history
        frequency, recency and T of each, in days.
    spend
        What each is expected to spend on an order day.
    """

    history: tuple[FloatArray, FloatArray, FloatArray]
    spend: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A shop with more retention beside the same shop without.

    Attributes
    ----------
    stay_before, stay_after
        Mean chance of a new customer to stay after an order.
    is_cut
        The change asked for more than everybody staying, and was cut there.
    repurchase_before, repurchase_after
        Share of new customers with a second order day within 365 days.
    orders_before, orders_after
        Order days: per new customer with the first, discounted; or of all known customers together.
    profit_before, profit_after
        Contribution less fixed and acquisition costs, likewise.
    costs
        All costs before: variable, fixed, acquisition.
    lift
        profit_after / profit_before - 1; None where there is no profit to compare to.
    worth
        The gain in profit over that of `COST_CUT` less cost; None where nothing costs.
    """

    stay_before: float
    stay_after: float
    is_cut: bool
    repurchase_before: float
    repurchase_after: float
    orders_before: float
    orders_after: float
    profit_before: float
    profit_after: float
    costs: float
    lift: Estimate | None
    worth: Estimate | None


def simulate_retention(
    model: StayingModel,
    first_spend: float,
    repeat_spend: float,
    *,
    change: RetentionChange,
    margin: float,
    fixed_costs: float = 0.0,
    acquisition_cost: float = 0.0,
    horizon_days: float = 5 * YEAR_DAYS,
    annual_discount: float = 0.10,
    draws: int = 200,
    seed: int = 0,
) -> Simulated:
    """Simulate a cohort of new customers, per customer, from the first order to the horizon.

    Parameters
    ----------
    model
        Fitted, in days; `ModifiedBetaGeo` lets customers leave after the first order, too.
    first_spend, repeat_spend
        Mean net revenue of the first order day, and of a repeat one.
    change
        By how much more customers stay.
    margin
        Share of net revenue that is left after the costs that grow with orders.
    fixed_costs, acquisition_cost
        Per new customer.
    horizon_days, annual_discount
        Repeat orders count up to the horizon, discounted by this share a year.
    draws, seed
        Of the parameters, for the interval.

    Examples
    --------
    >>> from models.purchases import ModifiedBetaGeo
    >>> model = ModifiedBetaGeo.from_parameters(dict(r=0.7, alpha=60.0, a=0.8, b=2.4))
    >>> five = RetentionChange(amount=0.05, is_points=True)
    >>> found = simulate_retention(model, 50.0, 60.0, change=five, margin=0.4, draws=0)
    >>> round(found.stay_before, 2), round(found.stay_after, 2), round(found.lift.value, 2)
    (0.75, 0.8, 0.24)
    """

    def orders(parameters: FloatArray, changed: FloatArray) -> tuple[float, float]:
        return (
            discounted_repeats(model, parameters, horizon_days, annual_discount),
            discounted_repeats(model, changed, horizon_days, annual_discount),
        )

    till = Till(first_spend, repeat_spend, margin, fixed_costs + acquisition_cost)
    return _simulated(model, orders, change, till, 1.0, _drawn(model, draws, seed))


def simulate_base(
    model: StayingModel,
    base: Base,
    *,
    change: RetentionChange,
    margin: float,
    fixed_costs: float = 0.0,
    days: float = YEAR_DAYS,
    draws: int = 60,
    seed: int = 0,
) -> Simulated:
    """Simulate the customers that a shop has, together, over the days to come; not discounted.

    Parameters
    ----------
    base
        Their histories, and what each is expected to spend on an order day.
    fixed_costs
        Of all of them together; see `simulate_retention` for the others.
    """
    mean_spend = float(base.spend.mean())
    weights = base.spend / mean_spend

    def orders(parameters: FloatArray, changed: FloatArray) -> tuple[float, float]:
        return (
            float(weights @ expected_repeats(model, parameters, parameters, base.history, days)),
            float(weights @ expected_repeats(model, parameters, changed, base.history, days)),
        )

    till = Till(0.0, mean_spend, margin, fixed_costs)
    return _simulated(model, orders, change, till, 0.0, _drawn(model, draws, seed))


def equal_change(simulate: Callable[..., Simulated], stay: float) -> float | None:
    """Find the relative change of the chance to stay that is worth as much as `COST_CUT` less cost.

    Parameters
    ----------
    simulate
        Takes the argument `change` (a `RetentionChange`).
    stay
        Mean chance to stay before it.

    Returns
    -------
    float or None
        0.07 is 7 % more; None where not even everybody staying is worth as much.
    """
    most = MOST_STAYING / stay - 1
    if most <= 0:
        return None

    def gap(amount: float) -> float:
        worth = simulate(change=RetentionChange(amount=amount)).worth
        return (worth.value if worth else 0.0) - 1.0

    return None if gap(most) < 0 else float(brentq(gap, 0.0, most, xtol=1e-5))


def _simulated(
    model: StayingModel,
    orders: Orders,
    change: RetentionChange,
    till: Till,
    first_orders: float,
    drawn: FloatArray | None,
) -> Simulated:
    estimates = np.array(model.estimates())
    changed = change.parameters(estimates)
    before, after = orders(estimates, changed)
    both = None if drawn is None else [orders(at, change.parameters(at)) for at in drawn]
    stay = stay_chance(estimates)
    return Simulated(
        stay_before=stay,
        stay_after=change.applied(stay),
        is_cut=change.is_cut(stay),
        repurchase_before=repurchase_rate(model, estimates, YEAR_DAYS),
        repurchase_after=repurchase_rate(model, changed, YEAR_DAYS),
        orders_before=first_orders + before,
        orders_after=first_orders + after,
        profit_before=till.profit(before),
        profit_after=till.profit(after),
        costs=till.costs(before),
        lift=_bounded(till.lift, (before, after), both),
        worth=_bounded(till.worth, (before, after), both),
    )


def _drawn(model: StayingModel, draws: int, seed: int) -> FloatArray | None:
    """Draw parameters; None where their uncertainty is not known, so that no interval pretends to be."""
    if draws == 0 or not bool(np.all(np.isfinite(model.log_covariance_))):
        return None
    generator = np.random.default_rng(seed)
    return draw_parameters(
        generator, model.estimates(), model.log_covariance_, draws, model=type(model).__name__
    )


def _bounded(
    number: Callable[[float, float], float],
    orders: tuple[float, float],
    drawn: list[tuple[float, float]] | None,
) -> Estimate | None:
    value = number(*orders)
    if not np.isfinite(value):
        return None
    found = np.array([number(*pair) for pair in drawn or []])
    if not found.size or not bool(np.all(np.isfinite(found))):
        return Estimate(value, None, None)
    low, high = np.quantile(found, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    # A draw cut at everybody staying can move both limits to one side of the estimate.
    return Estimate(value, min(float(low), value), max(float(high), value))
