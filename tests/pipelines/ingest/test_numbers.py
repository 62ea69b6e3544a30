"""Numbers of several systems: told apart wherever they are named, and those of the first one as delivered."""

from pathlib import Path

import polars as pl
import pytest

from data_contracts.dictionary import delivered_columns
from pipelines.ingest.numbers import OWN_NUMBER, plain_order_id, with_numbers
from pipelines.shop import Numbers
from tests.pipelines.ingest.composed_rows import row
from tests.pipelines.small_shops import order_line, raw_rows, return_row, source, write_shop

WEB, TILL = "web-000000000000-1", "till-000000000000-1"
WHOSE = {WEB: Numbers("shop", "shop"), TILL: Numbers("till", "crm")}


def both(table: str, rows: list[dict[str, str]]) -> pl.LazyFrame:
    """The same rows as deliveries of both systems."""
    return pl.concat(raw_rows(table, rows, delivery_id) for delivery_id in WHOSE)


def test_orders_of_another_system_bear_its_name_and_those_of_the_first_none() -> None:
    found = with_numbers(both("orders", [order_line("17")]), "orders", WHOSE).collect()
    assert found.select("order_id", "customer_numbers", "customer_id").rows() == [
        ("17", "shop", "7"),
        ("till:17", "crm", "7"),
    ]


def test_a_rows_own_number_goes_with_the_customers_and_its_order_with_the_orders() -> None:
    found = with_numbers(both("returns", [return_row("R1", order_id="17")]), "returns", WHOSE).collect()
    assert found.select("return_id", "order_id").rows() == [("R1", "17"), ("crm:R1", "till:17")]


def test_no_number_stays_none() -> None:
    found = with_numbers(both("returns", [return_row("R1")]), "returns", WHOSE).collect()
    assert found["order_id"].to_list() == [None, None]
    costs = with_numbers(both("costs", [row("costs")]), "costs", WHOSE).collect()
    assert costs.select("cost_id", "order_id").rows() == [(None, "1"), (None, "till:1")]


@pytest.mark.parametrize("whose", [{}, {WEB: WHOSE[WEB]}])
def test_one_system_changes_nothing(whose: dict[str, Numbers]) -> None:
    rows = raw_rows("orders", [order_line("17")] * len(whose), WEB)
    found = with_numbers(rows, "orders", whose)
    assert found.drop("customer_numbers").collect().equals(rows.collect())
    assert found.collect()["customer_numbers"].to_list() == ["shop"] * len(whose)


@pytest.mark.parametrize("table", OWN_NUMBER)
def test_every_own_number_is_a_column_of_its_table(table: str) -> None:
    assert OWN_NUMBER[table] in {column.name for column in delivered_columns(table)}


def test_a_shops_patterns_see_order_numbers_as_delivered(tmp_path: Path) -> None:
    alone = write_shop(tmp_path / "alone")
    several = write_shop(tmp_path / "several", more=source("orders", "till") + source("orders", "a_b"))
    numbers = pl.DataFrame({"order_id": ["C1", "till:C1", "a_b:till:C1", "other:C1", None]})
    assert numbers.select(plain_order_id(several)).to_series().to_list() == [
        "C1", "C1", "till:C1", "other:C1", None,
    ]  # fmt: skip
    assert numbers.select(plain_order_id(alone)).equals(numbers)
