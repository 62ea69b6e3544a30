"""The bridge from our net revenue to what a shop platform shows, step by step, each with its amount.

A platform counts by other rules: refunds in the month they happen, orders that were called off, gift cards,
postage. None of its numbers is wrong; they answer other questions. The bridge starts at `net_by_order_date`
and adds one difference after the other, so that the last row is everything that was charged in the period
less everything that was given back in it. The steps add up to the last row exactly, in money and in orders.

Where the data cannot tell a step (no tax, one time an order) its amount is null, not 0, and its note says
so. Which of the steps a given platform takes, its own help pages say: stop at the row that fits.

What does not belong here: customers and repeat rates (`models.repeat_bridge`), currencies, costs.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from models.revenue import dated_refunds, month_of, months_upto
from models.summary import MONEY, known_refunds

__all__ = ["BRIDGE_SCHEMA", "EXCLUDED", "PLATFORM", "REVENUE_STEPS", "excluded_step", "revenue_bridge"]

EXCLUDED = {
    "test order": "test_orders",
    "cancelled": "cancelled_orders",
    "not placed yet": "orders_not_placed_yet",
    "exchange replacement": "exchange_replacements",
    "no value": "orders_worth_nothing",
    "only gift cards": "gift_card_orders",
    "no merchandise": "orders_without_goods",
    "stock write-off": "stock_write_offs",
    "bookkeeping adjustment": "bookkeeping_adjustments",
}
"""Why an order is excluded, and the step that counts such orders after all."""

PLATFORM = "as_a_platform_shows"

_OTHER_REASON = "other_excluded_orders"
_LINES = {"gift_card": "gift_cards_sold", "postage": "postage", "fee": "fees"}
_OTHER_LINES = "other_lines"
_UNKNOWABLE = {
    "tax": "not delivered: the facts hold no tax; amounts contain it where the source's do",
    "processed_time": "not delivered: the facts hold one time an order, when it was placed",
}
_NO_SUCH_LINES = "not delivered: no line of the data is of this kind"

REVENUE_STEPS = (
    "net_by_order_date",
    "refunds_by_their_own_date",
    "returns_without_an_order",
    *EXCLUDED.values(),
    _OTHER_REASON,
    "exchanged_goods",
    *_LINES.values(),
    _OTHER_LINES,
    *_UNKNOWABLE,
    PLATFORM,
)
"""The steps in their order; the first is the start, the last the total."""

BRIDGE_SCHEMA = pl.Schema(
    {
        "as_of": pl.Date(),
        "bridge": pl.String(),
        "period": pl.String(),
        "period_start": pl.Date(),
        "step_no": pl.Int32(),
        "step": pl.String(),
        "amount": MONEY,
        "orders": pl.Int64(),
        "customers": pl.Int64(),
        "repeat_customers": pl.Int64(),
        "rate": pl.Float64(),
        "note": pl.String(),
    }
)


def revenue_bridge(
    orders: pl.LazyFrame, order_lines: pl.LazyFrame, returns: pl.LazyFrame, as_of: date
) -> pl.LazyFrame:
    """Lead from net revenue by order date to what a shop platform shows, by month and for all time.

    Parameters
    ----------
    orders
        order_id, order_day, is_valid, excluded_because, gross, discount.
    order_lines
        order_id, kind, net: what else than goods was charged.
    returns
        order_id, kind, outcome, amount, returned_day, refunded_day.
    as_of
        Last day included; later orders, returns and refunds change nothing.

    Returns
    -------
    LazyFrame
        One row per period and step of `REVENUE_STEPS`, sorted, in `BRIDGE_SCHEMA`: as_of, bridge
        ("revenue"), period ("all", "month"), period_start, step_no (0 is the start), step, amount and
        orders (the start's, what each step changes, and the total of these), note. Amount and orders are
        null where the data cannot tell. customers, repeat_customers and rate are null here. A shop without
        orders has no rows.

    Notes
    -----
    A refund of an excluded order belongs to the step that counts such orders; an exchange gives no money
    back, so its goods have a step of their own beside that of the replacements.
    """
    known = orders.filter(pl.col("order_day") <= as_of).with_columns(period_start=month_of("order_day"))
    moves = pl.concat(
        [
            *_charged(known, returns, as_of),
            _given_back(orders, returns, as_of),
            *_beside_goods(known, order_lines, returns, as_of),
        ]
    )
    # Small from here on; as one opaque step the passes over all orders and lines are made once.
    counted = moves.group_by("period_start", "step").agg(
        amount=pl.col("amount").sum().cast(MONEY), orders=pl.col("orders").sum()
    )
    return counted.map_batches(
        lambda frame: _table(frame.lazy(), as_of).collect(),
        schema=BRIDGE_SCHEMA,
        predicate_pushdown=False,
        projection_pushdown=False,
        slice_pushdown=False,
    )


def excluded_step() -> pl.Expr:
    """Name the step that counts an excluded order after all."""
    return pl.col("excluded_because").replace_strict(EXCLUDED, default=_OTHER_REASON, return_dtype=pl.String)


def _move(frame: pl.LazyFrame, step: str | pl.Expr, amount: pl.Expr, orders: int) -> pl.LazyFrame:
    return frame.select(
        "period_start",
        step=pl.lit(step) if isinstance(step, str) else step,
        amount=amount.cast(MONEY),
        orders=pl.lit(orders, pl.Int64),
    )


def _charged(known: pl.LazyFrame, returns: pl.LazyFrame, as_of: date) -> list[pl.LazyFrame]:
    """Goods charged: valid orders less what came back of them, that given back again, excluded orders."""
    value, refunded = pl.col("gross") - pl.col("discount"), pl.col("refunded")
    refunds = known_refunds(returns, as_of)
    valid, excluded = known.filter("is_valid"), known.filter(~pl.col("is_valid"))
    refunded_orders = valid.select("order_id", "period_start").join(refunds, on="order_id")
    start, by_event = REVENUE_STEPS[:2]
    return [
        _move(valid, start, value, 1),
        _move(refunded_orders, start, -refunded, 0),
        _move(refunded_orders, by_event, refunded, 0),
        _move(excluded, excluded_step(), value, 1),
    ]


def _given_back(orders: pl.LazyFrame, returns: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Goods that went back, on their own day."""
    _, by_event, unmatched = REVENUE_STEPS[:3]
    step = (
        pl.when("is_exchange")
        .then(pl.lit("exchanged_goods"))
        .when(~pl.col("is_matched"))
        .then(pl.lit(unmatched))
        .when("is_valid")
        .then(pl.lit(by_event))
        .otherwise(excluded_step())
    )
    back = dated_refunds(orders, returns, as_of).with_columns(period_start=month_of("event_day"))
    return _move(back, step, -pl.col("amount"), 0)


def _beside_goods(
    known: pl.LazyFrame, order_lines: pl.LazyFrame, returns: pl.LazyFrame, as_of: date
) -> list[pl.LazyFrame]:
    """Postage, fees, gift cards and the rest, charged and given back."""
    no_goods = pl.col("kind").ne_missing("merchandise")
    step = pl.col("kind").replace_strict(_LINES, default=_OTHER_LINES, return_dtype=pl.String)
    lines = (
        order_lines.filter(no_goods)
        .select("order_id", "kind", "net")
        .join(known.select("order_id", "period_start"), on="order_id")
    )
    event_day = pl.coalesce("refunded_day", "returned_day")
    back = (
        returns.filter(no_goods & (event_day <= as_of))
        .with_columns(event_day=event_day)
        .with_columns(period_start=month_of("event_day"))
    )
    return [_move(lines, step, pl.col("net"), 0), _move(back, step, -pl.col("amount").fill_null(0), 0)]


def _table(by_month: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Lay what was counted on the grid of periods and steps, and add the totals."""
    sums = (pl.col("amount").sum().cast(MONEY), pl.col("orders").sum())
    months = months_upto(by_month, as_of).with_columns(period=pl.lit("month"))
    of_all = months.select(pl.col("period_start").min(), period=pl.lit("all")).drop_nulls("period_start")
    counted = pl.concat(
        [
            by_month.with_columns(period=pl.lit("month")),
            by_month.group_by("step").agg(sums).join(of_all, how="cross"),
        ],
        how="diagonal",
    )
    period = ["period", "period_start"]
    totals = counted.group_by(period).agg(sums).with_columns(step=pl.lit(PLATFORM))
    steps = pl.LazyFrame(
        {"step": REVENUE_STEPS, "step_no": range(len(REVENUE_STEPS))},
        schema={"step": pl.String, "step_no": pl.Int32},
    )
    # Orders that never fail in some way are none of them, 0; lines that never come may not be delivered.
    is_absent = pl.col("step").is_in(list(_LINES.values())) & pl.col("_seen").is_null()
    note = pl.col("step").replace_strict(_UNKNOWABLE, default=None, return_dtype=pl.String)
    return (
        pl.concat([of_all.select("period_start", "period"), months])
        .join(steps, how="cross")
        .join(pl.concat([counted, totals], how="diagonal"), on=[*period, "step"], how="left")
        .join(by_month.select("step", _seen=pl.lit(True)).unique(), on="step", how="left")
        .with_columns(note=pl.when(is_absent).then(pl.lit(_NO_SUCH_LINES)).otherwise(note))
        .with_columns(pl.when(pl.col("note").is_null()).then(pl.col("amount", "orders").fill_null(0)))
        .with_columns(
            as_of=pl.lit(as_of),
            bridge=pl.lit("revenue"),
            customers=pl.lit(None, pl.Int64),
            repeat_customers=pl.lit(None, pl.Int64),
            rate=pl.lit(None, pl.Float64),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in BRIDGE_SCHEMA.items())
        .sort(*period, "step_no")
    )
