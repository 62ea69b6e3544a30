"""RFM segments: their share of customers beside their share of net revenue."""

from typing import Any

import altair as alt
import polars as pl

from models.rfm import KLAVIYO_SEGMENTS
from pipelines.report import findings
from pipelines.report.theme import (
    BLUE,
    GREY,
    Chart,
    Figure,
    Look,
    PlainTable,
    axis,
    data_of,
)
from pipelines.report.words import (
    counted,
    exact_money,
    number,
    percent,
)


def rfm_figure(rfm: pl.LazyFrame, currency: str = "") -> Figure | None:
    """Each RFM segment's share of the customers beside its share of net revenue."""
    found = (
        rfm.group_by("klaviyo_segment")
        .agg(customers=pl.len().cast(pl.Int64), net=pl.col("net").sum(), as_of=pl.col("as_of").max())
        .filter(pl.col("klaviyo_segment").is_not_null())
        .collect()
    )
    if found.is_empty():
        return None
    totals = found.select(pl.col("customers").sum(), pl.col("net").sum()).row(0)
    by_name = {row["klaviyo_segment"]: row for row in found.iter_rows(named=True)}
    rows = [
        {
            **by_name[name],
            "share": by_name[name]["customers"] / totals[0],
            "net_share": by_name[name]["net"] / totals[1] if totals[1] > 0 else None,
        }
        for name in (*KLAVIYO_SEGMENTS, *sorted(set(by_name) - set(KLAVIYO_SEGMENTS)))
        if name in by_name
    ]
    return Figure(
        finding=findings.segments(rows),
        description="Paired bars: each RFM segment's share of customers and share of net revenue.",
        table=PlainTable(
            header=("Segment", "Customers", "Share of customers", "Net revenue", "Share of net revenue"),
            rows=tuple(
                (
                    row["klaviyo_segment"], number(row["customers"]), percent(row["share"]),
                    exact_money(row["net"], currency), percent(row["net_share"]),
                )
                for row in rows
            ),
        ),
        source="rfm",
        n=f"n\u00a0=\u00a0{counted(totals[0], 'customer')}",
        note="Segments of Klaviyo's published map. Orders without a customer are in no segment.",
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw_rfm(rows, look),
    )  # fmt: skip


def _draw_rfm(rows: list[dict[str, Any]], look: Look) -> Chart:
    kinds = {"share": "share of customers", "net_share": "share of net revenue"}
    bars = [
        {
            "segment": row["klaviyo_segment"],
            "kind": kind,
            "share": row[column] or 0.0,
            "text": percent(row[column], 0),
        }
        for row in rows
        for column, kind in kinds.items()
    ]
    gutter, side = 112, 56
    base = alt.Chart(data_of(bars)).encode(
        y=alt.Y(
            "segment:N",
            sort=[row["klaviyo_segment"] for row in rows],
            scale=alt.Scale(paddingInner=0.3),
            axis=axis(None, minExtent=gutter, maxExtent=gutter),
        ),
        yOffset=alt.YOffset("kind:N", sort=list(kinds.values())),
        x=alt.X("share:Q", axis=None),
    )
    return alt.layer(
        base.mark_bar().encode(
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=list(kinds.values()), range=[GREY, BLUE]),
                legend=alt.Legend(title=None, columns=1 if look.is_narrow else 2),
            )
        ),
        base.mark_text(align="left", dx=5).encode(text="text:N"),
    ).properties(width=look.room(gutter, side), height=48 * len(rows))
