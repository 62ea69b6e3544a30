"""Stage cuts: after how many days of silence a customer counts as at risk, lapsed or dormant.

One row a month, computed from the shop's own gaps between consecutive order days, and only from gaps
that had ended by the end of the month before. A month's row is therefore final once the month begins.
First gaps (first to second order day) and later gaps are kept apart: the wait for a second order says
little about the rhythm of a regular.

Which customer gets which row, and the stages themselves, do not belong here: see `models.lifecycle`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl


@dataclass(frozen=True, kw_only=True)
class CutRules:
    """What a shop may set about its stage cuts.

    The fallback days are what a shop without enough returning customers gets: fresh up to 90 days of
    silence (in place of p75), at risk up to 180 (in place of p90), lapsed up to 365, dormant after.
    They obey the general rule too: max(365, 2 x 180) = 365.

    Attributes
    ----------
    min_customers
        Customers who must have shown a kind of gap before its own quantiles are trusted.
    fallback_p75, fallback_p90
        Days used in place of the quantiles below `min_customers`.
    min_dormant_after
        Nobody is dormant before this many days of silence, however fast the shop's rhythm.
    """

    min_customers: int = 100
    fallback_p75: float = 90.0
    fallback_p90: float = 180.0
    min_dormant_after: float = 365.0


def stage_cuts(purchases: pl.LazyFrame, as_of: date, *, rules: CutRules | None = None) -> pl.LazyFrame:
    """Quantiles of the gaps between order days, as known at the start of each month.

    Parameters
    ----------
    purchases
        One row per customer and order day (`models.summary.purchases_at`): customer_key, order_day.
    as_of
        Last day included.
    rules
        Thresholds and fallback days; the defaults are those of the glossary.

    Returns
    -------
    pl.LazyFrame
        One row per calendar month from the month of the first order to the month of `as_of`, in order:
        month (Date, its first day); p75_first, p90_first, dormant_after_first for customers with one
        order, p75_later, p90_later, dormant_after_later for all others (days, Float64; quantiles
        interpolated linearly); returning_customers (customers with two order days by the end of the
        month before) and later_customers (with three); is_fallback_first, is_fallback_later.
        Each kind of gap needs `rules.min_customers` customers of its own.
    """
    rules = rules or CutRules()
    days = purchases.filter(pl.col("order_day") <= as_of).select("customer_key", "order_day")
    months = days.select(
        pl.date_range(
            pl.col("order_day").min().fill_null(as_of).dt.month_start(),
            pl.lit(as_of).dt.month_start(),
            "1mo",
        ).alias("month"),
        has_orders=pl.len() > 0,
    )
    months = months.filter("has_orders").select("month")
    counts = _gap_counts(days)
    first = _quantiles(months, counts.filter(~pl.col("is_later")), rules)
    later = _quantiles(months, counts.filter("is_later"), rules)
    return (
        first.rename({name: f"{name}_first" for name in ("p75", "p90", "dormant_after", "is_fallback")})
        .rename({"customers": "returning_customers"})
        .join(
            later.rename(
                {name: f"{name}_later" for name in ("p75", "p90", "dormant_after", "is_fallback")}
            ).rename({"customers": "later_customers"}),
            on="month",
            how="left",
        )
        .select(
            "month",
            *(f"{cut}_{kind}" for kind in ("first", "later") for cut in ("p75", "p90", "dormant_after")),
            "returning_customers",
            "later_customers",
            "is_fallback_first",
            "is_fallback_later",
        )
        .sort("month")
    )


def _gap_counts(days: pl.LazyFrame) -> pl.LazyFrame:
    """Gaps by the month from which they count, their kind and their length: a small histogram.

    `customers` counts those who show the kind for the first time with this gap.
    """
    key = pl.col("customer_key")
    second, third, fourth = (key.eq_missing(key.shift(back)) for back in (1, 2, 3))
    return (
        days.sort("customer_key", "order_day")
        .select(
            "order_day",
            gap=(pl.col("order_day") - pl.col("order_day").shift(1)).dt.total_days().cast(pl.Int32),
            is_gap=second,
            is_later=third,
            is_new=~pl.when(third).then(fourth).otherwise(False),
        )
        .filter("is_gap")
        .group_by(
            "is_later",
            "gap",
            month=pl.col("order_day").dt.month_start().dt.offset_by("1mo"),
        )
        .agg(gaps=pl.len().cast(pl.Int64), customers=pl.col("is_new").sum().cast(pl.Int64))
    )


def _quantiles(months: pl.LazyFrame, counts: pl.LazyFrame, rules: CutRules) -> pl.LazyFrame:
    """p75 and p90 of all gaps known at the start of each month, or the fallback."""
    # The grid is months x distinct gap lengths (10 years: under half a million cells), not customers.
    grid = (
        months.join(counts.select("gap").unique(), how="cross")
        .join(counts, on=["month", "gap"], how="left")
        .with_columns(pl.col("gaps", "customers").fill_null(0))
        .with_columns(pl.col("gaps", "customers").cum_sum().over("gap", order_by="month"))
        .with_columns(
            up_to=pl.col("gaps").cum_sum().over("month", order_by="gap"),
            total=pl.col("gaps").sum().over("month"),
        )
    )
    known = grid.group_by("month").agg(
        _quantile_from_counts(0.75).alias("own_p75"),
        _quantile_from_counts(0.90).alias("own_p90"),
        customers=pl.col("customers").sum(),
    )
    is_fallback = pl.col("customers") < rules.min_customers
    return (
        months.join(known, on="month", how="left")
        .with_columns(pl.col("customers").fill_null(0))
        .with_columns(
            p75=pl.when(is_fallback).then(rules.fallback_p75).otherwise("own_p75"),
            p90=pl.when(is_fallback).then(rules.fallback_p90).otherwise("own_p90"),
            is_fallback=is_fallback,
        )
        .with_columns(dormant_after=pl.max_horizontal(pl.lit(rules.min_dormant_after), 2 * pl.col("p90")))
        .select("month", "p75", "p90", "dormant_after", "customers", "is_fallback")
    )


def _quantile_from_counts(q: float) -> pl.Expr:
    """Linearly interpolated quantile of `gap`, given how many gaps are at most that long (`up_to`)."""
    position = (pl.col("total").first() - 1) * q
    below = position.floor()
    lower = pl.col("gap").filter(pl.col("up_to") > below).min()
    upper = pl.col("gap").filter(pl.col("up_to") > below + 1).min()
    # At the very end there is no upper neighbour, and nothing to interpolate.
    return lower + (position - below) * (pl.coalesce(upper, lower) - lower)
