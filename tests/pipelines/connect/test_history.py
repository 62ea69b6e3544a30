"""The history of all orders: their days in the shop's zone, and what looks like no sale, counted."""

import re
from datetime import date
from pathlib import Path

import pytest

from pipelines.connect.history import History, NoMerchandise, Prefix, read_history
from pipelines.errors import DeliveryError
from pipelines.sources.arrivals import arrivals
from tests.pipelines.small_shops import deliver, order_line, write_shop


def history(folder: Path, *deliveries: list[dict[str, str]]) -> History:
    shop = write_shop(folder)
    for number, rows in enumerate(deliveries):
        deliver(folder, "orders", f"{number}", rows)
    return read_history(shop, arrivals(shop, "orders"))


def test_days_are_the_shops_and_unreadable_times_are_counted(tmp_path: Path) -> None:
    found = history(
        tmp_path,
        [order_line("1", ordered_at="2024-06-30 23:30:00+00:00"), order_line("2", ordered_at="soon")],
        [order_line("3", ordered_at="2024-02-01"), order_line("4", ordered_at="")],
    )
    assert (found.first_day, found.last_day) == (date(2024, 2, 1), date(2024, 7, 1))
    assert (found.lines, found.unreadable) == (4, 2)


def test_order_numbers_that_take_back_are_counted_over_all_files(tmp_path: Path) -> None:
    back = order_line("C7", quantity="-1")
    found = history(
        tmp_path, [order_line("1"), back, back, order_line("A1", unit_price="-5.00")], [order_line("2"), back]
    )
    assert found.prefixes == (Prefix("A", 1, 0, 1), Prefix("C", 3, 3, 0))
    assert [prefix.is_return for prefix in found.prefixes] == [False, True]


def test_a_prefix_of_sales_is_none(tmp_path: Path) -> None:
    assert (
        history(tmp_path, [order_line("ORD1"), order_line("ORD2", quantity="-1"), order_line("7")]).prefixes
        == ()
    )
    assert history(tmp_path / "2", [order_line("C1", quantity="-1")]).prefixes == (), "all orders have it"


def test_products_that_are_no_merchandise_are_counted(tmp_path: Path) -> None:
    found = history(
        tmp_path,
        [
            order_line("1", product_id="POST", product_name="Postage"),
            order_line("1", product_id="gift_01", product_name="Voucher 10"),
            order_line("1", product_id="MUG", product_name="Gift mug with postcard"),
        ],
        [
            order_line("2", product_id="POST", product_name="Postage"),
            order_line("2", product_id="gift_02", product_name="Voucher 20"),
            order_line("2", product_id="FEE (a.b)", product_name="Fee"),
            order_line("2", product_id="85123", product_name="Test tube vase"),
        ],
    )
    assert {(one.pattern, one.kind, one.lines) for one in found.no_merchandise} == {
        ("^POST$", "postage", 2),
        ("^gift_", "gift_card", 2),
        (r"^FEE \(a\.b\)$", "fee", 1),
    }
    assert all(isinstance(one, NoMerchandise) and re.compile(one.pattern) for one in found.no_merchandise)


def test_a_file_that_breaks_off_is_named(tmp_path: Path) -> None:
    shop = write_shop(tmp_path)
    path = deliver(tmp_path, "orders", "1", [order_line("1")] * 5)
    found = arrivals(shop, "orders")
    path.unlink()
    with pytest.raises(DeliveryError, match=r"1\.csv"):
        read_history(shop, found)
