"""The bridge from our net revenue to a shop platform's number, as a waterfall. Amounts come from `models.bridge`."""

from datetime import date
from itertools import accumulate, pairwise
from typing import Any

import altair as alt
import polars as pl

from models.bridge import PLATFORM, REVENUE_STEPS
from pipelines.report.theme import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    Chart,
    Figure,
    Look,
    PlainTable,
    axis,
    data_of,
)
from pipelines.report.words import MINUS, UNKNOWN, counted, exact_money, listed, money, number

STEP_NAMES = {
    "net_by_order_date": "Our net revenue",
    "refunds_by_their_own_date": "Refunds when they happen",
    "returns_without_an_order": "Returns without an order",
    "test_orders": "Test orders",
    "cancelled_orders": "Cancelled orders",
    "orders_not_placed_yet": "Orders not placed yet",
    "exchange_replacements": "Exchange replacements",
    "orders_worth_nothing": "Orders worth nothing",
    "gift_card_orders": "Only gift cards",
    "orders_without_goods": "Orders without goods",
    "stock_write_offs": "Stock write-offs",
    "bookkeeping_adjustments": "Bookkeeping adjustments",
    "other_excluded_orders": "Other excluded orders",
    "exchanged_goods": "Exchanged goods",
    "gift_cards_sold": "Gift cards sold",
    "postage": "Postage",
    "fees": "Fees",
    "other_lines": "Other lines",
    "tax": "Tax",
    "processed_time": "Charged on another day",
    PLATFORM: "All counted",
}
_ENDS = (REVENUE_STEPS[0], PLATFORM)


def revenue_bridge_figure(
    revenue_bridge: pl.LazyFrame, month: date | None = None, currency: str = ""
) -> Figure | None:
    """Waterfall of the steps that change anything.

    Parameters
    ----------
    revenue_bridge
        Table revenue_bridge of one day.
    month
        First day of the month to show; None shows all time.
    """
    of_period = {"period": "all"} if month is None else {"period": "month", "period_start": month}
    rows = revenue_bridge.filter(bridge="revenue", **of_period).sort("step_no").collect().to_dicts()
    if not rows:
        return None
    unknown = [STEP_NAMES[row["step"]].lower() for row in rows if row["amount"] is None]
    return Figure(
        finding=_finding(rows, currency),
        description="Waterfall: from our net revenue, step by step, to everything charged less everything given back.",
        table=_table(rows, currency),
        source="revenue_bridge",
        n=f"n\u00a0=\u00a0{counted(int(rows[0]['orders']), 'valid order')}",
        note="Bars show the difference to our net revenue, the last that of all steps together. "
        + (f"The data do not tell: {listed(unknown)}." if unknown else ""),
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw(_shown(rows), currency, look),
    )


def _finding(rows: list[dict[str, Any]], currency: str) -> str:
    ours, theirs = float(rows[0]["amount"]), float(rows[-1]["amount"])
    changes = [row for row in rows[1:-1] if row["amount"]]
    says = (
        f"Our net revenue is {money(ours, currency)}; all that a shop platform may count comes to "
        f"{money(theirs, currency)}"
    )
    if not changes:
        return says + ", since nothing is counted otherwise."
    most = max(changes, key=lambda row: abs(row["amount"]))
    return f"{says}. The largest step is {STEP_NAMES[most['step']].lower()} with {_signed(most['amount'], currency)}."


def _signed(amount: Any, currency: str) -> str:
    sign = "+" if amount > 0 else MINUS if amount < 0 else ""
    return f"{sign}{exact_money(abs(float(amount)), currency)}"


def _table(rows: list[dict[str, Any]], currency: str) -> PlainTable:
    def cells(row: dict[str, Any]) -> tuple[str, ...]:
        if row["amount"] is None:
            return STEP_NAMES[row["step"]], UNKNOWN, UNKNOWN, row["note"]
        is_end = row["step"] in _ENDS
        amount = exact_money(float(row["amount"]), currency) if is_end else _signed(row["amount"], currency)
        return STEP_NAMES[row["step"]], amount, number(row["orders"]), ""

    return PlainTable(header=("Step", "Amount", "Orders", "Note"), rows=tuple(cells(row) for row in rows))


def _shown(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Steps that change money, with where their bars begin and end as seen from our net revenue.

    Orders worth nothing move no bar. Drawn from nought, the steps would be slivers beside the two totals; cut off,
    the totals would lie about their sizes.
    """
    kept = [row for row in rows if row["step"] in _ENDS or row["amount"]]
    levels = [0.0, *accumulate(float(row["amount"]) for row in kept[1:-1])]
    spans = [(0.0, 0.0), *pairwise(levels), (0.0, levels[-1])]
    return [
        {
            "step": STEP_NAMES[row["step"]],
            "amount": row["amount"],
            "is_end": row["step"] in _ENDS,
            "from": start,
            "to": end,
        }
        for row, (start, end) in zip(kept, spans, strict=True)
    ]


def _draw(bars: list[dict[str, Any]], currency: str, look: Look) -> Chart:
    marks = [
        {
            "step": bar["step"],
            "from": bar["from"],
            "to": bar["to"],
            "end": max(bar["from"], bar["to"]),
            "text": money(float(bar["amount"]), currency)
            if bar["is_end"]
            else _signed(bar["amount"], currency),
            "colour": BLUE if bar["is_end"] else GREEN if bar["amount"] > 0 else ORANGE,
        }
        for bar in bars
    ]
    gutter, side = (148, 66) if look.is_narrow else (178, 88)
    base = alt.Chart(data_of(marks)).encode(
        y=alt.Y(
            "step:N",
            sort=[bar["step"] for bar in bars],
            axis=axis(None, minExtent=gutter, maxExtent=gutter, labelLimit=gutter),
        )
    )
    scale = alt.Scale(nice=False)
    nought = (
        alt.Chart(data_of([{"x": 0}])).mark_rule(color=GREY).encode(x=alt.X("x:Q", scale=scale, axis=None))
    )
    bar = base.mark_bar(height=18).encode(
        x=alt.X("from:Q", scale=scale, axis=None), x2="to:Q", color=alt.Color("colour:N", scale=None)
    )
    text = base.mark_text(align="left", dx=5).encode(x=alt.X("end:Q", scale=scale, axis=None), text="text:N")
    return alt.layer(bar, nought, text).properties(width=look.room(gutter, side), height=26 * len(marks))
