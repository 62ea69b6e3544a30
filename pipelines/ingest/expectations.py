"""What a shop may expect of its sources by their own history: how many rows, and how often.

Half a file and a job that stopped running look like a quiet day; only the days before tell them apart. Whether the rows
are right is `contract`'s business, and whether a day may be published without them `pipelines.publishable`'s.
"""

from datetime import datetime

import polars as pl

LEAST_HISTORY = 5
"""Deliveries of a source before anything is expected of it."""
HISTORY = 30
"""Deliveries looked back at."""
LOW, HIGH = 1 / 3, 3.0
"""Bounds of a usual delivery, as shares of the median of those before (ours)."""
PATIENCE = 2.0
"""A source is late after this many of its usual gaps (ours)."""


def expected(deliveries: pl.LazyFrame, now: datetime) -> pl.LazyFrame:
    """Compare each source's newest delivery, and the time since, with those before.

    Parameters
    ----------
    deliveries
        Table ``deliveries``; parts of one file and files of one run count as one delivery.
    now
        The time that the run takes as the present.

    Returns
    -------
    pl.LazyFrame
        One row per source: source, received_at, rows, usual_low, usual_high (rows; null under `LEAST_HISTORY` earlier
        deliveries), is_usual, age_days, usual_gap_days (p90; null likewise), is_fresh.
    """
    came = (
        deliveries.filter(~pl.col("is_repeat"))
        .group_by("source", "received_at")
        .agg(pl.col("rows").sum())
        .sort("source", "received_at")
        .with_columns(
            pl.int_range(pl.len(), 0, -1).over("source").alias("_age"),
            (
                (pl.col("received_at") - pl.col("received_at").shift(1).over("source")).dt.total_seconds()
                / 86_400
            ).alias("_gap"),
        )
    )
    newest = came.filter(pl.col("_age") == 1).select("source", "received_at", "rows")
    before = (
        came.filter(pl.col("_age").is_between(2, HISTORY + 1))
        .group_by("source")
        .agg(pl.len().alias("_earlier"), pl.col("rows").median().alias("_usual"))
    )
    gaps = (
        came.filter(pl.col("_age") <= HISTORY)
        .group_by("source")
        .agg(pl.col("_gap").quantile(0.9, "linear").alias("_p90"))
    )
    has_history = pl.col("_earlier").fill_null(0) >= LEAST_HISTORY
    return (
        newest.join(before, on="source", how="left")
        .join(gaps, on="source", how="left")
        .with_columns(
            pl.when(has_history).then(pl.col("_usual") * LOW).alias("usual_low"),
            pl.when(has_history).then(pl.col("_usual") * HIGH).alias("usual_high"),
            pl.when(has_history).then("_p90").alias("usual_gap_days"),
            ((pl.lit(now) - pl.col("received_at")).dt.total_seconds() / 86_400).alias("age_days"),
        )
        .with_columns(
            pl.col("rows").is_between("usual_low", "usual_high").fill_null(True).alias("is_usual"),
            (pl.col("age_days") <= PATIENCE * pl.col("usual_gap_days")).fill_null(True).alias("is_fresh"),
        )
        .select(
            "source", "received_at", "rows", "usual_low", "usual_high", "is_usual",
            "age_days", "usual_gap_days", "is_fresh",
        )
        .sort("source")
    )  # fmt: skip
