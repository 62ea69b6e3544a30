"""Waits that are not all over: how long until half of them, and 90 %, have ended, with the open ones counted.

The median of the waits that are over flatters a shop, since the long ones are still open. Kaplan and Meier's
estimate takes an open wait for what it is: at least as long as it has lasted.

What does not belong here: which waits there are (`models.refund_speed`, `models.service`), and the wait for the next
order with its whole curve (`models.latency`).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from models.intervals import normal_quantile

__all__ = ["QUANTILES", "ended_within", "wait_quantiles", "waiting_curve"]

QUANTILES = {"p50": 0.50, "p90": 0.90}

# A survival that is .5 on paper may come out of its product a rounding above: a half has been reached then.
_ROUNDING = 1e-12


def waiting_curve(waits: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Kaplan-Meier estimate of the share of waits that are not over, for each group.

    Parameters
    ----------
    waits
        One row per wait: the columns `by`, days (integer, at least 0), and is_over (false: still open after `days`
        days).
    by
        Columns that tell groups apart.

    Returns
    -------
    LazyFrame
        One row per group and day on which a wait ended or was cut off, sorted: `by`, days (Int32), at_risk, ended and
        open (Int64), survival (still waiting after that day), low, high (95 %; null where survival is 1 or 0).

    Notes
    -----
    Kaplan & Meier (1958, JASA 53, 457-481), Greenwood's variance on the log(-log S) scale (Kalbfleisch & Prentice
    1980): `conf.type = "log-log"` in R's survival.
    """
    group = list(by)
    ended, at_risk, survival = pl.col("ended"), pl.col("at_risk"), pl.col("survival")
    counts = waits.group_by(*group, pl.col("days").cast(pl.Int32)).agg(
        ended=pl.col("is_over").sum().cast(pl.Int64), open=(~pl.col("is_over")).sum().cast(pl.Int64)
    )
    greenwood = (ended / (at_risk * (at_risk - ended))).cum_sum().over(group, order_by="days")
    spread = normal_quantile(0.95) * greenwood.sqrt() / survival.log().abs()
    has_interval = (survival < 1) & (survival > 0)
    return (
        counts.with_columns(
            at_risk=(ended + pl.col("open")).cum_sum(reverse=True).over(group, order_by="days")
        )
        .with_columns(survival=(1 - ended / at_risk).cum_prod().over(group, order_by="days"))
        .select(
            *group,
            "days",
            "at_risk",
            "ended",
            "open",
            "survival",
            low=pl.when(has_interval).then(survival ** spread.exp()),
            high=pl.when(has_interval).then(survival ** (-spread).exp()),
        )
        .sort(*group, "days")
    )


def wait_quantiles(curve: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Count the waits of each group and read off when half and 90 % of them were over.

    Parameters
    ----------
    curve
        From `waiting_curve`, with the same `by`.

    Returns
    -------
    LazyFrame
        One row per group: `by`, n, ended and open (Int64), and for p50 and p90 the first day with at least that share
        over, with `_low` and `_high` (Int32): where the ends of the curve's interval get there (Brookmeyer & Crowley
        1982, Biometrics 38, 29-41). Null where that lies beyond the longest wait seen: "later, or never".
    """
    over = {"": pl.col("survival"), "_low": pl.col("low"), "_high": pl.col("high")}
    # Where nothing or everything is over the curve has no interval of its own: its value stands for both ends.
    whole = {end: pl.coalesce(value, "survival") for end, value in over.items()}
    return (
        curve.group_by(by)
        .agg(
            pl.col("ended", "open").sum(),
            *(
                pl.when(value <= 1 - share + _ROUNDING).then("days").min().alias(f"{name}{end}")
                for name, share in QUANTILES.items()
                for end, value in whole.items()
            ),
        )
        .with_columns(n=pl.col("ended") + pl.col("open"))
        .sort(by)
    )


def ended_within(curve: pl.LazyFrame, by: Sequence[str], days: int) -> pl.LazyFrame:
    """Share of each group's waits that ended within so many days.

    Returns
    -------
    LazyFrame
        One row per group: `by`, within, within_low, within_high (Float64). Null where no wait of the group was watched
        for that long and some are open: nobody can know yet.
    """
    by_then = (
        curve.filter(pl.col("days") <= days)
        .sort(*by, "days")
        .unique(by, keep="last", maintain_order=True)
        .select(*by, "survival", "low", "high")
    )
    watched = curve.group_by(by).agg(longest=pl.col("days").max())
    survival = pl.col("survival").fill_null(1.0)  # Nothing had happened by then.
    is_known = (pl.col("longest") >= days) | (survival == 0)
    return (
        watched.join(by_then, on=list(by), how="left")
        .select(
            *by,
            within=pl.when(is_known).then(1 - survival),
            # The upper end of what waits is the lower end of what is over.
            within_low=pl.when(is_known).then(1 - pl.col("high")),
            within_high=pl.when(is_known).then(1 - pl.col("low")),
        )
        .sort(by)
    )
