"""WooCommerce exports: items unfolded to lines that are worth what was paid, refunds beside them."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import DeliveryError
from pipelines.sources import format_of
from pipelines.sources.reader import FAULT
from pipelines.sources.woocommerce_orders import DISCOUNT, QUANTITY, UNIT_PRICE, shape
from tests.pipelines.sources.composed_files import Cells, filled, header, look, records, write

HEADER = header("woocommerce_orders")
NAMES = [*HEADER, "line_item_2"]
MUG = "name:Mug | red; large|product_id:12|sku:MUG-R|quantity:2|total:20.00|sub_total:25.00|tax:4.20"
BOWL = "name:Bowl|product_id:13|sku:|quantity:1|total:5.00|sub_total:5.00|meta:gift:yes|_variation_id:77"


def order(number: str = "501", **cells: str) -> dict[str, str]:
    """An order of two mugs, 5.00 off."""
    return {
        "order_id": number,
        "order_number": number,
        "order_date": "04/30/2026 9:05:00",
        "status": "completed",
        "order_currency": "EUR",
        "customer_id": "8",
        "customer_email": "account@example.com",
        "billing_email": "ann@example.com",
        "billing_phone": "+31200000000",
        "billing_country": "NL",
        "shipping_first_name": "Ann",
        "shipping_last_name": "Example",
        "line_item_1": MUG,
    } | cells


def rows_of(folder: Path, table: str, *rows: Cells, names: list[str] = NAMES) -> list[dict[str, Any]]:
    write(folder / "delivery.csv", names, rows)
    return filled(look(folder, "woocommerce_orders", table))


def test_every_item_is_a_line_with_what_its_order_says(tmp_path: Path) -> None:
    (mug, bowl) = rows_of(tmp_path, "orders", order(line_item_2=BOWL))
    assert mug == {
        "order_id": "501",
        "ordered_at": "2026-04-30 09:05:00",
        "status": "completed",
        "country": "NL",
        "currency": "EUR",
        "customer_id": "8",
        "email": "ann@example.com",
        "phone": "+31200000000",
        "ship_to_name": "Ann Example",
        "product_id": "MUG-R",
        "product_name": "Mug | red; large",
        "quantity": "2",
        "unit_price": "12.5000",
        "discount": "5.0000",
    }
    of_item = {"product_id": "77", "product_name": "Bowl", "quantity": "1"}
    assert bowl == mug | of_item | {"unit_price": "5.0000", "discount": "0.0000"}


def test_a_whole_header_has_no_unknown_column_and_tells_the_format(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", HEADER, [order()])
    assert look(tmp_path, "woocommerce_orders", "orders").unknown_columns == ()
    assert format_of("woocommerce_orders").signature <= set(HEADER)


@pytest.mark.parametrize(
    ("delivered", "means"),
    [
        ("04/30/2026 9:05:00", "2026-04-30 09:05:00"),
        ("9/6/2016  6:29:00", "2016-09-06 06:29:00"),
        ("12/31/2025 0:37", "2025-12-31 00:37:00"),
        ("2026-04-30 09:05:00", "2026-04-30 09:05:00"),
        ("soon", "soon"),
    ],
)
def test_dates_are_month_first_and_newer_versions_write_iso(
    tmp_path: Path, delivered: str, means: str
) -> None:
    (line,) = rows_of(tmp_path, "orders", order(order_date=delivered))
    assert line["ordered_at"] == means


def test_guests_have_no_number_and_registered_ones_an_address(tmp_path: Path) -> None:
    (guest, member) = rows_of(
        tmp_path, "orders", order(customer_id="0"), order("502", billing_email="", status="wc-on-hold")
    )
    assert "customer_id" not in guest
    assert (member["email"], member["status"]) == ("account@example.com", "on-hold")


@pytest.mark.parametrize("separator", ["|", "||", ";", " | "])
def test_shops_may_change_what_parts_the_fields(tmp_path: Path, separator: str) -> None:
    item = BOWL.replace("|", separator)
    (line,) = rows_of(tmp_path, "orders", order(line_item_1=item))
    assert (line["product_name"], line["product_id"], line["unit_price"]) == ("Bowl", "77", "5.0000")


def test_an_item_that_cannot_be_read_is_a_fault_with_its_text(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", NAMES, [order(line_item_1="product_id:4959|1|30", line_item_2=BOWL)])
    rows = look(tmp_path, "woocommerce_orders", "orders").rows().collect()
    assert rows[FAULT].to_list() == ["this line item cannot be read: product_id:4959|1|30", None]
    assert rows["order_id"].to_list() == ["501", "501"]


def test_an_order_without_items_is_a_row_without_a_product(tmp_path: Path) -> None:
    (line,) = rows_of(tmp_path, "orders", order(line_item_1=""))
    assert line["order_id"] == "501"
    assert "product_id" not in line


def test_an_export_without_items_names_the_column(tmp_path: Path) -> None:
    names = [name for name in HEADER if name != "line_item_1"]
    with pytest.raises(DeliveryError, match=r"has no column for product_id \(line_item_1 or item_product_id"):
        rows_of(tmp_path, "orders", order(), names=names)


def test_a_row_an_item_is_read_too(tmp_path: Path) -> None:
    columns = ["item_product_id", "item_name", "item_sku", "item_quantity", "item_subtotal", "item_total"]
    names = [*HEADER[:-1], *columns, "item_refunded"]
    refund = "amount:25.00|reason:|date:2026-05-02 12:00:00"
    mug = dict(zip(columns, ["12", "Mug", "MUG-R", "2", "25", "20"], strict=True)) | {"item_refunded": "20"}
    bowl = dict(zip(columns, ["13", "Bowl", "", "1", "5", "5"], strict=True))
    rows = [order(refund_items=refund) | item for item in (mug, bowl)]
    lines = rows_of(tmp_path, "orders", *rows, names=names)
    assert [(line["product_id"], line["unit_price"], line["discount"]) for line in lines] == [
        ("MUG-R", "12.5000", "5.0000"),
        ("13", "5.0000", "0.0000"),
    ]
    (back,) = rows_of(tmp_path, "returns", *rows, names=names)
    assert (back["return_id"], back["amount"]) == ("501-refund-1", "20.0000")


cents = st.integers(0, 99_999).map(lambda value: Decimal(value) / 100)


@given(st.lists(st.tuples(st.integers(0, 9), cents, cents), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_line_is_worth_what_was_paid_for_it_to_the_last_digit(
    items: list[tuple[int, Decimal, Decimal]],
) -> None:
    cells = {
        f"line_item_{number}": f"name:A|product_id:1|sku:A|quantity:{pieces}|total:{paid}|sub_total:{paid + off}"
        for number, (pieces, paid, off) in enumerate(items, start=1)
    }
    names = [*HEADER[:-1], *cells, FAULT]
    shaped = shape(records([order(line_item_1="") | cells], names), "orders").collect()
    assert shaped[FAULT].null_count() == len(items)
    for (pieces, paid, off), row in zip(items, shaped.to_dicts(), strict=True):
        price, discount = Decimal(row[UNIT_PRICE]), Decimal(row[DISCOUNT])
        assert Decimal(row[QUANTITY]) * price - discount == paid
        assert pieces == 0 or off - Decimal("0.0001") * pieces < discount <= off


# --- Refunds ----------------------------------------------------------------------------------------------------

REFUNDS = (
    "amount:10.00|reason:broken; in two|date:2026-05-02 12:00:00;"
    "amount:14.20|reason:|date:2026-05-03 12:00:00"
)


def test_every_refund_is_a_return_up_to_what_was_paid_for_goods(tmp_path: Path) -> None:
    (first, second) = rows_of(tmp_path, "returns", order(refund_items=REFUNDS), order("502"))
    assert first == {
        "return_id": "501-refund-1",
        "order_id": "501",
        "customer_id": "8",
        "email": "ann@example.com",
        "phone": "+31200000000",
        "amount": "10.0000",
        "currency": "EUR",
        "reason": "broken; in two",
        "outcome": "refund",
        "returned_at": "2026-05-02 12:00:00",
        "refunded_at": "2026-05-02 12:00:00",
    }
    # 24.20 went back with tax, for goods that cost 20.00 without.
    assert (second["return_id"], second["amount"]) == ("501-refund-2", "10.0000")


def test_items_that_say_what_was_refunded_for_them_go_before_what_was_paid(tmp_path: Path) -> None:
    returned = order(refund_items=REFUNDS, line_item_1=f"{MUG}|refunded:12.00")
    assert [row["amount"] for row in rows_of(tmp_path, "returns", returned)] == ["10.0000", "2.0000"]
    # Goods were paid back in full by the first, so that the second was for shipping.
    returned = order(refund_items=REFUNDS, line_item_1=f"{MUG}|refunded:10.00")
    assert [row["amount"] for row in rows_of(tmp_path, "returns", returned)] == ["10.0000"]


def test_a_refund_of_goods_whose_worth_is_unclear_counts_as_it_is(tmp_path: Path) -> None:
    unclear = order(refund_items=REFUNDS, line_item_1="product_id:4959|1|30")
    assert [row["amount"] for row in rows_of(tmp_path, "returns", unclear)] == ["10.0000", "14.2000"]


def test_refunds_that_cannot_be_read_are_a_fault_with_their_text(tmp_path: Path) -> None:
    write(
        tmp_path / "delivery.csv", NAMES, [order(refund_items="amount:five|reason:|date:2026-05-02 12:00:00")]
    )
    rows = look(tmp_path, "woocommerce_orders", "returns").rows().collect()
    assert rows[FAULT].item().startswith("these refunds cannot be read: amount:five")
    write(tmp_path / "delivery.csv", NAMES, [order(refund_items=f"{REFUNDS};amount:1.00")])
    rows = look(tmp_path, "woocommerce_orders", "returns").rows().collect()
    assert rows[FAULT].item().endswith(";amount:1.00")
