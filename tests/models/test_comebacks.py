"""Coming back by what the first order held: against the definition customer by customer."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.comebacks import comebacks, first_products
from models.intervals import wilson
from models.summary import purchases_at
from tests.models.shops import OPENED, ORDER_LINES, ORDERS, Shop, as_of_days, purchases_of, shops

FEW = settings(max_examples=40, deadline=None)
HORIZON = 60


def _slow_first_orders(shop: Shop, as_of: date) -> dict[str, str]:
    firsts: dict[str, str] = {}
    for row in sorted(shop.order_rows, key=lambda row: (row["ordered_at"], row["order_id"])):
        if row["is_valid"] and row["customer_key"] and row["order_day"] <= as_of:
            firsts.setdefault(row["customer_key"], row["order_id"])
    return firsts


def _slow_first_products(shop: Shop, as_of: date) -> dict[str, set[str]]:
    return {
        key: {
            line["product_id"]
            for line in shop.line_rows
            if line["order_id"] == order_id and line["kind"] == "merchandise"
        }
        for key, order_id in _slow_first_orders(shop, as_of).items()
    }


def _made(shop: Shop, as_of: date, since: date | None = None) -> pl.DataFrame:
    products = first_products(shop.orders, shop.order_lines, as_of)
    purchases = purchases_at(shop.orders, shop.returns, as_of)
    return comebacks(purchases, products, as_of, by="product_id", horizon_days=HORIZON, since=since).collect()


@FEW
@given(shops(), as_of_days(200))
def test_products_are_those_of_the_first_valid_order(shop: Shop, as_of: date) -> None:
    made = first_products(shop.orders, shop.order_lines, as_of).collect()
    expected = _slow_first_products(shop, as_of)
    assert sorted(made.select("customer_key", "product_id").rows()) == sorted(
        (key, product) for key, products in expected.items() for product in products
    )
    for row in made.to_dicts():
        assert row["products"] == len(expected[row["customer_key"]])
        assert row["product_name"] == row["product_id"].upper()


@FEW
@given(shops(), as_of_days(200), st.sampled_from([None, OPENED + timedelta(20)]))
def test_counts_and_money_equal_the_recomputation(shop: Shop, as_of: date, since: date | None) -> None:
    purchases = purchases_at(shop.orders, shop.returns, as_of).collect().to_dicts()
    days: dict[str, list[dict[str, Any]]] = {}
    for row in purchases:
        days.setdefault(row["customer_key"], []).append(row)
    expected: dict[str, list[tuple[bool, Decimal]]] = {}
    for key, products in _slow_first_products(shop, as_of).items():
        first = min(row["order_day"] for row in days[key])
        if first > as_of - timedelta(HORIZON) or (since and first < since):
            continue
        later = [row for row in days[key] if 1 <= (row["order_day"] - first).days <= HORIZON]
        came_back = any(row["net"] > 0 for row in later)
        for product in products:
            expected.setdefault(product, []).append((came_back, sum((r["net"] for r in later), Decimal(0))))
    made = {row["product_id"]: row for row in _made(shop, as_of, since).to_dicts()}
    assert made.keys() == expected.keys()
    for product, people in expected.items():
        row, n = made[product], len(people)
        assert (row["customers"], row["n"]) == (sum(back for back, _ in people), n)
        assert row["net_after"] == pytest.approx(float(sum(net for _, net in people)) / n)
        assert (row["low"], row["high"]) == pytest.approx(wilson(row["customers"], n))
        assert row["rate"] == row["customers"] / n
        assert row["is_small"]


@FEW
@given(shops(), as_of_days(200))
def test_nothing_dated_later_changes_a_result(shop: Shop, as_of: date) -> None:
    assert_frame_equal(_made(shop, as_of), _made(shop.known_by(as_of), as_of))


def test_an_order_that_went_back_to_the_last_piece_is_no_coming_back() -> None:
    rows = [
        ("kept", OPENED),
        ("kept", OPENED + timedelta(9)),
        ("sent", OPENED),
        ("sent", OPENED + timedelta(9)),
    ]
    sent_back = (pl.col("customer_key") == "sent") & (pl.col("order_day") > OPENED)
    purchases = purchases_of(rows).with_columns(
        net=pl.when(sent_back).then(pl.lit(Decimal(0), pl.Decimal(18, 4))).otherwise("net")
    )
    everybody = purchases.select("customer_key", group=pl.lit("all"))
    found = comebacks(purchases, everybody, OPENED + timedelta(400), by="group").collect().row(0, named=True)
    assert (found["customers"], found["n"], found["net_after"]) == (1, 2, 5.0)


def test_groups_come_by_their_lower_bound_and_may_be_told_apart_by_several_columns() -> None:
    days = [OPENED, OPENED + timedelta(10)]
    rows = [(f"many{n}", day) for n in range(40) for day in days[: 1 + (n < 30)]]
    rows += [("lucky", day) for day in days]
    purchases = purchases_of(rows)
    attributes = purchases.select(
        "customer_key", product=pl.col("customer_key").str.head(4), channel=pl.lit("web")
    )
    found = comebacks(purchases, attributes, days[-1] + timedelta(365), by=["product", "channel"]).collect()
    assert found["product"].to_list() == ["many", "luck"]
    assert found["rate"].to_list() == [0.75, 1.0]
    assert found["is_small"].to_list() == [False, True]


def test_a_shop_without_orders_has_no_groups_and_columns_all_the_same() -> None:
    made = _made(Shop(), OPENED)
    assert made.is_empty()
    assert made.columns == ["product_id", "customers", "n", "rate", "low", "high", "net_after", "is_small"]


@pytest.mark.parametrize(("told", "shown"), [(["Lamp", "LAMP", "Lamp"], "Lamp"), ([None] * 3, "L")])
def test_a_product_has_the_most_frequent_of_its_names_else_its_number(
    told: list[str | None], shown: str
) -> None:
    noon = datetime.combine(OPENED, time(12), UTC)
    orders = pl.LazyFrame(
        [
            {
                "order_id": f"o{n}",
                "customer_key": f"c{n}",
                "ordered_at": noon,
                "order_day": OPENED,
                "is_valid": True,
            }
            for n in range(3)
        ],
        schema=ORDERS,
    )
    lines = pl.LazyFrame(
        [
            {"order_id": f"o{n}", "product_id": "L", "product_name": name, "kind": "merchandise"}
            for n, name in enumerate(told)
        ],
        schema=ORDER_LINES,
    )
    made = first_products(orders, lines, OPENED).collect()
    assert made["product_name"].to_list() == [shown] * 3


def test_a_horizon_that_is_no_span_is_refused() -> None:
    nobody = purchases_of([])
    with pytest.raises(ValueError, match="positive number of days, not 0"):
        comebacks(nobody, nobody, OPENED, by="customer_key", horizon_days=0)
