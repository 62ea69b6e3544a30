"""Facts of the optional tables: the newest version of every row, with keys in place of addresses and local days."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from data_contracts import Layer, table, table_names
from pipelines.assets import facts
from pipelines.assets.optional_facts import EVENTS
from pipelines.ingest import events
from pipelines.lake import Lake
from pipelines.shop import Shop
from tests.pipelines.ingest.composed_rows import ANNA, BEN, GOOD, row
from tests.pipelines.ingest.fact_lakes import facts_of
from tests.pipelines.small_shops import order_line, write_shop

OPTIONAL = [
    "shipments", "tickets", "messages", "loyalty_ledger", "referrals", "reviews", "mentions", "costs",
    "campaign_assignments", "rates",
]  # fmt: skip
ORDERS = [
    order_line("1", email=ANNA, phone="+447700900123"),
    order_line("3", email=BEN, customer_id="8", ordered_at="2024-03-04 12:00:00"),
]
DELIVERIES: dict[str, list[list[dict[str, Any]]]] = {
    "orders": [ORDERS],
    "shipments": [
        [
            row("shipments", delivered_at=None),
            row("shipments", shipment_id="p2", delivered_at="2024-03-04 23:30:00"),
            row("shipments", shipment_id="p3", promised_day=None),
        ],
        [row("shipments")],
    ],
    "tickets": [
        [
            row("tickets"),
            row("tickets", ticket_id="t2", topic="WISMO", closed_at=None, email=None, phone="+447700900123"),
            row("tickets", ticket_id="t3", topic=None, is_open="no", closed_at=None, email=None),
        ],
        [row("tickets", topic="Refund", is_open="yes")],
    ],
    "messages": [
        [row("messages", opened_at=None, channel="EMAIL"), row("messages", message_id="m2", kind=None)],
        [row("messages", kind="Transactional")],
    ],
    "loyalty_ledger": [[row("loyalty_ledger"), row("loyalty_ledger", entry_id="l2", points="-40")]],
    "referrals": [
        [
            row("referrals"),
            row("referrals", referral_id="f2", friend_email=None, friend_customer_id="8"),
            row("referrals", referral_id="f3", friend_email="carla@example.com"),
            row("referrals", referral_id="f4", friend_email=None),
        ]
    ],
    "reviews": [[row("reviews"), row("reviews", review_id="v2", email="dora@example.com", rating="1")]],
    "mentions": [[row("mentions"), row("mentions", mention_id="n2", email=ANNA, sentiment=None)]],
    "costs": [
        [row("costs"), row("costs", cost_id="7", amount="1"), row("costs", cost_id="8", amount="-2.5")],
        [row("costs", amount="5.95"), row("costs", cost_id="7", amount="3")],
    ],
    "campaign_assignments": [
        [
            row("campaign_assignments"),
            row("campaign_assignments", email=BEN, assignment="hold_out"),
            row("campaign_assignments", email=None, customer_id="7", assignment="hold_out"),
        ]
    ],
    "rates": [[row("rates"), row("rates", day="2024-03-02", rate="0.86")], [row("rates", rate="0.8556")]],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Lake]:
    return facts_of(tmp_path_factory.mktemp("events") / "shop", DELIVERIES)


@pytest.fixture(scope="module")
def lake(made: tuple[Shop, Lake]) -> Lake:
    return made[1]


def rows_of(lake: Lake, name: str, number: str) -> dict[str, dict[str, Any]]:
    return {found[number]: found for found in lake.scan(name).collect().iter_rows(named=True)}


def key_of(lake: Lake, identifier: str) -> str:
    return lake.scan("identity_map").filter(identifier=identifier).collect()["customer_key"].item()


def test_a_shipment_is_late_by_the_days_of_the_shop_and_not_before_it_is_known(lake: Lake) -> None:
    found = rows_of(lake, "shipments", "shipment_id")
    assert {number: one["is_late"] for number, one in found.items()} == {"p1": True, "p2": False, "p3": None}
    assert found["p1"]["delivered_at"] == datetime(2024, 3, 5, 9, tzinfo=UTC)  # the newer delivery says so
    assert found["p2"]["delivered_day"] == date(2024, 3, 4)


def test_a_ticket_says_whether_it_asks_for_an_order_and_whether_it_is_open(lake: Lake) -> None:
    found = rows_of(lake, "tickets", "ticket_id")
    assert {n: (one["is_wismo"], one["is_open"]) for n, one in found.items()} == {
        "t1": (False, True), "t2": (True, True), "t3": (None, False),
    }  # fmt: skip
    assert found["t2"]["customer_key"] == key_of(lake, ANNA)
    assert found["t3"]["customer_key"] is None


def test_a_message_is_marketing_unless_it_says_otherwise(lake: Lake) -> None:
    found = rows_of(lake, "messages", "message_id")
    assert {n: (one["kind"], one["channel"]) for n, one in found.items()} == {
        "m1": ("transactional", "email"), "m2": ("marketing", "email"),
    }  # fmt: skip
    assert found["m1"]["opened_at"] is not None


def test_points_are_signed(lake: Lake) -> None:
    assert lake.scan("loyalty_ledger").collect()["points"].sum() == 60


def test_a_referral_leads_from_one_customer_to_another(lake: Lake) -> None:
    found = rows_of(lake, "referrals", "referral_id")
    assert {one["customer_key"] for one in found.values()} == {key_of(lake, ANNA)}
    assert {number: one["friend_key"] for number, one in found.items()} == {
        "f1": key_of(lake, BEN),
        "f2": key_of(lake, BEN),
        "f3": key_of(lake, "carla@example.com"),
        "f4": None,
    }


def test_reviews_and_mentions_bear_a_key_where_somebody_is_named(lake: Lake) -> None:
    reviews, mentions = rows_of(lake, "reviews", "review_id"), rows_of(lake, "mentions", "mention_id")
    assert reviews["v2"]["customer_key"] == key_of(lake, "dora@example.com")
    assert (reviews["v1"]["rating"], reviews["v1"]["written_day"]) == (4, date(2024, 3, 9))
    assert (mentions["n1"]["customer_key"], mentions["n1"]["sentiment"]) == (None, -0.5)
    assert mentions["n2"]["customer_key"] == key_of(lake, ANNA)


def test_a_cost_with_a_number_is_a_booking_and_one_without_a_figure_that_is_replaced(lake: Lake) -> None:
    found = lake.scan("costs").select("cost_id", "amount", "source").collect()
    assert sorted(found.rows(), key=str) == [
        ("7", Decimal(3), "costs"),
        ("8", Decimal("-2.5"), "costs"),
        (None, Decimal("5.95"), "costs"),
    ]


def test_two_sources_may_tell_the_same_figure(made: tuple[Shop, Lake]) -> None:
    shop, lake = made
    rows = lake.scan("valid_costs").filter(
        pl.col("cost_id").is_null() & pl.col("delivery_id").str.contains("1-1")
    )
    other = rows.with_columns(pl.lit("ads-000000000001-1").alias("delivery_id"))
    source_of = {name: name.split("-")[0] for name in _ids(pl.concat([rows, other]))}
    found = events.costs(pl.concat([rows, other]), shop, source_of, None).collect()
    assert sorted(found["source"]) == ["ads", "costs"]


def test_who_was_written_to_under_one_address_was_not_held_out(lake: Lake) -> None:
    found = rows_of(lake, "campaign_assignments", "customer_key")
    assert {key: one["assignment"] for key, one in found.items()} == {
        key_of(lake, ANNA): "deliver",
        key_of(lake, BEN): "hold_out",
    }


def test_a_rate_is_one_a_day_and_the_newest(lake: Lake) -> None:
    found = lake.scan("rates").sort("day").collect()
    assert found.select("currency", "rate").rows() == [("EUR", 0.8556), ("EUR", 0.86)]


def test_no_optional_fact_holds_an_address(lake: Lake) -> None:
    for name in OPTIONAL:
        assert "@" not in str(lake.scan(name).collect().to_dict(as_series=False)), name


@pytest.mark.parametrize("name", EVENTS)
def test_the_order_of_rows_decides_nothing(name: str, made: tuple[Shop, Lake]) -> None:
    shop, lake = made
    rows = lake.scan(f"valid_{name}").with_columns(pl.lit("shop").alias("customer_numbers")).collect()
    for seed in range(3):
        shuffled = rows.sample(fraction=1, shuffle=True, seed=seed).lazy()
        again = events.events(name, shuffled, lake.scan("identity_map"), shop).collect()
        assert_frame_equal(again, lake.scan(name).sort(table(name).key).collect())


def _ids(rows: pl.LazyFrame) -> list[str]:
    return rows.select(pl.col("delivery_id").unique()).collect().to_series().to_list()


def test_what_no_source_feeds_is_no_step(tmp_path: Path) -> None:
    shop = write_shop(tmp_path)
    made = {step.table for step in facts.steps(shop)}
    assert not made & set(OPTIONAL)
    assert {"customers", "contacts", "consents", "survey_answers", "returns"} <= made


def test_every_delivered_table_has_a_step_where_it_is_connected(tmp_path: Path) -> None:
    delivered = {name.removeprefix("valid_") for name in table_names() if name.startswith("valid_")}
    assert delivered == {*GOOD, "orders", "returns"}
    made = {step.table for step in facts.steps(write_shop(tmp_path, sorted(delivered)))}
    assert delivered <= made
    assert all(table(name).layer is Layer.FACT for name in made)


def test_days_are_the_shops(lake: Lake) -> None:
    found = lake.scan("messages").select(pl.col("sent_day").unique()).collect()
    assert found["sent_day"].to_list() == [date(2024, 3, 7)]
