"""A shop's rules on one line: record, kind and standing, in any spelling of a status."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.errors import ShopError
from pipelines.ingest.order_rules import STANDINGS, kind, record, standing
from pipelines.ingest.quarantine import valid_rows
from pipelines.shop import Shop
from tests.pipelines.small_shops import SETTINGS, order_line, raw_rows, source, write_shop

TEST, REPLACEMENT, CANCELLED, PENDING = STANDINGS
RULES = """[orders]
replacement_order_ids = "^EX"
replacement_tags = ["Loop exchange"]
"""
BY_NAME = """
[orders.kinds_by_name]
'(?i)gift card' = "gift_card"
'^Mug' = "merchandise"
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder: Path = tmp_path_factory.mktemp("order_rules")
    settings = SETTINGS.replace("[orders]\n", RULES).replace("[contracts]", f"{BY_NAME}\n[contracts]")
    return write_shop(folder, settings=settings, more=source("orders", "till"))


def told(rule: Callable[[Shop], pl.Expr], shop: Shop, **cells: Any) -> Any:
    raw = raw_rows("orders", [order_line(**cells)])
    return valid_rows(raw, raw.filter(pl.lit(False)), "orders", shop).select(rule(shop)).collect().item()


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({}, None),
        ({"status": "paid"}, None),
        ({"status": "refunded"}, None),
        ({"status": "wc-completed"}, None),
        ({"status": "Cancelled"}, CANCELLED),
        ({"status": "wc-cancelled"}, CANCELLED),
        ({"status": "wc-failed"}, CANCELLED),
        ({"status": "paid", "cancelled_at": "2024-03-02"}, CANCELLED),
        ({"status": "On hold"}, PENDING),
        ({"status": "wc-on-hold"}, PENDING),
        ({"status": "ON_HOLD"}, PENDING),
        ({"status": "wc-checkout-draft"}, PENDING),
        ({"status": "Pending payment"}, PENDING),
        ({"status": "pending", "cancelled_at": "2024-03-02"}, CANCELLED),
        ({"is_test": "true", "status": "cancelled"}, TEST),
        ({"is_test": "no"}, None),
        ({"status": "TEST"}, TEST),
        ({"tags": "test"}, TEST),
        ({"tags": "vip,  Test , b2b"}, TEST),
        ({"tags": "contest, latest"}, None),
        ({"tags": "loop-exchange"}, REPLACEMENT),
        ({"tags": "b2b, Loop Exchange", "status": "cancelled"}, REPLACEMENT),
        ({"order_id": "EX1"}, REPLACEMENT),
        ({"order_id": "till:EX1"}, REPLACEMENT),
        ({"order_id": "1EX"}, None),
    ],
)
def test_an_order_stands_as_placed_or_the_line_says_why_not(
    cells: dict[str, str], why: str | None, shop: Shop
) -> None:
    assert told(standing, shop, **cells) == why


@pytest.mark.parametrize(
    ("cells", "sells"),
    [
        ({}, "merchandise"),
        ({"product_id": "POST"}, "postage"),
        ({"product_id": "X", "product_name": "Gift card 20"}, "gift_card"),
        ({"product_id": "POST", "product_name": "Gift card 20"}, "postage"),
        ({"product_id": "POST", "kind": "Fee"}, "fee"),
        ({"product_id": "POST", "kind": "whatever"}, "postage"),
        ({"product_name": None}, "merchandise"),
    ],
)
def test_a_delivered_kind_goes_before_code_and_code_before_name(
    cells: dict[str, str], sells: str, shop: Shop
) -> None:
    assert told(lambda shop: kind(shop.orders), shop, **cells) == sells


@pytest.mark.parametrize(
    ("number", "is_a"),
    [("1", "order"), ("C1", "return"), ("till:C1", "return"), ("A1", "adjustment"), ("1C", "order")],
)
def test_returns_and_bookkeeping_are_told_by_their_numbers_of_whatever_system(
    number: str, is_a: str, shop: Shop
) -> None:
    assert told(record, shop, order_id=number) == is_a


@pytest.mark.parametrize(
    "rules", ['replacement_order_ids = "("', "[orders.kinds_by_name]\n'(' = \"fee\"", "rate_holds_days = -1"]
)
def test_a_rule_that_cannot_be_applied_is_refused_with_its_place(rules: str, tmp_path: Path) -> None:
    with pytest.raises(ShopError, match=r"orders\.(replacement_order_ids|kinds_by_name|rate_holds_days)"):
        write_shop(tmp_path, settings=SETTINGS.replace("[orders]\n", f"[orders]\n{rules}\n", 1))
