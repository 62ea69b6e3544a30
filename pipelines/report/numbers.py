"""The report's own counting: headline numbers, excluded orders, how returns were matched, answers to surveys.

Whatever has a definition of its own is computed in `models`; here rows are counted and added up. Sentences stand in
`findings`, pictures in `figures`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from models.intervals import wilson
from models.repeat_purchase import repeat_purchase
from models.summary import known_refunds

RETURN_WINDOW_AT_LEAST = 30
"""Days; the window is the 95th percentile of the shop's own return lag, but not shorter."""
YEAR_DAYS = 365
TOO_FEW = 30


@dataclass(frozen=True, slots=True)
class Rate:
    """Count out of n with its 95 % Wilson interval."""

    count: int
    n: int

    @property
    def rate(self) -> float | None:
        """Share; None of nobody."""
        return self.count / self.n if self.n else None

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """Ends of the interval."""
        if not self.n:
            return None, None
        bounds = wilson(self.count, self.n)
        return bounds.low, bounds.high


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The shop in a few numbers, up to the last day.

    Attributes
    ----------
    customers, orders, net
        Customers with a valid order, valid orders, net revenue by order date with refunds known by as_of.
    orders_without, net_without
        Of these, orders and net revenue without a customer.
    first_day, last_day
        First and last day with a valid order; None without one.
    repeat
        Customers with two or more valid orders.
    year
        Of who bought in the 365 days before the last 365, who bought in the last 365; None for a shorter history.
    """

    customers: int
    orders: int
    net: float
    orders_without: int
    net_without: float
    first_day: date | None
    last_day: date | None
    repeat: Rate
    year: Rate | None


@dataclass(frozen=True, kw_only=True)
class Returned:
    """What came back of orders older than the return window.

    Attributes
    ----------
    window_days
        Age from which an order counts as return-mature.
    orders
        Mature orders of which something came back.
    value_share
        Value that came back, over merchandise sold, of mature orders.
    """

    window_days: int
    orders: Rate
    value_share: float | None


def headline(
    orders: pl.LazyFrame, returns: pl.LazyFrame, purchases: pl.LazyFrame, as_of: date, history_start: date
) -> Headline:
    """Count the headline numbers."""
    valid = valid_orders(orders, returns, as_of)
    without = pl.col("customer_key").is_null()
    totals = valid.select(
        orders=pl.len(),
        net=pl.col("net_by_as_of").sum().cast(pl.Float64),
        orders_without=without.sum(),
        net_without=pl.col("net_by_as_of").filter(without).sum().cast(pl.Float64),
        first_day=pl.col("order_day").min(),
        last_day=pl.col("order_day").max(),
    )
    again = repeat_purchase(purchases, as_of).filter(
        pl.col("basis") == "orders", pl.col("within_days").is_null()
    )
    found = pl.concat([totals, again.select("customers", "n")], how="horizontal").collect().row(0, named=True)
    return Headline(
        customers=found["n"],
        orders=found["orders"],
        net=found["net"],
        orders_without=found["orders_without"],
        net_without=found["net_without"],
        first_day=found["first_day"],
        last_day=found["last_day"],
        repeat=Rate(found["customers"], found["n"]),
        year=year_on_year(purchases, as_of, max(history_start, found["first_day"] or history_start)),
    )


def year_on_year(purchases: pl.LazyFrame, as_of: date, history_start: date) -> Rate | None:
    """``period_retention`` of two years of 365 days, the second ending on as_of; None where the history is shorter."""
    before, start = as_of - timedelta(YEAR_DAYS), as_of - timedelta(2 * YEAR_DAYS)
    if history_start > start + timedelta(1):
        return None
    day = pl.col("order_day")
    counts = (
        purchases.filter(day > start, day <= as_of)
        .group_by("customer_key")
        .agg(first=(day <= before).any(), second=(day > before).any())
        .select(pl.col("first").sum(), (pl.col("first") & pl.col("second")).sum().alias("both"))
        .collect()
        .row(0, named=True)
    )
    return Rate(counts["both"], counts["first"]) if counts["first"] else None


def returned(return_rates: pl.LazyFrame, window_days: int) -> Returned:
    """Order and value return rate over all mature orders, from the months of table ``return_rates``."""
    of_all = return_rates.filter(pl.col("break_down") == "all")
    row = (
        of_all.select(
            pl.col("count", "n").filter(pl.col("measure") == "order_return_rate").sum(),
            pl.col("amount", "base_amount")
            .filter(pl.col("measure") == "value_return_rate")
            .sum()
            .cast(pl.Float64),
        )
        .collect()
        .row(0, named=True)
    )
    return Returned(
        window_days=window_days,
        orders=Rate(row["count"], row["n"]),
        value_share=row["amount"] / row["base_amount"] if row["base_amount"] else None,
    )


def returns_by_rule(returns: pl.LazyFrame, as_of: date) -> list[dict[str, Any]]:
    """Merchandise returns by how they were matched: match_rule, returns, amount, is_matched; largest amount first."""
    return (
        returns.filter(pl.col("kind") == "merchandise", pl.coalesce("refunded_day", "returned_day") <= as_of)
        .group_by("match_rule")
        .agg(
            returns=pl.len().cast(pl.Int64),
            amount=pl.col("amount").sum().cast(pl.Float64),
            is_matched=pl.col("order_id").is_not_null().all(),
        )
        .sort(["is_matched", "amount", "match_rule"], descending=[True, True, False])
        .collect()
        .to_dicts()
    )


def other_returns(returns: pl.LazyFrame, as_of: date) -> Mapping[str, Any]:
    """Returns of postage, fees and the like, which no order's net revenue pays for: returns, amount."""
    return (
        returns.filter(pl.col("kind") != "merchandise", pl.coalesce("refunded_day", "returned_day") <= as_of)
        .select(returns=pl.len(), amount=pl.col("amount").sum().cast(pl.Float64))
        .collect()
        .row(0, named=True)
    )


def excluded_orders(orders: pl.LazyFrame, as_of: date) -> list[dict[str, Any]]:
    """Orders that do not count, by reason: excluded_because, orders; most orders first."""
    return (
        orders.filter(~pl.col("is_valid"), pl.col("order_day") <= as_of)
        .group_by("excluded_because")
        .agg(orders=pl.len().cast(pl.Int64))
        .sort(["orders", "excluded_because"], descending=[True, False])
        .collect()
        .to_dicts()
    )


def valid_orders(orders: pl.LazyFrame, returns: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Valid orders up to as_of: order_id, customer_key, order_day, net_by_as_of (less refunds known by then)."""
    refunds = known_refunds(returns, as_of).rename({"refunded": "refunded_by_as_of"})
    return (
        orders.filter("is_valid", pl.col("order_day") <= as_of)
        .select("order_id", "customer_key", "order_day", "gross", "discount")
        .join(refunds, on="order_id", how="left")
        .with_columns(
            net_by_as_of=pl.col("gross") - pl.col("discount") - pl.col("refunded_by_as_of").fill_null(0)
        )
    )
