"""Frequency-recency matrices: what the purchase model expects, by how often and how lately somebody ordered.

Computing belongs to `models.frequency_recency`.
"""

from typing import Any

import altair as alt
import polars as pl

from pipelines.report import model_findings
from pipelines.report.figures.tracking import published_purchase_model
from pipelines.report.theme import (
    BLUES,
    Chart,
    Figure,
    Look,
    PlainTable,
    axis,
    data_of,
    ink_on,
    shade,
)
from pipelines.report.words import SPACE, counted, number, percent, purchase_model_name

_PANELS = {
    "purchase_probability": "chance of an order in {days} days, in %",
    "expected_orders": "expected order days in {days} days",
}


def frequency_recency_figure(matrix: pl.LazyFrame, champions: pl.LazyFrame | None = None) -> Figure | None:
    """Heat maps of the published purchase model; numbers stand where customers of that age do.

    Parameters
    ----------
    matrix
        Table frequency_recency.
    champions
        Table champions; without it the first model by name is shown.
    """
    found = matrix.collect()
    if found.is_empty():
        return None
    model = published_purchase_model(found["model"].unique().to_list(), champions)
    rows = found.filter(model=model).sort("frequency_from", "recency_from").to_dicts()
    asked = [row for row in rows if row["expected_orders"] is not None]
    return Figure(
        finding=model_findings.frequency_recency(rows),
        description="Heat maps: chance of another order and expected orders, by repeat orders (rows) and by days"
        " from the first to the last order (columns).",
        table=PlainTable(
            header=(
                "Repeat order days", "Days from first to last", "Customers", "Chance of an order", "Expected orders",
            ),
            rows=tuple(
                (
                    _frequency(row), f"{row['recency_from']} to {row['recency_to']}", number(row["customers"]),
                    percent(row["purchase_probability"]), f"{row['expected_orders']:.2f}",
                )
                for row in asked
                if row["customers"]
            ),
        ),
        source="frequency_recency",
        n=f"n{SPACE}={SPACE}{counted(sum(row['customers'] for row in rows), 'customer')} of nearly that age",
        note=f"{purchase_model_name(model)}, for somebody who first ordered {number(rows[0]['age_days'])} days ago. "
        "To the right the last order is fresh, to the left long ago. A number stands where customers do; elsewhere the "
        "model guesses. Empty: impossible.",
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw(asked, look),
    )  # fmt: skip


def _frequency(row: dict[str, Any]) -> str:
    first, last = row["frequency_from"], row["frequency_to"]
    return str(first) if first == last else f"{first} or more"


def _draw(rows: list[dict[str, Any]], look: Look) -> Chart:
    panels = [
        _panel(rows, name, title.format(days=rows[0]["horizon_days"]), look)
        for name, title in _PANELS.items()
    ]
    return alt.vconcat(*panels, spacing=22) if look.is_narrow else alt.hconcat(*panels, spacing=16)


def _panel(rows: list[dict[str, Any]], name: str, title: str, look: Look) -> Chart:
    gutter = 34
    # a few heavy buyers would leave one pale colour for everybody else
    highest = 1.0 if name == "purchase_probability" else max(row[name] for row in rows) or 1.0
    cells = [_cell(row, name, highest) for row in rows]
    columns = sorted({row["recency_from"] for row in rows})
    frequencies = [cell["frequency"] for cell in cells]
    total = look.width if look.is_narrow else (look.width - 16) // 2
    base = alt.Chart(data_of(cells)).encode(
        x=alt.X(
            "recency:O",
            sort=columns,
            axis=axis(
                "days from the first to the last order", values=columns[::3], labelAngle=0, ticks=False,
                domain=False, labelAlign="left", labelOffset=-8,
            ),
        ),
        y=alt.Y(
            "frequency:O",
            sort=list(dict.fromkeys(frequencies))[::-1],
            axis=axis("repeat order days", minExtent=gutter - 10, ticks=False),
        ),
    )  # fmt: skip
    grid = base.mark_rect(stroke="white", strokeWidth=1).encode(color=alt.Color("fill:N", scale=None))
    text = base.mark_text(fontSize=10).encode(text="text:N", color=alt.Color("ink:N", scale=None))
    return alt.layer(grid, text).properties(
        width=total - gutter - 24,
        height=20 * len(set(frequencies)),
        title=alt.TitleParams(
            title, fontSize=12, fontWeight="normal", anchor="start", frame="group", offset=4
        ),
    )


def _cell(row: dict[str, Any], name: str, highest: float) -> dict[str, Any]:
    fill = shade(BLUES, (row[name] / highest) ** 0.5 if name == "expected_orders" else row[name])
    text = f"{row[name] * 100:.0f}" if name == "purchase_probability" else _short(row[name])
    return {
        "recency": row["recency_from"],
        "frequency": f"{row['frequency_from']}{'+' if row['frequency_to'] > row['frequency_from'] else ''}",
        "text": text if row["customers"] else "",
        "fill": fill,
        "ink": ink_on(fill),
    }


def _short(expected: float) -> str:
    return f"{expected:.1f}" if expected < 9.95 else f"{expected:.0f}"
