"""Shopify's customers export, older and newer: people, and what they allow on which channel."""

from pathlib import Path

import pytest

from pipelines.sources import format_of
from pipelines.sources.reader import FAULT
from tests.pipelines.sources.composed_files import filled, header, look, write

OLDER, NEWER = header("shopify_customers"), header("shopify_customers_newer")
ANN = {
    "First Name": "Ann",
    "Last Name": "Example",
    "Email": "ann@example.com",
    "Accepts Email Marketing": "yes",
    "City": "Delft",
    "Country": "Netherlands",
    "Country Code": "NL",
    "Zip": "'0123 AB",
    "Phone": "'+31200000000",
    "Accepts SMS Marketing": "no",
    "Tags": "vip",
}
BOB = {
    "Customer ID": "'7000000000001",
    "First Name": "Bob",
    "Email": "bob@example.com",
    "Accepts Email Marketing": "no",
    "Default Address City": "Ghent",
    "Default Address Country Code": "BE",
    "Default Address Zip": "9000",
}


def test_an_older_export_brings_customers(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", OLDER, [ANN])
    arrival = look(tmp_path, "shopify_customers", "customers")
    assert filled(arrival) == [
        {
            "email": "ann@example.com",
            "phone": "+31200000000",
            "first_name": "Ann",
            "last_name": "Example",
            "country": "NL",
            "city": "Delft",
            "zip": "0123 AB",
            "tags": "vip",
        }
    ]
    assert arrival.unknown_columns == ()


def test_a_newer_export_brings_customers_with_their_numbers(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", NEWER, [BOB])
    arrival = look(tmp_path, "shopify_customers", "customers")
    assert filled(arrival) == [
        {
            "customer_id": "7000000000001",
            "email": "bob@example.com",
            "first_name": "Bob",
            "country": "BE",
            "city": "Ghent",
            "zip": "9000",
        }
    ]
    assert arrival.unknown_columns == ()


@pytest.mark.parametrize("names", [OLDER, NEWER])
def test_both_headers_tell_the_format(names: list[str]) -> None:
    assert format_of("shopify_customers").signature <= set(names)


def test_consents_have_a_row_for_each_channel_that_the_export_speaks_of(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", OLDER, [ANN, ANN | {"Accepts SMS Marketing": ""}])
    rows = filled(look(tmp_path, "shopify_customers", "consents"))
    person = {"email": "ann@example.com", "phone": "+31200000000"}
    assert rows == [
        person | {"channel": "email", "is_granted": "yes"},
        person | {"channel": "sms", "is_granted": "no"},
        person | {"channel": "email", "is_granted": "yes"},
        person | {"channel": "sms"},
    ]
    write(tmp_path / "delivery.csv", NEWER, [BOB])
    assert [row["channel"] for row in filled(look(tmp_path, "shopify_customers", "consents"))] == ["email"]


def test_a_shop_may_say_of_which_day_the_consents_are(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", OLDER, [ANN])
    given = '[sources.values]\nrecorded_at = "2026-05-01"\n'
    rows = filled(look(tmp_path, "shopify_customers", "consents", given))
    assert [row["recorded_at"] for row in rows] == ["2026-05-01", "2026-05-01"]


@pytest.mark.parametrize("table", ["customers", "consents"])
def test_a_broken_record_is_one_row_of_either_table(tmp_path: Path, table: str) -> None:
    path = write(tmp_path / "delivery.csv", NEWER, [BOB])
    path.write_text(path.read_text(encoding="utf-8") + "broken,record\n", encoding="utf-8")
    rows = look(tmp_path, "shopify_customers", table).rows().collect()
    assert [fault is not None for fault in rows[FAULT]] == [False, True]
    assert all(value is None for name, value in rows.row(1, named=True).items() if name != FAULT)
