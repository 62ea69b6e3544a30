"""What customers met with in the last 90 days: goods given back, parcels, tickets, as columns of the profile.

A list asks for them before it asks for a favour. What is not told is null: a shop without a help desk has no customer
with 0 tickets. What does not belong here: rates (`models.service`, `models.returns`) and open cases, which the gate
looks at.
"""

from datetime import date, timedelta

import polars as pl

RECENT_DAYS = 90


def goods_back(returns: pl.LazyFrame) -> pl.LazyFrame:
    """Merchandise lines given back, each on the day of its return, else of its refund: customer_key, day."""
    day = pl.coalesce("returned_day", "refunded_day")
    return returns.filter(pl.col("kind") == "merchandise").select("customer_key", day=day)


def opened(tickets: pl.LazyFrame | None) -> pl.LazyFrame:
    """Tickets on the day they were opened: customer_key, day."""
    if tickets is None:
        return pl.LazyFrame(schema={"customer_key": pl.String, "day": pl.Date})
    return tickets.select("customer_key", day="opened_day")


def counted(events: pl.LazyFrame, name: str, as_of: date) -> pl.LazyFrame:
    """Count the events of the last days of customers who have any."""
    return (
        events.filter(pl.col("customer_key").is_not_null() & _is_recent("day", as_of))
        .group_by("customer_key")
        .agg(pl.len().cast(pl.Int32).alias(name))
    )


def tells_of_any(events: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Whether the shop had told of any event by then: before the first one, none is not known to be none."""
    return events.filter(pl.col("day") <= as_of).select(_tells=pl.len() > 0)


def parcels(shipments: pl.LazyFrame | None, orders: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Parcels that arrived in the last days; how many were late where a day was promised for any."""
    if shipments is None:
        empty = {"customer_key": pl.String, "last_delivered_day": pl.Date, "late_parcels_90d": pl.Int32}
        return pl.LazyFrame(schema=empty)
    promised = pl.col("is_late").is_not_null().sum() > 0
    buyers = orders.filter(pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of))
    return (
        shipments.filter(_is_recent("delivered_day", as_of))
        .select("order_id", "delivered_day", "is_late")
        .join(buyers.select("order_id", "customer_key"), on="order_id")
        .group_by("customer_key")
        .agg(
            last_delivered_day=pl.col("delivered_day").max(),
            late_parcels_90d=pl.when(promised).then(pl.col("is_late").sum().cast(pl.Int32)),
        )
    )


def _is_recent(day: str, as_of: date) -> pl.Expr:
    return pl.col(day).is_between(as_of - timedelta(RECENT_DAYS), as_of, closed="right")
