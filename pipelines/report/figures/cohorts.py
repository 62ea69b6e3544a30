"""Cohorts as a heat map, and the four retention rates of the same customers side by side.

The rates themselves come from `models.cohorts`; pooling adds up cells, it defines nothing.
"""

from datetime import date
from typing import Any

import altair as alt
import polars as pl

from models.intervals import SMALL_GROUP, wilson_interval
from pipelines.report import findings
from pipelines.report.theme import (
    BLUE, BLUES, GREEN, GREYS, ORANGE, PLUM, SOFT_INK, Chart, Figure, Look, PlainTable, Row, axis, data_of, ink_on, shade,
)  # fmt: skip
from pipelines.report.words import counted, interval, number, percent, short_month

COHORTS_SHOWN, AGES_SHOWN = 24, 24
COHORTS_ON_A_PHONE, AGES_ON_A_PHONE = 13, 11
LONGEST_POOLED = 12
RATE_NAMES = {
    "active_rate": "active in that month",
    "repurchased_by": "ordered again by then",
    "retained_from": "ordered then or later",
    "period_retention": "year on year",
}
_RATE_STYLES = {
    "active_rate": (BLUE, [1, 0]),
    "repurchased_by": (ORANGE, [7, 3]),
    "retained_from": (PLUM, [2, 2]),
    "period_retention": (GREEN, [1, 0]),
}


def cohort_figure(cohorts: pl.LazyFrame) -> Figure | None:
    """Heat map of ``active_rate`` by monthly cohort and month of age.

    Parameters
    ----------
    cohorts
        Table cohort_retention; other period units, measures and break-downs are left aside.
    """
    cells = _monthly(cohorts).filter(measure="active_rate").filter(pl.col("k") > 0, "is_complete").collect()
    pooled = pooled_rates(cohorts)
    if cells.is_empty():
        return None
    starts = cells["cohort"].unique().sort().tail(COHORTS_SHOWN).to_list()
    rows = cells.filter(pl.col("cohort").is_in(starts), pl.col("k") <= AGES_SHOWN).sort("cohort", "k").to_dicts()
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
        n=f"n = {counted(sum({row['cohort']: row['n'] for row in rows}.values()), 'customer')}",
        note=" ".join(notes),
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw_cohorts(rows, look),
    )


def rates_figure(cohorts: pl.LazyFrame) -> Figure | None:
    """The four retention rates of the same cohorts, by months since the first order."""
    pooled = pooled_rates(cohorts)
    if pooled.is_empty() or pooled["k"].max() == 0:
        return None
    as_of = _monthly(cohorts).select(pl.col("as_of").max()).collect().item()
    rows = pooled.filter(pl.col("k") > 0).to_dicts()
    n = pooled.filter(measure="active_rate")["n"].max()
    return Figure(
        finding=findings.four_rates(pooled),
        description="Lines: four retention rates of the same customers by month since the first order.",
        table=PlainTable(
            header=("Rate", "Months after the first order", "Customers", "of", "Rate", "95 % interval"),
            rows=tuple(
                (
                    RATE_NAMES[row["measure"]], str(row["k"]), number(row["customers"]), number(row["n"]),
                    percent(row["rate"]), interval(row["low"], row["high"]),
                )
                for row in rows
            ),
        ),
        source="cohort_retention",
        n=f"n = {number(n)} customers of complete cohorts",
        note="Year on year takes all who bought in a month, new or not, so its customers are others.",
        as_of=as_of,
        draw=lambda look: _draw_rates(rows, look),
    )  # fmt: skip


def pooled_rates(cohorts: pl.LazyFrame) -> pl.DataFrame:
    """Each rate over the same cohorts for every age.

    Cohorts that are complete up to the last age shown are added up, so that no line moves because cohorts drop out.
    That age is 12 months, or less where fewer than 30 customers are that old. Left-truncated cohorts stay out.
    ``period_retention`` is added up over the months bought in: people count once a month, so it has no interval.

    Returns
    -------
    DataFrame
        One row per measure and k: measure, k, customers, n, rate, low, high.
    """
    whole = (
        _monthly(cohorts)
        .filter(pl.col("is_complete"), ~pl.col("is_left_truncated"))
        .select("measure", "cohort", "k", "customers", "n")
        .collect()
    )
    ages = whole.filter(pl.col("measure") == "active_rate")
    size = ages.filter(pl.col("k") <= LONGEST_POOLED).group_by("k").agg(pl.col("n").sum())
    longest = size.filter(pl.col("n") >= SMALL_GROUP)["k"].max()
    panel = ages.filter(pl.col("k") == longest)["cohort"]
    same = whole.filter(
        pl.col("measure") != "period_retention", pl.col("cohort").is_in(panel.to_list()), pl.col("k") <= longest
    )
    yearly = whole.filter(pl.col("measure") == "period_retention")
    bounds = wilson_interval(pl.col("customers"), pl.col("n"))
    has_interval = pl.col("measure") != "period_retention"
    return (
        pl.concat([same, yearly])
        .group_by("measure", "k")
        .agg(pl.col("customers").sum(), pl.col("n").sum())
        .with_columns(
            rate=pl.col("customers") / pl.col("n"),
            low=pl.when(has_interval).then(bounds.low),
            high=pl.when(has_interval).then(bounds.high),
        )
        .sort("measure", "k")
    )


def _monthly(cohorts: pl.LazyFrame) -> pl.LazyFrame:
    return cohorts.filter(period_unit="month", break_down="all")


def _label(row: Row) -> str:
    mark = " †" if row["is_left_truncated"] else " *" if row["is_small"] else ""
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
        axis=axis("months since the first order; share in %", orient="top", labelAngle=0, ticks=False, domain=False),
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


def _draw_rates(rows: list[dict[str, Any]], look: Look) -> Chart:
    longest = max(row["k"] for row in rows)
    gutter, side = (44, 118) if look.is_narrow else (52, 200)
    width, height = look.room(gutter, side), 300
    x = alt.X(
        "k:Q",
        scale=alt.Scale(domain=[1, max(longest, 2)], nice=False),
        axis=axis("months since the first order", grid=False, values=list(range(1, longest + 1)), format="d"),
    )
    y = alt.Y(
        "rate:Q", scale=alt.Scale(domain=[0, 1]), axis=axis(None, format=".0%", tickCount=5, minExtent=gutter - 8)
    )
    lines = [row for row in rows if row["measure"] != "period_retention"]
    layers: list[alt.Chart] = []
    for measure, (colour, dash) in _RATE_STYLES.items():
        chart = alt.Chart(data_of([row for row in lines if row["measure"] == measure])).encode(x=x)
        layers.append(chart.mark_area(color=colour, opacity=0.18).encode(y=alt.Y("low:Q"), y2="high:Q"))
        layers.append(chart.mark_line(color=colour, strokeDash=dash, strokeWidth=2.5).encode(y=y))
    yearly = [row for row in rows if row["measure"] == "period_retention" and row["k"] <= longest]
    layers.append(
        alt.Chart(data_of(yearly))
        .mark_point(shape="diamond", size=110, filled=True, color=GREEN, opacity=1)
        .encode(x=x, y=y)
    )
    last = [row for row in rows if row["k"] == longest]
    layers.append(
        alt.Chart(data_of(_end_labels(last, height, look)))
        .mark_text(align="left", fontSize=12, lineHeight=13, baseline="middle")
        .encode(
            x=alt.value(width + 9),
            y=alt.Y("place:Q", scale=alt.Scale(domain=[0, 1]), axis=axis(None)),
            text="text:N",
            color=alt.Color("colour:N", scale=None),
        )
    )
    return alt.layer(*layers).properties(width=width, height=height)


def _end_labels(last: list[dict[str, Any]], height: int, look: Look) -> list[dict[str, Any]]:
    """Names at the ends of the lines, moved apart where they would overlap."""
    least = (34 if look.is_narrow else 18) / height
    labels: list[dict[str, Any]] = []
    below = -1.0
    for row in sorted(last, key=lambda row: row["rate"]):
        place = max(row["rate"], below + least)
        below = place
        share, name = percent(row["rate"], 0), RATE_NAMES[row["measure"]]
        text = [share, name] if look.is_narrow else f"{share}  {name}"
        colour = _RATE_STYLES[row["measure"]][0]
        labels.append({"place": place, "text": text, "colour": colour if colour != ORANGE else "#9C4A00"})
    return labels
