"""Purchase paths: how a customer's chance of another order rises with each order and fades with silence.

Computing belongs to `models.purchase_paths`, choosing whose to `models.typical_customers`.
"""

from typing import Any

import altair as alt
import polars as pl

from models.typical_customers import STORIES
from pipelines.report import model_findings
from pipelines.report.theme import BLUE, INK, ORANGE, Chart, Figure, Look, PlainTable, axis, data_of
from pipelines.report.words import SPACE, counted, number, percent, purchase_model_name

Rows = list[dict[str, Any]]

TITLES = {
    "regular": "A regular who still orders",
    "overdue": "As regular, and overdue",
    "came_back": "Back after a long silence",
}
_ALIVE = "chance of still being a customer"


def purchase_paths_figure(purchase_paths: pl.LazyFrame) -> Figure | None:
    """Paths of the shop's typical customers, one below the other.

    Parameters
    ----------
    purchase_paths
        Table purchase_paths.
    """
    found = purchase_paths.sort("age_days").collect()
    stories = {story: found.filter(story=story).to_dicts() for story in STORIES}
    stories = {story: rows for story, rows in stories.items() if rows}
    if not stories:
        return None
    lasts = [rows[-1] for rows in stories.values()]
    panels = {
        f"{TITLES[story]} (typical of {number(rows[0]['customers'])})": rows
        for story, rows in stories.items()
    }
    return Figure(
        finding=model_findings.purchase_paths(lasts),
        description="Lines by day: chance of an order and of still being a customer; each order lifts, silence lowers.",
        table=_table({TITLES[story]: rows for story, rows in stories.items()}),
        source="purchase_paths",
        n=f"n{SPACE}={SPACE}{counted(sum(row['customers'] for row in lasts), 'customer')}",
        note=f"{purchase_model_name(lasts[0]['model'])}, by what was known on each day. Each path is made of "
        "the medians of its customers and is nobody's own. Ticks: orders." + _before_the_second(stories),
        as_of=lasts[0]["as_of"],
        draw=lambda look: _draw(panels, look),
    )  # fmt: skip


def _before_the_second(stories: dict[str, Rows]) -> str:
    """What must be said of a model that is sure of everybody with one order, as BG/NBD is."""
    is_sure = all(rows[0]["probability_alive"] == 1.0 for rows in stories.values())
    return " Until the second order this model takes nobody for gone." if is_sure else ""


def purchase_path_figure(path: pl.DataFrame) -> Figure | None:
    """Path of one customer.

    Parameters
    ----------
    path
        As of `models.purchase_paths.purchase_path`.
    """
    rows = path.sort("age_days").to_dicts()
    if not rows:
        return None
    return Figure(
        finding=model_findings.purchase_path(rows[-1]),
        description="Lines by day: chance of an order and of still being a customer; each order lifts, silence lowers.",
        table=_table({"this customer": rows}),
        source="purchases",
        n=f"n{SPACE}={SPACE}1 customer",
        note="By what was known of the customer on each day. Ticks: orders.",
        as_of=rows[-1]["day"],
        draw=lambda look: _draw({"": rows}, look),
    )


def _table(stories: dict[str, Rows]) -> PlainTable:
    """Each path on its order days and on its last day."""
    return PlainTable(
        header=("Customer", "Day", "Order days so far", "Chance of an order", "Still a customer"),
        rows=tuple(
            (
                story, number(row["age_days"]) + (", the last day" if row is rows[-1] else ""),
                number(row["order_days"]), percent(row["purchase_probability"]), percent(row["probability_alive"]),
            )
            for story, rows in stories.items()
            for row in rows
            if row["is_order_day"] or row is rows[-1]
        ),
    )  # fmt: skip


def _draw(panels: dict[str, Rows], look: Look) -> Chart:
    charts = [
        _panel(title, rows, look, has_legend=not at, has_title=at == len(panels) - 1)
        for at, (title, rows) in enumerate(panels.items())
    ]
    return alt.vconcat(*charts, spacing=14)


def _panel(title: str, rows: Rows, look: Look, *, has_legend: bool, has_title: bool) -> Chart:
    gutter = 46
    within = f"chance of an order within {rows[0]['horizon_days']} days"
    columns = {"purchase_probability": within, "probability_alive": _ALIVE}
    points = [
        {"age": row["age_days"], "kind": kind, "chance": row[column]}
        for row in rows
        for column, kind in columns.items()
    ]
    names = list(columns.values())
    x = alt.X(
        "age:Q",
        scale=alt.Scale(domain=[0, max(rows[-1]["age_days"], 1)], nice=False),
        axis=axis("days since the first order" if has_title else None, tickCount=5, grid=False),
    )
    y = alt.Y(
        "chance:Q", scale=alt.Scale(domain=[0, 1]), axis=axis(None, format=".0%", tickCount=3, minExtent=38)
    )
    legend = alt.Legend(
        title=None,
        columns=1 if look.is_narrow else 2,
        symbolType="stroke",
        symbolStrokeWidth=3,
        symbolOpacity=1,
    )
    lines = (
        alt.Chart(data_of(points))
        .mark_line(strokeWidth=2)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=names, range=[BLUE, ORANGE]),
                legend=legend if has_legend else None,
            ),
            strokeDash=alt.StrokeDash(
                "kind:N", scale=alt.Scale(domain=names, range=[[1, 0], [6, 3]]), legend=None
            ),
        )
    )
    height = 110
    orders = (
        alt.Chart(data_of([{"age": row["age_days"]} for row in rows if row["is_order_day"]]))
        .mark_rule(color=INK, strokeWidth=1.5)
        .encode(x=x, y=alt.value(height - 8), y2=alt.value(height))
    )
    heading = alt.TitleParams(
        title, fontSize=12, fontWeight="normal", anchor="start", frame="group", offset=4
    )
    chart = alt.layer(lines, orders).properties(width=look.room(gutter, 16), height=height)
    return chart.properties(title=heading) if title else chart
