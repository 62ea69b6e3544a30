"""Rows of erased people: known again by keyed hashes, however they are written; nobody else is taken for them."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import LakeError
from pipelines.ingest.erased import TABLE, Erased, hashed, rows_of
from pipelines.ingest.numbers import with_numbers
from pipelines.keys import keys_of
from pipelines.lake import Lake
from pipelines.settings import Identity
from pipelines.shop import Numbers, Shop
from pipelines.sources.reader import FAULT
from tests.pipelines.small_shops import as_text, order_line, write_shop

KEY = b"composed"
RULES = Identity(phone_region="DE")


def erased(**identifiers: str) -> Erased:
    return Erased({kind: hashed(kind, pl.Series([text]), KEY) for kind, text in identifiers.items()}, KEY)


def found(
    people: Erased, rows: list[dict[str, Any]], table: str = "orders", fault: str | None = None
) -> list[int]:
    """Positions of the rows that are theirs, from 0."""
    frame = (
        as_text(table, rows).lazy().with_row_index("at").with_columns(pl.lit(fault, pl.String).alias(FAULT))
    )
    told_apart = with_numbers(
        frame.with_columns(delivery_id=pl.lit("d")), table, {"d": Numbers("shop", "shop")}
    )
    unit = ["order_id"] if table == "orders" else None
    return rows_of(told_apart, people, RULES, at=["at"], unit=unit)["at"].sort().to_list()


def test_a_row_that_bears_an_erased_address_is_theirs_whoever_else_it_names() -> None:
    rows = [
        order_line("1", email=" Anna@Example.ORG", phone="+447911123456", customer_id="7"),
        order_line("2", email="joanna@example.org", customer_id="7"),
        order_line("3", email="anna@example.org.uk", customer_id="8"),
    ]
    assert found(erased(email="anna@example.org"), rows) == [0]


@pytest.mark.parametrize("written", ["0151 1234 5678", "+49 (0)151/12345678", "004915112345678"])
def test_a_phone_number_is_known_in_every_way_of_writing_it(written: str) -> None:
    people = erased(phone="+4915112345678")
    assert found(people, [order_line("1", phone=written), order_line("2", phone="+4915112345679")]) == [0]


def test_a_number_is_theirs_and_not_the_one_that_begins_like_it_nor_another_systems() -> None:
    rows = [order_line(str(number), customer_id=str(number)) for number in (1, 10, 100)]
    assert found(erased(source_id="shop:10"), rows) == [1]
    assert found(erased(source_id="till:10"), rows) == []


def test_the_other_lines_of_their_order_go_with_it_and_rows_that_name_nobody_with_their_order() -> None:
    lines = [
        order_line("1", email="anna@example.org", customer_id=None),
        order_line("1", product_id="CUP", customer_id=None),
        order_line("2", customer_id=None),
        order_line("3", customer_id="7"),
    ]
    assert found(erased(email="anna@example.org"), lines) == [0, 1]
    assert found(erased(order_id="2"), lines) == [2]
    parcels = [{"shipment_id": order_id, "order_id": order_id} for order_id in ("1", "2", "21")]
    assert found(erased(order_id="2"), parcels, "shipments") == [1]


def test_a_shared_address_is_theirs_only_where_it_stands_alone() -> None:
    rows = [
        order_line("1", email="office@example.org", customer_id=None),
        order_line("2", email="office@example.org", customer_id="7"),
    ]
    assert found(erased(shared_email="office@example.org"), rows) == [0]


def test_a_referral_goes_with_either_of_its_two_people() -> None:
    row = {"referral_id": "1", "email": "joanna@example.org", "friend_email": "anna@example.org"}
    assert found(
        erased(email="anna@example.org"), [row, row | {"friend_email": "bob@example.org"}], "referrals"
    ) == [0]


def test_a_row_that_could_not_be_read_is_theirs_if_its_text_holds_their_address() -> None:
    broken = [{"order_id": None}]
    people = erased(email="anna@example.org")
    assert found(people, broken, fault='too many cells: 7,"Anna@example.org",x') == [0]
    assert found(people, broken, fault="too many cells: 7,joanna@example.org,x") == []


cells = st.sampled_from([None, "1", "10", "100", " 10 "])
mails = st.sampled_from([None, "a@example.org", "A@example.org ", "aa@example.org", "n/a"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("XYZ"), cells, mails), min_size=1, max_size=6))
def test_whose_rows_they_are_agrees_with_looking_at_each_row(
    lines: list[tuple[str, str | None, str | None]],
) -> None:
    rows = [order_line(order, customer_id=number, email=mail) for order, number, mail in lines]
    direct = [
        (number or "").strip() == "10" or (mail or "").strip().lower() == "a@example.org"
        for _, number, mail in lines
    ]
    orders = {order for (order, _, _), is_theirs in zip(lines, direct, strict=True) if is_theirs}
    expected = [at for at, (order, _, _) in enumerate(lines) if order in orders]
    assert found(erased(email="a@example.org", source_id="shop:10"), rows) == expected


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("RETENTION_KEY", "composed")
    return write_shop(tmp_path / "shop")


def test_nobody_is_erased_from_a_new_lake_and_another_key_is_told(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake.make(tmp_path / "lake", shop.name)
    assert Erased.of(lake, shop) is None
    keys = keys_of(shop, lake.root)
    row = {"identifier_kind": ["email"], "keyed_hash": ["0" * 24], "key_id": [keys.erasure_id]}
    lake.append(TABLE, pl.LazyFrame(row), fingerprint="")
    assert Erased.of(lake, shop) is not None
    monkeypatch.setenv("RETENTION_KEY", "rotated")
    with pytest.raises(LakeError, match=r"erased from .* under another key"):
        Erased.of(lake, shop)
