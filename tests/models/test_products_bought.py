"""What customers bought agrees with what plain loops find, and nothing later changes it."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import given, settings

from models.products_bought import customer_goods, customer_identity, wholly_returned
from tests.models.shops import OPENED, Shop, as_of_days, shops

Row = dict[str, Any]
PEOPLE = [f"c{number}" for number in range(4)]


def goods(shop: Shop, as_of: date) -> dict[str, Row]:
    """Goods by customer key."""
    people = pl.DataFrame({"customer_key": PEOPLE}).with_columns(
        identity=customer_identity(pl.col("customer_key"))
    )
    made = customer_goods(shop.order_lines, shop.orders, as_of).collect()
    assert made["identity"].n_unique() == made.height
    told = people.join(made, on="identity").drop("identity")
    assert told.height == made.height
    return {row.pop("customer_key"): row for row in told.rows(named=True)}


def lines_by_customer(shop: Shop, as_of: date) -> dict[str, list[Row]]:
    own = {
        row["order_id"]: row
        for row in shop.order_rows
        if row["is_valid"] and row["customer_key"] and row["order_day"] <= as_of
    }
    found: dict[str, list[Row]] = defaultdict(list)
    for line in shop.line_rows:
        if line["kind"] == "merchandise" and line["order_id"] in own:
            placed = own[line["order_id"]]
            found[placed["customer_key"]].append(line | {"ordered_at": placed["ordered_at"]})
    return found


@settings(max_examples=40, deadline=None)
@given(shop=shops(), as_of=as_of_days(200))
def test_goods_are_what_plain_loops_find(shop: Shop, as_of: date) -> None:
    made, by_hand = goods(shop, as_of), lines_by_customer(shop, as_of)
    assert set(made) == set(by_hand)
    for who, lines in by_hand.items():
        worth: dict[str, Decimal] = defaultdict(Decimal)
        for line in lines:
            if line["category"]:
                worth[line["category"]] += line["net"]
        assert made[who]["products"] == len({line["product_id"] for line in lines})
        assert made[who]["categories"] == (len(worth) or None)
        assert made[who]["main_category"] == max(worth, key=lambda name: worth[name], default=None)
        # Of orders of one moment and of lines of one value either will do.
        latest = max(line["ordered_at"] for line in lines)
        orders: dict[str, list[Row]] = defaultdict(list)
        for line in lines:
            if line["ordered_at"] == latest:
                orders[line["order_id"]].append(line)
        best = {
            line["product_id"]
            for own in orders.values()
            for line in own
            if line["net"] == max(other["net"] for other in own)
        }
        assert made[who]["last_product"] in best
        assert made[who]["last_product_name"] == made[who]["last_product"].upper()


@settings(max_examples=20, deadline=None)
@given(shop=shops(), as_of=as_of_days(200))
def test_nothing_later_and_no_order_of_rows_changes_goods(shop: Shop, as_of: date) -> None:
    known = shop.known_by(as_of)
    turned = Shop(known.order_rows[::-1], known.line_rows[::-1], known.return_rows[::-1])
    assert goods(shop, as_of) == goods(known, as_of) == goods(turned, as_of)


@settings(max_examples=30, deadline=None)
@given(shop=shops(), as_of=as_of_days(200))
def test_what_came_back_whole_is_what_has_no_piece_left(shop: Shop, as_of: date) -> None:
    left: dict[tuple[str, str], int] = defaultdict(int)
    back: set[tuple[str, str]] = set()
    for line in shop.line_rows:
        if line["kind"] == "merchandise":
            left[line["order_id"], line["product_id"]] += line["quantity"]
    for row in shop.return_rows:
        day = row["returned_day"] or row["refunded_day"]
        if row["kind"] == "merchandise" and row["outcome"] != "exchange" and day and day <= as_of:
            back.add((row["order_id"], row["product_id"]))
            left[row["order_id"], row["product_id"]] -= row["quantity"]
    sold = {
        (line["order_id"], line["product_id"]) for line in shop.line_rows if line["kind"] == "merchandise"
    }
    made = wholly_returned(shop.order_lines, shop.returns, as_of).collect()
    assert made.is_unique().all()
    assert made.height == sum(left[pair] <= 0 for pair in back & sold)


def test_a_customer_whose_orders_name_no_product_has_no_goods() -> None:
    row = {"order_id": "o", "customer_key": "c0", "order_day": OPENED, "is_valid": True}
    line = {"order_id": "o", "kind": "merchandise", "net": Decimal(1)}
    assert goods(Shop((row,), (line,)), OPENED + timedelta(1)) == {}
