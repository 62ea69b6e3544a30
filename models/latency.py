"""Purchase latency: days from one order day to the next, with those who have not come back counted.

The mean of the gaps seen so far flatters a shop: long gaps are not over yet, and who never came back has
none. So each order day starts a wait that ends with the next order day or is cut off (censored) at
`as_of`, and Kaplan and Meier's estimate takes both. The wait for the second order day is kept apart from
all later waits: it is another, longer story.

What does not belong here: gaps as cuts of lifecycle stages (`models.stage_cuts`), and any forecast. An
estimate ends at the longest wait seen; nothing is extrapolated.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from models.intervals import normal_quantile
from models.order_days import in_sequence

__all__ = ["QUANTILES", "TRANSITIONS", "latency_quantiles", "observed_gaps", "purchase_latency"]

TRANSITIONS = ("first_to_second", "later")
QUANTILES = {"p25": 0.25, "p50": 0.50, "p75": 0.75, "p90": 0.90}

# A survival that is .75 on paper may come out of its product a rounding above: 3/4 has been reached then.
_ROUNDING = 1e-12


def purchase_latency(purchases: pl.LazyFrame, as_of: date, *, confidence: float = 0.95) -> pl.LazyFrame:
    """Kaplan-Meier estimate of the days to the next order day, for each transition.

    Parameters
    ----------
    purchases
        One row per customer and order day: customer_key, order_day, orders.
    as_of
        Last day included; open waits are cut off here, later purchases change nothing.

    Returns
    -------
    LazyFrame
        One row per transition and day on which waits ended or were cut off, and day 0, sorted: as_of,
        transition (`TRANSITIONS`), day (Int32), at_risk, events and censored (Int64), survival (not yet
        back after `day` days), low, high. 1 - survival is the share that has come back. A wait cut off
        on a day is still at risk on it. The interval is null where survival is 1 or 0, where it has
        none. A transition that nobody has begun has no rows.

    Notes
    -----
    S(t) = product over days u <= t of (1 - events(u) / at_risk(u)) (Kaplan & Meier 1958, JASA 53,
    457-481), variance of Greenwood (1926), interval on the log(-log S) scale (Kalbfleisch & Prentice
    1980), which keeps it inside [0, 1]: `conf.type = "log-log"` in R's survival. A customer gives one
    wait to `first_to_second`, so its interval is sound; frequent customers give many to `later`, which
    are not independent, so that one is too narrow.
    """
    z = normal_quantile(confidence)
    events, at_risk, survival = pl.col("events"), pl.col("at_risk"), pl.col("survival")
    over = events + pl.col("censored")
    waiting = over.cum_sum(reverse=True).over("transition", order_by="day")
    greenwood = (events / (at_risk * (at_risk - events))).cum_sum().over("transition", order_by="day")
    spread = z * greenwood.sqrt() / survival.log().abs()
    has_interval = (survival < 1) & (survival > 0)
    return (
        _waits(purchases, as_of)
        .with_columns(at_risk=waiting)
        .with_columns(survival=(1 - events / at_risk).cum_prod().over("transition", order_by="day"))
        .select(
            pl.lit(as_of).alias("as_of"),
            "transition",
            "day",
            "at_risk",
            "events",
            "censored",
            "survival",
            low=pl.when(has_interval).then(survival ** spread.exp()),
            high=pl.when(has_interval).then(survival ** (-spread).exp()),
        )
        .sort("transition", "day")
    )


def latency_quantiles(latency: pl.LazyFrame) -> pl.LazyFrame:
    """Read off the days after which 25, 50, 75 and 90 % have come back.

    Parameters
    ----------
    latency
        From `purchase_latency`.

    Returns
    -------
    LazyFrame
        One row per transition, sorted: as_of, transition, p25, p50, p75, p90 (Int32; the first day with
        at least that share back). Null where the estimate does not get that far: the answer is then
        "more than the longest wait seen, or never", and no number says so.
    """
    back = 1 - pl.col("survival")
    return (
        latency.group_by("as_of", "transition")
        .agg(
            pl.when(back >= share - _ROUNDING).then("day").min().alias(name)
            for name, share in QUANTILES.items()
        )
        .sort("transition")
    )


def observed_gaps(purchases: pl.LazyFrame, as_of: date | None = None) -> pl.LazyFrame:
    """List the gaps that are over: from one order day of a customer to the next.

    Parameters
    ----------
    as_of
        Last day included; None takes all there is.

    Returns
    -------
    LazyFrame
        One row per customer and gap, each customer's in order: customer_key, gap_number (Int32; 1 is
        first to second order day), gap_days (Int32, at least 1), from_day, to_day (Date).
    """
    row = pl.int_range(pl.len(), dtype=pl.UInt32)
    return (
        in_sequence(purchases, as_of)
        .with_columns(_row=row)
        .with_columns(_first_row=pl.when("is_first").then("_row").forward_fill())
        .filter(~pl.col("is_last"))
        .select(
            "customer_key",
            gap_number=(pl.col("_row") - pl.col("_first_row") + 1).cast(pl.Int32),
            gap_days=(pl.col("next_day") - pl.col("order_day")).dt.total_days().cast(pl.Int32),
            from_day="order_day",
            to_day="next_day",
        )
    )


def _waits(purchases: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Count the waits that ended, and that were cut off, after each number of days; 0 is always there."""
    until = pl.col("next_day").fill_null(pl.lit(as_of))
    waits = (
        in_sequence(purchases, as_of)
        .group_by(
            transition=pl.when("is_first").then(pl.lit(TRANSITIONS[0])).otherwise(pl.lit(TRANSITIONS[1])),
            day=(until - pl.col("order_day")).dt.total_days().cast(pl.Int32),
        )
        .agg(
            events=(~pl.col("is_last")).sum().cast(pl.Int64),
            censored=pl.col("is_last").sum().cast(pl.Int64),
        )
    )
    none = pl.lit(0, pl.Int64)
    begun = waits.group_by("transition").agg(day=pl.lit(0, pl.Int32), events=none, censored=none)
    return pl.concat([waits, begun]).group_by("transition", "day").agg(pl.col("events", "censored").sum())
