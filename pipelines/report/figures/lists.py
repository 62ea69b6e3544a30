"""A list's gate as a waterfall: from everybody to the people in the file, each step counted."""

from typing import Any

import altair as alt
import polars as pl

from pipelines.report import findings
from pipelines.report.theme import BLUE, GREY, ORANGE, PLUM, Chart, Figure, Look, PlainTable, axis, data_of
from pipelines.report.words import MINUS, counted, number

GATE = {
    "suppressed": "must not be written to",
    "not_eligible": "not meant by the rule",
    "no_consent": "no consent",
    "open_case": "open return or ticket",
    "capped": "written to too often",
    "held_out": "held out to measure",
    "undeliverable": "no address",
}
"""Steps of the gate in their order; each leaves people out."""


def gate_figure(campaign_list: pl.LazyFrame) -> Figure | None:
    """Waterfall of one list.

    Parameters
    ----------
    campaign_list
        One row of table campaign_lists; of several the first is drawn.
    """
    found = campaign_list.head(1).collect()
    if found.is_empty():
        return None
    row = found.row(0, named=True)
    return Figure(
        finding=findings.gate(row),
        description=f"Waterfall of the list {row['title']}: from everybody to the people in the file.",
        table=PlainTable(
            header=("Step", "Customers"),
            rows=(
                ("everybody", number(row["everyone"])),
                *(
                    (words, f"{MINUS}{number(row[step])}" if row[step] else "0")
                    for step, words in GATE.items()
                ),
                ("in the file", number(row["deliverable"])),
            ),
        ),
        source="campaign_lists",
        n=f"n\u00a0=\u00a0{counted(row['everyone'], 'customer')}",
        as_of=row["as_of"],
        draw=lambda look: _draw(row, look),
    )


def _draw(row: dict[str, Any], look: Look) -> Chart:
    bars = [
        {
            "step": "everybody",
            "start": 0,
            "end": row["everyone"],
            "text": number(row["everyone"]),
            "colour": GREY,
        }
    ]
    left = row["everyone"]
    for step, words in GATE.items():
        gone = row[step]
        text = f"{MINUS}{number(gone)}" if gone else "0"
        colour = PLUM if step == "held_out" else ORANGE
        bars.append({"step": words, "start": left - gone, "end": left, "text": text, "colour": colour})
        left -= gone
    bars.append(
        {
            "step": "in the file",
            "start": 0,
            "end": row["deliverable"],
            "text": number(row["deliverable"]),
            "colour": BLUE,
        }
    )
    gutter, side = 146, 58
    base = alt.Chart(data_of(bars)).encode(
        y=alt.Y(
            "step:N",
            sort=[bar["step"] for bar in bars],
            axis=axis(None, minExtent=gutter, maxExtent=gutter),
        ),
    )
    scale = alt.Scale(domain=[0, max(row["everyone"], 1)], nice=False)
    return alt.layer(
        base.mark_bar(height=15).encode(
            x=alt.X("start:Q", scale=scale, axis=None), x2="end:Q", color=alt.Color("colour:N", scale=None)
        ),
        base.mark_text(align="left", dx=5).encode(x=alt.X("end:Q", scale=scale, axis=None), text="text:N"),
    ).properties(width=look.room(gutter, side), height=22 * len(bars))
