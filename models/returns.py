"""Return rates by order date: orders, pieces and value, of orders old enough to have come back.

A young order has had no time to be returned, so it would pull every recent rate down. Only return-mature
orders count: those whose whole return window (`models.return_window`) is over.

What does not belong here: refunds as money of a period (that is net revenue by event date), and what a
return says about its customer. These are rates of the shop's orders, so orders of unknown customers
count; unmatched returns have no order date and can't.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from models.intervals import SMALL_GROUP, wilson_interval
from models.periods import first_incomplete, period_index, period_start
from models.return_window import known_returns, return_window_days, valid_orders
from models.summary import MONEY

__all__ = ["BREAK_DOWNS", "MEASURES", "return_rates", "return_window_days"]

MEASURES = (
    "order_return_rate",
    "item_return_rate",
    "value_return_rate",
    "exchange_share",
    "retained_revenue_ratio",
)
BREAK_DOWNS = ("all", "channel", "product", "category", "reason")
UNKNOWN = "unknown"
"""Value of a break-down where channel, product, category or reason is missing."""

_PIECES = pl.col("quantity").sum().alias("pieces")
_VALUE = pl.col("net").sum().cast(MONEY).alias("sold")
_KEY = ("order_month", "break_down", "break_down_value")
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


def return_rates(
    orders: pl.LazyFrame,
    order_lines: pl.LazyFrame,
    returns: pl.LazyFrame,
    as_of: date,
    *,
    window_days: int | None = None,
) -> pl.LazyFrame:
    """Return rates of mature orders by order month: overall, by channel, product, category and reason.

    ========================  ============================================  ==========================
    measure                   numerator                                     denominator
    ========================  ============================================  ==========================
    order_return_rate         orders with a merchandise return (count)      orders (n)
    item_return_rate          pieces returned (count)                       pieces sold (n)
    value_return_rate         value returned (amount)                       value sold, after discount
    exchange_share            returns exchanged (count)                     returns of known outcome (n)
    retained_revenue_ratio    value exchanged or credited (amount)          value of known outcome
    ========================  ============================================  ==========================

    By channel, product and category, orders and pieces with that value are both numerator and denominator;
    by reason, the denominator is all of the month, so that reasons can be compared. A return
    has the category that its product had in the month of the order. It counts if it was known by `as_of`, by
    its return day (else refund day).

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
    valid = valid_orders(orders, as_of).with_columns(order_month=month)
    # Lines are matched to their orders by the long key once, and counted by this number.
    mature = (
        valid.filter(pl.col("order_day") <= until)
        .select("order_id", "order_month", "channel")
        .with_row_index("order")
        .collect(engine="streaming")
        .lazy()
    )
    of_orders = valid.group_by("order_month", "channel").agg(
        orders=(pl.col("order_day") <= until).sum().cast(pl.Int64)
    )
    # One pass over all lines after the other: each holds the orders in a table of its own to match them.
    months, by_channel, by_product, by_category, back = (
        part.collect(engine="streaming")
        for part in (
            of_orders,
            _lines(order_lines, mature).group_by("order_month", "channel").agg(_PIECES, _VALUE),
            _sold(order_lines, mature, "product", "product_id"),
            _sold(order_lines, mature, "category", "category"),
            known_returns(returns, as_of).join(mature, on="order_id").drop("order_id"),
        )
    )
    everything = _everything(months.lazy(), by_channel.lazy())
    counts = _counts(everything, by_product.lazy(), by_category.lazy(), back.lazy())
    return _measures(counts, as_of, until).collect().lazy()


def _sold(order_lines: pl.LazyFrame, mature: pl.LazyFrame, name: str, column: str) -> pl.LazyFrame:
    """Count orders, pieces and value by order month and `column`."""
    return (
        _lines(order_lines, mature)
        .group_by("order_month", break_down=pl.lit(name), break_down_value=pl.col(column).fill_null(UNKNOWN))
        .agg(
            _PIECES,
            _VALUE,
            orders=pl.col("order").n_unique().cast(pl.Int64),
            category=pl.col("category").max(),
        )
    )


def _lines(order_lines: pl.LazyFrame, mature: pl.LazyFrame) -> pl.LazyFrame:
    """Merchandise of mature orders."""
    return (
        order_lines.filter(pl.col("kind") == "merchandise")
        .select("order_id", "product_id", "category", "quantity", "net")
        .join(mature, on="order_id")
    )


def _everything(months: pl.LazyFrame, by_channel: pl.LazyFrame) -> pl.LazyFrame:
    """What was sold by order month: in all, and by channel where a channel has mature orders."""
    sold = months.join(by_channel, on=["order_month", "channel"], how="left", nulls_equal=True)
    channels = sold.filter(pl.col("orders") > 0).select(
        "order_month",
        *_SOLD,
        break_down=pl.lit("channel"),
        break_down_value=pl.col("channel").fill_null(UNKNOWN),
    )
    whole = sold.group_by("order_month").agg(
        pl.col("orders", "pieces").sum(), pl.col("sold").sum().cast(MONEY)
    )
    return pl.concat(
        [
            whole.select(*_KEY[:1], *_SOLD, break_down=pl.lit("all"), break_down_value=pl.lit("all")),
            channels,
        ]
    )


def _counts(
    everything: pl.LazyFrame, by_product: pl.LazyFrame, by_category: pl.LazyFrame, back: pl.LazyFrame
) -> pl.LazyFrame:
    """Put what was sold beside what came back, for every break-down and value."""
    categories = by_product.select("order_month", "category", product_id="break_down_value")
    back = back.join(categories, on=["order_month", "product_id"], how="left")
    # No line is sold for a reason: each reason meets all that was sold.
    reasons = back.select(break_down_value=pl.col("reason").fill_null(UNKNOWN)).unique()
    has_mature = (pl.col("break_down") == "all") & (pl.col("orders") > 0)
    of_reasons = everything.filter(has_mature).drop("break_down_value").join(reasons, how="cross")
    sold = pl.concat(
        frame.select(*_KEY, *_SOLD)
        for frame in (
            everything,
            of_reasons.with_columns(break_down=pl.lit("reason")),
            by_product,
            by_category,
        )
    )
    values = {
        "all": pl.lit("all"),
        "channel": pl.col("channel"),
        "product": pl.col("product_id"),
        "category": pl.col("category"),
        "reason": pl.col("reason"),
    }
    returned = pl.concat([_returned(back, name, value) for name, value in values.items()])
    return sold.join(returned, on=list(_KEY), how="full", coalesce=True).with_columns(
        pl.col(*_SOLD, *_RETURNED).fill_null(0)
    )


def _returned(back: pl.LazyFrame, name: str, value: pl.Expr) -> pl.LazyFrame:
    """Count orders, pieces, value and outcomes of what came back, by order month and `value`."""
    amount, outcome = pl.col("amount"), pl.col("outcome")
    is_retained = outcome.is_in(["exchange", "store_credit"])
    return back.group_by(
        "order_month", break_down=pl.lit(name), break_down_value=value.fill_null(UNKNOWN)
    ).agg(
        orders_back=pl.col("order").n_unique().cast(pl.Int64),
        pieces_back=pl.col("quantity").sum(),
        value_back=amount.sum().cast(MONEY),
        known=outcome.is_not_null().sum().cast(pl.Int64),
        exchanged=(outcome == "exchange").sum().cast(pl.Int64),
        value_known=pl.when(outcome.is_not_null()).then(amount).sum().cast(MONEY),
        value_retained=pl.when(is_retained).then(amount).sum().cast(MONEY),
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
