"""The transition matrix: how many customers moved from which stage to which, month by month.

Read from stage intervals alone. Percentages, pictures and stages themselves do not belong here.
"""

from __future__ import annotations

from datetime import date

import polars as pl

NEWCOMER = "newcomer"


def stage_transitions(stages: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Monthly transition matrix between stages.

    Compares each customer's stage at the end of a month with that at the end of the month before. Moves
    within a month that end where they began count as staying. The month that `as_of` falls into appears
    only if `as_of` is its last day: an unfinished month has no end to compare.

    Parameters
    ----------
    stages
        Intervals: customer_key, stage, from_day, to_day (null = open), without gaps per customer.
    as_of
        Last day included; intervals starting later are ignored.

    Returns
    -------
    pl.LazyFrame
        One row per month and pair of stages that occurred, sorted: month (Date, first day), from_stage,
        to_stage, customers (Int64). from_stage is "newcomer" for customers who had no stage when
        the month began, so that a month's customers add up to everybody who has a stage at its end.
    """
    spans = _month_ends_covered(stages, as_of)
    return (
        pl.concat([_moves(spans), _stays(spans)])
        .group_by("month_number", "from_stage", "to_stage")
        .agg(pl.col("customers").sum())
        .filter(pl.col("customers") > 0)
        .select(
            pl.date((pl.col("month_number") - 1) // 12, (pl.col("month_number") - 1) % 12 + 1, 1).alias(
                "month"
            ),
            "from_stage",
            "to_stage",
            "customers",
        )
        .sort("month", "from_stage", "to_stage")
    )


def _month_ends_covered(stages: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Intervals that contain a month's last day, with the first and last such month (year * 12 + month)."""

    def month_number(day: pl.Expr) -> pl.Expr:
        return day.dt.year().cast(pl.Int32) * 12 + day.dt.month().cast(pl.Int32)

    last = pl.min_horizontal(pl.col("to_day").fill_null(as_of), pl.lit(as_of))
    # The day after a month's last day lies in the next month: one step back is then the last one covered.
    last_covered = month_number(last.dt.offset_by("1d")) - 1
    return (
        stages.filter(pl.col("from_day") <= as_of)
        .select("customer_key", "stage", first=month_number(pl.col("from_day")), last=last_covered)
        .filter(pl.col("first") <= pl.col("last"))
    )


def _moves(spans: pl.LazyFrame) -> pl.LazyFrame:
    """Count neighbouring spans: the customer was in one at a month's end and in the other a month later."""
    key = pl.col("customer_key")
    return (
        spans.sort("customer_key", "first")
        .select(
            month_number="first",
            from_stage=pl.when(key.eq_missing(key.shift(1)))
            .then(pl.col("stage").shift(1))
            .otherwise(pl.lit(NEWCOMER)),
            to_stage="stage",
        )
        .group_by("month_number", "from_stage", "to_stage")
        .agg(customers=pl.len().cast(pl.Int64))
    )


def _stays(spans: pl.LazyFrame) -> pl.LazyFrame:
    """Count months begun and ended within one span, by running sums of entries and exits."""
    enters = spans.group_by("stage", month_number=pl.col("first") + 1).agg(change=pl.len().cast(pl.Int64))
    leaves = spans.group_by("stage", month_number=pl.col("last") + 1).agg(change=-pl.len().cast(pl.Int64))
    months = spans.select(
        month_number=pl.int_range(pl.col("first").min().fill_null(0), pl.col("last").max().fill_null(-1) + 1)
    ).cast(pl.Int32)
    return (
        months.join(spans.select("stage").unique(), how="cross")
        .join(pl.concat([enters, leaves]).group_by("month_number", "stage").agg(pl.col("change").sum()),
              on=["month_number", "stage"], how="left")
        .sort("stage", "month_number")
        .select(
            "month_number",
            from_stage="stage",
            to_stage="stage",
            customers=pl.col("change").fill_null(0).cum_sum().over("stage"),
        )
    )  # fmt: skip
