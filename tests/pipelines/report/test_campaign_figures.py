"""Figures of campaigns and contact pressure: from composed tables, and silent where there is nothing to show."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from data_contracts import table
from pipelines.report import charts
from pipelines.report.figures.campaigns import campaign_figure, campaigns_figure, pressure_figure
from pipelines.report.pictures import to_svg
from pipelines.report.theme import NARROW, Look
from tests.pipelines.report.composed_tables import frame

AS_OF = date(2024, 5, 31)
Row = dict[str, Any]


def result(outcome: str = "ordered", difference: float = 0.02, half: float = 0.01, **more: Any) -> Row:
    sure = "worked" if difference > half else "did_harm" if difference < -half else "too_small"
    return {
        "as_of": AS_OF, "campaign": "spring-2024-Q1", "outcome": outcome, "title": "Spring", "state": "closed",
        "verdict": sure, "says": "What came of it, in words.", "started_on": date(2024, 2, 1), "window_days": 30,
        "delivered": 900, "held_out": 300, "delivered_mean": 0.1 + difference, "held_out_mean": 0.1,
        "difference": difference + 0.5, "low": 0.0, "high": 1.0, "adjusted_difference": difference,
        "adjusted_low": difference - half, "adjusted_high": difference + half, "incremental": 900 * difference,
        "incremental_low": 900 * (difference - half), "incremental_high": 900 * (difference + half),
    } | more  # fmt: skip


def early(**more: Any) -> Row:
    unknown = dict.fromkeys(
        ("difference", "low", "high", "adjusted_low", "adjusted_difference", "delivered_mean")
    )
    return result() | {"state": "too_early", "verdict": "too_early"} | unknown | more


def results(*rows: Row) -> pl.LazyFrame:
    return frame("campaign_results", rows)


def bucket(contacts: str, position: int, rate: float | None, n: int = 1000, half: float = 0.001) -> Row:
    return {
        "as_of": AS_OF, "window_days": 90, "contacts": contacts, "position": position, "customers": n, "n": n,
        "unsubscribed": round(n * (rate or 0)), "rate": rate, "low": rate and max(rate - half, 0),
        "high": rate and rate + half, "is_small": n < 30,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            [result(), result(campaign="b", title="Autumn", difference=0.001)],
            "1 of 2 finished campaigns surely changed how many people ordered: Spring by 2.0 points (1.0 points to",
        ),
        ([result(difference=0.001), early(campaign="c")], "None of 1 finished campaign surely changed"),
        (
            [result(difference=-0.03)],
            "1 of 1 finished campaign surely changed how many people ordered, none for",
        ),
    ],
)
def test_finished_campaigns_are_compared(rows: list[Row], says: str) -> None:
    figure = campaigns_figure(results(*rows))
    assert figure is not None
    assert figure.finding.replace("\u00a0", " ").startswith(says)
    assert len(figure.table.rows) == sum(row["state"] == "closed" for row in rows)


def test_one_campaign_shows_every_outcome_with_its_own_words() -> None:
    outcomes = ("orders", "unsubscribed", "net_revenue", "ordered", "returned_value")
    figure = campaign_figure(
        results(*(result(name) for name in outcomes), result(campaign="b")), "spring-2024-Q1", "GBP"
    )
    assert figure is not None
    assert figure.finding == "What came of it, in words."
    assert figure.table.rows[0][0] == "Ordered at all, points"
    assert len(figure.table.rows) == len(outcomes)
    assert all(len(row) == len(figure.table.header) for row in figure.table.rows)
    assert "Money in GBP" in figure.note


def test_limits_shown_are_the_adjusted_ones_where_there_are_any() -> None:
    adjusted = campaign_figure(results(result(difference=0.02)), "spring-2024-Q1")
    plain = campaign_figure(
        results(result(difference=0.5, adjusted_difference=None, adjusted_low=None)), "spring-2024-Q1"
    )
    assert adjusted is not None and plain is not None
    assert adjusted.table.rows[0][3:5] == ("2.00", "1.00 to 3.00")
    assert plain.table.rows[0][3:5] == ("100.00", "0.00 to 100.00")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            [
                bucket("0", 1, 0.002),
                bucket("1", 2, 0.003),
                bucket("5-9", 5, 0.02),
                bucket("10+", 6, None, n=0),
            ],
            "2.00 % of the customers written to on 5–9 days of 90 unsubscribed in the 30 days after, and 0.20 % of "
            "those written to on no day.",
        ),
        (
            [bucket("1", 2, 0.010, half=0.01), bucket("10+", 6, 0.015, half=0.01)],
            "1.50 % of the customers written to on 10 or more days of 90 unsubscribed in the 30 days after, and "
            "1.00 % of those written to on 1 day, which may be chance.",
        ),
    ],
)
def test_most_and_least_written_to_are_compared(rows: list[Row], says: str) -> None:
    figure = pressure_figure(frame("contact_pressure", rows))
    assert figure is not None
    assert figure.finding.replace("\u00a0", " ") == says


def test_nothing_is_drawn_of_what_cannot_be_told() -> None:
    assert campaigns_figure(results(early())) is None
    assert campaign_figure(results(result()), "another") is None
    assert campaign_figure(results(early()), "spring-2024-Q1") is None
    assert pressure_figure(frame("contact_pressure", [bucket("0", 1, 0.002)])) is None
    for name in ("campaign_results", "contact_pressure"):
        empty = table(name).empty().lazy()
        assert "svg" in to_svg(getattr(charts, name)(empty))
    assert "not over yet" in to_svg(charts.campaign_result(results(early()), "spring-2024-Q1"))


@pytest.mark.parametrize("width", [720, NARROW])
def test_pictures_can_be_drawn_at_any_width(width: int) -> None:
    look = Look(width=width, currency="GBP")
    of_campaigns = results(
        result(), result("unsubscribed", difference=0.004, half=0.001), result(campaign="b")
    )
    assert to_svg(charts.campaign_results(of_campaigns, look)).startswith("<svg")
    assert to_svg(charts.campaign_result(of_campaigns, "spring-2024-Q1", look)).startswith("<svg")
    pressure = frame("contact_pressure", [bucket("0", 1, 0.002), bucket("3-4", 4, 0.01, n=20)])
    assert to_svg(charts.contact_pressure(pressure, look)).startswith("<svg")
