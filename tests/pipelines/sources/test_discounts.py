"""Discounts: what an order was reduced by is spread over its lines, to the last ten-thousandth."""

from decimal import Decimal

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources.discounts import spread
from pipelines.sources.optional_cells import AMOUNT

amounts = st.decimals(0, 10**10, places=4)


def shares(rest: Decimal, weights: list[Decimal | None]) -> list[Decimal]:
    lines = pl.LazyFrame(
        {"order": "1", "place": range(len(weights)), "_rest": rest, "_weight": weights},
        schema={"order": pl.String, "place": pl.UInt32, "_rest": AMOUNT, "_weight": AMOUNT},
    ).with_columns(
        pl.col("_weight").sum().alias("_weights"),
        pl.col("place").filter(pl.col("_weight").is_not_null()).max().alias("_last"),
    )
    return spread(lines, "order", "place").sort("place").collect()["_share"].to_list()


def test_shares_are_in_proportion_and_the_last_line_takes_what_is_left_over() -> None:
    assert shares(Decimal(10), [Decimal(1), Decimal(1), Decimal(1)]) == [
        Decimal("3.3333"),
        Decimal("3.3333"),
        Decimal("3.3334"),
    ]


def test_a_line_without_value_bears_nothing_and_one_line_bears_all() -> None:
    assert shares(Decimal(7), [None, Decimal(5), None]) == [0, 7, 0]
    assert shares(Decimal(7), [Decimal(0), Decimal(0)]) == [0, 7]


@given(amounts, st.lists(amounts, min_size=1, max_size=6))
@settings(max_examples=80, deadline=None)
def test_shares_add_up_to_the_whole_and_none_is_below_zero(rest: Decimal, weights: list[Decimal]) -> None:
    parts = shares(rest, list(weights))
    assert sum(parts) == rest
    assert all(part >= 0 for part in parts)
    if total := sum(weights):
        for part, weight in zip(parts[:-1], weights[:-1], strict=True):
            assert part <= rest * weight / total < part + Decimal("0.0001")
