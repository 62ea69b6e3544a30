"""The house theme: one look for every chart, readable in black and white, by colour-blind people, and on a phone.

A `Figure` knows what it found, how to say it to somebody who cannot see it, its numbers as a plain table, and how
to draw itself for a `Look`. What the figures show does not belong here.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from textwrap import wrap
from typing import Any, cast

import altair as alt

from pipelines.report.words import long_day

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""Same widths on every system: vl-convert brings the first, Windows and macOS have the second or third."""

INK, SOFT_INK, RULE, PAPER = "#1A1A1A", "#4A4A4A", "#D9D9D9", "#FFFFFF"
BLUE, ORANGE, GREEN, PLUM, GREY = "#0070CC", "#CC6A14", "#1E4C2B", "#662864", "#767676"
PALETTE = (BLUE, ORANGE, GREEN, PLUM, GREY)
"""At least 3:1 against paper, and apart under the three common kinds of colour blindness."""
BLUES = ("#E8F2FC", "#6FB1E8", "#08396B")
GREYS = ("#F0F0F0", "#B5B5B5", "#5A5A5A")
"""From little to much."""

WIDE, NARROW = 720, 340
"""Pixels; the narrow form is for phones."""

CONFIG: dict[str, Any] = {
    "background": PAPER,
    "font": FONT,
    "padding": 4,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK, "titleColor": SOFT_INK, "labelFontSize": 12, "titleFontSize": 12,
        "titleFontWeight": "normal", "domainColor": GREY, "tickColor": GREY, "gridColor": RULE,
        "labelLimit": 400, "aria": False,
    },
    "axisY": {"domain": False, "ticks": False},
    "legend": {
        "labelColor": INK, "titleColor": SOFT_INK, "labelFontSize": 12, "titleFontSize": 12,
        "titleFontWeight": "normal", "labelLimit": 400, "orient": "top", "direction": "horizontal",
        "symbolType": "square", "aria": False,
    },
    "title": {
        "color": INK, "subtitleColor": SOFT_INK, "fontSize": 15, "fontWeight": "bold", "anchor": "start",
        "subtitleFontSize": 12, "aria": False,
    },
    "mark": {"aria": False},
    "text": {"color": INK, "fontSize": 12, "aria": False},
    "bar": {"color": BLUE, "aria": False},
    "range": {"category": list(PALETTE)},
}  # fmt: skip

Chart = alt.FacetChart | alt.LayerChart | alt.Chart | alt.HConcatChart | alt.VConcatChart
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Look:
    """For whom a chart is drawn.

    Attributes
    ----------
    width
        Pixels from edge to edge; below 480 the narrow form is drawn.
    is_titled
        Finding and source are part of the picture; the report writes them as text instead.
    shop, as_of, currency
        For the footer and for amounts; as_of is read from the table where it has one.
    """

    width: int = WIDE
    is_titled: bool = True
    shop: str = ""
    as_of: date | None = None
    currency: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether this is for a phone."""
        return self.width < 480

    def room(self, *taken: int) -> int:
        """Pixels that are left of the width."""
        return self.width - sum(taken) - 2 * CONFIG["padding"]


@dataclass(frozen=True, kw_only=True)
class PlainTable:
    """A figure's numbers as text: header cells, and rows of as many cells, the first of which names the row."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One finding and everything needed to show it.

    Attributes
    ----------
    finding
        The sentence that the picture proves; its title.
    description
        What is drawn, for people who cannot see it.
    table
        The numbers drawn.
    source, n
        Table that it was drawn from, and how many of what.
    note
        What one must know to read it; may be empty.
    as_of
        Last day included, where the table says so.
    draw
        Draws it without title and footer.
    """

    finding: str
    description: str
    table: PlainTable
    source: str
    n: str
    draw: Callable[[Look], Chart]
    note: str = ""
    as_of: date | None = field(default=None)

    @property
    def alternative(self) -> str:
        """Text that stands in for the picture."""
        return f"{self.description} {self.finding}"

    def footer(self, look: Look) -> str:
        """Source, n and day in one line."""
        day = self.as_of or look.as_of
        parts = [
            f"Source: {look.shop + ', ' if look.shop else ''}table {self.source}",
            self.n,
            f"as of {long_day(day)}" if day else "",
        ]
        return " · ".join(part for part in parts if part)

    def chart(self, look: Look) -> Chart:
        """Draw it in the house theme."""
        chart = self.draw(look)
        if look.is_titled:
            chart = _titled(chart, self.finding, [self.note, self.footer(look)], look)
        return _dressed(chart, self.alternative)


def _dressed(chart: Chart, description: str) -> Chart:
    # The chart was drawn just now and is nobody else's: set in place, for every copy costs as much as drawing it.
    setattr(chart, "description", description)  # noqa: B010
    setattr(chart, "config", CONFIG)  # noqa: B010
    return chart


def _titled(chart: Chart, finding: str, below: Sequence[str], look: Look) -> Chart:
    # One chart can bear one title: the finding goes above the inner, the footer below the outer one.
    inner = chart.properties(
        title=alt.TitleParams(wrap(finding, look.width // 8), anchor="start", frame="bounds", offset=12)
    )
    lines = [line for text in below for line in wrap(text, int(look.width / 5.9))]
    return (
        alt.vconcat(inner)
        .resolve_legend(color="independent")
        .resolve_scale(color="independent")
        .properties(
        title=alt.TitleParams(
            lines, orient="bottom", anchor="start", frame="bounds", fontSize=11, fontWeight="normal",
            color=SOFT_INK, offset=12,
        ))
    )  # fmt: skip


def data_of(rows: Sequence[Row]) -> alt.InlineData:
    """Put rows into a chart as they are."""
    # As text: Altair copies every value of a chart at every step, and a heat map has many.
    text = json.dumps([dict(row) for row in rows], ensure_ascii=False)
    return alt.InlineData(values=text, format=alt.JsonDataFormat(type="json"))


def nothing_to_show(why: str, look: Look) -> Chart:
    """Draw a chart's place where there is nothing to draw, saying why."""
    lines = wrap(why, look.width // 8)
    chart = (
        alt.Chart(data_of([{"text": lines}]))
        .mark_text(align="left", x=0, y=10, baseline="top", lineHeight=18, fontSize=14)
        .encode(text="text:N")
        .properties(width=look.room(), height=18 * len(lines) + 12)
    )
    return _dressed(chart, why)


def axis(title: str | None = None, **more: Any) -> alt.Axis:
    """Axis with a plain title."""
    return alt.Axis(title=title, **more)


def shade(ramp: tuple[str, str, str], share: float) -> str:
    """Colour of a ramp, as #RRGGBB; 0 is its first and 1 its last."""
    start = 0 if share < 0.5 else 1
    part = min(max(share, 0.0), 1.0) * 2 - start
    channels = (
        (int(ramp[start][at : at + 2], 16), int(ramp[start + 1][at : at + 2], 16)) for at in (1, 3, 5)
    )
    return "#" + "".join(f"{round(low + (high - low) * part):02X}" for low, high in channels)


def luminance(colour: str) -> float:
    """Relative luminance of #RRGGBB, WCAG 2.2."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, WCAG 2.2: 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(colour: str) -> str:
    """Black or paper, whichever reads better on a colour: 4.5:1 at least, which ink would miss on middle shades."""
    return max("#000000", PAPER, key=lambda candidate: contrast(candidate, colour))


def enable() -> None:
    """Make the house theme that of all Altair charts in this session, drawn as SVG without any request."""
    alt.theme.register("retention_lab", enable=True)(
        lambda: cast("alt.theme.ThemeConfig", {"config": CONFIG})
    )
    alt.renderers.enable("svg")
