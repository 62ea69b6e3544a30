"""Lifecycle stages today, and how customers moved between them in the last full month."""

from datetime import date
from typing import Any

import altair as alt
import polars as pl

from models.lifecycle import stage_at
from pipelines.report import findings
from pipelines.report.theme import (
    BLUE,
    BLUES,
    GREY,
    GREYS,
    INK,
    ORANGE,
    PLUM,
    Chart,
    Figure,
    Look,
    PlainTable,
    axis,
    data_of,
    ink_on,
    shade,
)
from pipelines.report.words import (
    counted,
    long_month,
    number,
    percent,
    stage_name,
)

STAGE_ORDER = ("new", "active", "reactivated", "at_risk", "lapsed", "dormant", "prospect")
_STAGE_COLOURS = {
    "new": BLUE,
    "active": BLUE,
    "reactivated": BLUE,
    "at_risk": ORANGE,
    "lapsed": PLUM,
    "dormant": PLUM,
    "prospect": GREY,
}


def stages_figure(stages: pl.LazyFrame, as_of: date) -> Figure | None:
    """Customers by lifecycle stage on the last day.

    Parameters
    ----------
    stages
        Table customer_profile of that day, or table customer_stages.
    as_of
        Last day included.
    """
    is_intervals = "from_day" in stages.collect_schema()
    today = stage_at(stages, as_of) if is_intervals else stages.filter(pl.col("stage").is_not_null())
    found = today.group_by("stage").agg(customers=pl.len().cast(pl.Int64)).collect()
    if found.is_empty():
        return None
    counts = dict(found.iter_rows())
    total = sum(counts.values())
    rows = [
        {"stage": stage, "customers": counts[stage], "share": counts[stage] / total}
        for stage in (*STAGE_ORDER, *sorted(set(counts) - set(STAGE_ORDER)))
        if stage in counts
    ]
    return Figure(
        finding=findings.stages(rows),
        description="Bars: customers in each lifecycle stage on the last day.",
        table=PlainTable(
            header=("Stage", "Customers", "Share"),
            rows=tuple(
                (stage_name(row["stage"]), number(row["customers"]), percent(row["share"])) for row in rows
            ),
        ),
        source="customer_stages" if is_intervals else "customer_profile",
        n=f"n\u00a0=\u00a0{counted(total, 'customer')}",
        as_of=as_of,
        draw=lambda look: _draw_stages(rows, look),
    )


def _draw_stages(rows: list[dict[str, Any]], look: Look) -> Chart:
    bars = [
        {
            "stage": stage_name(row["stage"]),
            "customers": row["customers"],
            "text": f"{number(row['customers'])} ({percent(row['share'], 0)})",
            "colour": _STAGE_COLOURS.get(row["stage"], GREY),
        }
        for row in rows
    ]
    gutter, side = 88, 96
    base = alt.Chart(data_of(bars)).encode(
        y=alt.Y(
            "stage:N",
            sort=[bar["stage"] for bar in bars],
            axis=axis(None, minExtent=gutter, maxExtent=gutter),
        ),
        x=alt.X("customers:Q", axis=None),
    )
    return alt.layer(
        base.mark_bar(height=20).encode(color=alt.Color("colour:N", scale=None)),
        base.mark_text(align="left", dx=5).encode(text="text:N"),
    ).properties(width=look.room(gutter, side), height=30 * len(bars))


def movements_figure(stage_transitions: pl.LazyFrame, as_of: date | None = None) -> Figure | None:
    """Moves between stages in the last month that is over.

    Parameters
    ----------
    stage_transitions
        Table stage_transitions.
    as_of
        Last day included; a month that it cuts is left aside. None takes the newest month.
    """
    moves = stage_transitions.collect()
    if as_of is not None:
        moves = moves.filter(pl.col("month").dt.month_end() <= as_of)
    if moves.is_empty():
        return None
    month = moves["month"].max()
    assert isinstance(month, date)
    rows = moves.filter(pl.col("month") == month).to_dicts()
    starts = [
        stage for stage in ("newcomer", *STAGE_ORDER) if any(row["from_stage"] == stage for row in rows)
    ]
    ends = [stage for stage in STAGE_ORDER if any(row["to_stage"] == stage for row in rows)]
    counts = {(row["from_stage"], row["to_stage"]): row["customers"] for row in rows}
    return Figure(
        finding=findings.movements(rows, month),
        description=f"Matrix: customers by stage before {long_month(month)} (rows) and at its end (columns).",
        table=PlainTable(
            header=("Before", *(f"{stage_name(end)} at the end" for end in ends)),
            rows=tuple(
                (stage_name(start), *(number(counts.get((start, end), 0)) for end in ends))
                for start in starts
            ),
        ),
        source="stage_transitions",
        n=f"n\u00a0=\u00a0{counted(sum(counts.values()), 'customer')} at the end of {long_month(month)}",
        note="Grey: stayed.",
        as_of=as_of,
        draw=lambda look: _draw_movements(counts, starts, ends, look),
    )


def _draw_movements(
    counts: dict[tuple[str, str], int], starts: list[str], ends: list[str], look: Look
) -> Chart:
    largest = max((count for (start, end), count in counts.items() if start != end), default=1)
    cells: list[dict[str, Any]] = []
    for (start, end), count in counts.items():
        fill = GREYS[0] if start == end else shade(BLUES, count / largest)
        cells.append(
            {
                "before": stage_name(start), "after": stage_name(end), "text": number(count), "fill": fill,
                "ink": INK if start == end else ink_on(fill),
            }
        )  # fmt: skip
    gutter = 116 if look.is_narrow else 130
    base = alt.Chart(data_of(cells)).encode(
        y=alt.Y(
            "before:N",
            sort=[stage_name(stage) for stage in starts],
            axis=axis(None, minExtent=gutter, maxExtent=gutter),
        ),
        x=alt.X(
            "after:N",
            sort=[stage_name(stage) for stage in ends],
            axis=axis(
                "stage at the end of the month", orient="top", ticks=False, domain=False,
                labelAngle=-50 if look.is_narrow else 0, labelAlign="left" if look.is_narrow else "center",
            ),
        ),
    )  # fmt: skip
    width = min(look.room(gutter, 24), 84 * len(ends))
    return alt.layer(
        base.mark_rect(stroke="white", strokeWidth=2).encode(color=alt.Color("fill:N", scale=None)),
        base.mark_text(fontSize=10 if look.is_narrow else 11).encode(
            text="text:N", color=alt.Color("ink:N", scale=None)
        ),
    ).properties(width=width, height=28 * len(starts))
