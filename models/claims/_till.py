"""Till: repeat orders as revenue, costs and profit.

What does not belong here: how many repeat orders there are (`models.claims._profit_simulation`), what costs a shop has
(`models.claims._shop_costs`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

__all__ = ["COST_CUT", "Till"]

COST_CUT: Final = 0.10
"""The claim's cut of costs."""


@dataclass(frozen=True, slots=True)
class Till:
    """Turns repeat order days into money.

    Attributes
    ----------
    first_revenue, repeat_spend
        Net revenue of the first order day, and of each repeat one.
    margin
        Share of net revenue that is left after the costs that grow with orders.
    unchanged_costs
        Costs that more orders do not change.
    """

    first_revenue: float
    repeat_spend: float
    margin: float
    unchanged_costs: float

    def revenue(self, repeats: float) -> float:
        """Net revenue."""
        return self.first_revenue + self.repeat_spend * repeats

    def profit(self, repeats: float) -> float:
        """What is left of it after all costs."""
        return self.margin * self.revenue(repeats) - self.unchanged_costs

    def costs(self, repeats: float) -> float:
        """All costs."""
        return (1 - self.margin) * self.revenue(repeats) + self.unchanged_costs

    def lift(self, before: float, after: float) -> float:
        """Profit after over profit before, less one; NaN where there was none."""
        profit = self.profit(before)
        return self.profit(after) / profit - 1 if profit > 0 else np.nan

    def worth(self, before: float, after: float) -> float:
        """The gain in profit over that of `COST_CUT` less cost; NaN where nothing costs."""
        costs = self.costs(before)
        return (self.profit(after) - self.profit(before)) / (COST_CUT * costs) if costs > 0 else np.nan
