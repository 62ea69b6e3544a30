"""Net revenue by month, with and without a customer."""

from datetime import date
from typing import Any

import altair as alt
import polars as pl

from pipelines.report import findings
from pipelines.report.numbers import valid_orders
from pipelines.report.theme import BLUE, ORANGE, Chart, Figure, Look, PlainTable, axis, data_of
from pipelines.report.words import CURRENCY_SIGNS, counted, exact_money, number, percent, short_month

MONTHS_SHOWN = 36
_KINDS = {True: "with a customer", False: "without a customer"}


def revenue_by_month(orders: pl.LazyFrame, returns: pl.LazyFrame | None, as_of: date | None) -> pl.DataFrame:
    """Net revenue and valid orders by month of the order, with and without a customer.

    Parameters
    ----------
    orders, returns
        Facts tables. With ``returns``, refunds count as known by ``as_of``; without, as known now.
    as_of
        Last day included; None takes every day.

    Returns
    -------
    DataFrame
        One row per month and has_customer, sorted: month (Date), has_customer, net (Float64), orders.
    """
    if returns is not None and as_of is not None:
        valid = valid_orders(orders, returns, as_of)
    else:
        known = True if as_of is None else pl.col("order_day") <= as_of
        valid = orders.filter("is_valid", known).rename({"net": "net_by_as_of"})
    return (
        valid.group_by(
            month=pl.col("order_day").dt.truncate("1mo"), has_customer=pl.col("customer_key").is_not_null()
        )
        .agg(net=pl.col("net_by_as_of").sum().cast(pl.Float64), orders=pl.len().cast(pl.Int64))
        .sort("month", "has_customer")
        .collect()
    )


def revenue_figure(
    orders: pl.LazyFrame, returns: pl.LazyFrame | None = None, as_of: date | None = None, currency: str = ""
) -> Figure | None:
    """Bars of net revenue by month of the order; an unfinished month is drawn pale."""
    months = revenue_by_month(orders, returns, as_of)
    if months.is_empty():
        return None
    shown = months.filter(pl.col("month").is_in(months["month"].unique().sort().tail(MONTHS_SHOWN).to_list()))
    rows = shown.to_dicts()
    last_day = as_of or orders.filter("is_valid").select(pl.col("order_day").max()).collect().item()
    running = last_day if _is_unfinished(last_day) else None
    return Figure(
        finding=findings.revenue(months, running, currency),
        description="Stacked bars: net revenue by month of the order, with and without a customer.",
        table=_table(rows, currency),
        source="orders",
        n=f"n\u00a0=\u00a0{counted(int(months['orders'].sum()), 'valid order')}",
        note="By the month of the order, less what came back of it. "
        + (f"Pale: {short_month(running)} is not over." if running else ""),
        as_of=as_of,
        draw=lambda look: _draw(rows, running, currency, look),
    )


def _is_unfinished(day: date) -> bool:
    return date.fromordinal(day.toordinal() + 1).month == day.month


def _table(rows: list[dict[str, Any]], currency: str) -> PlainTable:
    cells = {(row["month"], row["has_customer"]): row for row in rows}
    nothing = {"net": 0.0, "orders": 0}
    body: list[tuple[str, ...]] = []
    for month in sorted({row["month"] for row in rows}):
        known, unknown = (cells.get((month, flag), nothing) for flag in (True, False))
        total = known["net"] + unknown["net"]
        body.append(
            (
                short_month(month), exact_money(total, currency), exact_money(known["net"], currency),
                exact_money(unknown["net"], currency), percent(unknown["net"] / total if total else None),
                number(known["orders"] + unknown["orders"]),
            )
        )  # fmt: skip
    return PlainTable(
        header=("Month", "Net revenue", "with a customer", "without", "without, share", "Valid orders"),
        rows=tuple(body),
    )


def _draw(rows: list[dict[str, Any]], running: date | None, currency: str, look: Look) -> Chart:
    months = sorted({row["month"] for row in rows})
    labels = [short_month(month) for month in months]
    every = max(1, -(-len(months) // (4 if look.is_narrow else 9)))
    largest = max(sum(row["net"] for row in rows if row["month"] == month) for month in months)
    unit, unit_name = (1e6, " m") if largest >= 1e6 else (1e3, " k") if largest >= 2e3 else (1.0, "")
    sign = CURRENCY_SIGNS.get(currency, f"{currency} " if currency else "")
    points = [
        {
            "month": short_month(row["month"]),
            "kind": _KINDS[row["has_customer"]],
            "order": int(not row["has_customer"]),
            "net": row["net"] / unit,
            "opacity": 0.45 if running and row["month"] == running.replace(day=1) else 1.0,
        }
        for row in rows
    ]
    gutter = 56
    return (
        alt.Chart(data_of(points))
        .mark_bar()
        .encode(
            x=alt.X(
                "month:O",
                sort=labels,
                scale=alt.Scale(paddingInner=0.15),
                axis=axis(
                    None, values=labels[::-1][::every][::-1], labelAngle=0, ticks=False, labelPadding=6
                ),
            ),
            y=alt.Y(
                "net:Q",
                axis=axis(
                    None,
                    tickCount=5,
                    minExtent=gutter - 8,
                    labelExpr=f"datum.value ? '{sign}' + format(datum.value, ',') + '{unit_name}' : '0'",
                ),
            ),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=list(_KINDS.values()), range=[BLUE, ORANGE]),
                legend=alt.Legend(title=None),
            ),
            order="order:Q",
            opacity=alt.Opacity("opacity:Q", scale=None),
        )
        .properties(width=look.room(gutter, 16), height=230 if look.is_narrow else 260)
    )
