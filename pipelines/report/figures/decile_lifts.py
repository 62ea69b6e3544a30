"""Decile lift of the champions: what each tenth of customers held of all that happened.

Measuring belongs to `models.decile_lift`.
"""

from typing import Any

import altair as alt
import polars as pl

from pipelines.report import model_findings
from pipelines.report.theme import INK, ORANGE, Chart, Figure, Look, PlainTable, axis, data_of
from pipelines.report.words import SPACE, counted, interval, model_name, percent

HELD = {"value": "of all net revenue", "probability": "of all who ordered"}
CHANCE = 0.1


def decile_lift_figure(decile_lift: pl.LazyFrame, champions: pl.LazyFrame | None = None) -> Figure | None:
    """Share of all that happened by tenth of customers, highest prediction first, for each quantity's champion.

    Parameters
    ----------
    decile_lift
        Table decile_lift.
    champions
        Table champions; without it the first model by name is shown.
    """
    found = decile_lift.filter(pl.col("share").is_not_null()).sort("model", "decile").collect()
    chosen: dict[str, str] = {}
    if champions is not None:
        chosen = {row["quantity"]: row["model"] for row in champions.collect().iter_rows(named=True)}
    rows: list[dict[str, Any]] = []
    for quantity in HELD:
        of_quantity = found.filter(quantity=quantity)
        models: list[str] = of_quantity["model"].unique().sort().to_list()
        shown = [model for model in (chosen.get(quantity), *models) if model in models][:1]
        rows += of_quantity.filter(pl.col("model").is_in(shown)).sort("decile", descending=True).to_dicts()
    if not rows:
        return None
    return Figure(
        finding=model_findings.decile_lift(rows),
        description="Bars: share of net revenue and of buyers held by each tenth of customers, highest ranked first.",
        table=PlainTable(
            header=(
                "Share", "Model", "Tenth", "Held", "95 % interval", "Times chance", "Held so far", "Perfect order",
            ),
            rows=tuple(
                (
                    HELD[row["quantity"]], model_name(row["model"]), str(row["decile"]), percent(row["share"]),
                    interval(row["share_low"], row["share_high"]), f"{row['lift']:.2f}",
                    percent(row["cumulative_share"]), percent(row["best_share"]),
                )
                for row in rows
            ),
        ),
        source="decile_lift",
        n=f"n{SPACE}={SPACE}{counted(rows[0]['n'], 'customer')}",
        note=f"Dashed: the 10{SPACE}% that a draw by lot would give. Orange: the perfect order. "
        "Lines on bars: 95\u00a0% intervals. Equal predictions share what they held.",
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw(rows, look),
    )  # fmt: skip


def _draw(rows: list[dict[str, Any]], look: Look) -> Chart:
    quantities = [quantity for quantity in HELD if any(row["quantity"] == quantity for row in rows)]
    panels = [
        _panel([row for row in rows if row["quantity"] == quantity], quantity, look, len(quantities))
        for quantity in quantities
    ]
    return alt.vconcat(*panels, spacing=24) if look.is_narrow else alt.hconcat(*panels, spacing=24)


def _panel(rows: list[dict[str, Any]], quantity: str, look: Look, panels: int) -> Chart:
    gutter = 46
    total = look.width if look.is_narrow else (look.width - 24 * (panels - 1)) // panels
    points = [
        {
            "decile": row["decile"],
            "share": row["share"],
            "low": row["share"] if row["share_low"] is None else row["share_low"],
            "high": row["share"] if row["share_high"] is None else row["share_high"],
            "best": row["best_share"],
        }
        for row in rows
    ]
    highest = max(max(point["high"], point["best"]) for point in points)
    y_axis = axis(None, tickCount=5, format=".0%", minExtent=gutter - 8)
    y = {
        name: alt.Y(f"{name}:Q", scale=alt.Scale(domain=[0, highest], nice=True), axis=y_axis)
        for name in ("share", "low", "best")
    }
    base = alt.Chart(data_of(points)).encode(
        x=alt.X(
            "decile:O",
            sort="descending",
            scale=alt.Scale(domain=list(range(10, 0, -1)), paddingInner=0.25),
            axis=axis("tenth of customers, highest to lowest prediction", labelAngle=0, ticks=False),
        )
    )
    chance = alt.Chart(data_of([{"share": CHANCE}]))
    return alt.layer(
        base.mark_bar().encode(y=y["share"]),
        base.mark_rule(strokeWidth=1.5, color=INK).encode(y=y["low"], y2="high:Q"),
        base.mark_tick(thickness=3, width=20 if look.is_narrow else 22, color=ORANGE, opacity=1).encode(
            y=y["best"]
        ),
        chance.mark_rule(strokeDash=[5, 3], color=INK).encode(y=y["share"]),
    ).properties(
        width=total - gutter - 16,
        height=220,
        title=alt.TitleParams(
            f"Share {HELD[quantity]}", fontSize=12, fontWeight="normal", anchor="start",
            frame="group", offset=4,
        ),
    )  # fmt: skip
