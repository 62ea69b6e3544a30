"""Return rates by order date: orders, pieces and value, of orders old enough to have come back.

A young order has had no time to be returned, so it would pull every recent rate down. Only return-mature
orders count: those whose whole return window (p95 of the shop's own lag, at least 30 days) is over.

What does not belong here: refunds as money of a period (that is net revenue by event date), and what a
return says about its customer. These are rates of the shop's orders, so orders of unknown customers
count; unmatched returns have no order date and can't.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from models.intervals import SMALL_GROUP, wilson_interval
from models.periods import first_incomplete, period_index, period_start
from models.summary import MONEY

__all__ = ["BREAK_DOWNS", "MEASURES", "return_rates", "return_window_days"]

MEASURES = (
    "order_return_rate",
    "item_return_rate",
    "value_return_rate",
    "exchange_share",
    "retained_revenue_ratio",
)
BREAK_DOWNS = ("all", "product", "category", "reason")
UNKNOWN = "unknown"
"""Value of a break-down where product, category or reason is missing."""

_KEY = ("order_month", "break_down", "break_down_value")


def return_window_days(
    returns: pl.LazyFrame,
    orders: pl.LazyFrame,
    as_of: date,
    *,
    quantile: float = 0.95,
    at_least: int = 30,
) -> int:
    """Days after which nearly all returns of an order have come, from the shop's own lags.

    The lag of a return runs from its order day to its return day (else refund day); lags below 0 are
    faults of the data and don't count. It is the lag of returns seen so far: in a shop with a short
    history the longest are still missing, hence the floor.

    Parameters
    ----------
    returns, orders
        Merchandise returns matched to valid orders count, if known by `as_of`.
    quantile
        Share of the returns that the window covers.
    at_least
        Shortest window; the answer for a shop without returns.

    Returns
    -------
    int
        Whole days: the smallest observed lag that covers `quantile` of the returns, or `at_least`.
    """
    lag = (pl.col("known_on") - pl.col("order_day")).dt.total_days()
    lags = (
        _known_returns(returns, as_of)
        .join(_valid_orders(orders, as_of), on="order_id")
        .select(lag=lag)
        .filter(pl.col("lag") >= 0)
    )
    longest = lags.select(pl.col("lag").quantile(quantile, interpolation="higher")).collect().item()
    return at_least if longest is None else max(at_least, int(longest))


def return_rates(
    orders: pl.LazyFrame,
    order_lines: pl.LazyFrame,
    returns: pl.LazyFrame,
    as_of: date,
    *,
    window_days: int | None = None,
) -> pl.LazyFrame:
    """Return rates of mature orders by order month: overall, by product, category and reason.

    ========================  ============================================  ==========================
    measure                   numerator                                     denominator
    ========================  ============================================  ==========================
    order_return_rate         orders with a merchandise return (count)      orders (n)
    item_return_rate          pieces returned (count)                       pieces sold (n)
    value_return_rate         value returned (amount)                       value sold, after discount
    exchange_share            returns exchanged (count)                     returns of known outcome (n)
    retained_revenue_ratio    value exchanged or credited (amount)          value of known outcome
    ========================  ============================================  ==========================

    By product and category, orders and pieces with that product or category are both numerator and
    denominator; by reason, the denominator is all of the month, so that reasons can be compared. A
    return counts if it was known by `as_of`, by its return day (else refund day).

    Parameters
    ----------
    orders, order_lines, returns
        The facts; valid orders and merchandise only.
    as_of
        Last day included; later orders and returns change nothing.
    window_days
        The return window; None takes `return_window_days`.

    Returns
    -------
    LazyFrame
        One row per order month, break-down, value and measure, sorted by these: as_of, order_month
        (Date), break_down (`BREAK_DOWNS`), break_down_value ("all" for everything, `UNKNOWN` where
        missing), measure, count (Int64; null for the two ratios of value), n (Int64; orders for
        value_return_rate, returns of known outcome for retained_revenue_ratio), amount and base_amount
        (Decimal(18, 4); null for the rates that count), rate, low, high (95 % Wilson; null for ratios of
        value, which are no proportions of independent things; for pieces of one order it is too narrow,
        since they come back together), is_mature, is_small (n < 30).
        is_mature says that *all* of the month's orders are mature; a month that is only partly so shows
        its mature orders, and one without any shows null rates under "all".
    """
    window = return_window_days(returns, orders, as_of) if window_days is None else window_days
    until = as_of - timedelta(window)
    month = period_start(period_index(pl.col("order_day"), "month"), "month")
    valid = _valid_orders(orders, as_of).with_columns(order_month=month)
    mature = valid.filter(pl.col("order_day") <= until)
    goods = order_lines.filter(pl.col("kind") == "merchandise").select(
        "order_id", "product_id", "category", "quantity", "net"
    )
    # One category a product, so that a return, which names only its product, meets its own sales.
    categories = (
        goods.join(valid, on="order_id", how="semi")
        .filter(pl.col("product_id").is_not_null())
        .group_by("product_id")
        .agg(product_category=pl.col("category").max())
    )
    sold = goods.join(mature, on="order_id").join(categories, on="product_id", how="left")
    returned = (
        _known_returns(returns, as_of)
        .join(mature, on="order_id")
        .join(categories, on="product_id", how="left")
    )
    counts = _counts(sold, returned, valid.select("order_month").unique())
    return _measures(counts, as_of, until)


def _valid_orders(orders: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    return orders.filter(pl.col("is_valid") & (pl.col("order_day") <= as_of)).select("order_id", "order_day")


def _known_returns(returns: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    return (
        returns.with_columns(known_on=pl.coalesce("returned_day", "refunded_day"))
        .filter((pl.col("kind") == "merchandise") & (pl.col("known_on") <= as_of))
        .select("order_id", "product_id", "quantity", "amount", "reason", "outcome", "known_on")
    )


def _counts(sold: pl.LazyFrame, returned: pl.LazyFrame, months: pl.LazyFrame) -> pl.LazyFrame:
    """Put what was sold beside what came back, for every break-down and value."""
    values = {
        "all": pl.lit("all"),
        "product": pl.col("product_id"),
        "category": pl.col("product_category"),
    }
    pairs = [
        (_sold_by(sold, name, value), _returned_by(returned, name, value)) for name, value in values.items()
    ]
    # No line is sold for a reason: each reason meets all that was sold.
    by_reason = _returned_by(returned, "reason", pl.col("reason"))
    reasons = by_reason.select("break_down", "break_down_value").unique()
    everything = pairs[0][0]
    pairs.append((everything.drop("break_down", "break_down_value").join(reasons, how="cross"), by_reason))
    all_months = months.with_columns(break_down=pl.lit("all"), break_down_value=pl.lit("all"))
    pairs[0] = (all_months.join(everything, on=list(_KEY), how="left"), pairs[0][1])
    return pl.concat(
        [
            have.join(back, on=list(_KEY), how="full", coalesce=True).select(*_KEY, *_SOLD, *_RETURNED)
            for have, back in pairs
        ],
    ).with_columns(
        pl.col("orders", "pieces", "sold", *_RETURNED).fill_null(0),
    )


_SOLD = ("orders", "pieces", "sold")
_RETURNED = (
    "orders_back",
    "pieces_back",
    "value_back",
    "known",
    "exchanged",
    "value_known",
    "value_retained",
)


def _by(name: str, value: pl.Expr) -> list[pl.Expr]:
    return [
        pl.col("order_month"),
        pl.lit(name).alias("break_down"),
        value.fill_null(UNKNOWN).alias("break_down_value"),
    ]


def _sold_by(sold: pl.LazyFrame, name: str, value: pl.Expr) -> pl.LazyFrame:
    return (
        sold.group_by(*_by(name, value), "order_id")
        .agg(pieces=pl.col("quantity").sum(), sold=pl.col("net").sum())
        .group_by(_KEY)
        .agg(
            orders=pl.len().cast(pl.Int64),
            pieces=pl.col("pieces").sum(),
            sold=pl.col("sold").sum().cast(MONEY),
        )
    )


def _returned_by(returned: pl.LazyFrame, name: str, value: pl.Expr) -> pl.LazyFrame:
    is_known, is_exchange = pl.col("outcome").is_not_null(), pl.col("outcome") == "exchange"
    is_retained = pl.col("outcome").is_in(["exchange", "store_credit"])
    amount = pl.col("amount")
    of_order = {
        "pieces_back": pl.col("quantity"),
        "value_back": amount,
        "known": is_known.cast(pl.Int64),
        "exchanged": is_exchange.cast(pl.Int64),
        "value_known": pl.when(is_known).then(amount),
        "value_retained": pl.when(is_retained).then(amount),
    }
    counts, values = ("pieces_back", "known", "exchanged"), ("value_back", "value_known", "value_retained")
    return (
        returned.group_by(*_by(name, value), "order_id")
        .agg(**{part: expression.sum() for part, expression in of_order.items()})
        .group_by(_KEY)
        .agg(
            pl.len().cast(pl.Int64).alias("orders_back"),
            pl.col(counts).sum(),
            pl.col(values).sum().cast(MONEY),
        )
    )


def _measures(counts: pl.LazyFrame, as_of: date, until: date) -> pl.LazyFrame:
    """One row a measure, with rate and interval."""
    no_count, no_amount = pl.lit(None, pl.Int64), pl.lit(None, MONEY)
    parts = {
        "order_return_rate": ("orders_back", "orders", no_amount, no_amount),
        "item_return_rate": ("pieces_back", "pieces", no_amount, no_amount),
        "value_return_rate": (no_count, "orders", "value_back", "sold"),
        "exchange_share": ("exchanged", "known", no_amount, no_amount),
        "retained_revenue_ratio": (no_count, "known", "value_retained", "value_known"),
    }
    long = pl.concat(
        [
            counts.select(*_KEY, measure=pl.lit(name), count=count, n=n, amount=amount, base_amount=base)
            for name, (count, n, amount, base) in parts.items()
        ]
    )
    count, n = pl.col("count"), pl.col("n")
    base = pl.col("base_amount").cast(pl.Float64)
    ratio = pl.when(base > 0).then(pl.col("amount").cast(pl.Float64) / base)
    interval = wilson_interval(count, n)
    last_mature = first_incomplete(until, "month") - 1
    return long.select(
        pl.lit(as_of).alias("as_of"),
        *_KEY,
        "measure",
        "count",
        "n",
        "amount",
        "base_amount",
        rate=pl.when(count.is_not_null() & (n > 0)).then(count / n).otherwise(ratio),
        low=interval.low,
        high=interval.high,
        is_mature=period_index(pl.col("order_month"), "month") <= last_mature,
        is_small=n < SMALL_GROUP,
    ).sort(*_KEY, "measure")
