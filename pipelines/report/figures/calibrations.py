"""Calibration of the champions: predicted against what happened, by tenth of customers.

Measuring belongs to `models.calibration`.
"""

from typing import Any

import altair as alt
import polars as pl

from pipelines.report import model_findings
from pipelines.report.figures.backtests import QUANTITY_NAMES
from pipelines.report.theme import BLUE, ORANGE, Chart, Figure, Look, PlainTable, axis, data_of
from pipelines.report.words import (
    counted,
    exact_money,
    interval,
    model_name,
    number,
    percent,
)


def calibration_figure(
    calibration: pl.LazyFrame, champions: pl.LazyFrame | None = None, currency: str = ""
) -> Figure | None:
    """Predicted against actual by tenth of customers, for the champion of each quantity.

    Parameters
    ----------
    calibration
        Table backtest_calibration.
    champions
        Table champions; without it the first model by name is shown.
    """
    found = calibration.collect()
    if found.is_empty():
        return None
    chosen = dict.fromkeys(QUANTITY_NAMES, found["model"].min())
    if champions is not None:
        chosen |= {row["quantity"]: row["model"] for row in champions.collect().iter_rows(named=True)}
    wanted = pl.any_horizontal(
        (pl.col("quantity") == quantity) & (pl.col("model") == model) for quantity, model in chosen.items()
    )
    deciles = found.filter(wanted).sort("quantity", "decile", descending=[True, False])
    rows = deciles.to_dicts()
    if not rows:
        return None
    customers = sum(row["customers"] for row in rows if row["quantity"] == rows[0]["quantity"])
    return Figure(
        finding=model_findings.calibration(deciles, currency),
        description="Dots: what happened by tenth of customers, lowest to highest prediction, and what was predicted.",
        table=PlainTable(
            header=("Predicts", "Model", "Tenth", "Customers", "Predicted", "What happened", "95 % interval"),
            rows=tuple(_calibration_row(row, currency) for row in rows),
        ),
        source="backtest_calibration",
        n=f"n\u00a0=\u00a0{counted(customers, 'customer')}",
        note="Equal predictions stay together, so a tenth may be missing.",
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw_calibration(rows, currency, look),
    )


def _calibration_row(row: dict[str, Any], currency: str) -> tuple[str, ...]:
    is_value = row["quantity"] == "value"
    amounts = (row["predicted_mean"], row["actual_mean"])
    spread = interval(row["low"], row["high"])
    if is_value:
        spread = "" if row["low"] is None else f"{number(row['low'])} to {number(row['high'])}"
    shown = (exact_money(amount, currency) if is_value else percent(amount) for amount in amounts)
    return (
        QUANTITY_NAMES[row["quantity"]], model_name(row["model"]), str(row["decile"]), number(row["customers"]),
        *shown, spread,
    )  # fmt: skip


def _draw_calibration(rows: list[dict[str, Any]], currency: str, look: Look) -> Chart:
    quantities = [quantity for quantity in QUANTITY_NAMES if any(row["quantity"] == quantity for row in rows)]
    panels = [
        _calibration_panel([row for row in rows if row["quantity"] == q], q, currency, look, len(quantities))
        for q in quantities
    ]
    return alt.vconcat(*panels, spacing=24) if look.is_narrow else alt.hconcat(*panels, spacing=24)


def _calibration_panel(
    rows: list[dict[str, Any]], quantity: str, currency: str, look: Look, panels: int
) -> Chart:
    is_value = quantity == "value"
    gutter = 58 if is_value else 46
    total = look.width if look.is_narrow else (look.width - 24 * (panels - 1)) // panels
    points = [
        {
            "decile": row["decile"],
            "low": row["actual_mean"] if row["low"] is None else max(row["low"], 0.0),
            "high": row["actual_mean"] if row["high"] is None else row["high"],
            "mean": row["actual_mean"],
            "predicted": row["predicted_mean"],
        }
        for row in rows
    ]
    # Means of the highest tenth dwarf all others: on a root scale the low ones can still be read.
    scale = alt.Scale(type="sqrt", zero=True) if is_value else alt.Scale(domain=[0, 1])
    y_axis = axis(
        None,
        tickCount=5,
        minExtent=gutter - 8,
        labelExpr=f"format(datum.value, '{',.0f' if is_value else '.0%'}')",
    )
    base = alt.Chart(data_of(points)).encode(
        x=alt.X(
            "decile:O",
            scale=alt.Scale(domain=list(range(1, 11))),
            axis=axis("tenth of customers, lowest to highest", labelAngle=0, ticks=False),
        )
    )
    names = alt.Scale(domain=["what happened", "predicted"], range=[BLUE, ORANGE])
    title = QUANTITY_NAMES[quantity] + (f" per customer, {currency}, root scale" if is_value else "")
    y = {name: alt.Y(f"{name}:Q", scale=scale, axis=y_axis) for name in ("low", "mean", "predicted")}
    return alt.layer(
        base.mark_rule(strokeWidth=3, color=BLUE, opacity=0.5).encode(y=y["low"], y2="high:Q"),
        base.transform_calculate(kind="'what happened'")
        .mark_point(filled=True, opacity=1, size=70)
        .encode(y=y["mean"], color=alt.Color("kind:N", scale=names, legend=alt.Legend(title=None))),
        base.transform_calculate(kind="'predicted'")
        .mark_tick(thickness=3, width=16, opacity=1)
        .encode(y=y["predicted"], color=alt.Color("kind:N", scale=names)),
    ).properties(
        width=total - gutter - 2 * 4 - 8,
        height=220,
        title=alt.TitleParams(
            title, fontSize=12, fontWeight="normal", anchor="start", frame="group", offset=4
        ),
    )
