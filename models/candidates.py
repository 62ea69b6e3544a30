"""Candidates: everything that may predict each customer's value and purchase probability, in one shape.

A candidate is fitted on what was known at a date and asked about the days after it. The back-test and the nightly
scoring use the same objects, so what is published is what was tested.

Here stand the shape and the buy-till-you-die models; `models.baselines` has what they must beat,
`models.boosted_trees` what knows more than order days. Splitting time and measuring belong to `models.backtest`,
choosing to `models.champion`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, Self

import polars as pl

from models.known import Known
from models.purchases import BetaGeo, ModifiedBetaGeo, ParetoNBD, PurchaseModel
from models.spend import GammaGamma
from models.summary import customer_summary

PREDICTION_COLUMNS = ("customer_key", "predicted_value", "purchase_probability", "model")


class Candidate(Protocol):
    """What can be back-tested and become champion."""

    @property
    def name(self) -> str:
        """Name under which it is measured and published."""
        ...

    def fit(self, known: Known) -> Self:
        """Learn from what was known of a shop at the end of a day.

        Raises
        ------
        ModelError
            The model cannot be used on this shop; the message says why. It then takes no part.
        """
        ...

    def predict(self, horizon_days: int) -> pl.DataFrame:
        """Predict the days (as_of, as_of + horizon_days] for everybody who has ordered.

        Returns
        -------
        pl.DataFrame
            One row per customer: customer_key; predicted_value (Float64, net, shop currency, undiscounted)
            and purchase_probability (Float64, at least one valid order), either of them null throughout if
            the candidate does not predict it; model.
        """
        ...


class BuyTillYouDie:
    """A purchase model for how often, Gamma-Gamma for how much.

    Parameters
    ----------
    name
        Name under which it is measured and published.
    purchase_model
        Makes the purchase model to fit, for example `models.purchases.BetaGeo`; days as time unit.

    Attributes
    ----------
    purchases_
        The fitted purchase model.
    spend_
        The fitted spend model.
    summary_
        The customer summary both were fitted on, sorted by customer_key.
    """

    purchases_: PurchaseModel
    spend_: GammaGamma
    summary_: pl.DataFrame

    def __init__(self, name: str, purchase_model: Callable[[], PurchaseModel]) -> None:
        self.name = name
        self.purchase_model = purchase_model

    def fit(self, known: Known) -> Self:
        """Fit both models on the customer summary."""
        summary = customer_summary(known.purchases, known.as_of)
        self.summary_ = summary.sort("customer_key").collect()
        self.purchases_ = self.purchase_model().fit(self.summary_)
        self.spend_ = GammaGamma().fit(self.summary_)
        return self

    def predict(self, horizon_days: int) -> pl.DataFrame:
        """Multiply expected order days by expected net per order day; see `Candidate.predict`."""
        orders = self.purchases_.expected_purchases(self.summary_, horizon_days)
        spend = self.spend_.expected_spend(self.summary_)
        probability = self.purchases_.purchase_probability(self.summary_, horizon_days)
        return self.summary_.select(
            "customer_key",
            predicted_value=pl.Series(orders * spend, dtype=pl.Float64),
            purchase_probability=pl.Series(probability, dtype=pl.Float64),
            model=pl.lit(self.name),
        )


def bg_nbd_gamma_gamma() -> BuyTillYouDie:
    """BG/NBD with Gamma-Gamma: customers may leave after each repeat purchase."""
    return BuyTillYouDie("bg_nbd_gamma_gamma", BetaGeo)


def mbg_nbd_gamma_gamma() -> BuyTillYouDie:
    """MBG/NBD with Gamma-Gamma: customers may also leave after the first purchase."""
    return BuyTillYouDie("mbg_nbd_gamma_gamma", ModifiedBetaGeo)


def pareto_nbd_gamma_gamma() -> BuyTillYouDie:
    """Pareto/NBD with Gamma-Gamma: customers may leave at any moment."""
    return BuyTillYouDie("pareto_nbd_gamma_gamma", ParetoNBD)
