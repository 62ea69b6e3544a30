"""The bridge from our repeat purchase rate to what a shop platform shows: who counts, and what as an order.

It starts where the purchase models do, at customers with a second order *day*, and adds what other counts
take for an order: a second order on the same day, orders that were called off or worth nothing, and returns.
The last is the classic bug of shop exports: a refund that comes as a row with an order number of its own
makes a one-time customer look like a returning one. Last come guests whom nothing identifies: a platform
makes each of their orders a customer of its own, who can never return.

What does not belong here: money (`models.bridge`), and rates by cohort or horizon.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from models.bridge import BRIDGE_SCHEMA, EXCLUDED, PLATFORM, REVENUE_STEPS, excluded_step
from models.revenue import month_of

__all__ = ["REPEAT_STEPS", "repeat_bridge"]

_START, _SAME_DAY, _RETURNS, _GUESTS = (
    "order_days",
    "same_day_orders",
    "returns_taken_for_orders",
    "orders_without_a_customer",
)
_OTHER_REASON = REVENUE_STEPS[REVENUE_STEPS.index(list(EXCLUDED.values())[-1]) + 1]
_ADDED = (*EXCLUDED.values(), _OTHER_REASON, _RETURNS)

REPEAT_STEPS = (_START, _SAME_DAY, *_ADDED, _GUESTS, PLATFORM)
"""The steps in their order; the first is the start, the last the total."""


def repeat_bridge(
    purchases: pl.LazyFrame, orders: pl.LazyFrame, returns: pl.LazyFrame, as_of: date
) -> pl.LazyFrame:
    """Lead from the repeat purchase rate by order days to what a shop platform shows.

    Parameters
    ----------
    purchases
        One row per customer and order day: customer_key, order_day, orders.
    orders
        order_id, customer_key, order_day, is_valid, excluded_because.
    returns
        customer_key, returned_day, refunded_day; all that a customer brings back on one day counts once.
    as_of
        Last day included; later purchases, orders and returns change nothing.

    Returns
    -------
    LazyFrame
        One row per step of `REPEAT_STEPS`, in order, in `models.bridge.BRIDGE_SCHEMA`: as_of, bridge
        ("repeat_purchase"), period ("all"), period_start (month of the first order), step_no, step, orders,
        customers and repeat_customers (the start's, what each step changes, and the total of these), rate
        (repeat_customers / customers after the step); amount and note are null. A shop without orders has
        no rows.
    """
    known = orders.filter(pl.col("order_day") <= as_of)
    is_named = pl.col("customer_key").is_not_null()
    bought = (
        purchases.filter(is_named & (pl.col("order_day") <= as_of))
        .group_by("customer_key")
        .agg(days=pl.len().cast(pl.Int64), orders=pl.col("orders").sum().cast(pl.Int64))
    )
    of_all = [
        bought.select(
            days=pl.col("days").sum(),
            orders=pl.col("orders").sum(),
            customers=pl.len().cast(pl.Int64),
            by_days=(pl.col("days") > 1).sum().cast(pl.Int64),
            by_orders=(pl.col("orders") > 1).sum().cast(pl.Int64),
        ),
        known.select(
            guests=(pl.col("is_valid") & ~is_named).sum().cast(pl.Int64),
            period_start=month_of("order_day").min(),
        ),
        _changes(bought, known.filter(~pl.col("is_valid") & is_named), returns, as_of),
    ]

    def as_table(counted: pl.DataFrame) -> pl.DataFrame:
        return _table(counted.row(0, named=True), as_of)

    return pl.concat(of_all, how="horizontal").map_batches(
        as_table,
        schema=BRIDGE_SCHEMA,
        predicate_pushdown=False,
        projection_pushdown=False,
        slice_pushdown=False,
    )


def _changes(
    bought: pl.LazyFrame, excluded: pl.LazyFrame, returns: pl.LazyFrame, as_of: date
) -> pl.LazyFrame:
    """Count, step by step, who becomes a customer or a returning one by it: one row."""
    event_day = pl.coalesce("refunded_day", "returned_day")
    back = (
        returns.filter(pl.col("customer_key").is_not_null() & (event_day <= as_of))
        .select("customer_key", event_day=event_day)
        .unique()
        .select("customer_key", step=pl.lit(_RETURNS))
    )
    added = (
        pl.concat([excluded.select("customer_key", step=excluded_step()), back])
        .group_by("customer_key")
        .agg((pl.col("step") == step).sum().cast(pl.Int64).alias(step) for step in _ADDED)
        .join(bought, on="customer_key", how="left")
    )
    so_far, parts = pl.col("orders").fill_null(0), list[pl.Expr]()
    for step in _ADDED:
        after = so_far + pl.col(step)
        parts += [
            pl.col(step).sum().alias(f"{step}.orders"),
            ((after > 0) & (so_far == 0)).sum().cast(pl.Int64).alias(f"{step}.customers"),
            ((after > 1) & (so_far < 2)).sum().cast(pl.Int64).alias(f"{step}.repeat_customers"),
        ]
        so_far = after
    return added.select(parts)


def _table(counted: dict[str, Any], as_of: date) -> pl.DataFrame:
    if counted["period_start"] is None:
        return BRIDGE_SCHEMA.to_frame()
    changes = {
        _START: (counted["days"], counted["customers"], counted["by_days"]),
        _SAME_DAY: (counted["orders"] - counted["days"], 0, counted["by_orders"] - counted["by_days"]),
        **{
            step: tuple(counted[f"{step}.{name}"] for name in ("orders", "customers", "repeat_customers"))
            for step in _ADDED
        },
        _GUESTS: (counted["guests"], counted["guests"], 0),
    }
    rows = [
        {"step": step, "orders": orders, "customers": customers, "repeat_customers": again}
        for step, (orders, customers, again) in changes.items()
    ]
    steps = pl.DataFrame(rows).with_row_index("step_no")
    total = steps.select(
        pl.lit(len(rows)).alias("step_no"),
        pl.lit(PLATFORM).alias("step"),
        pl.col("orders", "customers", "repeat_customers").sum(),
    )
    customers, again = pl.col("customers").cum_sum(), pl.col("repeat_customers").cum_sum()
    rate = pl.when(customers > 0).then(again / customers)
    return (
        pl.concat([steps.with_columns(rate=rate), total], how="diagonal_relaxed")
        .with_columns(
            pl.col("rate").forward_fill(),
            as_of=pl.lit(as_of),
            bridge=pl.lit("repeat_purchase"),
            period=pl.lit("all"),
            period_start=pl.lit(counted["period_start"]),
            amount=pl.lit(None),
            note=pl.lit(None),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in BRIDGE_SCHEMA.items())
    )
