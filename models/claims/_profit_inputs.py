"""What the profit simulation starts from: the fitted model, spend, customers, and costs as shares of revenue.

Costs come from the options first (somebody said so), else from the table of costs.

What does not belong here: the simulation (`models.claims._profit_simulation`).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl

from models.claims._finding import Facts
from models.claims._more_retention import StayingModel
from models.claims._order_days import won_and_kept
from models.claims._orders import known_purchases
from models.claims._profit_simulation import Base
from models.claims._shop_costs import GOODS, VARIABLE, WINDOW_DAYS, campaign_spend, spent_by_kind
from models.errors import ModelError
from models.intervals import SMALL_GROUP
from models.purchases import BetaGeo, ModifiedBetaGeo
from models.spend import GammaGamma
from models.summary import customer_summary, known_refunds

__all__ = ["Inputs", "NotSimulable", "profit_inputs"]

HORIZON_DAYS: Final = 5 * 365
ANNUAL_DISCOUNT: Final = 0.10
SAMPLE: Final = 10_000
"""Customers the simulation of the base is made on, by a hash of their keys (ours)."""
_MODELS: Final[dict[str, type[StayingModel]]] = {
    # The modified model first: in the other one nobody can leave after the first order.
    "mbg_nbd_gamma_gamma": ModifiedBetaGeo,
    "bg_nbd_gamma_gamma": BetaGeo,
}
_SPEND_MODEL: Final = "gamma_gamma"


@dataclass(frozen=True, slots=True)
class NotSimulable:
    """Why there is nothing to simulate on.

    Attributes
    ----------
    needs
        Tables that would help; empty where there are too few customers.
    returning
        Returning customers, where these are too few.
    """

    says: str
    needs: tuple[str, ...] = ()
    returning: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything the simulation starts from, in the shop's currency.

    Attributes
    ----------
    first_spend, repeat_spend
        Mean net revenue of first, and of repeat order days.
    margin
        Share of net revenue left after costs that grow with orders.
    fixed_costs_a_new_customer
        A year's fixed costs over a year's new customers: each year's new customers carry one year of them.
    fixed_costs_of_base
        Fixed costs in proportion to the revenue expected of the base in a year.
    acquisition_cost
        Per new customer.
    customers, new_customers
        Customers with a valid order, and those who were new in the last 365 days.
    costs_said
        Where the costs come from, in words.
    """

    model: StayingModel
    first_spend: float
    repeat_spend: float
    base: Base
    margin: float
    fixed_costs_a_new_customer: float
    fixed_costs_of_base: float
    acquisition_cost: float
    horizon_days: float
    annual_discount: float
    customers: int
    costs_said: str


def profit_inputs(facts: Facts, as_of: date) -> Inputs | NotSimulable:
    """Gather the inputs, or say what is missing.

    Options: margin (share of net revenue), fixed_costs (a year), acquisition_cost (per new customer), horizon_days,
    annual_discount, acquisition_campaigns (names).
    """
    options, tables = facts.options, facts.tables
    if facts.lacks("orders"):
        return NotSimulable("Without orders there is nothing to simulate on.", ("orders",))
    revenue = _year_revenue(facts, as_of)
    by_kind = {} if facts.lacks("costs") else spent_by_kind(tables["costs"], as_of)
    if "margin" not in options and (not by_kind.get(GOODS) or revenue <= 0):
        return NotSimulable(
            "Connect what the shop spends (costs: goods, shipping, campaigns ...), or name a margin, "
            "to see what more "
            "retention would bring in profit.",
            ("costs",),
        )
    margin = float(options.get("margin", 1 - _variable(by_kind) / revenue if revenue > 0 else 0.0))
    purchases = known_purchases(facts, as_of)
    summary = customer_summary(purchases, as_of)
    first_spend, repeat_spend, returning, customers = _spends(purchases)
    if returning < SMALL_GROUP:
        return NotSimulable(
            f"Only {returning:,} customers have come back: too few to simulate on.", returning=returning
        )
    model = _model(facts, summary, as_of)
    if model is None:
        return NotSimulable("No purchase model can be fitted to this shop.", returning=returning)
    won = max(won_and_kept(tables["orders"], as_of).won, 1)
    spend = campaign_spend(facts, as_of, options.get("acquisition_campaigns")) if by_kind else None
    kept = 0.0 if spend is None else spend.keeping + spend.unnamed
    fixed = float(options.get("fixed_costs", by_kind.get("other", 0.0) + kept))
    acquisition = float(options.get("acquisition_cost", 0.0 if spend is None else spend.winning / won))
    base = _base(facts, summary, as_of, repeat_spend)
    expected = float(base.spend @ model.expected_purchases(_frame(base), 365.0))
    return Inputs(
        model=model,
        first_spend=first_spend,
        repeat_spend=repeat_spend,
        base=base,
        margin=margin,
        fixed_costs_a_new_customer=fixed / won,
        fixed_costs_of_base=fixed / revenue * expected if revenue > 0 else 0.0,
        acquisition_cost=acquisition,
        horizon_days=float(options.get("horizon_days", HORIZON_DAYS)),
        annual_discount=float(options.get("annual_discount", ANNUAL_DISCOUNT)),
        customers=customers,
        costs_said=_said(margin, fixed, acquisition, is_told="margin" in options),
    )


def _said(margin: float, fixed: float, acquisition: float, *, is_told: bool) -> str:
    source = "as told" if is_told else "by the costs of the last 365 days"
    return (
        f"Costs: {margin:.0%} of net revenue is left after goods, parcels, payment and returns "
        f"({source}), fixed costs "
        f"{fixed:,.0f} a year, winning a customer {acquisition:,.2f}."
    )


def _variable(by_kind: dict[str, float]) -> float:
    return sum(by_kind.get(kind, 0.0) for kind in VARIABLE)


def _year_revenue(facts: Facts, as_of: date) -> float:
    """Net revenue of the last 365 days by order date, orders without a customer included, as costs are."""
    day, paid = pl.col("order_day"), pl.col("gross") - pl.col("discount")
    sold = facts.tables["orders"].filter(
        pl.col("is_valid") & (day <= as_of) & (day > as_of - timedelta(WINDOW_DAYS))
    )
    if "returns" in facts.tables:
        refunds = known_refunds(facts.tables["returns"], as_of)
        sold = sold.join(refunds.rename({"refunded": "_back"}), on="order_id", how="left")
        paid = paid - pl.col("_back").fill_null(0)
    return float(sold.select(paid.sum().cast(pl.Float64)).collect(engine="streaming").item() or 0.0)


def _spends(purchases: pl.LazyFrame) -> tuple[float, float, int, int]:
    """Mean net of first and of repeat order days, returning customers, customers."""
    customers = purchases.group_by("customer_key").agg(
        days=pl.len(), net=pl.col("net").sum(), first=pl.col("net").min_by("order_day")
    )
    repeats = (pl.col("net") - pl.col("first")).sum().cast(pl.Float64) / (pl.col("days") - 1).sum()
    row = (
        customers.select(
            first=pl.col("first").cast(pl.Float64).mean(),
            repeat=repeats,
            returning=(pl.col("days") > 1).sum(),
            customers=pl.len(),
        )
        .collect(engine="streaming")
        .row(0)
    )
    return float(row[0] or 0.0), float(row[1] or 0.0), int(row[2]), int(row[3])


def _model(facts: Facts, summary: pl.LazyFrame, as_of: date) -> StayingModel | None:
    """The stored model with a chance to stay after each order, else one fitted here."""
    stored = _stored(facts, as_of)
    for name, kind in _MODELS.items():
        if name in stored:
            return kind.from_json(stored[name])
    try:
        with warnings.catch_warnings():
            # What is hardly determined shows in the interval.
            warnings.simplefilter("ignore")
            return ModifiedBetaGeo().fit(summary.sort("customer_key").collect(engine="streaming"))
    except ModelError:
        return None


def _stored(facts: Facts, as_of: date) -> dict[str, str]:
    """JSON texts of the newest models that knew nothing after as_of."""
    if facts.lacks("purchase_models"):
        return {}
    known = facts.tables["purchase_models"].filter(
        (pl.col("as_of") <= as_of) & (pl.col("fitted_as_of") <= as_of)
    )
    newest = known.filter(pl.col("as_of") == pl.col("as_of").max()).select("model", "parameters")
    return dict(newest.collect().iter_rows())


def _base(facts: Facts, summary: pl.LazyFrame, as_of: date, repeat_spend: float) -> Base:
    chosen = (
        summary.with_columns(_lot=pl.col("customer_key").hash(1))
        .bottom_k(SAMPLE, by="_lot")
        .collect(engine="streaming")
        .sort("customer_key")
    )
    stored = _stored(facts, as_of)
    spend = (
        GammaGamma.from_json(stored[_SPEND_MODEL]).expected_spend(chosen)
        if _SPEND_MODEL in stored
        else np.full(chosen.height, repeat_spend)
    )
    frequency, recency, age = (chosen[name].to_numpy() for name in ("frequency", "recency", "T"))
    return Base((frequency, recency, age), spend)


def _frame(base: Base) -> pl.DataFrame:
    return pl.DataFrame(dict(zip(("frequency", "recency", "T"), base.history, strict=True)))
