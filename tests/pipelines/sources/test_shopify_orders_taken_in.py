"""One Shopify export as three sources, taken in: what the shop's numbers say afterwards."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipelines.lake import Lake
from tests.pipelines.small_shops import ingest, write_shop
from tests.pipelines.sources.composed_files import write
from tests.pipelines.sources.test_shopify_orders import NAMES, first, more

EXPORT = [
    # Bought for 22.50 and refunded in full, postage included.
    first(Discount_Amount="2.50", Subtotal="22.50", Total="27.45", Refunded_Amount="27.45"),
    more(),
    # Of 25.00 a bowl came back.
    first("#1002", Subtotal="25.00", Refunded_Amount="5.00", Accepts_Marketing="no"),
    more("#1002"),
    first(
        "#1003", Email="bob@example.com", Cancelled_at="2026-05-02 08:00:00 +0200", Refunded_Amount="20.00"
    ),
]
SOURCE = '[[sources]]\nname = "{0}"\ntable = "{0}"\nformat = "shopify_orders"\npath = "export.csv"\n'
SETTINGS = """
name = "shop"
title = "Shop"
timezone = "Europe/Amsterdam"
currency = "EUR"
history_start = 2026-01-01
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, great_expectations: None) -> Lake:
    folder = tmp_path_factory.mktemp("shopify")
    write(folder / "export.csv", NAMES, EXPORT)
    sources = "".join(SOURCE.format(table) for table in ("orders", "returns", "consents"))
    shop = write_shop(folder, [], settings=SETTINGS, more=sources)
    lake = Lake.make(folder / "lake", shop.name)
    ingest(shop, lake, datetime(2026, 6, 1, 3, tzinfo=UTC))
    return lake


def test_refunds_lower_what_orders_brought_and_never_raise_their_number(lake: Lake) -> None:
    orders = lake.scan("orders").sort("order_id").collect()
    assert orders["order_id"].to_list() == ["#1001", "#1002", "#1003"]
    assert orders["net"].to_list()[:2] == [Decimal(0), Decimal(20)]
    assert orders["fully_returned"].to_list()[:2] == [True, False]
    assert orders["excluded_because"].to_list() == [None, None, "cancelled"]
    returns = lake.scan("returns").collect()
    assert returns["match_rule"].unique().to_list() == ["by_order_id"]
    customers = lake.scan("customers").collect()
    assert sorted(customers["valid_orders"]) == [0, 2]


def test_the_latest_order_says_whether_marketing_is_allowed(lake: Lake) -> None:
    consents = lake.scan("consents").collect()
    assert sorted(consents["is_granted"]) == [False, True]
    assert lake.scan("orders_quarantine").collect().is_empty()
