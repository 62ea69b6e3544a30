"""How well the models foretold: the back-test by model.

Measuring belongs to `models.backtest`, choosing to `models.champion`.
"""

from typing import Any

import altair as alt
import polars as pl

from models.champion import BASELINES, LARGEST_BIAS
from pipelines.report import findings
from pipelines.report.theme import BLUE, GREY, Chart, Figure, Look, PlainTable, axis, data_of
from pipelines.report.words import (
    counted,
    model_name,
    signed_percent,
)

HEADLINES = {
    "value": ("normalised_gini", "How well it ranks customers by value (normalised Gini; right is better)"),
    "probability": ("log_loss", "How wrong its probabilities are (log-loss; left is better)"),
}
_SHORT_HEADLINES = {
    "value": ["Ranks customers by value", "(normalised Gini; right is better)"],
    "probability": ["How wrong its probabilities are", "(log-loss; left is better)"],
}
QUANTITY_NAMES = {"value": "Net revenue", "probability": "Chance of an order"}


def headline_rows(backtest: pl.LazyFrame, champions: pl.LazyFrame | None) -> list[dict[str, Any]]:
    """One row per quantity and model: the deciding metric with its interval, bias, and whether it is champion."""
    metrics = backtest.collect()
    chosen = {
        row["quantity"]: row["model"]
        for row in (champions.collect().to_dicts() if champions is not None else [])
    }
    bias = {
        (row["quantity"], row["model"]): row["value"]
        for row in metrics.filter(metric="bias").iter_rows(named=True)
    }
    rows: list[dict[str, Any]] = []
    for quantity, (metric, _) in HEADLINES.items():
        found = metrics.filter(quantity=quantity, metric=metric).filter(pl.col("value").is_not_null())
        for row in found.sort("value", descending=quantity == "value", maintain_order=True).iter_rows(
            named=True
        ):
            is_champion = chosen.get(quantity) == row["model"]
            rows.append({**row, "bias": bias.get((quantity, row["model"])), "is_champion": is_champion})
    return rows


def backtest_figure(backtest: pl.LazyFrame, champions: pl.LazyFrame | None = None) -> Figure | None:
    """The deciding metric of each model with its interval; the champion stands out."""
    rows = headline_rows(backtest, champions)
    if not rows:
        return None
    return Figure(
        finding=findings.backtest(rows),
        description="Dots with intervals: the deciding metric of each model in the back-test, the champion in blue.",
        table=PlainTable(
            header=("Predicts", "Model", "Metric", "Value", "95 % interval", "Total off by", "Published"),
            rows=tuple(
                (
                    QUANTITY_NAMES[row["quantity"]],
                    _name(row["model"]),
                    row["metric"].replace("_", " "),
                    f"{row['value']:.3f}",
                    "" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}",
                    signed_percent(row["bias"]),
                    "yes" if row["is_champion"] else "",
                )
                for row in rows
            ),
        ),
        source="backtest",
        n=f"n\u00a0=\u00a0{counted(rows[0]['n'], 'customer')}, {rows[0]['horizon_days']} days",
        note=f"Beside each dot: how far the predicted total was off. Beyond {LARGEST_BIAS:.0%} a model is out".replace(
            "%", "\u00a0%"
        )
        + ", unless all are.",
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw_backtest(rows, look),
    )


def _name(model: str) -> str:
    return model_name(model) + (" (baseline)" if model in BASELINES else "")


def _draw_backtest(rows: list[dict[str, Any]], look: Look) -> Chart:
    return alt.vconcat(
        *(
            _backtest_panel([row for row in rows if row["quantity"] == quantity], quantity, look)
            for quantity in HEADLINES
            if any(row["quantity"] == quantity for row in rows)
        ),
        spacing=22,
    )


def _backtest_panel(rows: list[dict[str, Any]], quantity: str, look: Look) -> Chart:
    points = [
        {
            "model": model_name(row["model"]) if look.is_narrow else _name(row["model"]),
            "value": row["value"],
            "low": row["value"] if row["low"] is None else row["low"],
            "high": row["value"] if row["high"] is None else row["high"],
            "colour": BLUE if row["is_champion"] else GREY,
            "size": (150 if row["is_champion"] else 80) / (3 if look.is_narrow else 1),
            "bias": signed_percent(row["bias"])
            + (", published" if row["is_champion"] and not look.is_narrow else ""),
        }
        for row in rows
    ]
    gutter, side = (176, 58) if look.is_narrow else (230, 120)
    names = [point["model"] for point in points]
    base = alt.Chart(data_of(points)).encode(
        y=alt.Y(
            "model:N",
            sort=names,
            axis=axis(None, minExtent=gutter, maxExtent=gutter, labelLimit=gutter, labelPadding=10),
        )
    )
    scale = alt.Scale(zero=False, nice=True)
    x_axis = axis(None, tickCount=3 if look.is_narrow else 5, grid=True)
    colour = alt.Color("colour:N", scale=None)
    width = look.room(gutter, side)
    return (
        alt.layer(
            base.mark_rule(strokeWidth=3).encode(
                x=alt.X("low:Q", scale=scale, axis=x_axis), x2="high:Q", color=colour
            ),
            base.mark_point(filled=True, opacity=1).encode(
                x=alt.X("value:Q", scale=scale, axis=x_axis), color=colour, size=alt.Size("size:Q", scale=None)
            ),
            base.mark_text(align="left").encode(x=alt.value(width + 8), text="bias:N"),
        )
        .properties(
            width=width,
            height=26 * len(points),
            title=alt.TitleParams(
                (_SHORT_HEADLINES[quantity] if look.is_narrow else HEADLINES[quantity][1]),
                fontSize=12, fontWeight="normal", anchor="start",
                frame="bounds" if look.is_narrow else "group", offset=6,
            ),
        )
    )  # fmt: skip
