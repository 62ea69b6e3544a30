"""How often a customer will buy, and whether they will come back: buy-till-you-die models.

Input is the customer summary (one row per customer: frequency, recency, T); output NumPy arrays in row order.
Spend is in `models.spend`, the two together in `models.clv`.
"""

from models.purchases._estimator import PurchaseModel
from models.purchases._models import BetaGeo, ModifiedBetaGeo, ParetoNBD

__all__ = ["BetaGeo", "ModifiedBetaGeo", "ParetoNBD", "PurchaseModel"]
