"""Orders in another currency wait in quarantine until a rate comes, and are released by it."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.lake import Lake
from tests.pipelines.ingest.composed_rows import row
from tests.pipelines.small_shops import NOW, deliver, ingest, order_line, return_row, write_shop

pytestmark = [pytest.mark.xdist_group("gx"), pytest.mark.usefixtures("great_expectations")]


def test_an_order_in_another_currency_waits_for_its_rate_and_is_released_by_it(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop", ["orders", "returns", "rates"])
    lake = Lake.make(tmp_path / "lake", shop.name)
    deliver(shop.folder, "orders", "1", [order_line("1"), order_line("2", currency="eur")])
    deliver(shop.folder, "returns", "1", [return_row(order_id="2", amount="10", returned_at="2024-03-20")])
    deliver(shop.folder, "rates", "1", [row("rates", currency="USD")])
    ingest(shop, lake)
    assert lake.scan("orders_quarantine").collect()["rules"].to_list() == ["currency_is_known"]
    assert lake.scan("orders").collect()["order_id"].to_list() == ["1"]
    deliver(
        shop.folder,
        "rates",
        "2",
        [row("rates", day="2024-02-28", rate="0.5"), row("rates", day="2024-03-15", rate="0.6")],
    )
    ingest(shop, lake, NOW + timedelta(days=1))
    assert lake.scan("orders_quarantine").collect().is_empty()
    euro = lake.scan("orders").filter(order_id="2").collect().row(0, named=True)
    assert (euro["currency"], euro["gross"], euro["net"], euro["fully_returned"]) == (
        "EUR",
        Decimal(5),
        Decimal(0),
        True,
    )
