"""A table made one range of units at a time is the table made at once."""

from typing import Literal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.ranges import in_ranges

ORDERS = st.lists(st.none() | st.sampled_from([f"W{number:03}" for number in range(40)]), max_size=400)


def added_up(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.group_by("order_id").agg(pl.col("value").sum())


@settings(max_examples=40, deadline=None)
@given(orders=ORDERS, rows_a_range=st.integers(1, 300))
def test_ranges_give_what_the_whole_gives(orders: list[str | None], rows_a_range: int) -> None:
    rows = pl.LazyFrame(
        {"order_id": orders, "value": range(len(orders))}, schema={"order_id": pl.String, "value": pl.Int64}
    )
    ranged = in_ranges(rows, "order_id", added_up, rows_a_range=rows_a_range)
    assert ranged.collect_schema() == added_up(rows).collect_schema()
    assert ranged.collect().sort("order_id").equals(added_up(rows).collect().sort("order_id"))


def test_ranges_follow_each_other_in_the_order_of_the_units() -> None:
    rows = pl.LazyFrame({"order_id": [f"W{number * 7919 % 5000:04}" for number in range(5000)], "value": 1})
    made = in_ranges(rows, "order_id", lambda part: part.sort("order_id"), rows_a_range=640).collect()
    assert made["order_id"].is_sorted()
    assert made.height == 5000


def test_only_what_is_asked_is_given() -> None:
    rows = pl.LazyFrame({"order_id": [f"W{number:04}" for number in range(3000)], "value": range(3000)})
    ranged = in_ranges(rows, "order_id", lambda part: part, rows_a_range=640)
    asked = ranged.filter(pl.col("value") % 2 == 0).select("value").collect()
    assert asked.columns == ["value"]
    assert sorted(asked["value"]) == list(range(0, 3000, 2))


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_the_first_rows_are_so_many(engine: Literal["in-memory", "streaming"]) -> None:
    rows = pl.LazyFrame({"order_id": [f"W{number:04}" for number in range(5000)], "value": 1})
    ranged = in_ranges(rows, "order_id", lambda part: part.sort("order_id"), rows_a_range=640)
    firsts = [f"W{number:04}" for number in range(1000)]
    assert ranged.head(1000).collect(engine=engine)["order_id"].to_list() == firsts
    assert ranged.slice(3, 5).collect(engine=engine)["order_id"].to_list() == firsts[3:8]
    odd = ranged.filter(pl.col("order_id").str.ends_with("1")).head(3).collect(engine=engine)
    assert odd["order_id"].to_list() == ["W0001", "W0011", "W0021"]


def test_a_range_is_made_of_whole_units_only() -> None:
    rows = pl.LazyFrame({"order_id": [f"W{number % 50:02}" for number in range(6400)]})
    seen: list[set[str]] = []

    def noted(part: pl.LazyFrame) -> pl.LazyFrame:
        def note(frame: pl.DataFrame) -> pl.DataFrame:
            seen.append(set(frame["order_id"]))
            return frame

        return part.map_batches(note, schema={"order_id": pl.String})

    in_ranges(rows, "order_id", noted, rows_a_range=640).collect()
    filled = [units for units in seen if units]
    assert len(filled) > 3
    assert sum(map(len, filled)) == len(set.union(*filled))


@pytest.mark.parametrize("count", [0, 1])
def test_few_rows_are_one_range(count: int) -> None:
    rows = pl.LazyFrame(
        {"order_id": ["W1"] * count, "value": [1] * count}, schema={"order_id": pl.String, "value": pl.Int64}
    )
    assert in_ranges(rows, "order_id", added_up).collect().height == count
