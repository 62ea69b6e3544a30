"""Which product follows which: counted as plain loops count, found where it is so, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from data_contracts import conform, table
from models.bought_next import bought_next
from models.intervals import wilson
from tests.models.composed_sequels import Pair, back, order, pairs_by_hand, sequels, together
from tests.models.shops import OPENED, Shop, as_of_days, shops

LATE = OPENED + timedelta(1_000)


def found(shop: Shop, as_of: date = LATE, **changes: int) -> pl.DataFrame:
    """Every pair that is no chance, however few made it."""
    options = {"at_least": 1, "best": 100, "still_sold_days": 10_000} | changes
    return bought_next(shop.orders, shop.order_lines, shop.returns, as_of, **options).collect()


def is_surely_more(pair: Pair, looked_at: int) -> bool:
    low = wilson(pair.customers, pair.n, confidence=1 - 0.05 / looked_at).low
    return low > pair.expected_rate * (1 + 1e-9)


def assert_agrees(shop: Shop, as_of: date, by_hand: dict[tuple[str, str], Pair], products: int) -> None:
    made = {(row["product"], row["next_product"]): row for row in found(shop, as_of).iter_rows(named=True)}
    looked_at = products * (products - 1)
    assert {pair for pair, counts in by_hand.items() if is_surely_more(counts, looked_at)} == set(made)
    for pair, row in made.items():
        counts = by_hand[pair]
        assert (row["customers"], row["n"]) == (counts.customers, counts.n)
        assert row["base_rate"] == pytest.approx(counts.base_rate)
        assert row["expected_rate"] == pytest.approx(counts.expected_rate)
        assert row["rate"] == pytest.approx(counts.customers / counts.n)
        assert row["lift"] == pytest.approx(row["rate"] / counts.expected_rate)
        interval = wilson(counts.customers, counts.n)
        assert (row["low"], row["high"]) == pytest.approx(tuple(interval))
        assert row["lift_low"] == pytest.approx(interval.low / counts.expected_rate)
        assert row["lift_high"] == pytest.approx(interval.high / counts.expected_rate)


@pytest.fixture(scope="module")
def linked() -> Shop:
    return sequels(1_200, leads_to=0.5)


@pytest.mark.parametrize("days", [500, 1_000])
def test_counts_rates_and_lifts_agree_with_plain_loops(linked: Shop, days: int) -> None:
    as_of = OPENED + timedelta(days)
    by_hand = pairs_by_hand(linked, as_of)
    assert_agrees(linked, as_of, by_hand, products=30)
    assert found(linked, as_of).height


@settings(max_examples=15, deadline=None)
@given(shop=shops(customers=6, max_orders=30), as_of=as_of_days(200))
def test_tiny_shops_with_returns_and_faults_agree_with_plain_loops(shop: Shop, as_of: date) -> None:
    known = {row["order_id"] for row in shop.order_rows if _counts(row, as_of)}
    sold = {row["product_id"] for row in shop.line_rows if _sold(row, known)}
    assert_agrees(shop, as_of, pairs_by_hand(shop, as_of), products=len(sold))


def _counts(row: dict[str, object], as_of: date) -> bool:
    day = row["order_day"]
    assert isinstance(day, date)
    return bool(row["is_valid"] and row["customer_key"]) and day <= as_of


def _sold(row: dict[str, object], known: set[object]) -> bool:
    return row["order_id"] in known and row["kind"] == "merchandise"


@settings(max_examples=15, deadline=None)
@given(shop=shops(customers=4, max_orders=20), as_of=as_of_days(200), seed=st.integers(0, 9))
def test_nothing_later_and_no_order_of_rows_changes_a_pair(shop: Shop, as_of: date, seed: int) -> None:
    then = found(shop.known_by(as_of), as_of)
    orders, lines, returns = (
        frame.collect().sample(fraction=1.0, shuffle=True, seed=seed).lazy()
        for frame in (shop.orders, shop.order_lines, shop.returns)
    )
    assert then.equals(
        bought_next(orders, lines, returns, as_of, at_least=1, best=100, still_sold_days=10_000).collect()
    )


def test_a_product_that_leads_to_another_is_found_with_what_it_leads_to(linked: Shop) -> None:
    pairs = found(linked, at_least=30)
    assert set(pairs["product"]) == {"p0"}
    assert set(pairs["next_product"]) == {"p1", "p2"}
    assert (pairs["lift_low"] > 1.2).all()
    names = pairs.select("product_name", pl.format("a {}", "next_product") == pl.col("next_product_name"))
    assert names.rows() == [("a p0", True)] * 2


@pytest.mark.parametrize("seed", [1, 2])
def test_people_who_differ_only_in_how_much_they_buy_make_no_pair(seed: int) -> None:
    shop = sequels(1_200, leads_to=0.0, seed=seed)
    pairs = pairs_by_hand(shop, LATE)
    # Against everybody's rate, most products would seem to lead to most others.
    assert sum(pair.customers / pair.n > pair.base_rate for pair in pairs.values()) > len(pairs) * 0.8
    assert found(shop).is_empty()


def test_of_each_product_the_best_few_are_kept_best_first(linked: Shop) -> None:
    every, best = found(linked), found(linked, best=1)
    assert every["position"].max() != 1
    assert_frame_equal(best, every.filter(pl.col("position") == 1))
    for _, pairs in every.group_by("product"):
        assert pairs["position"].to_list() == list(range(1, pairs.height + 1))
        assert pairs["lift_low"].is_sorted(descending=True)


def test_pairs_that_few_made_are_left_out(linked: Shop) -> None:
    least = int(found(linked)["customers"].to_numpy().max())
    assert found(linked, at_least=least).height
    assert found(linked, at_least=least + 1).is_empty()


def test_pairs_are_looked_for_among_the_most_ordered_products(linked: Shop) -> None:
    lines = linked.order_lines.collect().get_column("product_id").value_counts().sort("count")
    most = set(lines.tail(3)["product_id"])
    kept = replace(linked, line_rows=tuple(row for row in linked.line_rows if row["product_id"] in most))
    assert_frame_equal(found(linked, products=3), found(kept))


def test_what_nobody_orders_any_more_is_no_next_product(linked: Shop) -> None:
    days_of = {row["order_id"]: row["order_day"] for row in linked.order_rows}
    last = max(days_of[line["order_id"]] for line in linked.line_rows if line["product_id"] == "p1")
    for days, is_sold in ((31, True), (30, False)):
        pairs = found(linked, last + timedelta(30), still_sold_days=days)
        assert ("p1" in pairs["next_product"]) == is_sold


def test_of_many_pairs_a_share_of_the_customers_is_counted(linked: Shop) -> None:
    every = found(linked).filter(pl.col("product") == "p0", pl.col("next_product") == "p1").row(0, named=True)
    some = found(linked, pairs_counted=30_000)
    pair = some.filter(pl.col("product") == "p0", pl.col("next_product") == "p1").row(0, named=True)
    assert every["n"] * 0.1 < pair["n"] < every["n"] * 0.9
    assert pair["rate"] == pytest.approx(every["rate"], abs=0.15)


def follows(number: int, *, later: bool) -> Shop:
    """Somebody who buys a cup, and on a later day a saucer or a spoon."""
    return together(
        [
            order(f"{number}-1", f"c{number}", 0, ["cup"]),
            order(f"{number}-2", f"c{number}", 5, ["saucer" if later else "spoon"]),
        ]
    )


def test_what_came_back_whole_was_not_bought_and_what_was_exchanged_was() -> None:
    bowls = [order(f"b{n}-{k}", f"b{n}", k, [f"bowl {k}", "spoon"]) for n in range(40) for k in (0, 1)]
    shop = together([*(follows(n, later=True) for n in range(40)), *bowls])
    saucers = [row for row in shop.line_rows if row["product_id"] == "saucer"]

    def made(**changes: object) -> list[tuple[str, str]]:
        rows = tuple(back(line, 20, **changes) for line in saucers)
        return found(replace(shop, return_rows=rows)).select("product", "next_product").rows()

    assert ("cup", "saucer") in found(shop).select("product", "next_product").rows()
    assert ("cup", "saucer") not in made()
    for harmless in (
        {"outcome": "exchange"},
        {"quantity": 0},
        {"quantity": None},
        {"order_id": None},
        {"product_id": None},
        {"kind": "postage"},
        {"returned_day": LATE + timedelta(1)},
    ):
        assert ("cup", "saucer") in made(**harmless), harmless


def test_a_basket_is_no_sequence() -> None:
    shop = together(order(f"{n}-{k}", f"c{n}", k, ["cup", "saucer"]) for n in range(60) for k in (0, 1))
    assert found(shop).is_empty()


@pytest.mark.parametrize(
    "shop",
    [
        Shop(),
        together(follows(n, later=True) for n in range(3)),
        together(order(f"{n}", f"c{n}", n, ["cup", "saucer"]) for n in range(50)),
        together(order(f"{n}-{k}", f"c{n}", k, ["cup"]) for n in range(50) for k in (0, 1)),
        together(order(f"{n}-{k}", f"c{n}", k, [None]) for n in range(50) for k in (0, 1)),
        together(order(f"{n}-{k}", None, k, [f"p{k}"]) for n in range(50) for k in (0, 1)),
    ],
    ids=["empty", "three customers", "one-time buyers", "one product", "no product told", "nobody known"],
)
def test_shops_that_tell_nothing_have_no_pairs(shop: Shop) -> None:
    made = bought_next(shop.orders, shop.order_lines, shop.returns, LATE)
    kept = conform(made.with_columns(as_of=LATE), table("bought_next")).collect()
    assert kept.is_empty()


@pytest.mark.parametrize("products", [1, 2**15])
def test_a_number_of_products_that_makes_no_pairs_is_refused(products: int) -> None:
    with pytest.raises(ValueError, match="among 2 to 32,767 products"):
        bought_next(Shop().orders, Shop().order_lines, Shop().returns, LATE, products=products)
