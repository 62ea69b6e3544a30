"""Cohorts as a heat map. The rates come from `models.cohorts`."""

from datetime import date
from typing import Any

import altair as alt
import polars as pl

from models.intervals import SMALL_GROUP
from pipelines.report import findings
from pipelines.report.figures.rates import monthly, pooled_rates
from pipelines.report.theme import (
    BLUES,
    GREYS,
    SOFT_INK,
    Chart,
    Figure,
    Look,
    PlainTable,
    Row,
    axis,
    data_of,
    ink_on,
    shade,
)
from pipelines.report.words import SPACE, counted, number, percent, short_month

COHORTS_SHOWN, AGES_SHOWN = 24, 24
COHORTS_ON_A_PHONE, AGES_ON_A_PHONE = 13, 11


def cohort_figure(cohorts: pl.LazyFrame) -> Figure | None:
    """Heat map of ``active_rate`` by monthly cohort and month of age.

    Parameters
    ----------
    cohorts
        Table cohort_retention; other period units, measures and break-downs are left aside.
    """
    cells = monthly(cohorts).filter(measure="active_rate").filter(pl.col("k") > 0, "is_complete").collect()
    pooled = pooled_rates(cohorts)
    if cells.is_empty():
        return None
    starts = cells["cohort"].unique().sort().tail(COHORTS_SHOWN).to_list()
    rows = (
        cells.filter(pl.col("cohort").is_in(starts), pl.col("k") <= AGES_SHOWN).sort("cohort", "k").to_dicts()
    )
    truncated = any(row["is_left_truncated"] for row in rows)
    small = any(row["is_small"] for row in rows)
    notes = ["Empty: not over yet for the whole cohort, so nobody can know."]
    if truncated:
        notes.append("† first loaded month, in grey: customers of earlier years look new in it.")
    if small:
        notes.append(f"* fewer than {SMALL_GROUP} customers: read with care.")
    return Figure(
        finding=findings.cohorts(pooled),
        description="Heat map: share of each month's new customers (rows) who ordered in the months after (columns).",
        table=_cohort_table(rows),
        source="cohort_retention",
        n=f"n\u00a0=\u00a0{counted(sum({row['cohort']: row['n'] for row in rows}.values()), 'customer')}",
        note=" ".join(notes),
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw_cohorts(rows, look),
    )


def _label(row: Row) -> str:
    mark = f"{SPACE}†" if row["is_left_truncated"] else f"{SPACE}*" if row["is_small"] else ""
    return short_month(row["cohort"]) + mark


def _cohort_table(rows: list[dict[str, Any]]) -> PlainTable:
    ages = sorted({row["k"] for row in rows})
    labels = {row["cohort"]: (_label(row), number(row["n"])) for row in rows}
    rates = {(row["cohort"], row["k"]): percent(row["rate"]) for row in rows}
    return PlainTable(
        header=("First order in", "Customers", *(f"Month {k}" for k in ages)),
        rows=tuple(
            (*label, *(rates.get((cohort, k), "") for k in ages)) for cohort, label in sorted(labels.items())
        ),
    )


def _draw_cohorts(rows: list[dict[str, Any]], look: Look) -> Chart:
    if look.is_narrow:
        starts: list[date] = sorted({row["cohort"] for row in rows})[-COHORTS_ON_A_PHONE:]
        rows = [row for row in rows if row["cohort"] in starts and row["k"] <= AGES_ON_A_PHONE]
    # Customers of earlier years would stretch the scale that is meant for the new ones.
    highest = max((row["rate"] for row in rows if not row["is_left_truncated"]), default=1.0)
    cells = [_cell(row, highest or 1.0) for row in rows]
    ages = list(range(1, max(row["k"] for row in rows) + 1))
    labels = list(dict.fromkeys(cell["cohort"] for cell in cells))
    sizes = list({cell["cohort"]: {"cohort": cell["cohort"], "n": cell["n"]} for cell in cells}.values())
    gutter, side = (78, 34) if look.is_narrow else (88, 46)
    step = look.room(gutter, side) / len(ages)
    height = 20
    y = alt.Y("cohort:O", sort=labels, axis=axis(None, minExtent=gutter, maxExtent=gutter))
    x = alt.X(
        "k:O",
        sort=ages,
        axis=axis(
            "months since the first order; share in %", orient="top", labelAngle=0, ticks=False, domain=False
        ),
    )
    base = alt.Chart(data_of(cells)).encode(x=x, y=y)
    size = look.room(gutter, side)
    grid = base.mark_rect(stroke="white", strokeWidth=1).encode(color=alt.Color("fill:N", scale=None))
    text = base.mark_text(fontSize=11 if step >= 20 else 10).encode(
        text="percent:N", color=alt.Color("ink:N", scale=None)
    )
    side_text = (
        alt.Chart(data_of(sizes))
        .mark_text(align="right", color=SOFT_INK, fontSize=11)
        .encode(y=y, x=alt.value(size + side - 2), text="n:N")
    )
    heading = (
        alt.Chart(data_of([{"text": "n"}]))
        .mark_text(align="right", color=SOFT_INK, fontSize=11)
        .encode(x=alt.value(size + side - 2), y=alt.value(-8), text="text:N")
    )
    return alt.layer(grid, text, side_text, heading).properties(width=size, height=height * len(labels))


def _cell(row: Row, highest: float) -> dict[str, Any]:
    fill = shade(GREYS if row["is_left_truncated"] else BLUES, row["rate"] / highest)
    return {
        "cohort": _label(row),
        "k": row["k"],
        "n": number(row["n"]),
        "percent": f"{row['rate'] * 100:.0f}",
        "fill": fill,
        "ink": ink_on(fill),
    }
