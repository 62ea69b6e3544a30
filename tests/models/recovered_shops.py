"""Composed shops with known parameters: are these found again, and do predictions and intervals hold?

A shop is drawn purchase by purchase (`simulated_histories`) with Gamma-Gamma spend, fitted, and predicted for the
next 180 days, which are drawn too.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from models.clv import Intervals, customer_lifetime_value
from models.purchases import BetaGeo, ModifiedBetaGeo, ParetoNBD, PurchaseModel
from models.spend import GammaGamma
from tests.models.simulated_histories import simulate

HORIZON_DAYS = 180
STORIES: dict[str, tuple[type[PurchaseModel], tuple[float, float, float, float]]] = {
    "bg": (BetaGeo, (0.8, 60.0, 0.9, 2.5)),
    "mbg": (ModifiedBetaGeo, (0.9, 60.0, 0.8, 2.0)),
    "pareto": (ParetoNBD, (0.8, 60.0, 0.7, 200.0)),
}
SPEND = (6.0, 4.0, 15.0)


@dataclass(frozen=True)
class Recovered:
    """What one shop, or several together, showed.

    `inside` and `parameters` count true parameters within their 95 % interval and all of them; the others count
    customers, orders and value of the horizon, and customers within their 90 % predictive interval.
    """

    inside: int = 0
    parameters: int = 0
    customers: int = 0
    predicted_orders: float = 0.0
    orders: float = 0.0
    predicted_value: float = 0.0
    value: float = 0.0
    scored: int = 0
    orders_covered: int = 0
    value_covered: int = 0

    def __add__(self, other: "Recovered") -> "Recovered":
        return Recovered(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


def composed_shop(story: str, customers: int, seed: int) -> pl.DataFrame:
    """Summary of a composed shop, with `later` orders and their `value` in the horizon."""
    shop = simulate(story, STORIES[story][1], customers, seed, horizon=HORIZON_DAYS)
    rng = np.random.default_rng([seed, 1])
    p, q, v = SPEND
    nu = rng.gamma(q, 1 / v, customers)
    x, later = shop["frequency"].to_numpy(), shop["later"].to_numpy()
    mean_spend = rng.gamma(p * np.maximum(x, 1)) / nu / np.maximum(x, 1)
    value = np.where(later > 0, rng.gamma(p * np.maximum(later, 1)) / nu, 0.0)
    return shop.with_columns(
        monetary_value=pl.when(pl.col("frequency") > 0).then(pl.Series(mean_spend)), value=pl.Series(value)
    )


def recover(story: str, customers: int, seed: int, *, scored: int, draws: int = 200) -> Recovered:
    """Fit a composed shop, and predict it; intervals for the first `scored` customers."""
    model, truth = STORIES[story]
    shop = composed_shop(story, customers, seed)
    purchases, spend = model().fit(shop), GammaGamma().fit(shop)
    inside = _inside(list(purchases.params_.values()), purchases.log_covariance_, truth)
    inside += _inside(list(spend.params_.values()), spend.log_covariance_, SPEND)
    point = customer_lifetime_value(shop, purchases, spend, horizon_days=HORIZON_DAYS)
    part = shop.head(scored)
    settings = Intervals(draws=draws, seed=seed)
    table = customer_lifetime_value(
        part, purchases, spend, horizon_days=HORIZON_DAYS, intervals=settings
    ).with_columns(part["later"], part["value"])
    covered = table.select(
        orders=pl.col("later").is_between("predicted_orders_low", "predicted_orders_high").sum(),
        value=pl.col("value").is_between("predicted_clv_low", "predicted_clv_high").sum(),
    ).row(0)
    return Recovered(
        inside,
        len(truth) + len(SPEND),
        customers,
        float(point["predicted_orders"].sum()),
        float(shop["later"].sum()),
        float(point["predicted_clv"].sum()),
        float(shop["value"].sum()),
        part.height,
        *covered,
    )


def _inside(estimates: list[float], log_covariance: np.ndarray, truth: tuple[float, ...]) -> int:
    """Count the true values within 1.96 standard errors of the logarithms."""
    distance = np.abs(np.log(estimates) - np.log(truth))
    return int(np.sum(distance <= 1.96 * np.sqrt(np.diag(log_covariance))))
