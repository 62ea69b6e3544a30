"""What the cohort table is worked out from: order days counted by cohort, k and calendar period.

The only passes over all order days; for everybody, and for each value of an attribute of the first order.

What does not belong here: measures, rates and what is complete (`models.cohorts`).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from models.cohort_members import UNKNOWN
from models.order_days import identity_of

FLAGS = ("is_first", "is_last", "is_second_order", "is_new_k", "is_new_period", "is_bought_again")
"""What is counted, as `models.order_days.in_periods` marks it."""


def counts_of_all(days: pl.LazyFrame) -> pl.LazyFrame:
    """Count everybody: one row per cohort, k and period."""
    return _counts(days.with_columns(break_down_value=pl.lit("all")), "all")


def counts_by(days: pl.LazyFrame, attributes: pl.LazyFrame, break_downs: Sequence[str]) -> pl.LazyFrame:
    """Count everybody, and each break-down; the order days are sorted once for all of these."""
    counted = days.select("cohort", "k", "period", *FLAGS, "customer", "identity").collect()
    customers = counted.lazy().filter("is_first").select("customer", "identity")
    known = (
        customers.join(attributes, on="identity", how="left")
        .select("customer", pl.col(break_downs).fill_null(UNKNOWN))
        .sort("customer")
        .collect(engine="streaming")
    )
    # Customers are numbered in order: where each has one value, it lies at the customer's own place.
    has_one_each = known.height == counted["is_first"].sum()
    place, frame = counted["customer"] - 1, counted.drop("customer", "identity")
    counts = [counts_of_all(frame.lazy()).collect()]
    for name in break_downs:
        if has_one_each:
            valued = frame.with_columns(break_down_value=known[name].gather(place)).lazy()
        else:
            values = known.lazy().select("customer", break_down_value=name).unique()
            valued = counted.lazy().join(values, on="customer")
        counts.append(_counts(valued, name).collect(engine="streaming"))
    return pl.concat(counts).lazy()


def checked_attributes(attributes: pl.LazyFrame | None, break_downs: Sequence[str]) -> pl.LazyFrame:
    """Give the attributes asked for, by identity; what is missing is `UNKNOWN`.

    Raises
    ------
    ValueError
        There are no attributes, or not the one asked for.
    """
    if attributes is None:
        raise ValueError(f"Break-downs {list(break_downs)} need `first_order_attributes`.")
    names = attributes.collect_schema().names()
    for name in break_downs:
        if name not in names:
            raise ValueError(f"There is no first-order attribute {name!r}; there are: {', '.join(names)}.")
    # Values are counted as numbers and become text again in the small table of counts.
    values = [pl.col(name).cast(pl.String).fill_null(UNKNOWN).cast(pl.Categorical) for name in break_downs]
    identity = identity_of(pl.col("customer_key")).alias("identity")
    return attributes.filter(pl.col("customer_key").is_not_null()).select(identity, *values)


def _counts(days: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """Count all that the measures need, by value, cohort, k and calendar period: a small table."""
    return (
        days.group_by("break_down_value", "cohort", "k", "period")
        .agg(pl.col(FLAGS).sum().cast(pl.Int64))
        .with_columns(pl.col("break_down_value").cast(pl.String), break_down=pl.lit(name))
    )
