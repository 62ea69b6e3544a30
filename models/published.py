"""Published: the champions with everything that they need to predict, read or fitted before.

What does not belong here: what they say of customers (`models.prediction`), how they were chosen (`models.champion`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from models.candidates import Candidate
from models.less_returns import LessReturns
from models.purchases import PurchaseModel
from models.spend import GammaGamma

__all__ = ["LESS_RETURNS_ORDERS", "Champions"]

LESS_RETURNS_ORDERS: Final = "mbg_nbd_gamma_gamma"
"""Name of the purchase model that `LessReturns` counts orders by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Champions:
    """The models to publish.

    Attributes
    ----------
    value, probability
        Names of the back-test.
    fitted
        Purchase models by these names, fitted in days; there is at least one, for order counts and waiting times.
    spend
        How much an order day is worth, net of returns.
    spend_before_returns
        The same before them; needed where `models.less_returns.LessReturns` is champion for value.
    returned_shares
        customer_key, expected_returned_share, as learnt with the models; None where the shop tells of no returns.
    others
        Candidates by their names that are no purchase models: baselines, season, trees. They are fitted when they
        score, but for what they were given grown. Where one refuses the shop of the day, the purchase model stands in
        for it, and is named.
    calibration, outcomes
        How the candidates' predictions turned out (`calibration_by_decile` and `outcomes` of `models.calibration`),
        which bounds the others; None leaves their bounds null.
    """

    value: str
    probability: str
    fitted: Mapping[str, PurchaseModel]
    spend: GammaGamma
    spend_before_returns: GammaGamma | None = None
    returned_shares: pl.DataFrame | None = None
    others: Mapping[str, Candidate] = field(default_factory=dict[str, Candidate])
    calibration: pl.DataFrame | None = None
    outcomes: pl.DataFrame | None = None

    @property
    def orders(self) -> str:
        """The purchase model that order counts and waiting times come from."""
        value = LESS_RETURNS_ORDERS if self.value == LessReturns.name else self.value
        return next(name for name in (value, self.probability, *self.fitted) if name in self.fitted)

    def calibrated(self) -> pl.DataFrame | None:
        """How the tenths of the champion for probability turned out; None where that is not known."""
        own = None if self.calibration is None else self.calibration.filter(quantity="probability")
        return _of(own, self.probability)

    def turned_out(self) -> pl.DataFrame | None:
        """What came of like predictions of the champion for value; None where that is not known."""
        return _of(self.outcomes, self.value)


def _of(rows: pl.DataFrame | None, model: str) -> pl.DataFrame | None:
    own = None if rows is None else rows.filter(model=model)
    return None if own is None or own.is_empty() else own
