"""NPS and return rate by month, as lines with their intervals.

The numbers come from `models.satisfaction` and `models.returns`; nothing is computed here.
"""

from typing import Any

import altair as alt
import polars as pl

from pipelines.report.theme import BLUE, Chart, Figure, Look, PlainTable, axis, data_of
from pipelines.report.words import MINUS, counted, interval, number, percent, short_month

MONTHS_SHOWN = 24


def nps_figure(satisfaction: pl.LazyFrame) -> Figure | None:
    """NPS by month with its interval; months of too few answers have none, and two are needed for a line."""
    rows = _months(
        satisfaction.filter(pl.col("measure") == "nps", pl.col("period") == "month", pl.col("is_complete")),
        "period_start",
        "value",
    )
    if len(rows) < 2:
        return None
    last = rows[-1]
    return Figure(
        finding=f"NPS was {_signed(last['value'])} in {short_month(last['period_start'])}, between"
        f" {_signed(last['low'])} and {_signed(last['high'])} as far as its {counted(last['n'], 'answer')} can tell.",
        description="Line with a band: NPS by month of the answer, with its 95 % interval.",
        table=PlainTable(
            header=("Month", "NPS", "95 % interval", "Customers who answered", "Response rate"),
            rows=tuple(
                (
                    short_month(row["period_start"]), _signed(row["value"]),
                    f"{_signed(row['low'])} to {_signed(row['high'])}", number(row["n"]),
                    percent(row["response_rate"]),
                )
                for row in rows
            ),
        ),
        source="satisfaction",
        n=f"n\u00a0=\u00a0{counted(sum(row['n'] for row in rows), 'answer')}",
        note="The last answer of each customer in the month. Months of fewer than 30 are left out.",
        as_of=last["as_of"],
        draw=lambda look: _draw_months(rows, "period_start", "value", "+d", look),
    )  # fmt: skip


def return_rates_figure(return_rates: pl.LazyFrame) -> Figure | None:
    """Share of each month's orders that saw something come back; only months that are old enough."""
    rows = _months(
        return_rates.filter(
            pl.col("measure") == "order_return_rate", pl.col("break_down") == "all", pl.col("is_mature")
        ),
        "order_month",
        "rate",
    )
    if len(rows) < 2 or not any(row["count"] for row in rows):
        return None
    orders, back = sum(row["n"] for row in rows), sum(row["count"] for row in rows)
    return Figure(
        finding=f"Of 100 orders about {100 * back / orders:.0f} saw something come back; of those of"
        f" {short_month(rows[-1]['order_month'])} {percent(rows[-1]['rate'], 0)}.",
        description="Line with a band: share of orders with a return by month of the order, with its 95 % interval.",
        table=PlainTable(
            header=("Month of the order", "Orders with a return", "of", "Rate", "95 % interval"),
            rows=tuple(
                (
                    short_month(row["order_month"]), number(row["count"]), number(row["n"]),
                    percent(row["rate"]), interval(row["low"], row["high"]),
                )
                for row in rows
            ),
        ),
        source="return_rates",
        n=f"n\u00a0=\u00a0{counted(orders, 'order')}",
        note="Only months that are old enough: what will come back of them has mostly come.",
        as_of=rows[-1]["as_of"],
        draw=lambda look: _draw_months(rows, "order_month", "rate", ".0%", look),
    )  # fmt: skip


def _months(rows: pl.LazyFrame, month: str, value: str) -> list[dict[str, Any]]:
    return rows.filter(pl.col(value).is_not_null()).sort(month).tail(MONTHS_SHOWN).collect().to_dicts()


def _signed(value: float) -> str:
    return f"{value:+.0f}".replace("-", MINUS)


def _draw_months(rows: list[dict[str, Any]], month: str, value: str, number_format: str, look: Look) -> Chart:
    names = [short_month(row[month]) for row in rows]
    every = max(1, -(-len(rows) // (4 if look.is_narrow else 9)))
    data = [
        {"month": name, "value": row[value], "low": row["low"], "high": row["high"]}
        for name, row in zip(names, rows, strict=True)
    ]
    base = alt.Chart(data_of(data)).encode(
        x=alt.X(
            "month:O",
            sort=names,
            axis=axis(None, values=names[::-1][::every][::-1], labelAngle=0, ticks=False, labelPadding=6),
        )
    )
    gutter = 48
    y_axis = axis(None, format=number_format, tickCount=5, minExtent=gutter - 8)
    return alt.layer(
        base.mark_area(color=BLUE, opacity=0.18).encode(y=alt.Y("low:Q", axis=y_axis), y2="high:Q"),
        base.mark_line(color=BLUE, strokeWidth=2.5, point={"color": BLUE}).encode(
            y=alt.Y("value:Q", axis=y_axis)
        ),
    ).properties(width=look.room(gutter, 24), height=220 if look.is_narrow else 260)
