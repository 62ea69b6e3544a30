"""Refund speed: days from the return to the money back, with the refunds that are still due counted.

Goods go back first and money later. Only the refunds that have been paid have a length, and they are the quick ones,
so an open refund counts as one that has taken at least until `as_of` (`models.waiting_times`).

What does not belong here: how much comes back (`models.returns`), and what a slow refund does to the next order
(`models.aftermath`).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from models.intervals import SMALL_GROUP
from models.periods import first_incomplete, period_index, period_start
from models.waiting_times import ended_within, wait_quantiles, waiting_curve

__all__ = ["LEGAL_DAYS", "NO_REFUND_DAYS", "refund_speed", "refunds_due"]

LEGAL_DAYS = 14
"""Within so many days the EU wants a consumer refunded: directive 2011/83/EU, article 13 (1)."""

NO_REFUND_DAYS = "no refund day is known"
"""What is said of a shop whose returns never tell when money went back: nothing can be measured."""

_PERIOD = ("period", "period_start")


def refunds_due(returns: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """List the returns whose money was due by `as_of`, with the day it came if that was by then.

    Merchandise with a return day counts, unless it was exchanged or credited: no money is due then. Where the source
    does not say what became of a return, money is taken to be due.

    Returns
    -------
    LazyFrame
        One row per return: order_id (null if unmatched), returned_day, refunded_day (Date; null while open; never
        before returned_day, since whoever gets the money first has waited 0 days).
    """
    is_due = (pl.col("kind") == "merchandise") & (pl.col("outcome").fill_null("refund") == "refund")
    refunded = pl.max_horizontal("refunded_day", "returned_day")
    return returns.filter(is_due & (pl.col("returned_day") <= as_of)).select(
        "order_id", "returned_day", refunded_day=pl.when(pl.col("refunded_day") <= as_of).then(refunded)
    )


def refund_speed(returns: pl.LazyFrame, as_of: date, *, window_days: int = 365) -> pl.LazyFrame:
    """Days from return to refund: for the returns of the window up to `as_of`, and of every calendar month.

    Parameters
    ----------
    returns
        order_id, kind, outcome, returned_day, refunded_day.
    as_of
        Last day included; later returns and refunds change nothing.
    window_days
        The window holds the returns of this many days, `as_of` being the last.

    Returns
    -------
    LazyFrame
        One row per period with returns, sorted: as_of, period ("window", "month"), period_start (Date), n (returns
        whose money was due), refunded and open (Int64), p50_days, p90_days with `_low` and `_high` (Int32; null where
        not even the longest wait seen gets that far), within_14d with `_low` and `_high` (share refunded within
        `LEGAL_DAYS`; null while nobody can know), is_complete (the month has ended; true for the window), is_small
        (n < 30), note. Where no refund day is known at all, the numbers are null and note is `NO_REFUND_DAYS`: a
        source that does not tell refund days is no shop that never pays.

    Raises
    ------
    ValueError
        If the window is not positive.

    Notes
    -----
    See `models.waiting_times`. Returns of one parcel are refunded together, so the intervals are too narrow where
    parcels hold many lines.
    """
    if window_days <= 0:
        raise ValueError(f"The window must be a positive number of days, not {window_days}.")
    start = as_of - timedelta(window_days - 1)
    month = period_start(period_index(pl.col("returned_day"), "month"), "month")
    until = pl.coalesce("refunded_day", pl.lit(as_of))
    waits = refunds_due(returns, as_of).select(
        "returned_day",
        days=(until - pl.col("returned_day")).dt.total_days(),
        is_over=pl.col("refunded_day").is_not_null(),
    )
    in_periods = pl.concat(
        [
            waits.filter(pl.col("returned_day") >= start).with_columns(
                period=pl.lit("window"), period_start=pl.lit(start)
            ),
            waits.with_columns(period=pl.lit("month"), period_start=month),
        ]
    )
    curve = waiting_curve(in_periods, _PERIOD).collect().lazy()
    month_of = period_index(pl.col("period_start"), "month")
    is_told = pl.col("any_ended") > 0
    numbers = [
        f"{name}{end}" for name in ("p50_days", "p90_days", "within_14d") for end in ("", "_low", "_high")
    ]
    return (
        wait_quantiles(curve, _PERIOD)
        .join(ended_within(curve, _PERIOD, LEGAL_DAYS), on=list(_PERIOD))
        .join(curve.select(any_ended=pl.col("ended").sum()), how="cross")
        .rename(
            {f"{name}{end}": f"{name}_days{end}" for name in ("p50", "p90") for end in ("", "_low", "_high")}
        )
        .rename({f"within{end}": f"within_14d{end}" for end in ("", "_low", "_high")})
        .select(
            pl.lit(as_of).alias("as_of"),
            *_PERIOD,
            "n",
            pl.col("ended").alias("refunded"),
            "open",
            *(pl.when(is_told).then(name).alias(name) for name in numbers),
            is_complete=(pl.col("period") == "window") | (month_of < first_incomplete(as_of, "month")),
            is_small=pl.col("n") < SMALL_GROUP,
            note=pl.when(~is_told).then(pl.lit(NO_REFUND_DAYS)),
        )
        .sort(_PERIOD)
    )
