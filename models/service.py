"""Service: how often parcels are late, how often people must ask, how fast they get an answer, how often we write.

Every measure stands by calendar month and break-down. Each counts only what is known: a parcel without a promise or
an arrival is not on time, and a ticket without a topic is not "something else".

What does not belong here: what any of this does to the next order (`models.aftermath`).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from models.intervals import SMALL_GROUP, normal_quantile
from models.periods import first_incomplete, period_index, period_start
from models.service_cells import CELL, UNKNOWN, counted, in_cells, per_order, share
from models.waiting_times import wait_quantiles, waiting_curve

__all__ = ["BREAK_DOWNS", "MEASURES", "UNKNOWN", "service_rates"]

MEASURES = {
    "late_rate": "share",
    "delivery_known": "share",
    "contact_rate": "tickets per order",
    "wismo_contact_rate": "tickets per order",
    "wismo_share": "share",
    "days_to_close_p50": "days",
    "days_to_close_p90": "days",
    "contact_pressure": "messages per customer",
}
"""Measures and their units."""
BREAK_DOWNS = ("all", "carrier", "channel", "topic", "message_channel")

_ORDER_CELLS = {"all": None, "channel": "channel"}
_NUMBERS = ("count", "n", "value", "low", "high")


def service_rates(
    orders: pl.LazyFrame,
    as_of: date,
    *,
    shipments: pl.LazyFrame | None = None,
    tickets: pl.LazyFrame | None = None,
    messages: pl.LazyFrame | None = None,
) -> pl.LazyFrame:
    """Late rate, contact rates, days to close and contact pressure by calendar month and break-down.

    ==================  ===========================================  ==============================  =============
    measure             count                                        n                               month of
    ==================  ===========================================  ==============================  =============
    late_rate           parcels delivered after the promised day     parcels delivered with promise  delivery
    delivery_known      valid orders with a parcel of the late rate  valid orders                    order
    contact_rate        tickets                                      valid orders                    ticket, order
    wismo_contact_rate  tickets that ask where an order is           valid orders                    ticket, order
    wismo_share         tickets that ask where an order is           tickets with a topic            ticket
    days_to_close_p50   tickets closed                               tickets                         ticket
    days_to_close_p90   tickets closed                               tickets                         ticket
    contact_pressure    marketing messages                           customers reached by one        message
    ==================  ===========================================  ==============================  =============

    Break-downs: late_rate by carrier and channel, delivery_known by channel, the contact rates by channel and (but
    for WISMO) topic, days to close by topic, contact_pressure by message_channel. Channel is that of the order; a
    ticket that names no order is in "all" only.

    Parameters
    ----------
    orders
        order_id, order_day, channel, is_valid.
    as_of
        Last day included; later facts change nothing.
    shipments
        order_id, delivered_day, is_late, carrier; None where the shop has none, and so for the others: their measures
        are left out.
    tickets
        order_id, topic, is_wismo, is_open, opened_day, closed_day. A ticket that is closed, nobody knows when, is in
        no days to close; where no closing day is known at all there are none.
    messages
        customer_key, channel, kind, sent_day.

    Returns
    -------
    LazyFrame
        One row per month, break-down, value and measure, sorted: as_of, month (Date), break_down (`BREAK_DOWNS`),
        break_down_value (`UNKNOWN` where missing), measure (`MEASURES`), count and n (Int64), value, low, high (95 %),
        unit, is_complete (the month has ended), is_small (n < 30). Value and interval are null where n is 0; days are
        null where the wait lies beyond the longest one seen.

    Notes
    -----
    Intervals: Wilson for shares; for tickets per order, of which an order may have several, Byar's approximation to
    the exact Poisson limits (Breslow & Day 1987, Statistical Methods in Cancer Research II, 69); Brookmeyer & Crowley
    for days (`models.waiting_times`), where open tickets count as at least so long; normal for the mean number of
    messages. A month's parcels and tickets are taken as independent, which those of one strike or storm are not.
    """
    valid = orders.filter(pl.col("is_valid") & (pl.col("order_day") <= as_of)).select(
        "order_id", "order_day", "channel"
    )
    made: list[pl.LazyFrame] = []
    if shipments is not None:
        made += _parcels(shipments, valid, as_of)
    if tickets is not None:
        made += _contacts(tickets, valid, as_of)
    if messages is not None:
        made.append(_pressure(messages, as_of))
    rows = pl.concat(pl.collect_all(made)).lazy() if made else pl.LazyFrame(schema=_SCHEMA)
    return rows.select(
        pl.lit(as_of).alias("as_of"),
        *CELL,
        "measure",
        *_NUMBERS,
        unit=pl.col("measure").replace_strict(MEASURES, return_dtype=pl.String),
        is_complete=period_index(pl.col("month"), "month") < first_incomplete(as_of, "month"),
        is_small=pl.col("n") < SMALL_GROUP,
    ).sort(*CELL, "measure")


_SCHEMA = {
    "month": pl.Date,
    "break_down": pl.String,
    "break_down_value": pl.String,
    "measure": pl.String,
    "count": pl.Int64,
    "n": pl.Int64,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}


def _parcels(shipments: pl.LazyFrame, valid: pl.LazyFrame, as_of: date) -> list[pl.LazyFrame]:
    known = shipments.filter(pl.col("is_late").is_not_null() & (pl.col("delivered_day") <= as_of))
    arrived = known.select("order_id", "carrier", "is_late", day="delivered_day").join(
        valid.select("order_id", "channel"), on="order_id", how="left"
    )
    late = counted(arrived, {"all": None, "carrier": "carrier", "channel": "channel"}, pl.col("is_late"))
    placed = counted(valid.rename({"order_day": "day"}), _ORDER_CELLS, pl.lit(True)).drop("count")
    covered = valid.rename({"order_day": "day"}).join(known, on="order_id", how="semi")
    told = counted(covered, _ORDER_CELLS, pl.lit(True)).drop("n")
    coverage = placed.join(told, on=list(CELL), how="left").with_columns(pl.col("count").fill_null(0))
    return [share(late, "late_rate"), share(coverage, "delivery_known")]


def _contacts(tickets: pl.LazyFrame, valid: pl.LazyFrame, as_of: date) -> list[pl.LazyFrame]:
    opened = (
        tickets.filter(pl.col("opened_day") <= as_of)
        .select("order_id", "topic", "is_wismo", "is_open", "closed_day", day="opened_day")
        .join(valid.select("order_id", "channel", is_valid=pl.lit(True)), on="order_id", how="left")
        # Few beside the orders, and asked five times.
        .collect(engine="streaming")
        .lazy()
    )
    is_wismo = pl.col("is_wismo").fill_null(False)
    placed = counted(valid.rename({"order_day": "day"}), _ORDER_CELLS, pl.lit(True)).drop("count")
    of_orders = pl.concat(
        [
            counted(opened, {"all": None}, is_wismo),
            counted(opened.filter("is_valid"), {"channel": "channel"}, is_wismo),
        ]
    ).rename({"n": "tickets", "count": "wismo"})
    by_topic = counted(opened, {"topic": "topic"}, is_wismo).rename({"n": "tickets"})
    all_orders = placed.filter(pl.col("break_down") == "all").select("month", "n")
    none = pl.col("tickets", "wismo", "n").fill_null(0)
    beside = placed.join(of_orders, on=list(CELL), how="full", coalesce=True).with_columns(none)
    topics = by_topic.join(all_orders, on="month", how="left").with_columns(pl.col("n").fill_null(0))
    with_topic = counted(opened.filter(pl.col("is_wismo").is_not_null()), {"all": None}, is_wismo)
    return [
        per_order(beside, "contact_rate", "tickets"),
        per_order(topics, "contact_rate", "tickets"),
        per_order(beside, "wismo_contact_rate", "wismo"),
        share(with_topic, "wismo_share"),
        *_days_to_close(opened, as_of),
    ]


def _days_to_close(opened: pl.LazyFrame, as_of: date) -> list[pl.LazyFrame]:
    closed = pl.when(pl.col("closed_day") <= as_of).then("closed_day")
    is_untold = pl.col("closed_day").is_null() & pl.col("is_open").eq_missing(False)
    waits = opened.filter(~is_untold).with_columns(
        # Closed before it was opened: a fault of the data, and no wait.
        days=(closed.fill_null(as_of) - pl.col("day")).dt.total_days().clip(lower_bound=0),
        is_over=closed.is_not_null(),
    )
    by_topic = in_cells(waits, {"all": None, "topic": "topic"}).select(*CELL, "days", "is_over")
    told = waits.select(is_told=pl.col("is_over").any())
    curve = waiting_curve(by_topic, CELL)
    found = wait_quantiles(curve, CELL).join(told, how="cross").filter("is_told")
    return [
        found.select(
            *CELL,
            pl.lit(f"days_to_close_{name}").alias("measure"),
            pl.col("ended").alias("count"),
            "n",
            *(
                pl.col(f"{name}{end}").cast(pl.Float64).alias(column)
                for end, column in (("", "value"), ("_low", "low"), ("_high", "high"))
            ),
        )
        for name in ("p50", "p90")
    ]


_OF_MESSAGES = [
    pl.col("messages").sum().alias("count"),
    pl.len().cast(pl.Int64).alias("n"),
    (pl.col("messages") * pl.col("messages")).sum().alias("squares"),
]


def _pressure(messages: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    sent = messages.filter(
        (pl.col("kind") == "marketing") & pl.col("customer_key").is_not_null() & (pl.col("sent_day") <= as_of)
    )
    month = period_start(period_index(pl.col("sent_day"), "month"), "month")
    messages_to = pl.len().cast(pl.Int64).alias("messages")
    by_channel = sent.group_by("customer_key", "channel", month=month).agg(messages_to)
    by_channel = by_channel.collect(engine="streaming").lazy()  # All messages once; asked twice.
    of_all = by_channel.group_by("customer_key", "month").agg(pl.col("messages").sum())
    cells = pl.concat(
        [
            of_all.group_by("month")
            .agg(_OF_MESSAGES)
            .with_columns(break_down=pl.lit("all"), break_down_value=pl.lit("all")),
            by_channel.group_by("month", break_down_value=pl.col("channel").fill_null(UNKNOWN))
            .agg(_OF_MESSAGES)
            .with_columns(break_down=pl.lit("message_channel")),
        ],
        how="diagonal",
    )
    count, n = pl.col("count"), pl.col("n")
    mean = count / n
    # From whole numbers, so that rounding makes no variance where everybody got as many.
    variance = pl.when(n > 1).then((n * pl.col("squares") - count * count) / (n * (n - 1)))
    half = normal_quantile(0.95) * (variance / n).sqrt()
    return cells.select(
        *CELL,
        pl.lit("contact_pressure").alias("measure"),
        "count",
        "n",
        value=mean,
        low=(mean - half).clip(lower_bound=0.0),
        high=mean + half,
    )
