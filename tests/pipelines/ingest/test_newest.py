"""Of several versions of a row the newest counts, whatever the order of arrival."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.ingest.newest import newest

START = datetime(2024, 3, 1, tzinfo=UTC)
SCHEMA = {
    "unit": pl.String,
    "updated_at": pl.Datetime("us", "UTC"),
    "delivered_through": pl.Datetime("us", "UTC"),
    "received_at": pl.Datetime("us", "UTC"),
    "delivery_id": pl.String,
    "row_number": pl.Int64,
    "says": pl.String,
}


def version(says: str, **told: Any) -> dict[str, Any]:
    """A version of one row; numbers stand for days after the start."""
    days = {
        name: START + timedelta(days=value)
        for name, value in told.items()
        if name.endswith(("_at", "_through")) and value is not None
    }
    given = {"unit": "1", "received_at": START, "delivery_id": "a", "row_number": 1}
    return given | told | days | {"says": says}


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"updated_at": 1, "delivered_through": 9, "received_at": 9}, {"updated_at": 2}),
        ({"updated_at": None, "delivered_through": 9}, {"updated_at": 2}),
        ({"delivered_through": 1, "received_at": 9}, {"delivered_through": 2}),
        ({"delivered_through": None, "received_at": 9}, {"delivered_through": 2}),
        ({"delivered_through": 2, "received_at": 1}, {"delivered_through": 2, "received_at": 2}),
        ({"delivery_id": "a", "row_number": 9}, {"delivery_id": "b"}),
        ({"delivery_id": "a", "row_number": 1}, {"row_number": 2}),
    ],
)  # fmt: skip
def test_change_then_reach_then_arrival_then_checksum_then_position(
    older: dict[str, Any], newer: dict[str, Any]
) -> None:
    rows = [version("old", **{"delivery_id": "b"} | older), version("new", **newer)]
    for order in permutations(rows):
        found = newest(pl.LazyFrame(list(order), schema=SCHEMA), ["unit"]).collect()
        assert found["says"].to_list() == ["new"]


def test_other_rows_are_left_alone_and_a_unit_may_be_null_in_part() -> None:
    rows = [
        version("a", unit="1", row_number=1),
        version("b", unit="2", row_number=2),
        version("c", unit=None, row_number=3),
        version("d", unit=None, row_number=4),
    ]
    assert sorted(newest(pl.LazyFrame(rows, schema=SCHEMA), ["unit"]).collect()["says"]) == ["a", "b", "d"]


def test_all_columns_of_the_newest_row_come_from_it_nulls_included(tmp_path: Path) -> None:
    rows = [version("old", updated_at=1), version("new", updated_at=2, row_number=2) | {"says": None}]
    assert newest(pl.LazyFrame(rows, schema=SCHEMA), ["unit"]).collect()["says"].to_list() == [None]
