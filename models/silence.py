"""Silence: who comes back by itself after so many days without an order, within the next weeks.

A message to somebody who would have come anyway is money spent on an order that was sure; one that comes after hardly
anybody returns is too late for most. Between the two lies the window of a win-back campaign. This is the reactivation
rate (lapsed at a day, with an order in the days after) asked at every length of silence at once, from the waits of
`models.latency`, so that those who are still silent count for as long as they were watched.

*By themselves* means with all that the shop did meanwhile: where campaigns ran, their effect is in it. What a campaign
adds only a hold-out tells (`models.campaign_effect`).

What does not belong here: the chance of one customer by their own history (`models.purchases`), and the days at which
a stage ends (`models.stage_cuts`).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from models.intervals import SMALL_GROUP, normal_quantile

__all__ = ["SILENT_DAYS", "WITHIN_DAYS", "back_after_silence"]

SILENT_DAYS = tuple(range(0, 361, 30))
WITHIN_DAYS = 90
"""Days of the reactivation rate."""


def back_after_silence(
    latency: pl.LazyFrame,
    *,
    silent_days: Sequence[int] = SILENT_DAYS,
    within_days: int = WITHIN_DAYS,
    confidence: float = 0.95,
) -> pl.LazyFrame:
    """Share who order within some days, of those who have been silent for so many.

    Parameters
    ----------
    latency
        From `models.latency.purchase_latency` (the table of that name).
    silent_days
        Lengths of silence: somebody counts who has not ordered up to and including that day.
    within_days
        Days after the silence in which an order counts. A short span, such as 7, gives a hazard by week.

    Returns
    -------
    LazyFrame
        One row per transition and length of silence that anybody has reached, sorted: as_of, transition, silent_days,
        within_days (Int32), n (waits that lasted longer than the silence; Int64), rate, low, high (Float64), is_small
        (n < 30). rate is null where no wait was watched to the end of the days and some are open: nobody can know yet.
        The interval is null where rate is 0 or 1.

    Raises
    ------
    ValueError
        If a length of silence is negative or the days are not positive.

    Notes
    -----
    Kaplan and Meier's estimate among those still waiting, 1 - S(s + h) / S(s), with Greenwood's variance of the days
    in between on the log(-log) scale, as `models.latency`. Frequent customers give many waits to `later`, which are
    not independent, so that its interval is too narrow.
    """
    if any(days < 0 for days in silent_days) or within_days <= 0:
        raise ValueError(
            f"Silences {list(silent_days)} must not be negative, and {within_days} days must be positive."
        )
    silences = pl.LazyFrame(
        {"silent_days": sorted(set(silent_days))}, schema={"silent_days": pl.Int32}
    ).with_columns(within_days=pl.lit(within_days, pl.Int32))
    day, events, at_risk = pl.col("day"), pl.col("events"), pl.col("at_risk")
    end = pl.col("silent_days") + pl.col("within_days")
    is_counted = day <= end
    survival, greenwood = pl.col("_survival"), pl.col("_greenwood")
    spread = normal_quantile(confidence) * greenwood.sqrt() / survival.log().abs()
    is_known = (pl.col("_longest") >= end) | (survival == 0)
    has_interval = is_known & (survival > 0) & (survival < 1)
    return (
        latency.join(silences, how="cross")
        .filter(day > pl.col("silent_days"))
        .group_by("as_of", "transition", "silent_days", "within_days")
        .agg(
            n=at_risk.max(),
            _longest=day.max(),
            _survival=pl.when(is_counted).then(1 - events / at_risk).otherwise(1.0).product(),
            _greenwood=pl.when(is_counted).then(events / (at_risk * (at_risk - events))).otherwise(0.0).sum(),
        )
        .select(
            "as_of",
            "transition",
            "silent_days",
            "within_days",
            "n",
            rate=pl.when(is_known).then(1 - survival),
            low=pl.when(has_interval).then(1 - survival ** (-spread).exp()),
            high=pl.when(has_interval).then(1 - survival ** spread.exp()),
            is_small=pl.col("n") < SMALL_GROUP,
        )
        .sort("transition", "silent_days")
    )
