"""Cohorts, revenue, bridge and tiers from delivered rows: local days, break-downs, parts or whole alike."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.dictionary import Column, Privacy
from models.cohorts import cohort_retention
from pipelines.assets.catalogue import steps_of
from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Moment
from pipelines.errors import ShopError
from pipelines.ingest.values import local_day, typed
from pipelines.lake import Lake
from pipelines.shop import Shop
from tests.pipelines.small_shops import NOW, deliver, ingest, order_line, return_row, write_shop

MADE = ("purchases", "cohort_retention", "revenue", "revenue_bridge", "loyalty_tiers")
AS_OF = date(2024, 5, 31)
ZONES = ("Pacific/Tongatapu", "Pacific/Pago_Pago", "America/New_York", "Europe/London", "Pacific/Chatham")
"""UTC+13, UTC-11, two with summer time, and one that is 45 minutes off."""


def purchases_at_times(rows: Sequence[tuple[str, str]], zone: ZoneInfo) -> pl.LazyFrame:
    """Purchases of (customer, time as delivered), by the same two functions as the ingest."""
    at = Column("at", "moment", "When.", "", Privacy.NONE, False)
    return (
        typed(
            pl.LazyFrame(rows, schema={"customer_key": pl.String, "at": pl.String}, orient="row"), (at,), zone
        )
        .with_columns(order_day=local_day(pl.col("at"), zone))
        .group_by("customer_key", "order_day")
        .agg(orders=pl.len().cast(pl.Int32))
    )


def active(rows: Sequence[tuple[str, str]], zone: str, as_of: date) -> dict[tuple[date, int], int]:
    table = cohort_retention(purchases_at_times(rows, ZoneInfo(zone)), as_of).collect()
    cells = table.filter(pl.col("measure") == "active_rate", "is_complete")
    return {
        (cohort, k): customers for cohort, k, customers in cells.select("cohort", "k", "customers").rows()
    }


@pytest.mark.parametrize("zone", ZONES)
def test_a_minute_before_and_after_midnight_of_a_months_end_lie_in_two_months(zone: str) -> None:
    rows = [("a", "2024-01-31 23:59:00"), ("a", "2024-02-01 00:01:00"), ("b", "2024-02-29 23:59:59")]
    assert active(rows, zone, date(2024, 2, 29)) == {
        (date(2024, 1, 1), 0): 1,
        (date(2024, 1, 1), 1): 1,
        (date(2024, 2, 1), 0): 1,
    }


@pytest.mark.parametrize(
    ("zone", "cohort"),
    [
        ("Pacific/Tongatapu", date(2024, 2, 1)),
        ("Pacific/Pago_Pago", date(2024, 1, 1)),
        ("UTC", date(2024, 1, 1)),
    ],
)
def test_one_instant_is_in_the_month_of_the_shops_own_clock(zone: str, cohort: date) -> None:
    # Noon of 31 January UTC: 1 a.m. of the next month in Tonga, 1 a.m. of the same day in Samoa.
    assert active([("a", "2024-01-31T12:00:00Z")], zone, date(2024, 2, 29))[cohort, 0] == 1


def test_the_days_of_a_clock_change_are_days_like_others() -> None:
    # 2:30 does not exist on the first of these days in New York and happens twice on the second.
    rows = [("a", "2024-03-10 02:30:00"), ("a", "2024-03-10 23:59:00"), ("b", "2024-11-03 01:30:00")]
    days = purchases_at_times(rows, ZoneInfo("America/New_York")).sort("order_day").collect()
    assert days.rows() == [("a", date(2024, 3, 10), 2), ("b", date(2024, 11, 3), 1)]


@settings(max_examples=40, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    moments=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 200 * 86_400)), max_size=8),
)
def test_the_day_of_an_order_is_that_of_pythons_own_calendar(
    zone: str, moments: list[tuple[str, int]]
) -> None:
    utc = [(who, datetime(2023, 11, 1, tzinfo=UTC) + timedelta(seconds=after)) for who, after in moments]
    rows = [(who, at.strftime("%Y-%m-%dT%H:%M:%SZ")) for who, at in utc]
    days = purchases_at_times(rows, ZoneInfo(zone)).collect()
    expected = {(who, at.astimezone(ZoneInfo(zone)).date()) for who, at in utc}
    assert {(row["customer_key"], row["order_day"]) for row in days.to_dicts()} == expected


Deliveries = Mapping[str, Sequence[Mapping[str, Any]]]

ORDERS = [
    order_line(
        f"{person}-{count}",
        customer_id=str(person),
        ordered_at=f"{date(2024, 1, 3) + timedelta(days=9 * person + 23 * count)} 12:00:00",
        product_id=("MUG", "CUP")[person % 2],
        channel=("web", "store")[person % 2],
        unit_price=f"{10 + person}.35",
    )
    for person in range(1, 7)
    for count in range(person)
]
LATER = [
    order_line("6-9", customer_id="6", ordered_at="2024-05-30 23:59:00", quantity="2", channel="web"),
    order_line("7-0", customer_id="7", ordered_at="2024-05-31 00:01:00", channel="web"),
    # A change of an order that came before: called off.
    ORDERS[3] | {"status": "cancelled", "updated_at": "2024-05-30 12:00:00"},
]
RETURNS = [
    return_row(
        "R1", customer_id="2", order_id="2-0", product_id="MUG", amount="12.35", returned_at="2024-03-01"
    ),
    return_row("R2", customer_id="9", product_id="CUP", amount="3.00", returned_at="2024-04-30 23:59:00"),
]


def made(
    folder: Path, parts: Sequence[Deliveries], as_of: date = AS_OF, more: str = ""
) -> dict[str, pl.DataFrame]:
    """Take deliveries in, one run a part, and make the tables of one day; customers by their purchases."""
    shop = write_shop(folder, ("orders", "returns"), more=more)
    lake = Lake.make(folder / "lake", shop.name)
    for number, part in enumerate(parts):
        for table in ("orders", "returns"):
            (shop.folder / "deliveries" / table).mkdir(parents=True, exist_ok=True)
            if table in part:
                deliver(shop.folder, table, str(number), part[table])
        ingest(shop, lake, NOW + timedelta(days=number))
    steps = steps_of(shop)
    given = Given(shop, lake, Moment("composed", NOW, as_of), steps)
    for name in MADE:
        carry_out(steps[name], given)
    return {name: lake.scan(name).collect() for name in MADE}


def without_keys(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Rows without the keys, which are another shop's secret each."""
    kept = frame.drop("customer_key", strict=False)
    return sorted(kept.rows(), key=str)


@pytest.mark.xdist_group("gx")
@pytest.mark.usefixtures("great_expectations")
def test_deliveries_in_parts_and_all_at_once_give_the_same_tables(tmp_path: Path) -> None:
    as_they_end = [*ORDERS[:3], *ORDERS[4:], *LATER]
    whole = made(tmp_path / "whole", [{"orders": as_they_end, "returns": RETURNS}])
    parts = made(
        tmp_path / "parts",
        [
            {"orders": ORDERS[:9], "returns": RETURNS[:1]},
            {"orders": ORDERS},
            {"orders": LATER, "returns": RETURNS},
        ],
    )
    for name in MADE:
        assert without_keys(whole[name]) == without_keys(parts[name]), name
    assert not whole["loyalty_tiers"].is_empty()
    steps = whole["revenue_bridge"].filter(bridge="revenue", period="all")
    amounts = dict(steps.select("step", "amount").iter_rows())
    assert amounts["cancelled_orders"] > 0
    assert amounts["returns_without_an_order"] == -3


@pytest.mark.xdist_group("gx")
@pytest.mark.usefixtures("great_expectations")
def test_cohorts_have_every_unit_and_the_break_downs_that_tell_something(tmp_path: Path) -> None:
    tables = made(tmp_path, [{"orders": ORDERS, "returns": RETURNS}], more="[tiers]\nlevels = { gold = 5 }")
    cohorts = tables["cohort_retention"]
    everybody = cohorts.filter(break_down="all")
    assert set(everybody["period_unit"]) == {"month", "week", "quarter", "age_30d"}
    broken_down = cohorts.filter(pl.col("break_down") != "all")
    assert set(broken_down["period_unit"]) == {"month"}
    # Nobody had a discount, no country or category is delivered, and nobody was asked.
    assert set(broken_down["break_down"]) == {"channel", "product", "returned"}
    month = everybody.filter(period_unit="month", measure="active_rate", k=1).select(
        "cohort", "n", "customers"
    )
    by_channel = broken_down.filter(break_down="channel", measure="active_rate", k=1)
    added = by_channel.group_by("cohort").agg(pl.col("n", "customers").sum()).sort("cohort")
    assert (
        added.filter(pl.col("cohort") < date(2024, 4, 1)).rows()
        == month.filter(pl.col("cohort") < date(2024, 4, 1)).sort("cohort").rows()
    )
    assert set(tables["loyalty_tiers"]["tier"]) == {"gold"}


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("levels = {}", "name at least one tier"),
        ("levels = { a = 0 }", "a tier takes more than 0: a"),
        ("levels = { a = 3, b = 3 }", "two tiers take the same"),
        ("levels = { a = 2.5 }", "orders are whole numbers; mend a"),
        ('basis = "points"', "'orders' or 'net'"),
        ("window_days = 0", "greater than 0"),
    ],
)
def test_tiers_that_mean_nothing_are_refused_in_words(tmp_path: Path, section: str, says: str) -> None:
    with pytest.raises(ShopError, match=says):
        write_shop(tmp_path, more=f"[tiers]\n{section}")


def test_tiers_by_spend_may_have_parts_of_the_currency(tmp_path: Path) -> None:
    shop: Shop = write_shop(tmp_path, more='[tiers]\nbasis = "net"\nlevels = { loyal = 99.5 }')
    assert float(shop.tiers.levels["loyal"]) == 99.5
