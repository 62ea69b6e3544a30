"""Readiness: whether a shop has enough history for predictions about single customers.

The first three thresholds are Klaviyo's published ones for predictive analytics; the fourth is ours, since
a purchase model learns about regulars from regulars. A shop below them gets no predictions and a reason
in words with the numbers, not a model that quietly means nothing. Fitting does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl


@dataclass(frozen=True, kw_only=True)
class ReadinessRules:
    """Thresholds of the gate.

    Attributes
    ----------
    customers
        Customers with a valid order.
    history_days
        Days from the first order day to as_of.
    recent_days
        The latest order lies at most this many days before as_of.
    regulars
        Customers with `regular_orders` or more valid orders.
    """

    customers: int = 500
    history_days: int = 180
    recent_days: int = 30
    regulars: int = 50
    regular_orders: int = 3


@dataclass(frozen=True)
class Readiness:
    """Whether predictions are made, and if not, why.

    Attributes
    ----------
    is_ready
        True if every condition holds.
    reasons
        One sentence per condition that fails; empty if ready.
    facts
        The numbers the decision rests on: customers, history_days, days_since_last_order, regulars (the
        middle two null without orders).
    """

    is_ready: bool
    reasons: tuple[str, ...]
    facts: Mapping[str, int | None]

    def __str__(self) -> str:
        """Say it in one line."""
        return "ready" if self.is_ready else "not ready because " + "; ".join(self.reasons)


def readiness(purchases: pl.LazyFrame, as_of: date, *, rules: ReadinessRules | None = None) -> Readiness:
    """Check a shop's history against the gate.

    Parameters
    ----------
    purchases
        One row per customer and order day: customer_key, order_day, orders.
    as_of
        Last day included.
    rules
        Thresholds; the defaults are those of the glossary.

    Returns
    -------
    Readiness
    """
    rules = rules or ReadinessRules()
    customers = (
        purchases.filter(pl.col("order_day") <= as_of)
        .group_by("customer_key")
        .agg(pl.col("orders").sum(), first=pl.col("order_day").min(), last=pl.col("order_day").max())
    )
    facts = (
        customers.select(
            customers=pl.len().cast(pl.Int64),
            history_days=(pl.lit(as_of) - pl.col("first").min()).dt.total_days(),
            days_since_last_order=(pl.lit(as_of) - pl.col("last").max()).dt.total_days(),
            regulars=(pl.col("orders") >= rules.regular_orders).sum().cast(pl.Int64),
        )
        .collect()
        .row(0, named=True)
    )
    reasons = tuple(_reasons(facts, rules))
    return Readiness(is_ready=not reasons, reasons=reasons, facts=facts)


def _reasons(facts: Mapping[str, int | None], rules: ReadinessRules) -> list[str]:
    customers, history, silence, regulars = (
        facts[name] for name in ("customers", "history_days", "days_since_last_order", "regulars")
    )
    if not customers or history is None or silence is None or regulars is None:
        return ["no customer has a valid order yet"]
    reasons: list[str] = []
    if customers < rules.customers:
        reasons.append(
            f"{customers:,} customers have a valid order, and at least {rules.customers:,} are needed"
        )
    if history < rules.history_days:
        reasons.append(f"the history covers {history:,} days, and at least {rules.history_days:,} are needed")
    if silence > rules.recent_days:
        reasons.append(
            f"the latest order is {silence:,} days old, and at most {rules.recent_days:,} are allowed"
        )
    if regulars < rules.regulars:
        reasons.append(
            f"{regulars:,} customers have {rules.regular_orders} or more orders, "
            f"and at least {rules.regulars:,} are needed"
        )
    return reasons
