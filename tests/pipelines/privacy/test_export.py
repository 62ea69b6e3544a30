"""Everything that is held of one person, found by whatever names them, and nothing of anybody else. Composed people."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.lake import Lake
from pipelines.privacy.erasure import prepare
from pipelines.privacy.export import ANOTHER, as_json, as_page, export_person
from pipelines.privacy.person import NobodyError, find_person
from pipelines.shop import Shop
from tests.pipelines.small_shops import NOW, as_text, deliver, ingest, order_line, source, write_shop

pytestmark = pytest.mark.xdist_group("composed_people")
EMAIL = "anna@example.org"
REVIEW = {"review_id": "V2", "email": "joanna@example.org", "product_id": "MUG", "body": f"Ask {EMAIL}."}


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory, great_expectations: None) -> Iterator[tuple[Shop, Lake]]:
    folder = tmp_path_factory.mktemp("held")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETENTION_KEY", "composed for tests")
        others = source(
            "orders",
            "till",
            path="deliveries/till/*",
            more='customer_numbers = "till"\norder_numbers = "till"',
        )
        shop = write_shop(folder / "shop", ["orders", "reviews", "referrals"], more=others)
        anna = {"customer_id": "10", "email": EMAIL, "phone": "+49 151 12345678"}
        crowd = [
            order_line(f"D{n}", customer_id=None, phone="+447911123456", email=f"c{n}@example.org")
            for n in range(60)
        ]
        mine = [
            order_line("A1", **anna),
            order_line("A2", customer_id="10", ordered_at="never"),
            order_line("B1"),
        ]
        deliver(shop.folder, "orders", "1", [*mine, *crowd])
        till = shop.folder / "deliveries" / "till" / "1.csv"
        till.parent.mkdir()
        as_text("orders", [order_line("1", customer_id="10")]).write_csv(till)
        deliver(shop.folder, "reviews", "1", [REVIEW | {"written_at": "2024-03-25 11:00:00"}])
        friend = {"referral_id": "F1", "email": EMAIL, "friend_email": "joanna@example.org"}
        deliver(shop.folder, "referrals", "1", [friend | {"referred_at": "2024-02-01 10:00:00"}])
        lake = Lake.make(folder / "lake", shop.name)
        ingest(shop, lake, NOW)
        yield shop, lake


@pytest.mark.parametrize("asked", ["shop:10", " ANNA@example.org ", "+49 151 12345678"])
def test_a_person_is_found_by_whatever_names_them(held: tuple[Shop, Lake], asked: str) -> None:
    shop, lake = held
    by_email = find_person(lake, shop, EMAIL)
    assert find_person(lake, shop, asked) == by_email
    assert by_email.identifiers["order_id"] == ("A1",)
    for key in by_email.keys:  # the customer's own and every alias
        assert find_person(lake, shop, key) == by_email


def test_a_number_of_two_systems_and_a_shared_one_name_nobody_alone(held: tuple[Shop, Lake]) -> None:
    shop, lake = held
    with pytest.raises(NobodyError, match=r"several people, of several systems.*\(shop, till\)"):
        find_person(lake, shop, "10")
    assert find_person(lake, shop, "till:10") != find_person(lake, shop, "shop:10")
    with pytest.raises(NobodyError, match="used by several people and names nobody"):
        find_person(lake, shop, "+447911123456")


@pytest.mark.parametrize("asked", ["nobody@example.org", "shop:99999", "0" * 24, "", "what"])
def test_nobody_is_told_without_a_value(held: tuple[Shop, Lake], asked: str) -> None:
    shop, lake = held
    with pytest.raises(NobodyError) as told:
        prepare(lake, shop, asked)
    assert asked == "" or asked not in str(told.value)


def test_an_export_holds_their_rows_in_words_and_masks_other_people(held: tuple[Shop, Lake]) -> None:
    shop, lake = held
    export = export_person(lake, shop, EMAIL, NOW)
    tables = export["tables"]
    assert {"orders", "order_lines", "contacts", "identity_map", "raw_orders", "orders_quarantine"} <= set(
        tables
    )
    assert [row["order_id"] for row in tables["raw_orders"]["rows"]] == ["A1", "A2"]
    assert tables["orders"]["columns"]["net"]["meaning"]
    assert tables["raw_referrals"]["rows"][0]["friend_email"] == ANOTHER
    assert tables["referrals"]["rows"][0]["friend_key"] == ANOTHER
    assert [file["file"] for file in export["delivered_files"]] == ["1.csv"]
    text = as_json(export)
    assert json.loads(text)["shop"] == shop.title
    assert "joanna" not in text
    assert "D1" not in as_page(export)
    assert EMAIL in as_page(export)


def test_looking_changes_nothing(held: tuple[Shop, Lake], tmp_path: Path) -> None:
    shop, lake = held
    before = {path: path.stat().st_mtime_ns for path in lake.root.rglob("*")}
    export_person(lake, shop, EMAIL, NOW)
    prepare(lake, shop, EMAIL)
    assert {path: path.stat().st_mtime_ns for path in lake.root.rglob("*")} == before
