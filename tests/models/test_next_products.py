"""Each customer is offered the best product after what they kept, and nothing they ever bought."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from models.next_products import next_products
from models.products_bought import customer_identity
from tests.models.composed_sequels import back, order, together
from tests.models.shops import OPENED, Shop, as_of_days, shops

Row = dict[str, Any]
PEOPLE = [f"c{number}" for number in range(4)]
LATE = OPENED + timedelta(1_000)
PAIRS = {
    "product": pl.String,
    "next_product": pl.String,
    "next_product_name": pl.String,
    "lift_low": pl.Float64,
}


def offered(shop: Shop, pairs: list[tuple[str, str, float]], as_of: date) -> dict[str, tuple[str, str]]:
    """Next product and its name by customer key."""
    rows = [(one, other, other.upper(), lift) for one, other, lift in pairs]
    frame = pl.LazyFrame(rows, schema=PAIRS, orient="row")
    made = next_products(frame, shop.orders, shop.order_lines, shop.returns, as_of).collect()
    people = pl.DataFrame({"customer_key": PEOPLE}).with_columns(
        identity=customer_identity(pl.col("customer_key"))
    )
    told = people.join(made, on="identity")
    assert told.height == made.height
    return {who: (product, name) for who, _, product, name in told.rows()}


def by_hand(shop: Shop, pairs: list[tuple[str, str, float]], as_of: date) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for who in PEOPLE:
        own = {
            row["order_id"]
            for row in shop.order_rows
            if row["is_valid"] and row["customer_key"] == who and row["order_day"] <= as_of
        }
        lines = [row for row in shop.line_rows if row["order_id"] in own and row["kind"] == "merchandise"]
        had = {line["product_id"] for line in lines}
        kept = {line["product_id"] for line in lines if _left(shop, line, as_of) > 0}
        may = [pair for pair in pairs if pair[0] in kept and pair[1] not in had]
        if may:
            # Of equally good ones the alphabet's first.
            best = min(may, key=lambda pair: (-pair[2], pair[1]))[1]
            found[who] = (best, best.upper())
    return found


def _left(shop: Shop, line: Row, as_of: date) -> int:
    same = [
        row
        for row in shop.line_rows
        if (row["order_id"], row["product_id"], row["kind"])
        == (line["order_id"], line["product_id"], "merchandise")
    ]
    gone = [
        row["quantity"]
        for row in shop.return_rows
        if (row["order_id"], row["product_id"], row["kind"])
        == (line["order_id"], line["product_id"], "merchandise")
        and row["outcome"] != "exchange"
        and (row["returned_day"] or row["refunded_day"] or date.max) <= as_of
    ]
    return sum(row["quantity"] for row in same) - sum(gone)


some_pairs = st.lists(
    st.tuples(
        st.sampled_from(["p0", "p1", "p2"]),
        st.sampled_from(["p0", "p1", "p2", "p3"]),
        st.sampled_from([1.1, 1.5, 2.0]),
    ).filter(lambda pair: pair[0] != pair[1]),
    max_size=6,
    unique_by=lambda pair: pair[:2],
)


@settings(max_examples=30, deadline=None)
@given(shop=shops(), as_of=as_of_days(200), pairs=some_pairs)
def test_who_is_offered_what_is_what_plain_loops_find(
    shop: Shop, as_of: date, pairs: list[tuple[str, str, float]]
) -> None:
    made = offered(shop, pairs, as_of)
    assert made == by_hand(shop, pairs, as_of)
    assert made == offered(shop.known_by(as_of), pairs, as_of)


def test_what_was_sent_back_leads_nowhere_and_is_not_offered_again() -> None:
    shop = together([order("1", "c0", 0, ["cup"]), order("2", "c1", 0, ["cup", "saucer"])])
    pairs = [("cup", "saucer", 2.0), ("saucer", "spoon", 1.5), ("cup", "bowl", 1.2)]
    assert offered(shop, pairs, LATE) == {"c0": ("saucer", "SAUCER"), "c1": ("spoon", "SPOON")}
    cup, _, saucer = shop.line_rows
    returned = replace(shop, return_rows=(back(cup, 9), back(saucer, 9)))
    assert offered(returned, pairs, LATE) == {"c1": ("bowl", "BOWL")}


def test_without_pairs_nobody_is_offered_anything() -> None:
    assert offered(order("1", "c0", 0, ["cup"]), [], LATE) == {}
