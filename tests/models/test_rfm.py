"""RFM agrees with the platforms' maps, code by code, and with ranks counted by hand."""

from __future__ import annotations

from itertools import product

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.rfm import (
    KLAVIYO_SEGMENTS,
    SHOPIFY_SEGMENTS,
    klaviyo_segment,
    rfm,
    rfm_cuts,
    shopify_segment,
)
from tests.models.composed_purchases import Shop, day, one_order_each, purchases, shops

# The glossary's table, the other way round from the code: one line per code.
KLAVIYO = {
    "111": "Inactive", "112": "Inactive", "113": "Inactive",
    "121": "Inactive", "122": "At risk", "123": "Needs attention",
    "131": "At risk", "132": "Needs attention", "133": "Needs attention",
    "211": "At risk", "212": "At risk", "213": "Needs attention",
    "221": "Needs attention", "222": "Recent", "223": "Recent",
    "231": "At risk", "232": "Loyal", "233": "Loyal",
    "311": "Recent", "312": "Recent", "313": "Recent",
    "321": "Loyal", "322": "Loyal", "323": "Champions",
    "331": "Loyal", "332": "Champions", "333": "Champions",
}  # fmt: skip


def slow_shopify(r5: int, fm: float) -> str:
    if r5 == 5:
        return "CHAMPIONS" if fm >= 4 else "ACTIVE" if fm >= 2.5 else "NEW"
    if r5 == 4:
        return "LOYAL" if fm >= 4 else "ACTIVE" if fm >= 2.5 else "PROMISING"
    if r5 == 3:
        return "LOYAL" if fm >= 4 else "NEEDS_ATTENTION" if fm >= 2 else "PROMISING"
    if fm >= 4.5:
        return "PREVIOUSLY_LOYAL"
    return "AT_RISK" if fm >= 3 else "ALMOST_LOST" if fm >= 2 else "DORMANT"


def test_every_klaviyo_code_has_exactly_one_segment() -> None:
    listed = [code for codes in KLAVIYO_SEGMENTS.values() for code in codes]
    assert sorted(listed) == ["".join(code) for code in product("123", repeat=3)]


@pytest.mark.parametrize(("code", "segment"), KLAVIYO.items())
def test_agrees_with_klaviyos_map(code: str, segment: str) -> None:
    scores = pl.DataFrame({name: [int(digit)] for name, digit in zip("rfm", code, strict=True)})
    assert scores.select(klaviyo_segment(*(pl.col(name) for name in "rfm"))).item() == segment


def test_agrees_with_the_grid_on_shopifys_names_for_all_125_scores() -> None:
    grid = pl.DataFrame(list(product(range(1, 6), repeat=3)), schema=["r5", "f5", "m5"], orient="row")
    segments = grid.select(shopify_segment(pl.col("r5"), pl.col("f5"), pl.col("m5"))).to_series()
    assert segments.to_list() == [slow_shopify(r5, (f5 + m5) / 2) for r5, f5, m5 in grid.iter_rows()]
    assert set(segments) == set(SHOPIFY_SEGMENTS) - {"PROSPECTS"}


def test_a_code_outside_the_map_is_refused() -> None:
    with pytest.raises(pl.exceptions.InvalidOperationError):
        pl.select(klaviyo_segment(pl.lit(4), pl.lit(1), pl.lit(1)))


def test_a_shop_of_one_time_buyers_does_not_collapse() -> None:
    # 70 of 100 ordered once: their middle rank is 35 %, which is the second third, and the rest is above.
    shop: Shop = {f"customer {number}": {0: 1 if number < 70 else 2} for number in range(100)}
    scores = rfm(purchases(shop), day(0)).collect()
    assert sorted(set(scores.select("orders", "f").iter_rows())) == [(1, 2), (2, 3)]


@pytest.mark.parametrize(("silence", "r"), [(0, 3), (180, 3), (181, 2), (365, 2), (366, 1)])
def test_recency_follows_klaviyos_days(silence: int, r: int) -> None:
    scores = rfm(purchases(one_order_each({"a": [0]})), day(silence)).collect().row(0, named=True)
    assert (scores["recency_days"], scores["r"]) == (silence, r)


@settings(max_examples=30, deadline=None)
@given(shops(customers=8), st.integers(0, 1500), st.integers(1, 500))
def test_later_orders_change_nothing(shop: Shop, last: int, further: int) -> None:
    known: Shop = {
        customer: early
        for customer, days in shop.items()
        if (early := {number: orders for number, orders in days.items() if number <= last})
    }
    now = rfm(purchases(known), day(last)).sort("customer_key").collect()
    assert_frame_equal(rfm(purchases(shop), day(last)).sort("customer_key").collect(), now)
    assert now["orders"].to_list() == [sum(known[customer].values()) for customer in now["customer_key"]]
    assert now["order_days"].to_list() == [len(known[customer]) for customer in now["customer_key"]]


@settings(max_examples=30, deadline=None)
@given(shops(customers=8))
def test_cuts_lie_in_order_and_count_everybody(shop: Shop) -> None:
    scores = rfm(purchases(shop), day(1500))
    cuts = rfm_cuts(scores).collect()
    for (_, measure), rows in cuts.group_by("scheme", "measure"):
        assert rows["customers"].sum() == len(shop)
        ordered = rows.sort("score", descending=measure == "recency_days")
        assert (ordered["lowest"][1:] > ordered["highest"][:-1]).all()


def test_cuts_show_which_values_got_which_score() -> None:
    shop: Shop = {"a": {0: 1}, "b": {400: 2}, "c": {400: 5}}
    cuts = rfm_cuts(rfm(purchases(shop), day(400))).collect()
    klaviyo = cuts.filter(pl.col("scheme") == "klaviyo").drop("scheme").rows()
    assert klaviyo == [
        ("net", 2, 10.0, 10.0, 3),
        ("orders", 1, 1.0, 1.0, 1),
        ("orders", 2, 2.0, 2.0, 1),
        ("orders", 3, 5.0, 5.0, 1),
        ("recency_days", 1, 400.0, 400.0, 1),
        ("recency_days", 3, 0.0, 0.0, 2),
    ]


def test_people_without_an_order_are_prospects_without_scores() -> None:
    orders = purchases(one_order_each({"buyer": [0]}))
    everybody = pl.LazyFrame({"customer_key": ["buyer", "reader"]})
    with_prospects = rfm(orders, day(1), customers=everybody).collect()
    reader = with_prospects.row(by_predicate=pl.col("customer_key") == "reader", named=True)
    assert {name: value for name, value in reader.items() if value is not None} == {
        "customer_key": "reader",
        "shopify_segment": "PROSPECTS",
    }
    assert_frame_equal(
        with_prospects.filter(pl.col("customer_key") == "buyer"), rfm(orders, day(1)).collect()
    )
    assert_frame_equal(rfm_cuts(with_prospects.lazy()), rfm_cuts(rfm(orders, day(1))))


def test_a_shop_without_orders_has_no_scores() -> None:
    empty = rfm(purchases({}), day(0)).collect()
    assert empty.is_empty()
    assert empty.schema["r"] == pl.Int8
    assert empty.schema["net"] == pl.Float64
