"""What a campaign changed: people written to against people held out by lot, compared by assignment.

Intention to treat: whoever was assigned counts where they were assigned, also who had left the list at download, moved
on or never read a word. So nothing but the lot tells the groups apart. A person's window starts on the day on which the
first used list that they are on was sent; held-out people share that day. A result is told once every window is over,
because who looks early and stops when it looks good finds effects where there are none.

What does not belong here: drawing the lot and the power of a list (`models.holdout`), which lists were used
(`pipelines.delivery`), pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from models._campaign_outcomes import OUTCOMES, Outcome, group_sums, person_outcomes
from models._campaign_people import Campaign, people_of_lists
from models._campaign_verdict import Standing, effect, verdict
from models._group_difference import Group, adjusted_difference, plain_difference
from models.holdout import smallest_detectable_lift
from models.intervals import SMALL_GROUP

__all__ = ["COLUMNS", "OUTCOMES", "Campaign", "campaign_results", "people_of_lists"]

_NUMBERS: Final = (
    "delivered_total", "held_out_total", "delivered_mean", "held_out_mean", "difference", "low", "high",
    "adjusted_difference", "adjusted_low", "adjusted_high", "variance_left", "incremental", "incremental_low",
    "incremental_high", "detectable",
)  # fmt: skip
_TEXTS: Final = (
    "campaign", "outcome", "list_name", "title", "channel", "source", "state", "verdict", "says", "unit",
    "adjusted_by",
)  # fmt: skip
COLUMNS: Final[Mapping[str, pl.DataType]] = {
    "as_of": pl.Date(),
    **dict.fromkeys(_TEXTS, pl.String()),
    **dict.fromkeys(("started_on", "closes_on"), pl.Date()),
    **dict.fromkeys(("window_days", "days_left"), pl.Int32()),
    **dict.fromkeys(("lists", "lists_used", "delivered", "held_out"), pl.Int64()),
    "is_small": pl.Boolean(),
    **dict.fromkeys(_NUMBERS, pl.Float64()),
}
"""Columns of `campaign_results` and their types."""


def campaign_results(
    campaigns: Iterable[Campaign],
    orders: pl.LazyFrame,
    returns: pl.LazyFrame,
    as_of: date,
    *,
    currency: str,
    unsubscribed: pl.LazyFrame | None = None,
) -> pl.LazyFrame:
    """Compare the two groups of every campaign, as known by `as_of`.

    Parameters
    ----------
    campaigns
        Of different names. They are worked on one after the other, so memory holds one campaign's people.
    orders, returns
        See `models._campaign_outcomes.person_outcomes`.
    as_of
        Last day included; later facts change nothing.
    currency
        For the words.
    unsubscribed
        customer_key, channel ("all": every one), unsubscribed_day; None where nobody can know.

    Returns
    -------
    LazyFrame
        One row per campaign and outcome (`OUTCOMES`), sorted, in the columns of ``campaign_results``. Before all
        windows are over the sums so far stand without means, differences and limits.

    Notes
    -----
    The verdict rests on the share who ordered: adjusted where anybody ordered before, as decided beforehand. It is
    worked or did_harm where the 95 % interval leaves 0 out and each group has 30 people.
    """
    rows: list[dict[str, Any]] = []
    for campaign in campaigns:
        rows += _rows(campaign, orders, returns, unsubscribed, as_of, currency)
    made = pl.LazyFrame(rows, schema=pl.Schema(COLUMNS), orient="row")
    return made.with_columns(as_of=pl.lit(as_of)).sort("campaign", "outcome")


def _rows(
    campaign: Campaign,
    orders: pl.LazyFrame,
    returns: pl.LazyFrame,
    unsubscribed: pl.LazyFrame | None,
    as_of: date,
    currency: str,
) -> list[dict[str, Any]]:
    people = campaign.started_by(as_of)
    day = pl.col("started_on")
    started_on, last_start = people.select(first=day.min(), last=day.max()).collect().row(0)
    sums: dict[tuple[str, str], Group] = {}
    if started_on is not None:
        sums = group_sums(
            person_outcomes(
                people,
                # Of all orders the few years that matter, so that a stored table is read in part.
                orders.filter(pl.col("order_day") >= started_on - timedelta(days=366)),
                returns,
                _of_channel(unsubscribed, campaign.channel),
                window_days=campaign.window_days,
                as_of=as_of,
            )
        )
    standing = Standing(
        as_of=as_of,
        currency=currency,
        lists=campaign.lists,
        lists_used=campaign.lists_used,
        window_days=campaign.window_days,
        delivered=_people(sums, "deliver"),
        held_out=_people(sums, "hold_out"),
        closes_on=last_start + timedelta(days=campaign.window_days - 1) if last_start else None,
    )
    told = {name: _outcome(name, outcome, sums, standing) for name, outcome in OUTCOMES.items()}
    found = verdict(standing, told)
    shared = {
        "campaign": campaign.name,
        "list_name": campaign.list_name,
        "title": campaign.title,
        "channel": campaign.channel,
        "source": campaign.source,
        "state": standing.state,
        "verdict": found.name,
        "says": found.says,
        "started_on": started_on,
        "window_days": campaign.window_days,
        "closes_on": standing.closes_on,
        "days_left": standing.days_left,
        "lists": campaign.lists,
        "lists_used": campaign.lists_used,
        "delivered": standing.delivered if sums else None,
        "held_out": standing.held_out if sums else None,
        "is_small": min(standing.delivered, standing.held_out) < SMALL_GROUP if sums else None,
    }
    return [{"outcome": name, **shared, **numbers} for name, numbers in told.items()]


def _outcome(
    name: str, outcome: Outcome, sums: Mapping[tuple[str, str], Group], standing: Standing
) -> dict[str, Any]:
    """One outcome's numbers: totals always, the rest once every window is over and both groups have somebody."""
    numbers: dict[str, Any] = dict.fromkeys(_NUMBERS)
    numbers["unit"] = _unit(outcome, standing.currency)
    numbers["adjusted_by"] = _ADJUSTED_BY[outcome.adjusted_by]
    groups = [sums.get((assignment, name)) for assignment in ("deliver", "hold_out")]
    for group, prefix in zip(groups, ("delivered", "held_out"), strict=True):
        if group is not None:
            numbers[f"{prefix}_total"] = group.total / outcome.units
            numbers[f"{prefix}_mean"] = group.mean / outcome.units if standing.state == "closed" else None
    treated, held_out = groups
    if standing.state != "closed" or treated is None or held_out is None or min(treated.n, held_out.n) < 2:
        return numbers
    return numbers | _compared(name, outcome, treated, held_out)


def _compared(name: str, outcome: Outcome, treated: Group, held_out: Group) -> dict[str, Any]:
    plain = plain_difference(treated, held_out, is_share=outcome.is_share)
    adjusted = adjusted_difference(treated, held_out, is_share=outcome.is_share)
    found: dict[str, Any] = {"difference": plain.value, "low": plain.low, "high": plain.high}
    found |= dict.fromkeys(("adjusted_difference", "adjusted_low", "adjusted_high"))
    if adjusted is not None:
        at = adjusted.difference
        found |= {"adjusted_difference": at.value, "adjusted_low": at.low, "adjusted_high": at.high}
    found = {column: _over(value, outcome.units) for column, value in found.items()}
    of_all = (_over(part, 1 / treated.n) for part in effect(found))
    found |= dict(zip(("incremental", "incremental_low", "incremental_high"), of_all, strict=True))
    found["variance_left"] = adjusted.variance_left if adjusted is not None else None
    if name == "ordered":
        found["detectable"] = smallest_detectable_lift(held_out.mean, treated.n, held_out.n)
    return found


_ADJUSTED_BY = {
    "orders_before": "orders of the 365 days before",
    "net_before": "net revenue of the 365 days before",
}


def _over(value: float | None, units: float) -> float | None:
    return None if value is None else value / units


def _unit(outcome: Outcome, currency: str) -> str:
    if outcome.is_share:
        return "share"
    return f"{currency} per person" if outcome.is_money else "orders per person"


def _people(sums: Mapping[tuple[str, str], Group], assignment: str) -> int:
    group = sums.get((assignment, "ordered"))
    return group.n if group else 0


def _of_channel(unsubscribed: pl.LazyFrame | None, channel: str | None) -> pl.LazyFrame | None:
    if unsubscribed is None or channel is None:
        return unsubscribed
    return unsubscribed.filter(pl.col("channel").is_in([channel, "all"]))
