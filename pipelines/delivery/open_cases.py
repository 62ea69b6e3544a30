"""Open cases: customers who wait for the shop, and whom a campaign would only annoy.

What an open case means for a list is `gate`'s business; how long one stays open, the shop's setting.
"""

from collections.abc import Mapping
from datetime import date

import polars as pl

from pipelines.ingest.order_rules import STANDINGS
from pipelines.settings import OpenCases

CAUSES = ("open_ticket", "open_return", "open_order")


def open_cases(tables: Mapping[str, pl.LazyFrame], rules: OpenCases, as_of: date) -> pl.LazyFrame:
    """Customers with an open case on a day, and which.

    Parameters
    ----------
    tables
        Those of orders, returns, tickets and shipments that the shop has. A shop whose returns never tell when money
        went back has no open returns: nobody could say when they end.

    Returns
    -------
    pl.LazyFrame
        customer_key, because: open_ticket (opened, not closed), open_return (registered, not paid back), open_order
        (placed and not confirmed, or sent and not arrived); one row per customer, the first of these that fits.
    """
    found = [
        cases.select("customer_key", pl.lit(rank, pl.Int32).alias("_rank"))
        for rank, cases in enumerate(
            (
                _tickets(tables.get("tickets"), rules.ticket_days, as_of),
                _returns(tables.get("returns"), rules.return_days, as_of),
                _orders(tables.get("orders"), tables.get("shipments"), rules.order_days, as_of),
            )
        )
        if cases is not None
    ]
    nobody = pl.LazyFrame(schema={"customer_key": pl.String, "_rank": pl.Int32})
    ranked = pl.concat([nobody, *found]).filter(pl.col("customer_key").is_not_null())
    cause = pl.when(pl.col("_rank") == 0).then(pl.lit(CAUSES[0]))
    cause = cause.when(pl.col("_rank") == 1).then(pl.lit(CAUSES[1])).otherwise(pl.lit(CAUSES[2]))
    first = ranked.group_by("customer_key").agg(pl.col("_rank").min())
    return first.select("customer_key", cause.alias("because"))


def _lately(day: str, as_of: date, days: int) -> pl.Expr:
    return (pl.col(day) <= as_of) & (pl.col(day) > pl.lit(as_of).dt.offset_by(f"-{days}d"))


def _tickets(tickets: pl.LazyFrame | None, days: int, as_of: date) -> pl.LazyFrame | None:
    if tickets is None or not days:
        return None
    is_closed = (pl.col("closed_day") <= as_of).fill_null(False)
    # Closed without a time: closed for all we know.
    told_closed = pl.col("closed_day").is_null() & (~pl.col("is_open")).fill_null(False)
    return tickets.filter(_lately("opened_day", as_of, days) & ~is_closed & ~told_closed)


def _returns(returns: pl.LazyFrame | None, days: int, as_of: date) -> pl.LazyFrame | None:
    if returns is None or not days:
        return None
    tells_refunds = returns.filter(pl.col("refunded_day").is_not_null()).head(1).collect().height > 0
    if not tells_refunds:
        return None
    is_settled = (pl.col("refunded_day") <= as_of).fill_null(False)
    # An exchange or credit may never be paid out; its own settlement is not delivered.
    is_paid_out = pl.col("outcome").is_null() | (pl.col("outcome") == "refund")
    return returns.filter(_lately("returned_day", as_of, days) & ~is_settled & is_paid_out)


def _orders(
    orders: pl.LazyFrame | None, shipments: pl.LazyFrame | None, days: int, as_of: date
) -> pl.LazyFrame | None:
    if orders is None or not days:
        return None
    recent = orders.filter(_lately("order_day", as_of, days))
    waiting = [recent.filter(pl.col("excluded_because") == NOT_PLACED).select("customer_key")]
    if shipments is not None:
        is_on_its_way = (pl.col("shipped_day") <= as_of) & ~(pl.col("delivered_day") <= as_of).fill_null(
            False
        )
        on_its_way = shipments.filter(is_on_its_way).select("order_id")
        waiting.append(
            recent.filter("is_valid").join(on_its_way, on="order_id", how="semi").select("customer_key")
        )
    return pl.concat(waiting)


NOT_PLACED = STANDINGS[-1]
"""Why an order does not count that the shop has not confirmed (`pipelines.ingest.order_rules`)."""
