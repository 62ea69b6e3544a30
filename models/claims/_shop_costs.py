"""What a shop's costs say of margin, of fixed costs, and of winning and keeping customers.

What does not belong here: what follows from them (`models.claims.retained_profit`, `models.claims.acquisition_cost`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from models.claims._finding import Facts

__all__ = ["GOODS", "VARIABLE", "WINDOW_DAYS", "CampaignSpend", "campaign_spend", "spent_by_kind"]

GOODS: Final = "cogs"
VARIABLE: Final = (GOODS, "shipping", "packaging", "payment", "returns")
"""Kinds that grow with orders; campaigns are apart, other costs are taken as fixed."""
WINDOW_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class CampaignSpend:
    """Campaign costs of a window, by whom they were for.

    Attributes
    ----------
    winning
        Named for a campaign that wrote to no known customer.
    keeping
        Named for a campaign of the campaign assignments or messages, which write to known customers.
    unnamed
        Without a campaign's name: for whom is not known.
    winning_names
        Campaigns counted as winning.
    """

    winning: float
    keeping: float
    unnamed: float
    winning_names: tuple[str, ...]


def spent_by_kind(costs: pl.LazyFrame, as_of: date, window_days: int = WINDOW_DAYS) -> dict[str, float]:
    """Add up the costs of the days (as_of - window, as_of] by kind."""
    day = pl.col("day")
    sums = (
        costs.filter((day <= as_of) & (day > as_of - timedelta(window_days)))
        .group_by("kind")
        .agg(amount=pl.col("amount").sum().cast(pl.Float64))
        .collect()
    )
    return dict(sums.iter_rows())


def campaign_spend(facts: Facts, as_of: date, winning: Collection[str] | None = None) -> CampaignSpend:
    """Part the campaign costs of the last 365 days into winning and keeping customers.

    Parameters
    ----------
    facts
        costs; campaign_assignments and messages where the shop has them.
    as_of
        Last day included.
    winning
        Names of the campaigns that win customers, where the shop says; all others then keep.
    """
    day = pl.col("day")
    sums = (
        facts.tables["costs"]
        .filter((pl.col("kind") == "campaign") & (day <= as_of) & (day > as_of - timedelta(WINDOW_DAYS)))
        .group_by("campaign")
        .agg(amount=pl.col("amount").sum().cast(pl.Float64))
        .collect()
        .sort("campaign")
    )
    named = {name: amount for name, amount in sums.iter_rows() if name is not None}
    keeping = set(named) - set(winning) if winning is not None else _wrote_to_customers(facts, as_of)
    won = {name: amount for name, amount in named.items() if name not in keeping}
    return CampaignSpend(
        winning=sum(won.values()),
        keeping=sum(amount for name, amount in named.items() if name in keeping),
        unnamed=sum(amount for name, amount in sums.iter_rows() if name is None),
        winning_names=tuple(won),
    )


def _wrote_to_customers(facts: Facts, as_of: date) -> set[str]:
    """Campaigns that were sent to people whom the shop knew by name."""
    names: set[str] = set()
    for table, day in (("campaign_assignments", "assigned_day"), ("messages", "sent_day")):
        if table in facts.tables:
            known = facts.tables[table].filter(
                pl.col("campaign").is_not_null()
                & pl.col("customer_key").is_not_null()
                & (pl.col(day) <= as_of)
            )
            names.update(known.select(pl.col("campaign").unique()).collect().to_series().to_list())
    return names
