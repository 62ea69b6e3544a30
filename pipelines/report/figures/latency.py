"""How long until the next order: the share that is back after so many days, first orders apart from later ones.

The curves come from `models.latency`; here they are turned over, since people ask who is back and not who is gone.
"""

from typing import Any

import altair as alt
import polars as pl

from models.intervals import SMALL_GROUP
from pipelines.report.theme import BLUE, ORANGE, Chart, Figure, Look, PlainTable, axis, data_of
from pipelines.report.words import UNKNOWN, interval, number, percent

NAMES = {"first_to_second": "after the first order", "later": "after a later order"}
MARKS = (30, 60, 90, 180, 365, 730)
"""Days at which the table reads the curves."""
LONGEST_SHOWN = 730
POINTS = 240
"""A curve of a large shop has a step every day; so many are enough to draw it."""


def latency_figure(purchase_latency: pl.LazyFrame) -> Figure | None:
    """Share of customers back with another order by days since the one before (Kaplan-Meier)."""
    curves = (
        purchase_latency.filter(pl.col("day") <= LONGEST_SHOWN, pl.col("at_risk") >= SMALL_GROUP)
        .sort("transition", "day")
        .select(
            "as_of", "transition", "day", "at_risk",
            back=1 - pl.col("survival"), low=1 - pl.col("high"), high=1 - pl.col("low"),
        )
        .collect()
    )  # fmt: skip
    if curves.is_empty():
        return None
    rows = [row for name in NAMES for row in _at_marks(curves.filter(transition=name))]
    people = curves.filter(transition="first_to_second")["at_risk"].max() or 0
    return Figure(
        finding=_says(rows),
        description="Rising lines with bands: share back with another order by days since the one before.",
        table=PlainTable(
            header=("Back", "Within days", "Share", "95 % interval", "Seen for so long"),
            rows=tuple(
                (
                    NAMES[row["transition"]], number(row["mark"]), percent(row["back"]),
                    interval(row["low"], row["high"]) if row["low"] is not None else UNKNOWN,
                    number(row["at_risk"]),
                )
                for row in rows
            ),
        ),
        source="purchase_latency",
        n=f"n\u00a0=\u00a0{number(int(str(people)))} first orders",
        note="Kaplan-Meier: who has not come back yet counts for as long as they were seen. "
        f"Lines end where fewer than {SMALL_GROUP} are left.",
        as_of=curves["as_of"].max(),  # pyright: ignore[reportArgumentType]  # a column of days
        draw=lambda look: _draw(curves, look),
    )  # fmt: skip


def _says(rows: list[dict[str, Any]]) -> str:
    """How many are back after 90 days, first orders beside later ones."""
    at = {(row["transition"], row["mark"]): row["back"] for row in rows}
    mark = next((mark for mark in (90, 60, 30) if ("first_to_second", mark) in at), None)
    if mark is None:
        return "Too few customers are a month old to say how soon they come back."
    says = f"{percent(at['first_to_second', mark], 0)} of new customers are back within {mark} days"
    later = at.get(("later", mark))
    return says + ("." if later is None else f"; after a later order it is {percent(later, 0)}.")


def _at_marks(curve: pl.DataFrame) -> list[dict[str, Any]]:
    """Read one curve at the marks that it reaches: the last step on or before each."""
    if curve.is_empty():
        return []
    reached = [mark for mark in MARKS if mark <= int(str(curve["day"].max()))]
    marks = pl.DataFrame({"mark": reached}, schema={"mark": pl.Int32}).sort("mark")
    return marks.join_asof(curve.sort("day"), left_on="mark", right_on="day").drop_nulls("back").to_dicts()


def _draw(curves: pl.DataFrame, look: Look) -> Chart:
    shown = pl.concat(
        curve.gather_every(max(1, curve.height // POINTS)) for curve in curves.partition_by("transition")
    )
    rows = [
        {"way": NAMES[row["transition"]], **{name: row[name] for name in ("day", "back", "low", "high")}}
        for row in shown.iter_rows(named=True)
    ]
    ways, longest = list(NAMES.values()), max(row["day"] for row in rows)
    base = alt.Chart(data_of(rows)).encode(
        x=alt.X(
            "day:Q",
            scale=alt.Scale(domain=[0, longest], nice=False),
            axis=axis("Days since the order", tickCount=4 if look.is_narrow else 8, grid=False),
        ),
        color=alt.Color(
            "way:N",
            scale=alt.Scale(domain=ways, range=[BLUE, ORANGE]),
            legend=alt.Legend(
                title=None,
                columns=1 if look.is_narrow else 2,
                symbolType="stroke",
                symbolStrokeWidth=3,
                symbolOpacity=1,
            ),
        ),
    )
    share = alt.Y("back:Q", scale=alt.Scale(domain=[0, 1]), axis=axis(None, format=".0%", tickCount=5))
    return alt.layer(
        base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", title=None), y2="high:Q"),
        base.mark_line(interpolate="step-after", strokeWidth=2).encode(
            y=share,
            strokeDash=alt.StrokeDash(
                "way:N", scale=alt.Scale(domain=ways, range=[[1, 0], [7, 3]]), legend=None
            ),
        ),
    ).properties(width=look.room(44), height=260)
