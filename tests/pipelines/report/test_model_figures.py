"""Figures behind "Can the models be trusted?": what they say is what the tables hold, for the model published."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import polars as pl
import pytest

from data_contracts import table
from models.purchase_paths import purchase_path
from pipelines.report import charts, theme
from pipelines.report.figures.decile_lifts import decile_lift_figure
from pipelines.report.figures.frequency_recency import frequency_recency_figure
from pipelines.report.figures.importances import importances_figure
from pipelines.report.figures.purchase_paths import purchase_path_figure, purchase_paths_figure
from pipelines.report.figures.tracking import tracking_figure
from pipelines.report.pictures import to_svg
from pipelines.report.theme import NARROW, WIDE, Figure, Look
from tests.pipelines.report.composed_model_tables import MODELS
from tests.pipelines.report.composed_tables import AS_OF, KEY_MARK, Composed, frame
from tests.pipelines.report.page_reader import read

SEEN, NOT_SEEN = date(2023, 5, 20), date(2023, 5, 27)
FIGURES: dict[str, Callable[[pl.LazyFrame], Figure | None]] = {
    "decile_lift": decile_lift_figure,
    "tracking": tracking_figure,
    "frequency_recency": frequency_recency_figure,
    "purchase_paths": purchase_paths_figure,
    "churn_importances": importances_figure,
}


def said(figure: Figure | None) -> str:
    assert figure is not None
    return figure.finding.replace("\u00a0", " ")


def week(ending: date, actual: int, expected: float, **more: object) -> dict[str, object]:
    return {
        "as_of": AS_OF, "model": "mbg_nbd_gamma_gamma", "week_ending": ending, "is_held_out": ending > SEEN,
        "customers": 60, "actual": actual, "expected": expected, "cumulative_actual": 100 + actual,
        "cumulative_expected": 90 + expected, **more,
    }  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_figure_has_finding_table_and_fits_both_widths(name: str, tables: Composed) -> None:
    figure = FIGURES[name](tables(name))
    assert figure is not None
    assert (figure.source, figure.as_of) == (name, AS_OF)
    assert figure.table.rows
    assert all(len(row) == len(figure.table.header) for row in figure.table.rows)
    assert not any("None" in cell or "nan" in cell for row in figure.table.rows for cell in row)
    for width in (WIDE, NARROW):
        svg = to_svg(figure.chart(Look(width=width)))
        drawn = re.search(r'<svg [^>]*?width="([\d.]+)"', svg)
        assert drawn is not None
        assert float(drawn[1]) <= width * 1.05


@pytest.mark.parametrize("name", FIGURES)
def test_there_is_no_figure_of_nothing(name: str) -> None:
    assert FIGURES[name](table(name).empty().lazy()) is None


def test_tracking_says_how_far_off_the_weeks_were_that_the_model_had_not_seen() -> None:
    rows = [week(SEEN, 10, 9.0), week(NOT_SEEN, 20, 15.0), week(date(2023, 6, 3), 20, 31.0)]
    figure = tracking_figure(frame("tracking", rows))
    assert said(figure) == (
        "In the 2 weeks that it had not seen, MBG/NBD expected 46 repeat orders; 40 came, "
        "so it expected 15.0 % too many; a single week was off by 40 % on average."
    )
    assert figure is not None
    note = figure.note.replace("\u00a0", " ")
    assert "fitted up to 20 May 2023; customers who came later are left out. " in note
    assert note.endswith("Until then it comes to 10.0 % fewer than happened.")


def test_tracking_without_weeks_to_hold_out_says_so() -> None:
    assert said(tracking_figure(frame("tracking", [week(SEEN, 0, 9.0)]))) == (
        "In the 1 week that it was fitted on, MBG/NBD expected 9 repeat orders; 0 came."
    )


def test_figures_show_the_purchase_model_that_is_published(tables: Composed) -> None:
    champions = frame(
        "champions",
        [
            {"as_of": AS_OF, "quantity": "value", "model": "last_12_months"},
            {"as_of": AS_OF, "quantity": "probability", "model": "mbg_nbd_gamma_gamma"},
        ],
    )
    for figure in (
        tracking_figure(tables("tracking"), champions),
        frequency_recency_figure(tables("frequency_recency"), champions),
    ):
        assert figure is not None
        assert figure.note.startswith("MBG/NBD")
    less_returns = champions.with_columns(model=pl.lit("mbg_nbd_less_returns"))
    same = tracking_figure(tables("tracking"), less_returns)
    assert same is not None
    assert same.note.startswith("MBG/NBD")
    only = tables("tracking").filter(model="bg_nbd_gamma_gamma")
    other = tracking_figure(only, champions)
    assert other is not None
    assert other.note.startswith("BG/NBD")


def test_lift_says_what_the_highest_tenth_held_of_the_champions(tables: Composed) -> None:
    top = tables("decile_lift").filter(decile=10).collect()
    value = top.filter(quantity="value", model="last_12_months").row(0, named=True)
    chance = top.filter(quantity="probability").row(0, named=True)
    assert said(decile_lift_figure(tables("decile_lift"), tables("champions"))) == (
        f"The tenth of customers ranked most valuable brought {value['share']:.0%} of net revenue, "
        f"{value['lift']:.1f} times its number; the tenth likeliest to order held {chance['share']:.0%} of those "
        f"who ordered ({chance['best_share']:.0%} would be perfect)."
    ).replace("%", " %")


def test_lift_of_one_quantity_alone_is_a_sentence(tables: Composed) -> None:
    chance = tables("decile_lift").filter(quantity="probability")
    assert said(decile_lift_figure(chance)).startswith("The tenth likeliest to order held ")


def test_matrix_writes_numbers_only_where_customers_stand(tables: Composed) -> None:
    matrix = tables("frequency_recency").filter(model="bg_nbd_gamma_gamma").collect()
    figure = frequency_recency_figure(matrix.lazy())
    assert figure is not None
    with_people = matrix.filter(pl.col("customers") > 0)
    assert len(figure.table.rows) == with_people.height
    assert str(figure.chart(Look()).to_dict()).count('"text": ""') == 2 * (
        matrix.drop_nulls("expected_orders").height - with_people.height
    )
    assert "a customer with" in figure.finding


def test_matrix_of_one_time_buyers_alone_says_so() -> None:
    row = {
        "as_of": AS_OF, "model": "bg_nbd_gamma_gamma", "horizon_days": 365, "age_days": 90, "frequency_from": 0,
        "frequency_to": 0, "recency_from": 0, "recency_to": 7, "customers": 4, "expected_orders": 0.2,
        "purchase_probability": 0.1,
    }  # fmt: skip
    nobody = {**row, "frequency_from": 1, "frequency_to": 1, "customers": 0}
    figure = frequency_recency_figure(frame("frequency_recency", [row, nobody]))
    assert said(figure) == "Nobody who first ordered about 90 days ago has ordered again."


def test_trees_lean_most_on_the_largest_importances_of_the_longest_horizon(tables: Composed) -> None:
    figure = importances_figure(tables("churn_importances"))
    assert said(figure) == (
        "To tell who orders within 365 days, the boosted trees lean most on repeat order days, "
        "days since last and days since the first order."
    )
    assert figure is not None
    # What does not help is left out.
    assert [row[0] for row in figure.table.rows] == [
        "repeat order days",
        "days since last",
        "days since the first order",
    ]


def test_paths_end_with_the_chances_of_the_last_day(tables: Composed) -> None:
    paths = tables("purchase_paths").sort("age_days").collect()
    chances = [
        f"{paths.filter(story=story)['purchase_probability'][-1]:.0%}".replace("%", " %")
        for story in ("regular", "overdue", "came_back")
    ]
    figure = purchase_paths_figure(tables("purchase_paths"))
    assert said(figure) == (
        f"On the last day the chance of an order within 90 days is {chances[0]} for the regular, {chances[1]} for the "
        f"one who is overdue and {chances[2]} for the one who came back."
    )
    assert figure is not None
    assert "nobody's own" in figure.note
    assert "takes nobody for gone" in figure.note


def test_one_customers_path_can_be_drawn_in_a_notebook() -> None:
    path = purchase_path(
        [date(2023, 1, 1), date(2023, 2, 1)], MODELS["mbg_nbd_gamma_gamma"], until=date(2023, 3, 1)
    )
    figure = purchase_path_figure(path)
    assert said(figure).startswith("After 2 order days in 59 days, the chance of an order within 90 days is ")
    assert charts.to_svg(charts.purchase_path(path)).count("<svg") == 1
    assert purchase_path_figure(path.clear()) is None


def test_shades_of_the_matrix_rise_in_darkness_for_everybody() -> None:
    # One hue from light to dark is read by lightness alone, which colour-blind people see as others do.
    light = [theme.luminance(theme.shade(theme.BLUES, step / 20)) for step in range(21)]
    assert light == sorted(light, reverse=True)


def test_page_asks_whether_models_can_be_trusted_and_shows_no_person(page: str) -> None:
    text = read(page).text
    assert text.index("Can the models be trusted?") > text.index("Why these models are published")
    assert "What the models look at" in text
    assert KEY_MARK not in page
