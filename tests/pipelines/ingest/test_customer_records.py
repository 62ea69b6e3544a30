"""Customers and contacts of delivered records: names stand in contacts alone, the newest record counts."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.ingest import people
from pipelines.lake import Lake
from pipelines.shop import Shop
from tests.pipelines.ingest.composed_rows import ANNA, BEN, row
from tests.pipelines.ingest.fact_lakes import facts_of, make_facts, put
from tests.pipelines.small_shops import order_line, source

CARLA, DORA = "carla@example.com", "dora@example.com"
DELIVERIES: dict[str, list[list[dict[str, Any]]]] = {
    "orders": [
        [
            order_line("1", email=ANNA, country="GB", ship_to_name="Bob Gift"),
            order_line("2", email=ANNA, ordered_at="2024-03-05 12:00:00", channel="app"),
            order_line("3", email=BEN, customer_id="8"),
        ]
    ],
    "customers": [
        [
            row("customers", country="IE", first_name="Ann", updated_at="2024-03-01"),
            row("customers", customer_id="8", email=BEN, first_name="Ben", country="IE", tags=None),
            row("customers", customer_id="9", email=CARLA, first_name="Carla", tags="press"),
            row("customers", customer_id="10", email=DORA, tags="old", created_at=None, country=None),
        ],
        [
            row("customers", country="IE", tags="vip", updated_at="2024-03-02"),
            row("customers", customer_id="10", email=DORA, tags=None, created_at=None, country=None),
        ],
    ],
    "contacts": [
        [
            row("contacts", first_name="Anna Maria", created_at="2024-04-01", zip=None),
            row("contacts", email="erik@example.com", phone=None, first_name="Erik"),
        ]
    ],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Lake]:
    folder: Path = tmp_path_factory.mktemp("records")
    return facts_of(folder / "shop", DELIVERIES)


@pytest.fixture(scope="module")
def lake(made: tuple[Shop, Lake]) -> Lake:
    return made[1]


def key_of(lake: Lake, identifier: str) -> str:
    return lake.scan("identity_map").filter(identifier=identifier).collect()["customer_key"].item()


def customer(lake: Lake, email: str) -> dict[str, Any]:
    return lake.scan("customers").filter(customer_key=key_of(lake, email)).collect().row(0, named=True)


def contact(lake: Lake, address: str) -> dict[str, Any]:
    return lake.scan("contacts").filter(address=address).collect().row(0, named=True)


def test_orders_tell_the_country_first_and_records_where_they_do_not(lake: Lake) -> None:
    # Anna's later order names no country; Ben's orders never do.
    assert (customer(lake, ANNA)["country"], customer(lake, ANNA)["channel"]) == ("GB", "app")
    assert customer(lake, BEN)["country"] == "IE"


def test_a_record_gives_its_day_and_tags_as_the_newest_version_has_them(lake: Lake) -> None:
    assert customer(lake, ANNA)["created_day"] == date(2024, 2, 1)
    assert customer(lake, ANNA)["tags"] == "vip"
    assert (customer(lake, DORA)["tags"], customer(lake, DORA)["created_day"]) == (None, None)


def test_who_never_ordered_is_a_customer_of_the_records_without_orders(lake: Lake) -> None:
    carla = customer(lake, CARLA)
    assert (carla["valid_orders"], carla["first_order_day"], carla["tags"]) == (0, None, "press")
    assert lake.scan("customers").select(pl.len()).collect().item() == 4  # a mere contact is no customer


def test_names_come_with_their_address_from_the_newest_record_that_has_it(lake: Lake) -> None:
    anna = contact(lake, ANNA)
    assert (anna["first_name"], anna["last_name"], anna["zip"]) == ("Anna Maria", "Example", None)
    by_number = contact(lake, "7")
    assert (by_number["kind"], by_number["first_name"], by_number["zip"], by_number["country"]) == (
        "external_id",
        "Anna",
        "AB1 2CD",
        "IE",
    )
    assert contact(lake, "+447700900123")["customer_key"] == key_of(lake, ANNA)
    assert contact(lake, "erik@example.com")["first_name"] == "Erik"


def test_an_address_was_last_seen_with_its_latest_order_or_record(lake: Lake) -> None:
    assert contact(lake, ANNA)["last_seen_at"] == datetime(2024, 3, 31, 23, tzinfo=UTC)
    assert contact(lake, BEN)["last_seen_at"] == datetime(2024, 3, 1, 12, tzinfo=UTC)
    assert contact(lake, DORA)["last_seen_at"] is None


def test_the_name_on_a_parcel_is_nobodys_name(lake: Lake) -> None:
    assert "Bob" not in str(lake.scan("contacts").collect().to_dict(as_series=False))


def test_no_fact_but_contacts_holds_a_name(lake: Lake) -> None:
    for name in ("customers", "orders", "identity_map"):
        text = str(lake.scan(name).collect().to_dict(as_series=False))
        assert "Anna" not in text, name
        assert name == "identity_map" or "@" not in text


def test_the_order_of_records_decides_nothing(made: tuple[Shop, Lake]) -> None:
    shop, lake = made
    identities, current = lake.scan("identity_map"), lake.scan("current_orders")
    records = [
        lake.scan(f"valid_{name}").with_columns(pl.lit("shop").alias("customer_numbers")).collect()
        for name in ("customers", "contacts")
    ]
    for seed in range(3):
        shuffled = [frame.sample(fraction=1, shuffle=True, seed=seed).lazy() for frame in records]
        found = people.contacts(current, shuffled, identities, shop).collect()
        key = ["customer_key", "kind", "address"]
        assert_frame_equal(found, lake.scan("contacts").sort(key).collect())
        again = people.customers(lake.scan("orders"), shuffled[0], identities, shop).collect()
        assert_frame_equal(again, lake.scan("customers").sort("customer_key").collect())


def test_records_of_two_systems_with_one_number_are_two_people(tmp_path: Path) -> None:
    nobody = {"email": None, "phone": None}
    shop, lake = facts_of(
        tmp_path,
        {"orders": [[order_line("1")]], "customers": [[row("customers", **nobody)]]},
        more=source("customers", "crm", more='customer_numbers = "crm"'),
    )
    put(shop, lake, "customers", [row("customers", first_name="Otto", **nobody)], source="crm")
    make_facts(shop, lake)
    assert sorted(lake.scan("customers").collect()["valid_orders"]) == [0, 1]
    assert sorted(lake.scan("contacts").collect()["first_name"]) == ["Anna", "Otto"]
