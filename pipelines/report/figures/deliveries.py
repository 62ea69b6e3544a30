"""What came in: where every delivered row went, and which rules of the contract were broken."""

from textwrap import wrap
from typing import Any

import altair as alt
import polars as pl

from pipelines.report import findings
from pipelines.report.theme import BLUE, GREY, ORANGE, PLUM, Chart, Figure, Look, PlainTable, axis, data_of
from pipelines.report.words import counted, number, percent

FATES = {
    "accepted": ("accepted", BLUE),
    "replayed": ("came before", GREY),
    "quarantined": ("set aside", ORANGE),
    "erased": ("of erased people", PLUM),
}
RULES_SHOWN = 12
SEVERITIES = {"critical": ("row is set aside", ORANGE), "warning": ("row is kept and counted", BLUE)}


def conservation_figure(deliveries: pl.LazyFrame) -> Figure | None:
    """One bar per delivered table: accepted, come before, set aside, of erased people."""
    tables = (
        deliveries.group_by("table")
        .agg(pl.len().alias("files"), pl.col("rows", *FATES).sum())
        .sort("table")
        .collect()
    )
    if tables.is_empty() or not tables["rows"].sum():
        return None
    rows = tables.to_dicts()
    total = int(tables["rows"].sum())
    return Figure(
        finding=findings.conservation(tables),
        description="Stacked bars: share of each table's rows accepted, come before, set aside or erased.",
        table=PlainTable(
            header=("Table", "Deliveries", "Rows delivered", *(name for name, _ in FATES.values())),
            rows=tuple(
                (
                    row["table"],
                    number(row["files"]),
                    number(row["rows"]),
                    *(number(row[fate]) for fate in FATES),
                )
                for row in rows
            ),
        ),
        source="deliveries",
        n=f"n\u00a0=\u00a0{counted(total, 'row')}",
        draw=lambda look: _draw_conservation(rows, look),
    )


def _draw_conservation(rows: list[dict[str, Any]], look: Look) -> Chart:
    totals = {fate: sum(row[fate] for row in rows) for fate in FATES}
    names = {fate: f"{name}: {number(totals[fate])}" for fate, (name, _) in FATES.items()}
    parts = [
        {"table": row["table"], "fate": names[fate], "share": row[fate] / row["rows"], "order": position}
        for row in rows
        if row["rows"]
        for position, fate in enumerate(FATES)
    ]
    gutter = 90 if look.is_narrow else 130
    return (
        alt.Chart(data_of(parts))
        .mark_bar(height=22)
        .encode(
            y=alt.Y("table:N", axis=axis(None, minExtent=gutter, maxExtent=gutter)),
            x=alt.X(
                "share:Q",
                scale=alt.Scale(domain=[0, 1]),
                axis=axis(
                    "share of delivered rows", format=".0%", tickCount=2 if look.is_narrow else 4, grid=False
                ),
            ),
            color=alt.Color(
                "fate:N",
                scale=alt.Scale(domain=list(names.values()), range=[colour for _, colour in FATES.values()]),
                legend=alt.Legend(title=None, columns=1 if look.is_narrow else 4, offset=8),
            ),
            order="order:Q",
        )
        .properties(width=look.room(gutter, 20), height=34 * len(rows))
    )


def contract_figure(contract_results: pl.LazyFrame) -> Figure | None:
    """Rules that were broken, most often first, with their words."""
    results = contract_results.collect()
    broken = results.filter(pl.col("failed") > 0).sort("failed", descending=True)
    if broken.is_empty():
        return None
    rows = broken.head(RULES_SHOWN).to_dicts()
    left_out = broken.height - len(rows)
    checked = results.group_by("table").agg(pl.col("checked").max())["checked"].sum()
    return Figure(
        finding=findings.contract(results),
        description="Bars: share of checked rows that broke each rule of the contract.",
        table=PlainTable(
            header=("Rule", "Table", "Rows that broke it", "of", "Share", "What happens"),
            rows=tuple(
                (
                    row["says"], row["table"], number(row["failed"]), number(row["checked"]),
                    percent(row["failed"] / row["checked"], 2), SEVERITIES[row["severity"]][0],
                )
                for row in broken.to_dicts()
            ),
        ),
        source="contract_results",
        n=f"n\u00a0=\u00a0{counted(int(checked), 'row')} checked, {counted(results.height, 'rule')}",
        note=f"{counted(left_out, 'rule')} broken more rarely stand in the table only." if left_out else "",
        draw=lambda look: _draw_contract(rows, look),
    )  # fmt: skip


def _draw_contract(rows: list[dict[str, Any]], look: Look) -> Chart:
    per_line = look.room(0) // 7
    side = 104 if look.is_narrow else 150
    width = look.room(side)
    bars: list[dict[str, Any]] = []
    place = 0
    largest = max(row["failed"] / row["checked"] for row in rows)
    for row in rows:
        words = wrap(row["says"], per_line)
        share = row["failed"] / row["checked"]
        bars.append(
            {
                "words": words, "top": place, "bar": place + 15 * len(words) + 2, "end": place + 15 * len(words) + 16,
                "share": max(share, largest * 3 / width), "count": f"{number(row['failed'])} ({percent(share)})",
                "severity": SEVERITIES[row["severity"]][0],
            }
        )  # fmt: skip
        place += 15 * len(words) + 30
    used = [
        (name, colour) for name, colour in SEVERITIES.values() if any(bar["severity"] == name for bar in bars)
    ]
    base = alt.Chart(data_of(bars))
    scale = alt.Scale(domain=[0, place], reverse=True, nice=False)
    x = alt.X("share:Q", scale=alt.Scale(domain=[0, largest], nice=False), axis=None)
    text = base.mark_text(align="left", baseline="top", lineHeight=15).encode(
        x=alt.value(0), y=alt.Y("top:Q", scale=scale, axis=None), text="words:N"
    )
    bar = base.mark_bar().encode(
        x=x,
        x2=alt.value(0),
        y=alt.Y("bar:Q", scale=scale, axis=None),
        y2="end:Q",
        color=alt.Color(
            "severity:N",
            scale=alt.Scale(domain=[name for name, _ in used], range=[colour for _, colour in used]),
            legend=alt.Legend(title=None, columns=1 if look.is_narrow else 2),
        ),
    )
    count = base.mark_text(align="left", baseline="top", dx=6, dy=1).encode(
        x=x, y=alt.Y("bar:Q", scale=scale, axis=None), text="count:N"
    )
    return alt.layer(bar, text, count).properties(width=width, height=place)
