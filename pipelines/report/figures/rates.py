"""The four retention rates of the same customers side by side.

The rates themselves come from `models.cohorts`; pooling adds up cells, it defines nothing.
"""

from typing import Any

import altair as alt
import polars as pl

from models.intervals import SMALL_GROUP, wilson_interval
from pipelines.report import findings
from pipelines.report.theme import (
    BLUE,
    GREEN,
    ORANGE,
    PLUM,
    Chart,
    Figure,
    Look,
    PlainTable,
    axis,
    data_of,
)
from pipelines.report.words import interval, number, percent

LONGEST_POOLED = 12
_NOTHING_POOLED = pl.DataFrame(
    schema={
        "measure": pl.String, "k": pl.Int32, "customers": pl.Int64, "n": pl.Int64, "rate": pl.Float64,
        "low": pl.Float64, "high": pl.Float64,
    }
)  # fmt: skip
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


def rates_figure(cohorts: pl.LazyFrame) -> Figure | None:
    """The four retention rates of the same cohorts, by months since the first order."""
    pooled = pooled_rates(cohorts)
    if pooled.filter(pl.col("measure") == "active_rate", pl.col("k") > 0).is_empty():
        return None
    as_of = monthly(cohorts).select(pl.col("as_of").max()).collect().item()
    rows = pooled.filter(pl.col("k") > 0).to_dicts()
    n = max((row["n"] for row in rows if row["measure"] == "active_rate"), default=0)
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
        n=f"n\u00a0=\u00a0{number(n)} customers of complete cohorts",
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
        One row per measure and k: measure, k, customers, n, rate, low, high; none where fewer than 30 customers are
        a month old.
    """
    whole = (
        monthly(cohorts)
        .filter(pl.col("is_complete"), ~pl.col("is_left_truncated"))
        .select("measure", "cohort", "k", "customers", "n")
        .collect()
    )
    ages = whole.filter(pl.col("measure") == "active_rate")
    size = ages.filter(pl.col("k") <= LONGEST_POOLED).group_by("k").agg(pl.col("n").sum())
    longest = size.filter(pl.col("n") >= SMALL_GROUP)["k"].max()
    if longest is None:
        return _NOTHING_POOLED
    panel = ages.filter(pl.col("k") == longest)["cohort"]
    same = whole.filter(
        pl.col("measure") != "period_retention",
        pl.col("cohort").is_in(panel.to_list()),
        pl.col("k") <= longest,
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
        "rate:Q",
        scale=alt.Scale(domain=[0, 1]),
        axis=axis(None, format=".0%", tickCount=5, minExtent=gutter - 8),
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


def monthly(cohorts: pl.LazyFrame) -> pl.LazyFrame:
    """Calendar months, everybody together."""
    return cohorts.filter(period_unit="month", break_down="all")
