"""Figures of returns, satisfaction and what they go with: from composed tables, and silent where there is nothing."""

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

from data_contracts import table
from pipelines.report.figures.experience import aftermath_figure, score_figure
from pipelines.report.figures.experience_by_month import nps_figure, return_rates_figure
from pipelines.report.pictures import to_svg
from pipelines.report.theme import NARROW, Figure, Look
from tests.pipelines.report.composed_tables import frame

AS_OF = date(2024, 5, 31)
Row = dict[str, Any]


def nps(month: int, value: float | None, **more: Any) -> Row:
    return {"as_of": AS_OF, "measure": "nps", "period": "month", "period_start": date(2024, month, 1), "n": 40} | {
        "value": value, "low": value and value - 20, "high": value and value + 20, "is_complete": True, **more,
    }  # fmt: skip


def returned(month: int, count: int, **more: Any) -> Row:
    return {
        "as_of": AS_OF, "order_month": date(2024, month, 1), "break_down": "all", "break_down_value": "all",
        "measure": "order_return_rate", "count": count, "n": 50, "rate": count / 50, "low": 0.1, "high": 0.3,
        "is_mature": True, "is_small": False, **more,
    }  # fmt: skip


def behaved(group: str, kind: str, rate: float, measure: str = "nps", n: int = 100) -> Row:
    return {
        "as_of": AS_OF, "measure": measure, "group_kind": kind, "group": group, "horizon_days": 180, "n": n,
        "count": int(rate * n), "rate": rate, "low": rate - 0.1, "high": rate + 0.1, "is_small": n < 30,
        "standardised_rate": rate, "weighted_rate": None if kind == "no_answer" else rate,
    }  # fmt: skip


def followed(event: str, difference: float | None, half: float = 0.02, n: int = 100) -> Row:
    return {
        "as_of": AS_OF, "event": event, "horizon_days": 180, "landmark_days": 30, "with_n": n, "without_n": 900,
        "alike_with_rate": 0.3, "alike_without_rate": 0.3 - (difference or 0), "difference": difference,
        "low": difference and difference - half, "high": difference and difference + half, "is_small": n < 30,
    }  # fmt: skip


FIGURES: dict[str, tuple[Callable[[pl.LazyFrame], Figure | None], list[Row], str]] = {
    "satisfaction": (
        nps_figure,
        [nps(2, 10.0), nps(3, 25.0), nps(4, None, n=3), nps(5, 40.0, is_complete=False)],
        "NPS was +25 in Mar 2024, between +5 and +45 as far as its 40 answers can tell.",
    ),
    "return_rates": (
        return_rates_figure,
        [returned(1, 10), returned(2, 15), returned(3, 40, is_mature=False)],
        "Of 100 orders about 25 saw something come back; of those of Feb 2024 30 %.",
    ),
    "score_behaviour": (
        score_figure,
        [
            behaved("promoter", "band", 0.6),
            behaved("detractor", "band", 0.4),
            behaved("no answer", "no_answer", 0.5),
            behaved("high", "band", 0.9, "csat", 40),
        ],
        "60 % of the promoters (9–10) ordered again within 180 days, and 40 % of the detractors (0–6).",
    ),
    "aftermath": (
        aftermath_figure,
        [followed("late_parcel", -0.05), followed("return", 0.01), followed("ticket", -0.3, n=9)],
        "Late parcel: another order follows within 180 days 5.0 points less often than after alike orders"
        " (3.0 to 7.0 points).",
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figure_says_what_the_table_holds_and_draws_it(name: str) -> None:
    make, rows, says = FIGURES[name]
    figure = make(frame(name, rows))
    assert figure is not None
    assert figure.finding.replace("\u00a0", " ") == says
    assert figure.as_of == AS_OF
    assert figure.source == name
    assert all(len(row) == len(figure.table.header) for row in figure.table.rows)
    for width in (720, NARROW):
        svg = to_svg(figure.chart(Look(width=width)))
        assert svg.count("<svg") == 1
        assert figure.finding.split()[0] in svg


@pytest.mark.parametrize("name", FIGURES)
def test_there_is_no_figure_of_nothing(name: str) -> None:
    assert FIGURES[name][0](table(name).empty().lazy()) is None


def test_one_month_is_no_line_and_no_return_at_all_no_picture() -> None:
    assert nps_figure(frame("satisfaction", [nps(3, 25.0)])) is None
    assert return_rates_figure(frame("return_rates", [returned(1, 0), returned(2, 0)])) is None


def test_small_groups_are_said_and_what_is_unsure_is_no_finding() -> None:
    few = score_figure(
        frame(
            "score_behaviour", [behaved("high", "band", 0.6, "csat"), behaved("low", "band", 0.2, "csat", 5)]
        )
    )
    assert few is not None
    assert few.finding.endswith("too few to be sure.")
    unsure = aftermath_figure(frame("aftermath", [followed("ticket", -0.01), followed("return", None)]))
    assert unsure is not None
    assert unsure.finding == "No event is followed by surely fewer next orders than alike orders without it."
    assert len(unsure.table.rows) == 1
