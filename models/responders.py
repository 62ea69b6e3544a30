"""Responders: what people who ordered within a campaign's window did later, beside those who did not.

The comparison that flatters every campaign: whoever orders in some weeks is a livelier customer, campaign or not, and
orders more often later. It is made here for the people held out as well, who got nothing: where they show the same
gap, the gap says who people are, and nothing of what a campaign did.

What does not belong here: what a campaign changed (`models.campaign_effect`: by lot, everybody assigned counts).
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from models.intervals import SMALL_GROUP, wilson_interval

__all__ = ["later_orders"]

LATER_DAYS: Final = 90
"""As long as the nearer of the two horizons of churn probabilities."""


def later_orders(
    people: pl.LazyFrame,
    purchases: pl.LazyFrame,
    as_of: date,
    *,
    window_days: int,
    later_days: int = LATER_DAYS,
) -> pl.DataFrame:
    """Tell how many ordered in the days after a campaign's window, by whether they ordered within it.

    Parameters
    ----------
    people
        campaign, customer_key (once a campaign), assignment (deliver, hold_out), assigned_day, as in
        ``campaign_assignments``. Whose later days are not over by `as_of` is left out.
    purchases
        customer_key and order_day, one row a customer and order day.
    as_of
        Last day included; later rows change nothing.
    window_days
        The window: the day of the assignment and the days after it, so many in all.
    later_days
        So many days from the end of the window on.

    Returns
    -------
    DataFrame
        One row per assignment and ordered_in_window (Boolean) that anybody is in, sorted: assignment,
        ordered_in_window, n (people), ordered_later (people who did), rate with its 95 % Wilson interval low and high,
        is_small (fewer than 30). Somebody in several campaigns counts once in each.

    Raises
    ------
    ValueError
        A number of days is not positive.
    """
    if window_days < 1 or later_days < 1:
        raise ValueError(f"Windows are a day or longer, not {window_days} and {later_days} days.")
    start = pl.col("assigned_day")
    window_ends = start + pl.duration(days=window_days)
    later_ends = window_ends + pl.duration(days=later_days)
    day = pl.col("order_day")
    person = ("campaign", "customer_key", "assignment", "assigned_day")
    observed = people.select(person).filter(later_ends <= as_of + pl.duration(days=1))
    days = purchases.filter(day <= as_of).select("customer_key", "order_day")
    return (
        observed.join(days, on="customer_key", how="left")
        .group_by(person)
        .agg(
            ordered_in_window=((day >= start) & (day < window_ends)).fill_null(value=False).any(),
            ordered_later=((day >= window_ends) & (day < later_ends)).fill_null(value=False).any(),
        )
        .group_by("assignment", "ordered_in_window")
        .agg(n=pl.len().cast(pl.Int64), ordered_later=pl.col("ordered_later").sum().cast(pl.Int64))
        .with_columns(
            (pl.col("ordered_later") / pl.col("n")).alias("rate"),
            *_bounds(),
            is_small=pl.col("n") < SMALL_GROUP,
        )
        .sort("assignment", "ordered_in_window")
        .collect(engine="streaming")
    )


def _bounds() -> tuple[pl.Expr, pl.Expr]:
    low, high = wilson_interval(pl.col("ordered_later"), pl.col("n"))
    return low.alias("low"), high.alias("high")
