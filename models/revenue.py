"""Revenue by month under both dating rules: valid orders, customers, order value, and what was given back.

`net_by_order_date` lowers the month in which an order was placed by all that came back of it, whenever that
was: the question of behaviour. `net_by_event_date` lowers the month in which the money went back: the
question of finance. A return that could not be matched to an order has only an event date, so it counts in
the second series and not in the first. Over all time the two differ by these unmatched returns alone.

What does not belong here: what a shop platform would show beside this (`models.bridge`), customers one by
one, forecasts.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from models.intervals import SMALL_GROUP, normal_quantile
from models.order_days import identity_of, packed, unpacked
from models.periods import first_incomplete, index_of, period_index, period_start
from models.summary import MONEY, known_refunds

__all__ = ["dated_refunds", "month_of", "months_upto", "revenue"]

_UNITS = 10_000
_PERIOD = ("period", "period_start")
_COUNTS = ("orders", "orders_without_customer")
_SUMS = ("gross", "discount", "refunded", "refunded_by_event_date")


def month_of(day: str) -> pl.Expr:
    """First day of the calendar month of the column `day`."""
    return period_start(period_index(pl.col(day), "month"), "month")


def dated_refunds(orders: pl.LazyFrame, returns: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Merchandise that went back by `as_of`, on its own day, with the standing of its order.

    Parameters
    ----------
    orders
        order_id, order_day, is_valid, excluded_because.
    returns
        order_id, kind, outcome, amount, returned_day, refunded_day.
    as_of
        Last day included.

    Returns
    -------
    LazyFrame
        One row per return of merchandise: event_day (Date, of the refund, else of the return), amount
        (Decimal(18, 4)), is_exchange, is_matched (its order is known), is_valid and excluded_because of
        the order (null where unmatched).
    """
    event_day = pl.coalesce("refunded_day", "returned_day")
    back = returns.filter((pl.col("kind") == "merchandise") & (event_day <= as_of)).select(
        "order_id", "amount", event_day=event_day, is_exchange=pl.col("outcome") == "exchange"
    )
    # The few orders with a return first: a join to all of them would hold all of them.
    known = (
        orders.filter(pl.col("order_day") <= as_of)
        .select("order_id", "is_valid", "excluded_because")
        .join(back.select("order_id"), on="order_id", how="semi")
    )
    return back.join(known, on="order_id", how="left").select(
        "event_day",
        pl.col("amount").cast(MONEY).fill_null(0),
        pl.col("is_exchange").fill_null(False),
        "is_valid",
        "excluded_because",
        is_matched=pl.col("is_valid").is_not_null(),
    )


def revenue(orders: pl.LazyFrame, returns: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Revenue of every calendar month up to `as_of`, and of all time.

    Parameters
    ----------
    orders
        order_id, customer_key, order_day, is_valid, excluded_because, gross, discount.
    returns
        See `dated_refunds`.
    as_of
        Last day included; later orders, returns and refunds change nothing.

    Returns
    -------
    LazyFrame
        One row per month from the first with an order (valid or not) or refund, months without any included,
        and one of all time, sorted: as_of, period ("all", "month"), period_start (Date), orders (Int64, valid),
        orders_without_customer (of these), customers (Int64, distinct), orders_per_customer (Float64;
        orders that name one / customers), aov (Float64; net_by_order_date / orders), aov_low, aov_high,
        gross, discount, refunded (of the period's orders), net_by_order_date, refunded_by_event_date (in
        the period, unmatched included), net_by_event_date (all Decimal(18, 4)), is_complete (the month has
        ended; true for all time), is_small (fewer than 30 orders). Ratios are null where nothing is there
        to divide by. A shop without orders has no rows.

    Notes
    -----
    The interval of the order value is the normal 95 % interval of a mean, mean +- 1.96 sd / sqrt(n), over
    the orders of the period as a sample. It takes orders as independent, and order values are skewed: below
    some hundred orders it is a rough guide. It is null below two orders.
    """
    valid = (
        orders.filter(pl.col("is_valid") & (pl.col("order_day") <= as_of))
        .select("order_id", "customer_key", "gross", "discount", month=month_of("order_day"))
        .join(known_refunds(returns, as_of), on="order_id", how="left")
        .with_columns(pl.col("refunded").fill_null(0))
        .with_columns(_net=_in_units(pl.col("gross") - pl.col("discount") - pl.col("refunded")))
    )
    refunds = dated_refunds(orders, returns, as_of).filter(
        ~pl.col("is_exchange") & pl.col("is_valid").fill_null(True)
    )
    by_month = valid.group_by(period_start="month").agg(**_sales())
    events = refunds.group_by(period_start=month_of("event_day")).agg(
        refunded_by_event_date=pl.col("amount").sum().cast(MONEY)
    )
    per_month, customers = _customers(orders, as_of)
    placed = orders.filter(pl.col("order_day") <= as_of).select(period_start=month_of("order_day").min())
    months = (
        months_upto(pl.concat([placed, events.select("period_start")]), as_of)
        .join(by_month, on="period_start", how="left")
        .join(events, on="period_start", how="left")
        .join(per_month, on="period_start", how="left")
        .with_columns(pl.col(*_COUNTS, *_SUMS, "customers").fill_null(0), period=pl.lit("month"))
    )
    total = (
        months.select(
            pl.col("period_start").min(),
            pl.col(*_COUNTS, *_SUMS, "_sum", "_sum_of_squares").sum(),
            period=pl.lit("all"),
        )
        .drop_nulls("period_start")
        .join(customers, how="cross")
    )
    return _table(pl.concat([months, total], how="diagonal"), as_of)


def months_upto(seen: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Every month from the first in `seen` (period_start) to that of `as_of`; none where nothing was seen."""
    last = index_of(as_of, "month")
    numbers = pl.int_ranges(pl.col("first"), last + 1, dtype=pl.Int32)
    return (
        seen.select(first=period_index(pl.col("period_start").min(), "month"))
        .filter(pl.col("first").is_not_null())
        .select(number=numbers)
        .explode("number")
        .select(period_start=period_start(pl.col("number"), "month"))
    )


def _customers(orders: pl.LazyFrame, as_of: date) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Count the distinct customers of each month, and of all time."""
    named = pl.col("is_valid") & pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of)
    identity, month = unpacked(pl.col("place"))
    places = (
        orders.filter(named)
        .select(place=packed(identity_of(pl.col("customer_key")), period_index(pl.col("order_day"), "month")))
        .unique()
    )
    return (
        places.group_by(period_start=period_start(month, "month")).agg(customers=pl.len().cast(pl.Int64)),
        places.select(customers=identity.n_unique().cast(pl.Int64)),
    )


def _in_units(amount: pl.Expr) -> pl.Expr:
    """Money as whole ten-thousandths: sums of squares come out the same in whatever order rows come."""
    return (amount.cast(pl.Decimal(38, 4)) * _UNITS).cast(pl.Int128)


def _sales() -> dict[str, pl.Expr]:
    return {
        "orders": pl.len().cast(pl.Int64),
        "orders_without_customer": pl.col("customer_key").is_null().sum().cast(pl.Int64),
        **{name: pl.col(name).sum().cast(MONEY) for name in ("gross", "discount", "refunded")},
        "_sum": pl.col("_net").sum(),
        "_sum_of_squares": (pl.col("_net") * pl.col("_net")).sum(),
    }


def _table(rows: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    orders, customers = pl.col("orders"), pl.col("customers")
    named = orders - pl.col("orders_without_customer")
    total, squares = pl.col("_sum").cast(pl.Float64), pl.col("_sum_of_squares").cast(pl.Float64)
    variance = (squares - total * total / orders).clip(lower_bound=0) / (orders - 1) / _UNITS**2
    half = pl.when(orders > 1).then(normal_quantile(0.95) * (variance / orders).sqrt())
    before_refunds = pl.col("gross") - pl.col("discount")
    month = period_index(pl.col("period_start"), "month")
    return (
        rows.with_columns(pl.col(*_SUMS).cast(MONEY))
        .with_columns(
            net_by_order_date=(before_refunds - pl.col("refunded")).cast(MONEY),
            net_by_event_date=(before_refunds - pl.col("refunded_by_event_date")).cast(MONEY),
        )
        .with_columns(aov=pl.when(orders > 0).then(pl.col("net_by_order_date").cast(pl.Float64) / orders))
        .select(
            pl.lit(as_of).alias("as_of"),
            *_PERIOD,
            *_COUNTS,
            "customers",
            pl.when(customers > 0).then(named / customers).alias("orders_per_customer"),
            "aov",
            (pl.col("aov") - half).alias("aov_low"),
            (pl.col("aov") + half).alias("aov_high"),
            "gross",
            "discount",
            "refunded",
            "net_by_order_date",
            "refunded_by_event_date",
            "net_by_event_date",
            ((pl.col("period") == "all") | (month < first_incomplete(as_of, "month"))).alias("is_complete"),
            (orders < SMALL_GROUP).alias("is_small"),
        )
        .sort(_PERIOD)
    )
