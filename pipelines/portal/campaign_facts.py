"""Results of campaigns, one record each with its outcomes; and how often customers are written to."""

from datetime import date
from typing import Any

import polars as pl

from pipelines.portal.facts import Campaign, Outcome, Pressure

OUTCOMES = ("ordered", "orders", "net_revenue", "returned_value", "unsubscribed")
"""In the order in which people ask for them."""
WINDOW_DAYS = 90
"""Contacts of so many days are shown; the table has those of 30 days too."""


def campaigns(results: pl.DataFrame) -> tuple[Campaign, ...]:
    """Each campaign of one as_of; those that were used first, the newest of them first."""
    found = [
        _campaign(rows.to_dicts())
        for _, rows in results.sort("campaign").group_by("campaign", maintain_order=True)
    ]
    by_start = sorted(found, key=lambda campaign: campaign.campaign)
    return tuple(sorted(by_start, key=lambda campaign: campaign.started_on or date.min, reverse=True))


def pressure(contact_pressure: pl.DataFrame) -> tuple[Pressure, ...]:
    """How often customers were written to, seldom to often; nothing where nobody knows."""
    rows = contact_pressure.filter(pl.col("window_days") == WINDOW_DAYS).sort("position").to_dicts()
    return tuple(Pressure(**{name: row[name] for name in Pressure.__dataclass_fields__}) for row in rows)


def _campaign(rows: list[dict[str, Any]]) -> Campaign:
    first = rows[0]
    outcomes = sorted((row for row in rows if row["outcome"]), key=lambda row: _place(row["outcome"]))
    return Campaign(
        **{name: first[name] for name in Campaign.__dataclass_fields__ if name != "outcomes"},
        outcomes=tuple(
            Outcome(**{name: row[name] for name in Outcome.__dataclass_fields__}) for row in outcomes
        ),
    )


def _place(outcome: str) -> int:
    return OUTCOMES.index(outcome) if outcome in OUTCOMES else len(OUTCOMES)
