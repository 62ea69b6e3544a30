"""Returns: matched to what they undo, looking back only, never for more than was bought or paid."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipelines.ingest.identity import identity_map
from pipelines.ingest.orders import orders
from pipelines.ingest.quarantine import valid_rows
from pipelines.ingest.returns import returns
from pipelines.ingest.versions import current_orders
from pipelines.shop import Shop
from tests.pipelines.small_shops import order_line, raw_rows, return_row, write_shop

Rows = Sequence[dict[str, Any]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder: Path = tmp_path_factory.mktemp("returns")
    return write_shop(folder)


def settled(frame: pl.LazyFrame) -> pl.LazyFrame:
    """A table as the next step finds it: computed, not planned."""
    return frame.collect().lazy()


def valid(table: str, rows: Rows, shop: Shop) -> pl.LazyFrame:
    raw = raw_rows(table, rows)
    return settled(valid_rows(raw, raw.filter(pl.lit(False)), table, shop))


def facts(bought: Rows, back: Rows, shop: Shop) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The tables returns and orders."""
    lines = valid("orders", bought, shop)
    ids = lines.select(pl.col("delivery_id").unique()).collect().to_series().to_list()
    current = settled(current_orders(lines, shop, dict.fromkeys(ids, "orders"), dict.fromkeys(ids, "shop")))
    delivered = valid("returns", back, shop).with_columns(pl.lit("shop").alias("customer_numbers"))
    seen = [
        current.select(
            "customer_numbers", "customer_id", "email", "phone", pl.col("ordered_at").alias("seen_at")
        ),
        delivered.select(
            "customer_numbers",
            "customer_id",
            "email",
            pl.lit(None, pl.String).alias("phone"),
            pl.col("returned_at").alias("seen_at"),
        ),
    ]
    identities = settled(identity_map(pl.concat(seen), b"key"))
    found = returns(current, delivered, identities, shop).collect()
    return found, orders(current, found.lazy(), identities, shop).collect()


def match(bought: Rows, back: Rows, shop: Shop) -> list[tuple[str | None, int | None, str]]:
    return facts(bought, back, shop)[0].select("order_id", "line_no", "match_rule").rows()


def test_a_return_that_names_its_order_goes_there(shop: Shop) -> None:
    bought = [order_line("1"), order_line("2", ordered_at="2024-03-10 12:00:00")]
    assert match(bought, [return_row(order_id="1")], shop) == [("1", 1, "by_order_id")]


def test_the_day_is_enough_for_a_return_that_names_its_order(shop: Shop) -> None:
    back = [
        return_row(order_id="1", returned_at="2024-03-01"),
        return_row("R2", order_id="1", returned_at="2024-02-29"),
    ]
    assert match([order_line("1", quantity="2", unit_price="10")], back, shop) == [
        ("1", 1, "by_order_id"),
        (None, None, "no_earlier_purchase"),
    ]


def test_an_amount_that_names_an_order_and_no_product_goes_to_the_order_up_to_what_was_paid(
    shop: Shop,
) -> None:
    bought = [
        order_line("1", unit_price="6"),
        order_line("1", product_id="CUP", unit_price="4"),
        order_line("1", product_id="POST"),
    ]
    back = [
        return_row(f"R{n}", order_id="1", product_id=None, quantity=None, amount=a)
        for n, a in enumerate(("7", "3", "1"))
    ]
    found, ordered = facts(bought, back, shop)
    assert found.select("order_id", "line_no", "match_rule").rows() == [
        ("1", None, "by_order_id"),
        ("1", None, "by_order_id"),
        (None, None, "more_than_bought"),
    ]
    assert ordered.select("refunded", "net", "fully_returned").row(0) == (Decimal(10), Decimal(0), True)


def test_amounts_and_lines_of_one_order_are_not_given_back_twice(shop: Shop) -> None:
    back = [return_row("R1", order_id="1"), return_row("R2", order_id="1", product_id=None, amount="10")]
    found, ordered = facts([order_line("1")], back, shop)
    assert found["match_rule"].to_list() == ["by_order_id", "more_than_bought"]
    assert ordered["net"].item() == 0


def test_a_return_that_names_only_its_order_is_its_customers(shop: Shop) -> None:
    found, ordered = facts([order_line("1")], [return_row(order_id="1", customer_id=None)], shop)
    assert found["customer_key"].item() == ordered["customer_key"].item() is not None


def test_the_same_quantity_goes_before_a_later_purchase(shop: Shop) -> None:
    bought = [order_line("1", quantity="3"), order_line("2", quantity="5", ordered_at="2024-03-10 12:00:00")]
    assert match(bought, [return_row(quantity="3", amount="30")], shop) == [("1", 1, "same_quantity")]


def test_of_purchases_that_fit_the_latest_is_taken(shop: Shop) -> None:
    bought = [order_line(str(n), quantity="5", ordered_at=f"2024-03-0{n} 12:00:00") for n in (1, 2, 3)]
    assert match(bought, [return_row()], shop) == [("3", 1, "latest_purchase")]


def test_nothing_goes_to_a_purchase_made_later_or_too_long_ago(shop: Shop) -> None:
    bought = [
        order_line("1", ordered_at="2024-03-20 12:00:01"),
        order_line("2", ordered_at="2023-03-01 12:00:00"),
    ]
    assert match(bought, [return_row()], shop) == [(None, None, "no_earlier_purchase")]
    assert match([order_line("1", ordered_at="2024-03-20 12:00:00")], [return_row()], shop) == [
        ("1", 1, "same_quantity")
    ]


@pytest.mark.parametrize("other", [{"customer_id": "8"}, {"product_id": "CUP"}, {"quantity": "2"}])
def test_nothing_goes_to_somebody_elses_or_another_or_a_smaller_purchase(
    shop: Shop, other: dict[str, str]
) -> None:
    assert match([order_line("1")], [return_row(**other)], shop)[0][0] is None


def test_a_return_of_nobody_says_so(shop: Shop) -> None:
    assert match([order_line("1")], [return_row(customer_id=None)], shop) == [(None, None, "no_customer")]


def test_more_than_was_bought_or_paid_stays_unmatched(shop: Shop) -> None:
    bought = [order_line("1", quantity="3")]
    back = [return_row(f"R{n}", quantity="2", amount="20", returned_at=f"2024-03-2{n}") for n in (1, 2)]
    assert match(bought, back, shop) == [("1", 1, "latest_purchase"), (None, None, "more_than_bought")]
    assert match(bought, [return_row(amount="30.01")], shop) == [(None, None, "more_than_bought")]


def test_returns_among_the_orders_are_returns_of_their_lines(shop: Shop) -> None:
    bought = [
        order_line("1", quantity="2"),
        order_line("C2", quantity="-2", ordered_at="2024-03-02 12:00:00"),
    ]
    found, ordered = facts(bought, [], shop)
    row = found.row(0, named=True)
    assert (row["return_id"], row["order_id"], row["quantity"], row["amount"]) == (
        "C2-1",
        "1",
        2,
        Decimal(20),
    )
    assert f"{row['returned_day']}" == "2024-03-02"
    assert ordered["order_id"].to_list() == ["1"]


def test_two_lines_of_one_return_are_two_returns(shop: Shop) -> None:
    found, _ = facts([order_line("1", quantity="5")], [return_row(), return_row()], shop)
    assert found["return_id"].to_list() == ["R1-1", "R1-2"]
    assert found["order_id"].to_list() == ["1", "1"]


LINES = st.lists(
    st.tuples(st.sampled_from("12"), st.sampled_from(["MUG", "CUP"]), st.integers(1, 4), st.integers(0, 9)),
    min_size=1,
    max_size=7,
)


def composed(lines: list[tuple[str, str, int, int]], sign: int) -> list[dict[str, Any]]:
    """Orders (or returns) of customers and products, one a line, on days 0 to 9."""
    return [
        order_line(
            f"{'C' if sign < 0 else ''}{number}",
            customer_id=customer,
            product_id=product,
            quantity=str(sign * pieces),
            ordered_at=f"{datetime.fromisoformat('2024-03-01 09:00') + timedelta(days=day, minutes=number)}",
        )
        for number, (customer, product, pieces, day) in enumerate(lines)
    ]


@given(LINES, LINES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_comes_later_never_changes_how_an_earlier_return_was_matched(
    shop: Shop, bought: list[tuple[str, str, int, int]], back: list[tuple[str, str, int, int]]
) -> None:
    everything = composed(bought, 1) + composed(back, -1)
    whole, _ = facts(everything, [], shop)
    until = "2024-03-06 00:00:00"
    early, _ = facts([row for row in everything if row["ordered_at"] < until], [], shop)
    assert_frame_equal(early, whole.filter(pl.col("returned_day") < date(2024, 3, 6)))


@given(LINES, LINES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_returns_never_take_back_more_than_was_bought_and_never_make_orders(
    shop: Shop, bought: list[tuple[str, str, int, int]], back: list[tuple[str, str, int, int]]
) -> None:
    found, ordered = facts(composed(bought, 1) + composed(back, -1), [], shop)
    _, without = facts(composed(bought, 1), [], shop)
    assert found.height == len(back)
    keep = ["order_id", "customer_key", "is_valid", "gross"]
    assert_frame_equal(ordered.select(keep), without.select(keep))
    taken = dict(found.group_by("order_id").agg(pl.col("quantity").sum()).rows())
    for number, (_, _, pieces, _) in enumerate(bought):
        assert taken.get(str(number), 0) <= pieces
    assert (ordered["net"] >= 0).all()
    assert (ordered["gross"] - ordered["discount"] - ordered["refunded"] == ordered["net"]).all()
    matched = found.filter(pl.col("order_id").is_not_null()).join(ordered, on="order_id")
    assert (matched["ordered_at"] <= matched["returned_at"]).all()
    assert (matched["customer_key"] == matched["customer_key_right"]).all()


def test_a_report_without_amounts_gives_back_what_was_paid_for_the_pieces(shop: Shop) -> None:
    bought = [order_line("1", quantity="3", unit_price="3.35", discount="0.05")]
    back = [
        return_row("R1", order_id="1", amount=None, quantity="1"),
        return_row("R2", amount=None, quantity="2"),
    ]
    found, kept = facts(bought, back, shop)
    assert found.sort("return_id")["amount"].to_list() == [Decimal("3.3333"), Decimal("6.6667")]
    assert kept["net"].to_list() == [Decimal("0.0000")]


def test_without_amount_and_without_purchase_nobody_knows_how_much_came_back(shop: Shop) -> None:
    found, _ = facts([order_line("1")], [return_row("R1", amount=None, product_id="CUP")], shop)
    assert found.select("amount", "match_rule").row(0) == (None, "no_earlier_purchase")
