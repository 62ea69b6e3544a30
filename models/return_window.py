"""The return window: after how many days nearly all that will come back has come back.

It decides which orders are old enough (return-mature) to be judged by their returns.

What does not belong here: the rates themselves (`models.returns`), and refunds as money
(`models.summary`): goods come back on the return day, money leaves on the refund day.
"""

from __future__ import annotations

from datetime import date

import polars as pl

__all__ = ["known_returns", "return_window_days", "valid_orders"]


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
        known_returns(returns, as_of)
        .join(valid_orders(orders, as_of), on="order_id")
        .select(lag=lag)
        .filter(pl.col("lag") >= 0)
    )
    longest = lags.select(pl.col("lag").quantile(quantile, interpolation="higher")).collect().item()
    return at_least if longest is None else max(at_least, int(longest))


def valid_orders(orders: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Keep order_id, order_day and channel of the valid orders up to `as_of`, of known customers or not."""
    return orders.filter(pl.col("is_valid") & (pl.col("order_day") <= as_of)).select(
        "order_id", "order_day", "channel"
    )


def known_returns(returns: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Keep the merchandise returns known by `as_of`, by their return day, else their refund day.

    Returns
    -------
    LazyFrame
        One row per return: order_id (null if unmatched), product_id, quantity, amount, reason, outcome,
        known_on (Date).
    """
    return (
        returns.with_columns(known_on=pl.coalesce("returned_day", "refunded_day"))
        .filter((pl.col("kind") == "merchandise") & (pl.col("known_on") <= as_of))
        .select("order_id", "product_id", "quantity", "amount", "reason", "outcome", "known_on")
    )
