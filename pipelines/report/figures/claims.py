"""Claims beside the shop's own numbers: dots with intervals, each as a multiple of what is claimed.

The numbers come from `models.claims`; nothing is computed here but the multiple that is drawn.
"""

from textwrap import wrap
from typing import Any

import altair as alt
import polars as pl

from pipelines.report.theme import BLUE, GREY, ORANGE, Chart, Figure, Look, PlainTable, axis, data_of
from pipelines.report.words import MINUS, SPACE, counted, number, percent, points

STATUS_COLOURS = {"holds": BLUE, "does not hold": ORANGE, "cannot tell": GREY, "cannot be tested": GREY}
_LEAST, _MOST = -1.0, 3.0
"""Multiples that the picture shows; what lies beyond is drawn at its edge, and told in full in the table."""


def claims_figure(claims: pl.LazyFrame) -> Figure | None:
    """The shop's numbers against the claims' figures; None where nothing has both."""
    rows = claims.sort("claim", maintain_order=True).collect().to_dicts()
    tested = [row for row in rows if row["number"] is not None]
    drawn = [row for row in tested if _multiple(row) is not None]
    if not drawn:
        return None
    is_all = len(drawn) == len(tested)
    return Figure(
        finding=_says(rows),
        description="Dots with intervals: the shop's number as a multiple of the figure that is claimed.",
        table=PlainTable(
            header=("Claim", "Tested", "Claimed", "This shop", "n", "Result"),
            rows=tuple(
                (
                    f"{row['claim']}. {row['claim_says']}", row["part"], claimed(row), found(row),
                    number(row["n"]) if row["n"] is not None else "", row["status"],
                )
                for row in tested
            ),
        ),
        source="claims",
        n=counted(len(tested), "tested part") + f" of {counted(len({row['claim'] for row in tested}), 'claim')}",
        note="1 is what is claimed. Lines: 95 % intervals. Blue holds, orange does not, grey cannot be told."
        " What lies outside the picture is drawn at its edge."
        f"{'' if is_all else ' Claims of a change of 0 have no multiple: they stand in the table alone.'}",
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw(drawn, look),
    )  # fmt: skip


def told(value: float | None, unit: str | None) -> str:
    """A number of a claim with its unit; empty where it is not known."""
    if value is None:
        return ""
    if unit == "share":
        return percent(value)
    if unit == "points":
        return points(value)
    digits = 2 if abs(value) < 10 else 1
    text = f"{value:,.{digits}f}".replace("-", MINUS)
    return f"{text}{SPACE}times" if unit == "times" else text


def found(row: dict[str, Any]) -> str:
    """The shop's number with its interval."""
    if row["number"] is None:
        return ""
    number_told = told(row["number"], row["unit"])
    if row["low"] is None or row["high"] is None:
        return number_told
    return f"{number_told} ({_between(row['low'], row['high'], row['unit'])})"


def claimed(row: dict[str, Any]) -> str:
    """The claim's figure, and how it is meant."""
    low, high, unit = row["claimed_low"], row["claimed_high"], row["unit"]
    if low is None and high is None:
        return ""
    if low is None or high is None or low == high:
        return f"{row['sense']} {told(high if low is None else low, unit)}"
    return _between(low, high, unit)


def _between(low: float, high: float, unit: str | None) -> str:
    """Both ends, with the unit once."""
    return f"{told(low, unit).split(SPACE)[0]} to {told(high, unit)}"


def _says(rows: list[dict[str, Any]]) -> str:
    tested = {row["claim"] for row in rows if row["status"] in ("holds", "does not hold")}
    holding = {
        claim for claim in tested if any(row["status"] == "holds" for row in rows if row["claim"] == claim)
    }
    if not tested:
        return "None of the claims can be told to hold or not to hold here yet."
    return (
        f"Of {counted(len({row['claim'] for row in rows}), 'claim')} that everybody repeats, this shop's data settle"
        f" {number(len(tested))}: {number(len(holding))} hold at least in part."
    )


def _multiple(row: dict[str, Any]) -> tuple[float, float, float] | None:
    """Number and both ends as multiples of the middle of what is claimed."""
    if any(row[name] is None for name in ("number", "low", "high", "claimed_low", "claimed_high")):
        return None
    middle = (row["claimed_low"] + row["claimed_high"]) / 2
    if middle == 0:
        return None
    one, low, high = (row[name] / middle for name in ("number", "low", "high"))
    return one, min(low, high), max(low, high)


def _draw(rows: list[dict[str, Any]], look: Look) -> Chart:
    letters = 24 if look.is_narrow else 60
    data: list[dict[str, Any]] = []
    for row in rows:
        multiple = _multiple(row)
        assert multiple is not None, "only such rows are drawn"
        value, low, high = (min(max(one, _LEAST), _MOST) for one in multiple)
        data.append(
            {
                "name": "\n".join(wrap(f"{row['claim']}  {row['part']}", letters)),
                "value": value,
                "low": low,
                "high": high,
                "colour": STATUS_COLOURS[row["status"]],
            }
        )
    gutter = 160 if look.is_narrow else 330
    scale = alt.Scale(zero=False, nice=True)
    base = alt.Chart(data_of(data)).encode(
        y=alt.Y(
            "name:N",
            sort=[row["name"] for row in data],
            axis=axis(
                None,
                labelExpr="split(datum.label, '\\n')",
                minExtent=gutter,
                maxExtent=gutter,
                labelLimit=gutter - 10,
                labelPadding=10,
            ),
        ),
        color=alt.Color("colour:N", scale=None),
    )
    x_axis = axis("multiple of what is claimed", values=[-1, 0, 1, 2, 3], grid=True)
    return alt.layer(
        alt.Chart(data_of([{"one": 1}])).mark_rule(color=GREY, strokeDash=[4, 3]).encode(x="one:Q"),
        base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", scale=scale, axis=x_axis), x2="high:Q"),
        base.mark_point(filled=True, opacity=1, size=90).encode(x=alt.X("value:Q", scale=scale, axis=x_axis)),
    ).properties(width=look.room(gutter, 28), height=(46 if look.is_narrow else 26) * len(data))
