"""Orders: what counts, why the rest does not, and where their value goes."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from models.summary import purchases_at
from pipelines.shop import Shop
from tests.pipelines.ingest.test_returns import facts, shop
from tests.pipelines.small_shops import SETTINGS, order_line, return_row, write_shop

__all__ = ["shop"]


def order(shop: Shop, *lines: dict[str, Any], back: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return facts(list(lines), back or [], shop)[1].row(0, named=True)


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({}, None),
        ({"order_id": "A1"}, "bookkeeping adjustment"),
        ({"product_id": "TEST001"}, "test order"),
        ({"status": "Cancelled"}, "cancelled"),
        ({"status": "voided"}, "cancelled"),
        ({"status": "PENDING"}, "not placed yet"),
        ({"status": "draft"}, "not placed yet"),
        ({"quantity": "-1"}, "stock write-off"),
        ({"product_id": "POST"}, "no merchandise"),
        ({"product_id": "GIFT20"}, "only gift cards"),
        ({"unit_price": "0"}, "no value"),
        ({"discount": "10"}, "no value"),
        ({"status": "fulfilled"}, None),
        ({"status": "refunded"}, None),
        ({"cancelled_at": "2024-03-02"}, "cancelled"),
        ({"status": "wc-checkout-draft"}, "not placed yet"),
        ({"is_test": "yes"}, "test order"),
        ({"tags": "b2b, Test"}, "test order"),
        ({"kind": "gift_card"}, "only gift cards"),
        ({"kind": "fee"}, "no merchandise"),
        ({"unit_price": "0", "status": "cancelled"}, "cancelled"),
    ],
)
def test_an_order_counts_or_says_why_not(shop: Shop, change: dict[str, str], because: str | None) -> None:
    row = order(shop, order_line(**change))
    assert row["excluded_because"] == because
    assert row["is_valid"] is (because is None)


def test_what_one_line_tells_of_an_order_holds_for_all_of_it(shop: Shop) -> None:
    lines = [order_line("1", product_id="CUP"), order_line("1", cancelled_at="2024-03-02")]
    assert order(shop, *lines)["excluded_because"] == "cancelled"
    tried = [order_line("1", status="pending"), order_line("1", tags="test")]
    assert order(shop, *tried)["excluded_because"] == "test order"


def test_a_replacement_is_no_order_whatever_value_stands_on_it(tmp_path: Path) -> None:
    settings = SETTINGS.replace("[orders]\n", '[orders]\nreplacement_tags = ["exchange"]\n')
    shop = write_shop(tmp_path, settings=settings)
    row = order(shop, order_line("1", tags="Exchange"))
    assert (row["excluded_because"], row["is_valid"], row["net"]) == (
        "exchange replacement",
        False,
        Decimal(10),
    )


def test_gift_cards_beside_goods_or_postage(shop: Shop) -> None:
    card = order_line("1", product_id="GIFT20", unit_price="20")
    assert order(shop, card, order_line("1"))["net"] == Decimal(10)
    assert order(shop, card, order_line("1", product_id="POST"))["excluded_because"] == "only gift cards"


def test_one_line_of_goods_makes_an_order_and_only_goods_are_revenue(shop: Shop) -> None:
    row = order(
        shop,
        order_line("1", quantity="2", discount="1.50"),
        order_line("1", product_id="POST", unit_price="4.95"),
        order_line("1", product_id="GIFT20", unit_price="20"),
    )
    assert (row["lines"], row["gross"], row["discount"], row["net"]) == (
        3,
        Decimal(20),
        Decimal("1.5"),
        Decimal("18.5"),
    )
    assert row["is_valid"]


def test_a_fully_returned_order_happened_and_is_worth_nothing(shop: Shop) -> None:
    row = order(shop, order_line("1"), back=[return_row(order_id="1")])
    assert (row["is_valid"], row["fully_returned"], row["net"]) == (True, True, Decimal(0))
    assert (
        order(shop, order_line("1", quantity="2"), back=[return_row(order_id="1")])["fully_returned"] is False
    )


def test_an_exchange_takes_no_money_back_and_agrees_with_what_models_count(shop: Shop) -> None:
    back = [
        return_row("R1", order_id="1", outcome="exchange"),
        return_row("R2", order_id="1", outcome="store_credit"),
    ]
    found, ordered = facts([order_line("1", quantity="3")], back, shop)
    assert ordered["net"].item() == Decimal(20)
    assert purchases_at(ordered.lazy(), found.lazy(), date(2024, 12, 31)).collect()["net"].item() == Decimal(
        20
    )


def test_a_refund_of_postage_leaves_the_value_of_the_goods(shop: Shop) -> None:
    row = order(
        shop,
        order_line("1"),
        order_line("1", product_id="POST", unit_price="5"),
        order_line("C2", product_id="POST", unit_price="5", quantity="-1", ordered_at="2024-03-02 12:00:00"),
    )
    assert (row["refunded"], row["net"]) == (Decimal(0), Decimal(10))


def test_an_order_of_nobody_stays_in_revenue(shop: Shop) -> None:
    row = order(shop, order_line("1", customer_id=None))
    assert (row["customer_key"], row["is_valid"], row["net"]) == (None, True, Decimal(10))


def test_cells_that_stand_on_one_line_only_are_the_orders(shop: Shop) -> None:
    blank = {"customer_id": None, "status": None}
    row = order(
        shop, order_line("1", product_id="CUP", **blank), order_line("1", status="paid", channel="web")
    )
    assert (row["status"], row["channel"]) == ("paid", "web")
    assert row["customer_key"] is not None


def test_sums_of_money_are_exact_in_any_order(shop: Shop) -> None:
    lines = [order_line("1", product_id=f"P{n}", unit_price="0.1001") for n in range(30)]
    assert order(shop, *lines)["net"] == Decimal("3.0030") == order(shop, *reversed(lines))["net"]


def test_returns_are_no_orders(shop: Shop) -> None:
    _, ordered = facts([order_line("C1", quantity="-1")], [return_row()], shop)
    assert ordered.is_empty()
    assert ordered.schema["net"] == pl.Decimal(18, 4)
