"""Order days as they stood at a landmark: what was known of them by then, and how long until the next one after it.

Everything is counted from the same age of every order day, so that no group of them had more time than another; why
that matters is told in `models.aftermath`, which compares them.

What does not belong here: what an event is (`models.order_events`), and order days from the first on
(`models.order_days`).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from models.periods import period_index
from models.standardised import EARLIER_BANDS, earlier_band

__all__ = ["order_days", "sequenced"]

_HASHES = ("_hash", "_other_hash")
_DAYS = 2**17  # More days than any order day has: customer and day in one whole number.


def order_days(
    orders: pl.LazyFrame,
    known: list[pl.LazyFrame],
    known_days: list[str],
    as_of: date,
    landmark_days: int,
) -> pl.LazyFrame:
    """Collapse valid orders of known customers to customer and day, with what was known of them by the landmark.

    Parameters
    ----------
    orders
        order_id, customer_key, order_day, channel, is_valid.
    known
        From `models.order_events`: one row per order_id, with the first day of each event.
    known_days
        Names of these days.
    as_of
        Last order day included.
    landmark_days
        Days from the order to the landmark, which is still included.

    Returns
    -------
    LazyFrame
        One row per customer and order day: two hashes of the customer's key, order_day, channel (the last by name of
        the day's), and for each of `known_days` a Boolean: of some order of that day it was known by the landmark.
    """
    valid = orders.filter(
        pl.col("is_valid") & pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of)
    ).select("order_id", "customer_key", "order_day", "channel")
    for days in known:
        valid = valid.join(days, on="order_id", how="left")
    landmark = pl.col("order_day") + timedelta(landmark_days)
    # Two hashes sort several times as fast as the key (see `models.order_days`), and always alike.
    return (
        valid.select(
            *(pl.col("customer_key").hash(seed).alias(name) for seed, name in enumerate(_HASHES)),
            "order_day",
            "channel",
            *((pl.col(name) <= landmark).fill_null(False) for name in known_days),
        )
        .group_by(*_HASHES, "order_day")
        .agg(pl.col("channel", *known_days).max())
    )


def sequenced(frame: pl.DataFrame, landmark_days: int) -> pl.DataFrame:
    """Put each customer's order days in sequence, number them, and find the next after the landmark.

    Parameters
    ----------
    frame
        From `order_days`, collected.
    landmark_days
        As there.

    Returns
    -------
    DataFrame
        One row per customer and order day, each customer's by day: person (Int64, a running number from 0), day
        (Int32, since 1970-01-01), stratum (Int64, from 0; of earlier order days, channel and month), wait (Int32, days
        to the first order day after the landmark; null where there is none), and what was known.
    """
    channels = frame.select(pl.col("channel").unique().sort()).with_row_index("_channel")
    is_new = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in _HASHES)
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    return (
        frame.join(channels, on="channel", how="left", nulls_equal=True)
        .drop("channel")
        .sort(*_HASHES, "order_day")
        .with_columns(_is_first=is_new, day=pl.col("order_day").cast(pl.Int32))
        .drop(_HASHES)
        .with_columns(
            person=pl.col("_is_first").cast(pl.Int64).cum_sum() - 1,
            _earlier=earlier_band(row - pl.when("_is_first").then(row).forward_fill()),
        )
        .with_columns(
            wait=_wait(landmark_days),
            stratum=_number("_earlier", "_channel", period_index(pl.col("order_day"), "month")),
        )
        .drop("_is_first", "_earlier", "_channel", "order_day")
    )


def _wait(landmark_days: int) -> pl.Expr:
    """Days (Int32) to the person's first order day after the landmark; null where there is none."""
    # Persons and their days are sorted, so the pair in one whole number is, too: a binary search finds the next.
    place = pl.col("person") * _DAYS + pl.col("day")
    after = place.search_sorted(place + landmark_days, side="right")
    found = place.gather(after.clip(upper_bound=pl.len() - 1))
    is_next = (after < pl.len()) & (found // _DAYS == pl.col("person"))
    return pl.when(is_next).then(found - place).cast(pl.Int32)


def _number(earlier: str, channel: str, month: pl.Expr) -> pl.Expr:
    """One whole number from 0 for each band of earlier order days, channel and month."""
    months, channels = (month - month.min()).cast(pl.Int64), pl.col(channel).max().cast(pl.Int64) + 1
    return (months * channels + pl.col(channel)) * len(EARLIER_BANDS) + pl.col(earlier)
