"""A purchase model times Gamma-Gamma over every order day, the first one too.

Fader & Hardie leave the first order out of the mean, since it is often not like the others (note 025). That is right
where trial orders are small, and costs all that is known of the spend of one-time buyers, who are most customers of
most shops: they all get the population mean. Which of the two holds, the back-test says for each shop.

What does not belong here: the models themselves (`models.purchases`, `models.spend`), the candidates that leave the
first order out (`models.candidates`), the season (`models.season_level`).
"""

from __future__ import annotations

from typing import Final, Self

import polars as pl

from models.known import Known
from models.purchases import ModifiedBetaGeo, PurchaseModel
from models.spend import GammaGamma
from models.summary import customer_summary

__all__ = ["EveryOrderSpend"]

_PRIOR_PRECISION: Final = 1.0
"""Steadies parameters that a young shop hardly determines; where customers are many it moves little (ours)."""


class EveryOrderSpend:
    """MBG/NBD for how often, Gamma-Gamma over all order days for how much; see `models.candidates.Candidate`.

    Attributes
    ----------
    purchases_
        The fitted purchase model.
    spend_
        The fitted spend model, on order days where `models.candidates` has repeat order days.
    summary_
        One row per customer, sorted: the customer summary; order_days; net_per_order_day (Float64).
    """

    purchases_: PurchaseModel
    spend_: GammaGamma
    summary_: pl.DataFrame

    def __init__(self, name: str) -> None:
        self.name = name

    def fit(self, known: Known) -> Self:
        """Fit both models on what was known."""
        purchases = known.purchases.filter(pl.col("order_day") <= known.as_of)
        net = purchases.group_by("customer_key").agg(pl.col("net").sum().cast(pl.Float64))
        self.summary_ = (
            customer_summary(purchases, known.as_of)
            .join(net, on="customer_key")
            .with_columns(order_days=pl.col("frequency") + 1)
            .with_columns(net_per_order_day=pl.col("net") / pl.col("order_days"))
            .drop("net")
            .sort("customer_key")
            .collect()
        )
        self.purchases_ = ModifiedBetaGeo(prior_precision=_PRIOR_PRECISION).fit(self.summary_)
        self.spend_ = GammaGamma().fit(self._spends())
        return self

    def predict(self, horizon_days: int) -> pl.DataFrame:
        """Multiply expected order days by expected net per order day."""
        orders = self.purchases_.expected_purchases(self.summary_, horizon_days)
        probability = self.purchases_.purchase_probability(self.summary_, horizon_days)
        return self.summary_.select(
            "customer_key",
            predicted_value=pl.Series(orders * self.spend_.expected_spend(self._spends()), dtype=pl.Float64),
            purchase_probability=pl.Series(probability, dtype=pl.Float64),
            model=pl.lit(self.name),
        )

    def _spends(self) -> pl.DataFrame:
        return self.summary_.select(frequency="order_days", monetary_value="net_per_order_day")
