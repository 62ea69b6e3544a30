"""Shapes of the free forms: lines, bars and dots, cells. They stand in for themselves, without title and footer.

Bars and dots lie on their side where their names are text, so that these can be read. What is said around them stands
in `pipelines.explore.house_charts`.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import altair as alt

from pipelines.explore.house_data import SHARES, Drawable, axis_format, axis_words, day_format, said
from pipelines.report.theme import (
    BLUE,
    BLUES,
    GREY,
    INK,
    PALETTE,
    Chart,
    Look,
    axis,
    data_of,
    ink_on,
    shade,
)

DASHES: Final = ([1, 0], [7, 3], [2, 2], [9, 2, 2, 2], [4, 1])
MOST_WRITTEN: Final = 24
"""Marks up to which each has its number beside it, where there is room."""
LETTER: Final = 7
"""Pixels that a letter takes at most."""
MOST_TICKS: Final = 14
GUTTER: Final = 56
"""Pixels left of numbers; names take what they need."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Columns and units of one chart."""

    of: Drawable
    x: str
    y: str
    low: str | None
    high: str | None
    by: str | None
    unit: str
    baseline: float | None

    @property
    def numbers(self) -> list[float]:
        """Every number drawn."""
        columns = [column for column in (self.y, self.low, self.high) if column]
        found = [row[column] for row in self.of.rows for column in columns if row[column] is not None]
        return [*found, *([] if self.baseline is None else [self.baseline])]

    @property
    def groups(self) -> list[Any]:
        """What the colours stand for."""
        return self.of.values(self.by) if self.by else []


def _colour(marks: Marks) -> dict[str, Any]:
    """Encode what the colours stand for; a legend only where there are several."""
    if not marks.by:
        return {}
    # Where a band lies below the line, the legend would else be as pale as the band.
    legend = alt.Legend(title=None, symbolLimit=0, symbolOpacity=1)
    scale = alt.Scale(domain=marks.groups, range=list(PALETTE[: len(marks.groups)]))
    return {"color": alt.Color(f"{marks.by}:N", scale=scale, legend=legend, sort=marks.groups)}


def lines(marks: Marks, titles: tuple[str, str], look: Look) -> Chart:
    """Draw lines over days, numbers or names, with bands where there are intervals."""
    kind = {"day": "T", "number": "Q", "text": "O"}[marks.of.kinds[marks.x]]
    values = marks.of.values(marks.x)
    x: dict[str, Any] = {"axis": axis(titles[0], grid=False, labelAngle=0, labelOverlap=True)}
    if kind == "O":
        x["sort"] = values
    if kind == "T":
        days = axis(None, grid=False, format=day_format(values), labelOverlap=True, tickCount=8)
        x = {"scale": alt.Scale(type="utc"), "axis": days}
    if kind == "Q":
        x["scale"] = alt.Scale(zero=False, nice=False)
        if len(values) <= MOST_TICKS and all(float(value).is_integer() for value in values):
            x["axis"] = axis(titles[0], grid=False, values=sorted(values), format="d")
    base = alt.Chart(data_of(marks.of.rows)).encode(x=alt.X(f"{marks.x}:{kind}", **x), **_colour(marks))
    y_axis = _number_axis(marks, titles[1], minExtent=GUTTER - 8)
    y = alt.Y(f"{marks.y}:Q", axis=y_axis, scale=alt.Scale(zero=min(marks.numbers) >= 0))
    stroke: dict[str, Any] = {"strokeDash": alt.StrokeDash(
        f"{marks.by}:N", sort=marks.groups, legend=None,
        scale=alt.Scale(domain=marks.groups, range=[list(dash) for dash in DASHES[: len(marks.groups)]]),
    )} if marks.by else {}  # fmt: skip
    own: dict[str, Any] = {} if marks.by else {"color": BLUE}
    layers: list[Any] = [*_baseline(marks, "y")]
    if marks.low and marks.high:
        band = alt.Y(f"{marks.low}:Q", axis=y_axis)
        layers.append(base.mark_area(opacity=0.16, **own).encode(y=band, y2=f"{marks.high}:Q"))
    point = {"size": 30, **own} if len(values) <= 40 else False
    layers.append(base.mark_line(strokeWidth=2.5, point=point, **own).encode(y=y, **stroke))
    return alt.layer(*layers).properties(width=look.room(GUTTER, 16), height=220 if look.is_narrow else 280)


def standing(marks: Marks, titles: tuple[str, str], are_bars: bool, look: Look) -> Chart:
    """Draw bars or dots: upright over numbers and days, on their side beside names."""
    labels = dict(zip(marks.of.values(marks.x), marks.of.labels(marks.x), strict=True))
    rows = [row | {"label": labels[row[marks.x]]} for row in marks.of.rows if row[marks.x] is not None]
    lies = marks.of.kinds[marks.x] == "text"
    along, across, offset = ("x", "y", "yOffset") if lies else ("y", "x", "xOffset")
    names = list(labels.values())
    longest = max(len(line) for name in names for line in name.split("\n"))
    gutter = min(90 if look.is_narrow else 250, 16 + LETTER * longest) if lies else GUTTER
    wide = look.room(gutter, 70 if lies else 16)
    every = 1 if lies else -(-len(names) * (longest * LETTER + 8) // wide)
    name_axis = axis(
        None if lies or marks.of.kinds[marks.x] == "day" else titles[0],
        labelExpr="split(datum.label, '\\n')",
        labelAngle=0,
        ticks=False,
        labelPadding=6,
        grid=False,
        values=names[::every],
        labelLimit=gutter if lies else 400,
    )
    channel = alt.Y if lies else alt.X
    number_channel = alt.X if lies else alt.Y
    encoded: dict[str, Any] = {
        across: channel("label:N", sort=names, axis=name_axis, scale=alt.Scale(paddingInner=0.25)),
        **_colour(marks),
    }
    if marks.by:
        turn = alt.YOffset if lies else alt.XOffset
        encoded[offset] = turn(f"{marks.by}:N", sort=marks.groups)
    base = alt.Chart(data_of(rows)).encode(**encoded)
    number_axis = _number_axis(marks, titles[1], **({} if lies else {"minExtent": gutter - 8}))
    scale = alt.Scale(zero=are_bars)
    length: dict[str, Any] = {along: number_channel(f"{marks.y}:Q", axis=number_axis, scale=scale)}
    own: dict[str, Any] = {} if marks.by else {"color": BLUE}
    layers: list[Any] = [*_baseline(marks, along)]
    if are_bars:
        layers.append(base.mark_bar(**own).encode(**length))
    if marks.low and marks.high:
        ends: dict[str, Any] = {
            along: number_channel(f"{marks.low}:Q", axis=number_axis),
            f"{along}2": f"{marks.high}:Q",
        }
        ink = {"color": alt.value(INK)} if are_bars or not marks.by else {}
        layers.append(base.mark_rule(strokeWidth=1.6).encode(**(ends | ink)))
    if not are_bars:
        layers.append(base.mark_point(filled=True, size=70, opacity=1, **own).encode(**length))
    texts = _texts(marks, rows, along)
    step = math.inf if lies else wide / len(names)
    if not marks.by and _fit([text["text"] for text in texts], step):
        layers.append(_written(texts, encoded, along, number_channel, number_axis))
    each = max(30, 8 + 15 * max(name.count("\n") + 1 for name in names))
    height = each * len(names) * max(1, 0.7 * len(marks.groups)) if lies else 220 if look.is_narrow else 280
    return alt.layer(*layers).properties(width=wide, height=max(height, 60))


def _texts(marks: Marks, rows: list[dict[str, Any]], along: str) -> list[dict[str, Any]]:
    """Each number in words, and the outer end of its mark."""
    return [
        {
            "label": row["label"],
            "end": max(row[marks.y], row[marks.high] or row[marks.y] if marks.high else row[marks.y], 0)
            if row[marks.y] >= 0 or along == "x"
            else row[marks.y],
            "text": said(row[marks.y], "" if marks.unit not in SHARES else marks.unit),
        }
        for row in rows
        if row[marks.y] is not None
    ]


def _fit(texts: list[str], step: float) -> bool:
    """Whether numbers so many pixels apart stay apart; where they do not, the axis has to tell them."""
    return 0 < len(texts) <= MOST_WRITTEN and LETTER * max(map(len, texts)) <= step


def _written(
    texts: list[dict[str, Any]], encoded: dict[str, Any], along: str, channel: Any, number_axis: Any
) -> alt.Chart:
    """Each number beside the outer end of its mark."""
    where: dict[str, Any] = {"align": "left", "dx": 6} if along == "x" else {"baseline": "bottom", "dy": -4}
    across = {key: value for key, value in encoded.items() if key in ("x", "y")}
    return (
        alt.Chart(data_of(texts))
        .mark_text(fontSize=12, **where)
        .encode(**across, **{along: channel("end:Q", axis=number_axis)}, text="text:N")
    )


def _baseline(marks: Marks, along: str) -> list[alt.Chart]:
    if marks.baseline is None:
        return []
    at: dict[str, Any] = {along: alt.Y("at:Q") if along == "y" else alt.X("at:Q")}
    rule = alt.Chart(data_of([{"at": marks.baseline}])).mark_rule(color=GREY, strokeDash=[4, 3])
    return [rule.encode(**at)]


def _number_axis(marks: Marks, title: str, **more: Any) -> alt.Axis:
    return axis(title, format=axis_format(marks.numbers, marks.unit), tickCount=5, **more)


def cells(marks: Marks, value: str, titles: tuple[str, str], look: Look) -> Chart:
    """Draw cells, the darker the more, each with its number where there is room."""
    of = marks.of
    across, down = of.labels(marks.x), of.labels(marks.y)
    x_of = dict(zip(of.values(marks.x), across, strict=True))
    y_of = dict(zip(of.values(marks.y), down, strict=True))
    known = [row for row in of.rows if None not in (row[marks.x], row[marks.y], row[value])]
    lowest = min(0.0, *(row[value] for row in known))
    span = max(row[value] for row in known) - lowest or 1.0
    gutter = min(
        90 if look.is_narrow else 200,
        16 + LETTER * max(len(line) for name in down for line in name.split("\n")),
    )
    wide = look.room(gutter, 16)
    cells: list[dict[str, Any]] = []
    for row in known:
        fill = shade(BLUES, (row[value] - lowest) / span)
        text = f"{row[value] * 100:.0f}" if marks.unit in SHARES else said(row[value], "")
        cells.append(
            {
                "x": x_of[row[marks.x]],
                "y": y_of[row[marks.y]],
                "text": text,
                "fill": fill,
                "ink": ink_on(fill),
            }
        )
    in_what = f"; {'share in %' if marks.unit in SHARES else axis_words(value, marks.unit)}"
    split: dict[str, Any] = {
        "labelExpr": "split(datum.label, '\\n')",
        "ticks": False,
        "domain": False,
        "grid": False,
    }
    base = alt.Chart(data_of(cells)).encode(
        x=alt.X("x:O", sort=across, axis=axis(titles[0] + in_what, orient="top", labelAngle=0, **split)),
        y=alt.Y("y:O", sort=down, axis=axis(None, minExtent=gutter - 8, **split)),
    )
    layers: list[Any] = [
        base.mark_rect(stroke="white", strokeWidth=1).encode(color=alt.Color("fill:N", scale=None))
    ]
    if wide / len(across) >= 9 * max(len(cell["text"]) for cell in cells) - 4:
        layers.append(base.mark_text(fontSize=11).encode(text="text:N", color=alt.Color("ink:N", scale=None)))
    return alt.layer(*layers).properties(width=wide, height=24 * len(down))
