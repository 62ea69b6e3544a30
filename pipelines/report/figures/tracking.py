"""Tracking curve: repeat orders expected of all customers beside those that came, by week and cumulated.

Computing belongs to `models.tracking`.
"""

from typing import Any

import altair as alt
import polars as pl

from pipelines.report import model_findings
from pipelines.report.theme import BLUE, ORANGE, SOFT_INK, Chart, Figure, Look, PlainTable, axis, data_of
from pipelines.report.words import SPACE, counted, long_day, number, purchase_model_name, short_month

WEEKS_SHOWN = 156
_NAMES = {"actual": "what happened", "expected": "expected"}
_PANELS = {"": "repeat orders a week", "cumulative_": "repeat orders since the start"}


def published_purchase_model(models: list[str], champions: pl.LazyFrame | None) -> str:
    """The purchase model that order counts are published from: a champion's, or else the first by name."""
    chosen: list[str] = []
    if champions is not None:
        chosen = champions.sort("quantity", descending=True).select("model").collect()["model"].to_list()
    # A champion that counts orders by a model of these and money in another way has the same order counts.
    parts = {model.split("_nbd_")[0]: model for model in models if "_nbd_" in model}
    of_champions = [parts.get(model.split("_nbd_")[0], model) for model in chosen]
    return next(model for model in (*of_champions, *sorted(models)) if model in models)


def tracking_figure(tracking: pl.LazyFrame, champions: pl.LazyFrame | None = None) -> Figure | None:
    """Expected and actual repeat orders of the published purchase model, by week.

    Parameters
    ----------
    tracking
        Table tracking.
    champions
        Table champions; without it the first model by name is shown.
    """
    found = tracking.collect()
    if found.is_empty():
        return None
    model = published_purchase_model(found["model"].unique().to_list(), champions)
    rows = found.filter(model=model).sort("week_ending").tail(WEEKS_SHOWN).to_dicts()
    return Figure(
        finding=model_findings.tracking(rows),
        description="Lines: repeat orders of all customers by week and cumulated, as expected and as they came.",
        table=PlainTable(
            header=("Week to", "Seen by the model", "Happened", "Expected", "Happened so far", "Expected so far"),
            rows=tuple(
                (
                    long_day(row["week_ending"]), "no" if row["is_held_out"] else "yes", number(row["actual"]),
                    number(row["expected"]), number(row["cumulative_actual"]), number(row["cumulative_expected"]),
                )
                for row in rows
            ),
        ),
        source="tracking",
        n=f"n{SPACE}={SPACE}{counted(rows[-1]['customers'], 'customer')}",
        note=_note(model, rows),
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw(rows, look),
    )  # fmt: skip


def _note(model: str, rows: list[dict[str, Any]]) -> str:
    """What the model is given, which part it has not seen, and how far off it is in the part that it has."""
    says = (
        f"{purchase_model_name(model)}, from every customer's first day alone; it knows no season. "
        "Orders of one day count once. "
    )
    seen = [row for row in rows if not row["is_held_out"]]
    if not seen or seen[-1] is rows[-1]:
        return says
    return (
        f"{says}Grey: not seen by the model, which was fitted up to {long_day(seen[-1]['week_ending'])}; customers who "
        "came later are left out. " + model_findings.before_the_cut(seen[-1])
    )


def _draw(rows: list[dict[str, Any]], look: Look) -> Chart:
    return alt.vconcat(*(_panel(rows, prefix, title, look) for prefix, title in _PANELS.items()), spacing=18)


def _panel(rows: list[dict[str, Any]], prefix: str, title: str, look: Look) -> Chart:
    gutter = 58
    unseen = [at for at, row in enumerate(rows) if row["is_held_out"]]
    points = [
        {"week": at, "kind": name, "orders": row[prefix + kind]}
        for at, row in enumerate(rows)
        for kind, name in _NAMES.items()
    ]
    names = list(_NAMES.values())
    x = alt.X(
        "week:Q",
        scale=alt.Scale(domain=[0, max(len(rows) - 1, 1)], nice=False),
        axis=_months(rows, 4 if look.is_narrow else 8),
    )
    y = alt.Y("orders:Q", axis=axis(None, tickCount=4, format=",d", minExtent=gutter - 8))
    lines = (
        alt.Chart(data_of(points))
        .mark_line(strokeWidth=2)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=names, range=[BLUE, ORANGE]),
                legend=None
                if prefix
                else alt.Legend(title=None, symbolType="stroke", symbolStrokeWidth=3, symbolOpacity=1),
            ),
            strokeDash=alt.StrokeDash(
                "kind:N", scale=alt.Scale(domain=names, range=[[1, 0], [6, 3]]), legend=None
            ),
        )
    )
    layers: list[alt.Chart] = []
    if unseen:
        band = alt.Chart(data_of([{"from": max(unseen[0] - 1, 0), "to": unseen[-1]}]))
        layers.append(band.mark_rect(color="#EDEDED").encode(x=alt.X("from:Q"), x2="to:Q"))
    return alt.layer(*layers, lines).properties(
        width=look.room(gutter, 20),
        height=150 if look.is_narrow else 170,
        title=alt.TitleParams(
            title, fontSize=12, fontWeight="normal", color=SOFT_INK, anchor="start", frame="group", offset=4
        ),
    )


def _months(rows: list[dict[str, Any]], most: int) -> alt.Axis:
    """Name the weeks in which a month begins, as many as there is room for."""
    starts = [at for at, row in enumerate(rows) if row["week_ending"].day <= 7]
    starts = starts[:: max(1, -(-len(starts) // most))]
    names = ", ".join(f"'{at}': '{short_month(rows[at]['week_ending'])}'" for at in starts)
    return axis(None, values=starts, labelExpr=f"({{{names}}})[datum.value]", labelFlush=False, grid=False)
