"""What scores and events go with: who ordered again, as dots with their intervals.

The numbers come from `models.score_behaviour` and `models.aftermath`; nothing is computed here.
"""

from typing import Any

import altair as alt
import polars as pl

from pipelines.report.theme import BLUE, GREY, Chart, Figure, Look, PlainTable, axis, data_of
from pipelines.report.words import SPACE, counted, interval, number, percent, points

HORIZON = 180
"""Days that scores and events are shown for; the tables hold the others."""

EVENT_NAMES = {
    "late_parcel": "Late parcel",
    "ticket": "Ticket",
    "wismo_ticket": "Asked where it is",
    "return": "Return",
    "bad_return": "Return, shop's fault",
    "slow_refund": "Slow refund",
}
GROUP_NAMES = {
    "promoter": "Promoters (9–10)",
    "passive": "Passives (7–8)",
    "detractor": "Detractors (0–6)",
    "high": "High (4–5)",
    "middle": "Middle (3)",
    "low": "Low (1–2)",
    "no answer": "Did not answer",
}
_MEASURE_NAMES = {"nps": "NPS", "csat": "CSAT", "product": "product score"}


def score_figure(score_behaviour: pl.LazyFrame) -> Figure | None:
    """Who ordered again after a survey, by what they answered, for the survey with the most answers."""
    over = (
        score_behaviour.filter(
            pl.col("horizon_days") == HORIZON, pl.col("group").is_in(list(GROUP_NAMES)), pl.col("n") > 0
        )
        .collect()
        .to_dicts()
    )
    answered = {row["measure"]: 0 for row in over if row["group_kind"] == "band"}
    for row in over:
        answered[row["measure"]] = answered.get(row["measure"], 0) + (row["group_kind"] == "band") * row["n"]
    measure = max(sorted(answered), key=lambda name: answered[name], default=None)
    of_groups = {row["group"]: row for row in over if row["measure"] == measure}
    rows = [of_groups[group] for group in GROUP_NAMES if group in of_groups]
    bands = [row for row in rows if row["group_kind"] == "band"]
    if measure is None or len(bands) < 2:
        return None
    best, worst = bands[0], bands[-1]
    return Figure(
        finding=f"{percent(best['rate'], 0)} of the {_plain(best)} ordered again within {HORIZON} days,"
        f" and {percent(worst['rate'], 0)} of the {_plain(worst)}"
        f"{', too few to be sure' if any(row['is_small'] for row in bands) else ''}.",
        description="Dots with intervals: share with another order after the survey, by what people answered.",
        table=PlainTable(
            header=(
                "Answer", "Customers", "Ordered again", "95 % interval", "At the same earlier orders",
                "Weighted for silence",
            ),
            rows=tuple(
                (
                    GROUP_NAMES[row["group"]], number(row["n"]), percent(row["rate"]),
                    interval(row["low"], row["high"]), percent(row["standardised_rate"]),
                    "" if row["weighted_rate"] is None else percent(row["weighted_rate"]),
                )
                for row in rows
            ),
        ),
        source="score_behaviour",
        n=f"n\u00a0=\u00a0{counted(sum(row['n'] for row in rows), 'customer')}, {_MEASURE_NAMES[measure]}",
        note="The first survey that reached each. No score makes an order: people who like a shop do both."
        " Grey: fewer than 30.",
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw_dots(
            [_dot(GROUP_NAMES[row["group"]], row["rate"], row) for row in rows], "", ".0%", look
        ),
    )  # fmt: skip


def aftermath_figure(aftermath: pl.LazyFrame) -> Figure | None:
    """What each event goes with: another order within the horizon, against alike orders without the event."""
    found = {
        row["event"]: row
        for row in aftermath.filter(pl.col("horizon_days") == HORIZON, pl.col("difference").is_not_null())
        .collect()
        .to_dicts()
    }
    rows = [found[event] for event in EVENT_NAMES if event in found]
    if not rows:
        return None
    return Figure(
        finding=_aftermath_says(rows),
        description="Dots with intervals: how much more or less often another order follows one with the event.",
        table=PlainTable(
            header=("Event", "Orders", "Ordered again", "Alike orders without", "Difference", "95 % interval"),
            rows=tuple(
                (
                    EVENT_NAMES[row["event"]], number(row["with_n"]), percent(row["alike_with_rate"]),
                    percent(row["alike_without_rate"]), points(row["difference"]),
                    f"{points(row['low'])} to {points(row['high'])}",
                )
                for row in rows
            ),
        ),
        source="aftermath",
        n=f"n\u00a0=\u00a0{counted(max(row['with_n'] + row['without_n'] for row in rows), 'order')}",
        note=f"Another order after day {rows[0]['landmark_days']} and by day {HORIZON}, against orders alike in earlier"
        " orders, channel and month: no experiment. Grey: fewer than 30 orders with the event.",
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw_dots(
            [_dot(EVENT_NAMES[row["event"]], row["difference"], row) for row in rows],
            "difference in points",
            "",
            look,
        ),
    )  # fmt: skip


def _aftermath_says(rows: list[dict[str, Any]]) -> str:
    """Name the event that surely goes with the largest loss; else say that none does."""
    sure = [row for row in rows if row["high"] < 0 and not row["is_small"]]
    if not sure:
        return "No event is followed by surely fewer next orders than alike orders without it."
    worst = min(sure, key=lambda row: row["difference"])
    return (
        f"{EVENT_NAMES[worst['event']]}: another order follows within {HORIZON} days"
        f" {points(-worst['difference'])} less often than after alike orders"
        f" ({-100 * worst['high']:.1f} to {points(-worst['low'])})."
    )


def _plain(row: dict[str, Any]) -> str:
    return GROUP_NAMES[row["group"]][:1].lower() + GROUP_NAMES[row["group"]][1:].replace(" (", f"{SPACE}(")


def _dot(name: str, value: float, row: dict[str, Any]) -> dict[str, Any]:
    colour = GREY if row["is_small"] else BLUE
    return {"name": name, "value": value, "low": row["low"], "high": row["high"], "colour": colour}


def _draw_dots(dots: list[dict[str, Any]], title: str, number_format: str, look: Look) -> Chart:
    is_difference = not number_format
    scale = 100 if is_difference else 1
    data = [{**dot, **{name: dot[name] * scale for name in ("value", "low", "high")}} for dot in dots]
    gutter = 136 if look.is_narrow else 170
    base = alt.Chart(data_of(data)).encode(
        y=alt.Y(
            "name:N",
            sort=[dot["name"] for dot in dots],
            axis=axis(None, minExtent=gutter, maxExtent=gutter, labelLimit=gutter, labelPadding=10),
        ),
        color=alt.Color("colour:N", scale=None),
    )
    labels = (
        {"labelExpr": "datum.value ? format(datum.value, '+d') : '0'"}
        if is_difference
        else {"format": number_format}
    )
    x_axis = axis(title or None, tickCount=4 if look.is_narrow else 6, grid=True, **labels)
    x_scale = alt.Scale(zero=True, nice=True)
    layers: list[alt.Chart] = [
        base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", scale=x_scale, axis=x_axis), x2="high:Q"),
        base.mark_point(filled=True, opacity=1, size=110).encode(
            x=alt.X("value:Q", scale=x_scale, axis=x_axis)
        ),
    ]
    if is_difference:
        layers.insert(0, alt.Chart(data_of([{"zero": 0}])).mark_rule(color=GREY).encode(x="zero:Q"))
    return alt.layer(*layers).properties(width=look.room(gutter, 28), height=34 * len(dots))
