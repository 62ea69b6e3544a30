"""Importances: which features the boosted trees lean on to tell who orders.

Measuring belongs to `models.churn`; what a feature is, `models.features` says.
"""

from typing import Any

import altair as alt
import polars as pl

from pipelines.report import model_findings
from pipelines.report.theme import INK, Chart, Figure, Look, PlainTable, axis, data_of
from pipelines.report.words import SPACE, counted, feature_name

FEATURES_SHOWN = 12


def importances_figure(churn_importances: pl.LazyFrame) -> Figure | None:
    """Bars of the features without which the trees get worst, for the longest horizon.

    Parameters
    ----------
    churn_importances
        Table churn_importances.
    """
    found = churn_importances.filter(pl.col("importance") > 0).collect()
    if found.is_empty():
        return None
    longest = found.filter(pl.col("horizon_days") == pl.col("horizon_days").max())
    ranked = longest.sort("importance", "feature", descending=[True, False])
    rows = ranked.head(FEATURES_SHOWN).to_dicts()
    return Figure(
        finding=model_findings.importances(rows),
        description="Bars: rise of the log-loss when one feature is shuffled among customers, largest first.",
        table=PlainTable(
            header=("Feature", "Rise of the log-loss", "Standard deviation"),
            rows=tuple(
                (feature_name(row["feature"]), f"{row['importance']:.4f}", f"{row['deviation']:.4f}")
                for row in ranked.to_dicts()
            ),
        ),
        source="churn_importances",
        n=f"n{SPACE}={SPACE}{counted(longest.height, 'feature')} that help",
        note="How much worse the boosted trees get when one feature is shuffled among customers that they were not "
        "grown on. Lines: one standard deviation. Features that tell the same share it.",
        as_of=rows[0]["as_of"],
        draw=lambda look: _draw(rows, look),
    )  # fmt: skip


def _draw(rows: list[dict[str, Any]], look: Look) -> Chart:
    bars = [
        {
            "feature": feature_name(row["feature"]),
            "importance": row["importance"],
            "low": max(row["importance"] - row["deviation"], 0.0),
            "high": row["importance"] + row["deviation"],
        }
        for row in rows
    ]
    gutter = 172 if look.is_narrow else 230
    base = alt.Chart(data_of(bars)).encode(
        y=alt.Y(
            "feature:N",
            sort=[bar["feature"] for bar in bars],
            scale=alt.Scale(paddingInner=0.3),
            axis=axis(
                None,
                minExtent=gutter,
                maxExtent=gutter,
                labelLimit=gutter - 6,
                labelFontSize=11 if look.is_narrow else 12,
            ),
        )
    )
    x_axis = axis("rise of the log-loss", tickCount=3 if look.is_narrow else 6, grid=True)
    return alt.layer(
        base.mark_bar().encode(x=alt.X("importance:Q", axis=x_axis)),
        base.mark_rule(color=INK, strokeWidth=1.5).encode(x=alt.X("low:Q", axis=x_axis), x2="high:Q"),
    ).properties(width=look.room(gutter, 16), height=22 * len(bars))
