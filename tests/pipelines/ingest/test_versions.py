"""Versions: which delivered version of an order counts, and that the order of arrival decides nothing."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.ingest.identity import identity_map
from pipelines.ingest.landing import land
from pipelines.ingest.orders import order_lines, orders
from pipelines.ingest.quarantine import valid_rows
from pipelines.ingest.returns import returns
from pipelines.ingest.versions import current_orders
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.sources.arrivals import arrivals, source_name
from tests.pipelines.small_shops import NOW, SETTINGS, deliver, order_line, raw_rows, return_row, write_shop

Rows = list[dict[str, Any]]


def valid_after(folder: Path, deliveries: list[Rows], table: str = "orders") -> tuple[Shop, pl.LazyFrame]:
    """Land the deliveries one a day and read their rows; all of them keep their contract."""
    shop = write_shop(folder, ["orders", "returns"])
    lake = Lake.make(folder / "lake", shop.name)
    for day, rows in enumerate(deliveries):
        deliver(folder, table, f"{day}", rows)
        landed = land(lake, shop, arrivals(shop, table), table, NOW + timedelta(days=day))
        if landed is not None:
            lake.append(f"raw_{table}", landed.rows, fingerprint=landed.landing_id)
    aside = pl.LazyFrame(schema={"delivery_id": pl.String, "row_number": pl.Int64})
    return shop, valid_rows(lake.scan(f"raw_{table}"), aside, table, shop).collect().lazy()


def current(valid: pl.LazyFrame, shop: Shop) -> pl.LazyFrame:
    ids = valid.select(pl.col("delivery_id").unique()).collect().to_series().to_list()
    lines = current_orders(valid, shop, {name: source_name(name) for name in ids}, dict.fromkeys(ids, "shop"))
    return lines.collect().lazy()


def current_after(folder: Path, deliveries: list[Rows]) -> pl.DataFrame:
    shop, valid = valid_after(folder, deliveries)
    return current(valid, shop).collect()


def test_a_later_updated_at_wins_whenever_it_arrives(tmp_path: Path) -> None:
    old = [order_line("1", updated_at="2024-03-01 12:00:00", status="pending", quantity="5")]
    new = [order_line("1", updated_at="2024-03-02 12:00:00", status="paid")]
    for number, deliveries in enumerate(([old, new], [new, old])):
        row = current_after(tmp_path / str(number), deliveries).row(0, named=True)
        assert (row["status"], row["quantity"]) == ("paid", 1)


def test_a_later_updated_at_may_take_lines_away(tmp_path: Path) -> None:
    old = [order_line("1", updated_at="2024-03-01", product_id=p) for p in ("A", "B")]
    assert current_after(tmp_path, [old, [old[0] | {"updated_at": "2024-03-02"}]])[
        "product_id"
    ].to_list() == ["A"]


def test_half_an_order_does_not_win_and_the_whole_one_completes_it(tmp_path: Path) -> None:
    whole = [order_line("1", product_id=p) for p in ("A", "B", "C")]
    half = [whole[0] | {"quantity": "2"}]
    for number, deliveries in enumerate(([whole, half], [half, whole], [half, whole, half, whole])):
        assert current_after(tmp_path / str(number), deliveries)["quantity"].to_list() == [1, 1, 1]


def test_a_changed_status_in_a_later_export_of_the_same_days_wins(tmp_path: Path) -> None:
    # Nothing but the one order changed, so nothing else of the second export is kept.
    first = [order_line("1", status="pending"), order_line("2", ordered_at="2024-03-05 12:00:00")]
    second = [order_line("1", status="paid"), first[1]]
    rows = current_after(tmp_path, [first, second])
    assert dict(rows.select("order_id", "status").rows()) == {"1": "paid", "2": None}


def test_a_file_that_reaches_further_is_newer_even_where_it_arrives_first(tmp_path: Path) -> None:
    first = [order_line("1", status="pending"), order_line("2", ordered_at="2024-03-05 12:00:00")]
    second = [order_line("1", status="paid"), order_line("3", ordered_at="2024-03-06 12:00:00")]
    rows = current_after(tmp_path, [second, first])
    assert dict(rows.select("order_id", "status").rows())["1"] == "paid"


DELIVERIES: list[Rows] = [
    [
        order_line("1", status="pending", ordered_at="2024-03-01 10:00:00"),
        order_line("1", status="pending", ordered_at="2024-03-01 10:01:00", product_id="CUP"),
        order_line("2", ordered_at="2024-03-02 10:00:00", quantity="2"),
    ],
    [
        order_line("1", status="paid", ordered_at="2024-03-01 10:00:00"),
        order_line("1", status="paid", ordered_at="2024-03-01 10:01:00", product_id="CUP"),
        order_line("2", ordered_at="2024-03-02 10:00:00", quantity="2"),
        order_line("C3", ordered_at="2024-03-03 10:00:00", quantity="-1"),
    ],
    [
        order_line("2", ordered_at="2024-03-02 10:00:00", quantity="2"),
        order_line("C3", ordered_at="2024-03-03 10:00:00", quantity="-1"),
        order_line("C3", ordered_at="2024-03-03 10:00:00", quantity="-1", product_id="CUP"),
        order_line("4", ordered_at="2024-03-04 10:00:00", email="Anna@Example.com"),
    ],
    [
        order_line("C3", ordered_at="2024-03-03 10:00:00", quantity="-1", product_id="CUP"),
        order_line("4", ordered_at="2024-03-04 10:00:00", email="Anna@Example.com"),
        order_line("4", ordered_at="2024-03-04 10:00:00", email="Anna@Example.com"),
        order_line("5", ordered_at="2024-03-05 10:00:00", email="anna@example.com", customer_id=None),
    ],
]


def facts_after(folder: Path, deliveries: list[Rows]) -> dict[str, pl.DataFrame]:
    shop, valid = valid_after(folder, deliveries)
    lines = current(valid, shop)
    seen = lines.with_columns(pl.col("ordered_at").alias("seen_at"))
    identities = identity_map(seen, b"key").collect().lazy()
    none = raw_rows("returns", []).pipe(valid_rows, raw_rows("returns", []), "returns", shop)
    back = (
        returns(lines, none.with_columns(pl.lit("shop").alias("customer_numbers")), identities, shop)
        .collect()
        .lazy()
    )
    found = {
        "current_orders": lines,
        "identity_map": identities,
        "returns": back,
        "order_lines": order_lines(lines),
        "orders": orders(lines, back, identities, shop),
    }
    return {name: frame.collect() for name, frame in found.items()}


def test_overlapping_deliveries_give_the_same_facts_in_whatever_order_they_arrive(tmp_path: Path) -> None:
    expected = facts_after(tmp_path / "in order", DELIVERIES)
    assert expected["orders"]["order_id"].to_list() == ["1", "2", "4", "5"]
    assert expected["orders"].filter(order_id="1")["status"].item() == "paid"
    assert expected["current_orders"].filter(order_id="4").height == 2
    assert expected["returns"].height == 2
    for number, arrival in enumerate(permutations(DELIVERIES)):
        for name, frame in facts_after(tmp_path / str(number), list(arrival)).items():
            assert_frame_equal(frame, expected[name], check_row_order=name != "order_lines")


def test_lines_are_numbered_by_content_from_one(tmp_path: Path) -> None:
    lines = [order_line("1", product_id=p, quantity=q) for p, q in (("B", "1"), ("A", "2"), ("A", "1"))]
    rows = current_after(tmp_path, [lines])
    assert rows.select("line_no", "product_id", "quantity").rows() == [(1, "A", 1), (2, "A", 2), (3, "B", 1)]


def test_an_order_has_the_earliest_time_of_its_lines_and_the_shops_day(tmp_path: Path) -> None:
    lines = [order_line("1", ordered_at=at) for at in ("2024-06-01 00:31:00", "2024-06-01 00:30:00")]
    rows = current_after(tmp_path, [lines])
    assert set(rows["ordered_at"]) == {datetime(2024, 5, 31, 23, 30, tzinfo=UTC)}
    assert {f"{day}" for day in rows["order_day"]} == {"2024-06-01"}
    assert set(rows["order_day_number"]) == {19875}


@pytest.mark.parametrize(("rule", "lines"), [("keep", 3), ("drop", 2)])
def test_a_repeated_line_is_kept_or_dropped_as_the_shop_says(tmp_path: Path, rule: str, lines: int) -> None:
    settings = SETTINGS.replace("[orders]\n", f'[orders]\nrepeated_lines = "{rule}"\n')
    shop = write_shop(tmp_path, settings=settings)
    rows = [order_line("1"), order_line("1"), order_line("1", quantity="2")]
    raw = raw_rows("orders", rows)
    aside = raw.filter(pl.lit(False)).select("delivery_id", "row_number")
    assert current(valid_rows(raw, aside, "orders", shop), shop).collect().height == lines


def test_records_and_kinds_follow_the_shops_patterns_first_match_first(tmp_path: Path) -> None:
    ids = [("1", "MUG"), ("C2", "POST"), ("A3", "B"), ("4", "TEST001"), ("5", "GIFT20")]
    rows = current_after(tmp_path, [[order_line(order, product_id=code) for order, code in ids]])
    assert dict(rows.select("order_id", "record").rows()) == {
        "1": "order", "C2": "return", "A3": "adjustment", "4": "order", "5": "order"
    }  # fmt: skip
    assert rows.sort("order_id")["kind"].to_list() == [
        "merchandise",
        "test",
        "gift_card",
        "merchandise",
        "postage",
    ]


def test_a_lines_value_is_exact(tmp_path: Path) -> None:
    lines = [order_line("1", quantity="3", unit_price="0.1005", discount="0.0015")]
    assert str(current_after(tmp_path, [lines])["net"].item()) == "0.3000"


def test_returns_of_files_are_replaced_as_a_whole_too(tmp_path: Path) -> None:
    asked = [return_row("R1"), return_row("R1", product_id="CUP")]
    paid = [row | {"refunded_at": "2024-03-25"} for row in asked]
    shop, valid = valid_after(tmp_path, [asked, paid, asked[:1]], "returns")
    none = raw_rows("orders", []).pipe(valid_rows, raw_rows("orders", []), "orders", shop)
    lines = current(none, shop)
    identities = identity_map(lines.with_columns(pl.col("ordered_at").alias("seen_at")), b"key")
    back = returns(
        lines, valid.with_columns(pl.lit("shop").alias("customer_numbers")), identities, shop
    ).collect()
    assert back["return_id"].to_list() == ["R1-1", "R1-2"]
    assert {f"{day}" for day in back["refunded_day"]} == {"2024-03-25"}
