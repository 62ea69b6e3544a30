"""Shops at the edge of what can be measured: every table is made and the report says what it knows, nothing more."""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from pipelines.assets.catalogue import steps_of
from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Moment, Stage
from pipelines.lake import Lake
from pipelines.report.report import render_report
from pipelines.shop import Shop
from tests.pipelines.report.page_reader import read
from tests.pipelines.small_shops import NOW, SETTINGS, deliver, order_line, return_row, write_shop

pytestmark = [pytest.mark.xdist_group("gx"), pytest.mark.usefixtures("great_expectations")]
AS_OF = date(2024, 5, 31)
Tables = Callable[[str], pl.DataFrame]


def published(
    folder: Path,
    *,
    as_of: date = AS_OF,
    settings: str = SETTINGS,
    **delivered: Sequence[dict[str, Any]],
) -> tuple[Shop, Lake]:
    """Carry out every step but the pages of a shop with these deliveries."""
    shop = write_shop(folder / "shop", delivered, settings=settings)
    for table, rows in delivered.items():
        deliver(folder / "shop", table, "first", rows)
    lake = Lake.make(folder / "lake", shop.name)
    steps = {
        name: step
        for name, step in steps_of(shop).items()
        if step.stage not in (Stage.PRESENTATION, Stage.SNAPSHOT)
    }
    given = Given(shop, lake, Moment("edge", NOW, as_of), steps)
    needs = {name: [read for read in step.reads if read in steps] for name, step in steps.items()}
    for name in TopologicalSorter(needs).static_order():
        carry_out(steps[name], given)
    return shop, lake


def page_of(shop: Shop, lake: Lake, as_of: date = AS_OF) -> str:
    def tables(name: str) -> pl.LazyFrame:
        frame = lake.scan(name)
        return frame.filter(pl.col("as_of") == as_of) if "as_of" in frame.collect_schema() else frame

    page = render_report(tables, shop, as_of, "now")
    assert not read(page).unbalanced
    assert not re.search(r"\b(nan|NaN|None|inf)\b", re.sub(r"<[^>]*>", " ", page))
    return page


def rows(lake: Lake, name: str, **having: Any) -> list[dict[str, Any]]:
    return lake.scan(name).filter(**having).collect().to_dicts()


def test_a_shop_without_a_valid_order_has_no_numbers_and_says_so(tmp_path: Path) -> None:
    shop, lake = published(tmp_path, orders=[order_line("1", status="cancelled")])
    assert [row["excluded_because"] for row in rows(lake, "orders")] == ["cancelled"]
    for name in ("cohort_retention", "purchase_latency", "customer_summary", "loyalty_tiers"):
        assert not rows(lake, name), name
    assert {(row["n"], row["rate"]) for row in rows(lake, "repeat_purchase")} == {(0, None)}
    assert "There is no valid order up to" in page_of(shop, lake)


def test_three_customers_have_counts_and_no_certainty(tmp_path: Path) -> None:
    orders = [order_line(str(n), customer_id=str(n), ordered_at=f"2024-0{n}-10 10:00:00") for n in (1, 2, 3)]
    shop, lake = published(tmp_path, orders=[*orders, order_line("4", customer_id="1")])
    (ever,) = [row for row in rows(lake, "repeat_purchase", basis="orders") if row["within_days"] is None]
    assert (ever["customers"], ever["n"], ever["is_small"]) == (1, 3, True)
    assert ever["low"] < 0.1
    assert ever["high"] > 0.7
    page_of(shop, lake)


def test_a_month_of_data_has_no_month_that_anybody_came_back_in(tmp_path: Path) -> None:
    orders = [
        order_line(str(n), customer_id=str(n % 5), ordered_at=f"2024-05-{n:02} 10:00:00")
        for n in range(1, 21)
    ]
    shop, lake = published(tmp_path, as_of=date(2024, 5, 25), orders=orders)
    later = [row for row in rows(lake, "cohort_retention", period_unit="month") if row["k"] > 0]
    assert all(row["rate"] is None for row in later)
    assert "No cohort is a full month old yet" in page_of(shop, lake, date(2024, 5, 25))


def test_a_customer_whose_only_order_came_back_in_full_did_order(tmp_path: Path) -> None:
    shop, lake = published(
        tmp_path,
        orders=[order_line("1"), order_line("2", customer_id="8", ordered_at="2024-03-05 09:00:00")],
        returns=[return_row("R1", order_id="1", refunded_at="2024-04-02 12:00:00")],
    )
    (order,) = rows(lake, "orders", order_id="1")
    assert (order["is_valid"], order["fully_returned"], float(order["net"])) == (True, True, 0.0)
    (cohort,) = rows(
        lake, "cohort_retention", break_down="all", period_unit="month", measure="active_rate", k=0
    )
    assert cohort["n"] == 2
    months = {row["period_start"]: row for row in rows(lake, "revenue", period="month")}
    march, april = months[date(2024, 3, 1)], months[date(2024, 4, 1)]
    assert (float(march["net_by_order_date"]), float(march["net_by_event_date"])) == (10.0, 20.0)
    assert (april["orders"], float(april["net_by_order_date"]), float(april["net_by_event_date"])) == (
        0,
        0.0,
        -10.0,
    )
    page_of(shop, lake)


def test_one_survey_answer_is_too_few(tmp_path: Path) -> None:
    answer = {
        "survey_id": "S1", "customer_id": "7", "order_id": "1", "kind": "nps", "score": "9",
        "answered_at": "2024-04-01 10:00:00",
    }  # fmt: skip
    shop, lake = published(tmp_path, orders=[order_line("1")], survey_answers=[answer])
    window = rows(lake, "satisfaction", period="window", measure="nps")
    assert [(row["n"], row["value"], row["note"]) for row in window] == [(1, None, "too few")]
    assert "too few answers to say" in page_of(shop, lake)


@pytest.mark.parametrize("zone", ["Pacific/Tongatapu", "Pacific/Pago_Pago", "Europe/London"])
def test_an_order_belongs_to_the_day_of_the_shops_own_clock(tmp_path: Path, zone: str) -> None:
    settings = SETTINGS.replace("Europe/London", zone)
    minutes = [(3, 31, 23, 59), (4, 1, 0, 1), (2, 29, 23, 59)]
    local = [datetime(2024, *minute, tzinfo=ZoneInfo(zone)) for minute in minutes]
    orders = [order_line(str(n), ordered_at=moment.isoformat(sep=" ")) for n, moment in enumerate(local)]
    _, lake = published(tmp_path, settings=settings, orders=orders)
    days = {row["order_id"]: row["order_day"] for row in rows(lake, "orders")}
    assert days == {str(n): moment.date() for n, moment in enumerate(local)}
    active = rows(lake, "cohort_retention", break_down="all", period_unit="month", measure="active_rate")
    assert {row["k"]: row["customers"] for row in active if row["is_complete"]} == {0: 1, 1: 1, 2: 1, 3: 0}
