"""Value less returns: what somebody will order and pay, less what of it is expected to come back.

Net spend, which the other candidates learn from, is too high for young orders, whose returns are yet to come, and zero
for people whose only repeat was sent back. Here spend is learnt before returns, which everybody has, and returns are
expected apart (`models.returned_share`).

What does not belong here: the models themselves, and how sure the returned share is.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from models._behaviour_features import known_purchases
from models.errors import NotEnoughDataError
from models.known import Known
from models.purchases import ModifiedBetaGeo
from models.returned_share import expected_returned_share
from models.spend import GammaGamma
from models.summary import customer_summary

__all__ = [
    "BeforeReturns",
    "LessReturns",
    "before_returns",
    "returned_share_of",
    "summary_before_returns",
]


class BeforeReturns(NamedTuple):
    """A shop before returns, and what share of it is kept.

    Attributes
    ----------
    summary
        Customer summary whose monetary_value is before returns, sorted by customer_key.
    kept_share : (rows,) array
        Share of value that is not expected to come back.
    """

    summary: pl.DataFrame
    kept_share: npt.NDArray[np.float64]


def before_returns(known: Known, shares: pl.DataFrame | None = None) -> BeforeReturns:
    """Look at a shop before returns.

    Parameters
    ----------
    known
        What was known of the shop.
    shares
        customer_key, expected_returned_share, as learnt before; who is not in it is expected to send back as much as
        the others on average. Default: learnt now.

    Raises
    ------
    NotEnoughDataError
        Returns or the lines of orders are not told.
    """
    tables = known.tables
    lines, returns = (
        (tables.get("order_lines"), tables.get("returns")) if tables is not None else (None, None)
    )
    if tables is None or lines is None or returns is None:
        raise NotEnoughDataError(
            "Which share comes back is learnt from order lines and returns; one is missing."
        )
    if shares is None:
        shares = expected_returned_share(tables["orders"], lines, returns, known.as_of)
    summary = summary_before_returns(tables["orders"], known.as_of)
    return BeforeReturns(summary, 1 - returned_share_of(summary, shares).to_numpy())


def summary_before_returns(orders: pl.LazyFrame, as_of: date) -> pl.DataFrame:
    """The customer summary with monetary_value before returns, sorted by customer_key."""
    purchases = known_purchases(orders, None, as_of)
    return customer_summary(purchases, as_of).sort("customer_key").collect()


def returned_share_of(customers: pl.DataFrame, shares: pl.DataFrame) -> pl.Series:
    """Share expected back of each customer, in row order; the mean of the others for who is not in `shares`."""
    own = shares.select("customer_key", "expected_returned_share")
    joined = customers.select("customer_key").join(own, on="customer_key", how="left", maintain_order="left")
    share = joined["expected_returned_share"]
    return share.fill_null(strategy="mean")


class LessReturns:
    """MBG/NBD for how often, Gamma-Gamma before returns for how much, less the share expected back; see `Candidate`.

    It has nothing of its own to say on whether somebody orders, so it predicts values alone.

    Attributes
    ----------
    purchases_ : ModifiedBetaGeo
    spend_ : GammaGamma
        Fitted on spend before returns.
    shop_ : BeforeReturns
    """

    name = "mbg_nbd_less_returns"
    purchases_: ModifiedBetaGeo
    spend_: GammaGamma
    shop_: BeforeReturns

    def fit(self, known: Known) -> Self:
        """Fit both models; see `Candidate.fit`."""
        self.shop_ = before_returns(known)
        self.purchases_ = ModifiedBetaGeo().fit(self.shop_.summary)
        self.spend_ = GammaGamma().fit(self.shop_.summary)
        return self

    def predict(self, horizon_days: int) -> pl.DataFrame:
        """Multiply expected order days by expected spend and the share kept; see `Candidate.predict`."""
        summary = self.shop_.summary
        orders = self.purchases_.expected_purchases(summary, horizon_days)
        value = orders * self.spend_.expected_spend(summary) * self.shop_.kept_share
        return summary.select(
            "customer_key",
            predicted_value=pl.Series(value, dtype=pl.Float64),
            purchase_probability=pl.lit(None, pl.Float64),
            model=pl.lit(self.name),
        )
