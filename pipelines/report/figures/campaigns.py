"""What campaigns changed, as differences with their intervals; and who unsubscribed after how many contacts.

The numbers come from `models.campaign_effect` and `models.contact_pressure`; nothing is computed here.
"""

from typing import Any

import altair as alt
import polars as pl

from pipelines.report.theme import BLUE, GREY, ORANGE, Chart, Figure, Look, PlainTable, axis, data_of
from pipelines.report.words import MINUS, SPACE, counted, interval, long_day, number, percent, points

OUTCOME_NAMES = {
    "ordered": "Ordered at all, points",
    "orders": "Orders per 100 people",
    "net_revenue": "Net revenue per person",
    "returned_value": "Sent back per person",
    "unsubscribed": "Unsubscribed, points",
}
"""Outcomes in the order they are shown, with the unit that they are shown in."""
VERDICT_NAMES = {
    "worked": "worked",
    "did_harm": "did harm",
    "too_small": "too small to tell",
    "too_early": "too early",
    "not_used": "not used",
}
_PER_100 = ("ordered", "orders", "unsubscribed")
_COLOURS = {"worked": BLUE, "did_harm": ORANGE}
WINDOW = 90
"""Days of contacts that the picture shows; the table holds the shorter window too."""


def campaigns_figure(campaign_results: pl.LazyFrame) -> Figure | None:
    """How much more or less often people of each finished campaign ordered than the people held out."""
    rows = [row for row in _closed(campaign_results) if row["outcome"] == "ordered"]
    if not rows:
        return None
    sure = [row for row in rows if row["verdict"] in _COLOURS]
    return Figure(
        finding=_campaigns_say(rows, sure),
        description="Dots with intervals: difference in the share who ordered, written to less held out, by campaign.",
        table=PlainTable(
            header=("Campaign", "Written to", "Held out", "Ordered", "Held out ordered", "Difference", "Verdict"),
            rows=tuple(
                (
                    row["title"], number(row["delivered"]), number(row["held_out"]), percent(row["delivered_mean"]),
                    percent(row["held_out_mean"]),
                    f"{points(row['value'])} ({points(row['from'])} to {points(row['to'])})",
                    VERDICT_NAMES[row["verdict"]],
                )
                for row in rows
            ),
        ),
        source="campaign_results",
        n=f"n{SPACE}={SPACE}{counted(sum(row['delivered'] + row['held_out'] for row in rows), 'person', 'people')}",
        note="By lot, by assignment, at equal earlier orders; 95 % intervals. Grey: could be chance.",
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw_campaigns(rows, look),
    )  # fmt: skip


def campaign_figure(campaign_results: pl.LazyFrame, campaign: str, currency: str = "") -> Figure | None:
    """What one campaign changed: every outcome's difference; None before its windows are over.

    Parameters
    ----------
    campaign_results
        Table campaign_results of one day.
    campaign
        Its name.
    """
    found = {row["outcome"]: row for row in _closed(campaign_results.filter(pl.col("campaign") == campaign))}
    rows = [found[name] for name in OUTCOME_NAMES if name in found]
    if not rows:
        return None
    return Figure(
        finding=rows[0]["says"],
        description="Dots with intervals: each outcome of people written to less that of people held out.",
        table=PlainTable(
            header=("Outcome", "Written to", "Held out", "Difference", "95 % interval", "In all", "95 % interval"),
            rows=tuple(_told(row) for row in rows),
        ),
        source="campaign_results",
        n=f"n{SPACE}={SPACE}{counted(rows[0]['delivered'] + rows[0]['held_out'], 'person', 'people')}",
        note=f"Each person's {rows[0]['window_days']} days from {long_day(rows[0]['started_on'])} on; returns known by"
        f" their end.{f' Money in {currency}.' if currency else ''} Grey: could be chance.",
        as_of=rows[0]["as_of"],
        draw=lambda look: alt.vconcat(*(_panel(row, look) for row in rows), spacing=10),
    )  # fmt: skip


def pressure_figure(contact_pressure: pl.LazyFrame) -> Figure | None:
    """Share who unsubscribed within 30 days, by how often they had been written to before."""
    rows = (
        contact_pressure.filter(pl.col("window_days") == WINDOW, pl.col("rate").is_not_null())
        .sort("position")
        .collect()
        .to_dicts()
    )
    if len(rows) < 2:
        return None
    return Figure(
        finding=_pressure_says(rows),
        description="Dots with intervals: share who unsubscribed, by days with a message or list before.",
        table=PlainTable(
            header=("Contacts", "Customers now", "Customers watched", "Unsubscribed", "Share", "95 % interval"),
            rows=tuple(
                (
                    row["contacts"], number(row["customers"]), number(row["n"]), number(row["unsubscribed"]),
                    percent(row["rate"], 2), interval(row["low"], row["high"], 2),
                )
                for row in rows
            ),
        ),
        source="contact_pressure",
        n=f"n{SPACE}={SPACE}{counted(sum(row['n'] for row in rows), 'customer')}",
        note=f"Contacts of {WINDOW} days, unsubscriptions of the 30 days after them. No experiment: shops write more to"
        " whom they expect more of, and 0 holds all who may not be written to. Grey: fewer than 30.",
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw_pressure(rows, look),
    )  # fmt: skip


def _closed(campaign_results: pl.LazyFrame) -> list[dict[str, Any]]:
    """Rows that hold a difference with limits: adjusted where there is one, as `value`, `from` and `to`."""
    rows = (
        campaign_results.filter(pl.col("low").is_not_null())
        .sort("started_on", "campaign", descending=[True, False])
        .collect()
        .to_dicts()
    )
    for row in rows:
        prefix = "" if row["adjusted_low"] is None else "adjusted_"
        row["value"] = row[f"{prefix}difference"]
        row["from"], row["to"] = row[f"{prefix}low"], row[f"{prefix}high"]
    return rows


def _campaigns_say(rows: list[dict[str, Any]], sure: list[dict[str, Any]]) -> str:
    if not sure:
        return f"None of {counted(len(rows), 'finished campaign')} surely changed how many people ordered."
    best = max(sure, key=lambda row: row["value"])
    which = f"{number(len(sure))} of {counted(len(rows), 'finished campaign')} surely changed how many people ordered"
    if best["value"] < 0:
        return f"{which}, none for the better."
    return f"{which}: {best['title']} by {points(best['value'])} ({points(best['from'])} to {points(best['to'])})."


def _pressure_says(rows: list[dict[str, Any]]) -> str:
    """Compare the most and the least written to, and say when that may be chance."""
    least, most = rows[0], rows[-1]
    chance = ", which may be chance" if most["low"] <= least["high"] and least["low"] <= most["high"] else ""
    return (
        f"{percent(most['rate'], 2)} of the customers written to on {_days(most)} of {WINDOW} unsubscribed in the 30"
        f" days after, and {percent(least['rate'], 2)} of those written to on {_days(least)}{chance}."
    )


def _days(row: dict[str, Any]) -> str:
    name = "no" if row["contacts"] == "0" else row["contacts"].replace("-", "–").replace("10+", "10 or more")
    return f"{name}{SPACE}{'day' if row['contacts'] in ('0', '1') else 'days'}"


def _told(row: dict[str, Any]) -> tuple[str, ...]:
    def one(value: float | None, digits: int = 2) -> str:
        return "" if value is None else f"{value * _times(row):,.{digits}f}".replace("-", MINUS)

    def both(low: float | None, high: float | None) -> str:
        return "" if low is None else f"{one(low)} to {one(high)}"

    brought = [
        "" if value is None else number(value)
        for value in (row["incremental"], row["incremental_low"], row["incremental_high"])
    ]
    return (
        OUTCOME_NAMES[row["outcome"]],
        one(row["delivered_mean"]),
        one(row["held_out_mean"]),
        one(row["value"]),
        both(row["from"], row["to"]),
        brought[0],
        f"{brought[1]} to {brought[2]}" if brought[1] else "",
    )


def _times(row: dict[str, Any]) -> int:
    return 100 if row["outcome"] in _PER_100 else 1


def _dot(name: str, row: dict[str, Any], colour: str) -> dict[str, Any]:
    times = _times(row)
    return {
        "name": name,
        "value": row["value"] * times,
        "low": row["from"] * times,
        "high": row["to"] * times,
        "colour": colour,
    }


def _draw_campaigns(rows: list[dict[str, Any]], look: Look) -> Chart:
    dots = [_dot(row["title"], row, _COLOURS.get(row["verdict"], GREY)) for row in rows]
    return _dots(dots, "difference in points", look)


def _panel(row: dict[str, Any], look: Look) -> Chart:
    is_sure = row["from"] > 0 or row["to"] < 0
    # More people who unsubscribe, or send back, are no good news.
    is_good = (row["value"] > 0) == (row["outcome"] not in ("unsubscribed", "returned_value"))
    colour = (BLUE if is_good else ORANGE) if is_sure else GREY
    return _dots([_dot(OUTCOME_NAMES[row["outcome"]], row, colour)], None, look)


def _dots(dots: list[dict[str, Any]], title: str | None, look: Look) -> alt.LayerChart | alt.FacetChart:
    gutter = 136 if look.is_narrow else 170
    base = alt.Chart(data_of(dots)).encode(
        y=alt.Y(
            "name:N",
            sort=[dot["name"] for dot in dots],
            axis=axis(None, minExtent=gutter, maxExtent=gutter, labelLimit=gutter, labelPadding=10),
        ),
        color=alt.Color("colour:N", scale=None),
    )
    signed = "datum.value > 0 ? '+' + datum.label : datum.label"
    along = axis(title, tickCount=4 if look.is_narrow else 6, grid=True, labelExpr=signed)
    scale = alt.Scale(zero=True, nice=True)
    return alt.layer(
        alt.Chart(data_of([{"zero": 0}])).mark_rule(color=GREY).encode(x="zero:Q"),
        base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", scale=scale, axis=along), x2="high:Q"),
        base.mark_point(filled=True, opacity=1, size=110).encode(x=alt.X("value:Q", scale=scale, axis=along)),
    ).properties(width=look.room(gutter, 28), height=34 * len(dots))


def _draw_pressure(rows: list[dict[str, Any]], look: Look) -> Chart:
    data = [
        {**row, "colour": GREY if row["is_small"] else BLUE, "name": row["contacts"].replace("-", "–")}
        for row in rows
    ]
    gutter = 58
    base = alt.Chart(data_of([{k: v for k, v in row.items() if k != "as_of"} for row in data])).encode(
        x=alt.X(
            "name:N",
            sort=[row["name"] for row in data],
            axis=axis(f"days with a contact in {WINDOW} days", labelAngle=0),
        ),
        color=alt.Color("colour:N", scale=None),
    )
    up = axis(None, format=".1%", tickCount=5, grid=True, minExtent=gutter, maxExtent=gutter)
    scale = alt.Scale(zero=True, nice=True)
    return alt.layer(
        base.mark_rule(strokeWidth=3).encode(y=alt.Y("low:Q", scale=scale, axis=up), y2="high:Q"),
        base.mark_point(filled=True, opacity=1, size=110).encode(y=alt.Y("rate:Q", scale=scale, axis=up)),
    ).properties(width=look.room(gutter, 20), height=220)
