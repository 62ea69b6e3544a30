"""Shopify's orders export: lines get their order's cells, discounts add up, refunds and consents stand beside."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import DeliveryError
from pipelines.sources import format_of
from pipelines.sources.reader import FAULT
from pipelines.sources.shopify_orders import DISCOUNT, FORMAT, shape
from tests.pipelines.sources.composed_files import Cells, filled, header, look, records, write

NAMES = header("shopify_orders")


def first(name: str = "#1001", **cells: str) -> dict[str, str]:
    """The first record of an order: two mugs of 10.00, nothing off."""
    return {
        "Name": name,
        "Email": "ann@example.com",
        "Financial Status": "paid",
        "Paid at": "2026-05-01 10:00:00 +0200",
        "Accepts Marketing": "yes",
        "Currency": "EUR",
        "Subtotal": "20.00",
        "Total": "24.95",
        "Created at": "2026-05-01 09:59:00 +0200",
        "Lineitem quantity": "2",
        "Lineitem name": "Mug - Red",
        "Lineitem price": "10.00",
        "Lineitem sku": "MUG-R",
        "Lineitem discount": "0.00",
        "Shipping Name": "Ann Example",
        "Shipping Country": "NL",
        "Billing Country": "BE",
        "Source": "web",
    } | {key.replace("_", " "): value for key, value in cells.items()}


def more(name: str = "#1001", **cells: str) -> dict[str, str]:
    """A further record of an order: one bowl of 5.00."""
    return {
        "Name": name,
        "Lineitem quantity": "1",
        "Lineitem name": "Bowl",
        "Lineitem price": "5.00",
        "Lineitem discount": "0.00",
    } | {key.replace("_", " "): value for key, value in cells.items()}


def rows_of(folder: Path, table: str, *rows: Cells, names: list[str] = NAMES) -> list[dict[str, Any]]:
    write(folder / "delivery.csv", names, rows)
    return filled(look(folder, "shopify_orders", table))


def discounts(*rows: Cells) -> list[Decimal]:
    shaped = shape(records(rows, NAMES).with_columns(pl.lit(None, pl.String).alias(FAULT)), "orders")
    return [Decimal(text) for text in shaped.collect()[DISCOUNT]]


def test_a_line_comes_with_all_that_its_order_says(tmp_path: Path) -> None:
    (line, other) = rows_of(tmp_path, "orders", first(Phone="+31 20 0000000", Tags="vip, test"), more())
    assert line == {
        "order_id": "#1001",
        "ordered_at": "2026-05-01 09:59:00 +0200",
        "status": "paid",
        "tags": "vip, test",
        "channel": "web",
        "country": "NL",
        "currency": "EUR",
        "email": "ann@example.com",
        "phone": "+31 20 0000000",
        "ship_to_name": "Ann Example",
        "product_id": "MUG-R",
        "product_name": "Mug - Red",
        "quantity": "2",
        "unit_price": "10.00",
        "discount": "0.0000",
    }
    of_line = {"product_id": "Bowl", "product_name": "Bowl", "quantity": "1", "unit_price": "5.00"}
    assert other == line | of_line  # without a number a product is known by its name


def test_a_whole_header_has_no_unknown_column_and_tells_the_format(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", NAMES, [first()])
    assert look(tmp_path, "shopify_orders", "orders").unknown_columns == ()
    assert format_of("shopify_orders").signature <= set(NAMES)


def test_an_order_whose_lines_stand_apart_is_filled_all_the_same(tmp_path: Path) -> None:
    rows = [more(), first("#1002", Email="bob@example.com"), first(), more("#1002")]
    found = rows_of(tmp_path, "orders", *rows)
    assert [(row["order_id"], row["email"]) for row in found] == [
        ("#1001", "ann@example.com"),
        ("#1002", "bob@example.com"),
        ("#1001", "ann@example.com"),
        ("#1002", "bob@example.com"),
    ]


def test_a_broken_record_is_kept_in_orders_and_parts_no_order(tmp_path: Path) -> None:
    path = write(tmp_path / "delivery.csv", NAMES, [first(Discount_Amount="2.50"), more(), more()])
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:2], "#1001,broken", *lines[2:]]) + "\n", encoding="utf-8")
    rows = look(tmp_path, "shopify_orders", "orders").rows().collect()
    assert [fault is not None for fault in rows[FAULT]] == [False, True, False, False]
    assert rows["email"].to_list() == ["ann@example.com", None, "ann@example.com", "ann@example.com"]
    assert rows["discount"].cast(pl.Decimal(18, 4)).sum() == Decimal("2.5")
    assert look(tmp_path, "shopify_orders", "consents").rows().collect().height == 1


def test_cancelling_goes_before_payment(tmp_path: Path) -> None:
    cancelled = first(Cancelled_at="2026-05-02 08:00:00 +0200", Financial_Status="refunded")
    (line, _) = rows_of(tmp_path, "orders", cancelled, more())
    assert (line["status"], line["cancelled_at"]) == ("cancelled", "2026-05-02 08:00:00 +0200")


@pytest.mark.parametrize(
    ("cells", "phone"),
    [
        ({"Phone": "1", "Billing Phone": "2", "Shipping Phone": "3"}, "1"),
        ({"Billing Phone": "2", "Shipping Phone": "3"}, "2"),
        ({"Shipping Phone": "3"}, "3"),
    ],
)
def test_the_buyers_phone_goes_before_that_of_the_address(
    tmp_path: Path, cells: dict[str, str], phone: str
) -> None:
    (line,) = rows_of(tmp_path, "orders", first() | cells)
    assert line["phone"] == phone


def test_columns_of_other_versions_may_be_missing(tmp_path: Path) -> None:
    names = ["Name", "Email", "Financial Status", "Created at", "Lineitem quantity", "Lineitem name"]
    (line,) = rows_of(tmp_path, "orders", first(), names=[*names, "Lineitem price"])
    assert (line["product_id"], line["discount"], line.get("country")) == ("Mug - Red", "0.0000", None)


def test_a_file_without_prices_names_the_column(tmp_path: Path) -> None:
    names = [name for name in NAMES if name != "Lineitem price"]
    with pytest.raises(
        DeliveryError, match=r"delivery\.csv is not a Shopify orders .*unit_price \(Lineitem price\)"
    ):
        rows_of(tmp_path, "orders", first(), names=names)


# --- Discounts --------------------------------------------------------------------------------------------------


def test_a_discount_of_the_order_is_spread_by_value() -> None:
    assert discounts(first(Discount_Amount="5.00", Subtotal="20.00"), more()) == [4, 1]


def test_a_discount_on_a_line_is_part_of_the_orders() -> None:
    lines = first(Discount_Amount="5.00", Subtotal="20.00"), more(Lineitem_discount="5.00")
    assert discounts(*lines) == [0, 5]
    lines = first(Discount_Amount="7.00", Subtotal="18.00"), more(Lineitem_discount="5.00")
    assert discounts(*lines) == [2, 5]


def test_a_subtotal_shows_that_discounts_on_lines_come_on_top() -> None:
    lines = first(Discount_Amount="4.00", Subtotal="16.00"), more(Lineitem_discount="5.00")
    assert discounts(*lines) == [4, 5]


def test_free_shipping_takes_nothing_off_goods() -> None:
    assert discounts(first(Discount_Amount="4.95", Subtotal="25.00"), more()) == [0, 0]


@pytest.mark.parametrize("subtotal", ["", "12.50", "30.00", "none"])
def test_a_subtotal_that_does_not_agree_is_not_asked(subtotal: str) -> None:
    assert discounts(first(Discount_Amount="5.00", Subtotal=subtotal), more()) == [4, 1]


def test_a_discount_that_is_no_number_stays_for_the_contract_to_see(tmp_path: Path) -> None:
    found = rows_of(tmp_path, "orders", first(Discount_Amount="five"), more())
    assert [row["discount"] for row in found] == ["five", "five"]
    found = rows_of(
        tmp_path, "orders", first(Discount_Amount="5.00", Subtotal=""), more(Lineitem_discount="a bit")
    )
    assert [row["discount"] for row in found] == ["5.0000", "a bit"]


cents = st.integers(0, 99_999).map(lambda value: f"{value / 100:.2f}")


@given(
    st.lists(st.lists(st.tuples(st.integers(1, 9), cents), min_size=1, max_size=4), min_size=1, max_size=3),
    st.data(),
)
@settings(max_examples=15, deadline=None)
def test_line_discounts_add_up_to_the_discount_of_their_order(
    orders: list[list[tuple[int, str]]], data: Any
) -> None:
    rows: list[Cells] = []
    told: dict[str, Decimal] = {}
    for number, lines in enumerate(orders):
        name = f"#{number}"
        goods = sum(quantity * Decimal(price) for quantity, price in lines)
        off = Decimal(data.draw(st.integers(0, int(goods * 100)))) / 100
        told[name] = off
        for place, (quantity, price) in enumerate(lines):
            cells = {"Lineitem quantity": str(quantity), "Lineitem price": price}
            whole = {"Discount_Amount": f"{off:.2f}", "Subtotal": f"{goods - off:.2f}"}
            rows.append((more(name) if place else first(name, **whole)) | cells)
    shuffled = data.draw(st.permutations(rows))
    added = dict.fromkeys(told, Decimal(0))
    for row, discount in zip(shuffled, discounts(*shuffled), strict=True):
        assert discount >= 0
        added[row["Name"]] += discount
    assert added == told


# --- Refunds and consents ---------------------------------------------------------------------------------------


def test_a_refund_is_a_row_of_returns_and_no_order(tmp_path: Path) -> None:
    rows = [first(Refunded_Amount="5.00"), more(), first("#1002", Refunded_Amount="0.00")]
    assert rows_of(tmp_path, "returns", *rows) == [
        {
            "return_id": "#1001-refund",
            "order_id": "#1001",
            "email": "ann@example.com",
            "amount": "5.0000",
            "currency": "EUR",
            "outcome": "refund",
            "returned_at": "2026-05-01 10:00:00 +0200",
        }
    ]
    assert len(rows_of(tmp_path, "orders", *rows)) == 3


def test_no_more_is_refunded_for_goods_than_was_paid_for_them(tmp_path: Path) -> None:
    order = first(Refunded_Amount="27.45", Discount_Amount="2.50", Subtotal="22.50"), more()
    (refund,) = rows_of(tmp_path, "returns", *order)
    assert refund["amount"] == "22.5000"


@pytest.mark.parametrize(
    ("cells", "time"),
    [
        (
            {"Cancelled at": "2026-05-09 08:00:00 +0200", "Fulfilled at": "2026-05-03 08:00:00 +0200"},
            "05-09 08",
        ),
        ({"Fulfilled at": "2026-05-03 08:00:00 +0200"}, "05-03 08"),
        ({}, "05-01 10"),
        ({"Paid at": ""}, "05-01 09"),
    ],
)
def test_a_refund_has_the_latest_time_that_the_order_tells(
    tmp_path: Path, cells: dict[str, str], time: str
) -> None:
    (refund,) = rows_of(tmp_path, "returns", first(Refunded_Amount="5.00") | cells)
    assert refund["returned_at"].startswith(f"2026-{time}")


def test_a_refund_that_is_no_number_is_kept_for_the_contract_to_see(tmp_path: Path) -> None:
    (refund,) = rows_of(tmp_path, "returns", first(Refunded_Amount="all"), more())
    assert refund["amount"] == "all"


def test_each_order_with_an_address_says_once_whether_marketing_is_allowed(tmp_path: Path) -> None:
    rows = [first(), more(), first("#1002", Accepts_Marketing="no"), first("#1003", Email="")]
    found = rows_of(tmp_path, "consents", *rows)
    assert [(row["is_granted"], row["channel"]) for row in found] == [("yes", "email"), ("no", "email")]
    assert found[0]["recorded_at"] == "2026-05-01 09:59:00 +0200"


def test_every_column_of_the_format_is_in_the_header_or_added() -> None:
    for columns in FORMAT.columns.values():
        for candidates in columns.values():
            assert set(candidates) <= set(NAMES) | set(FORMAT.adds)
