"""Continuation: records get their unit's cells, wherever in the file these stand."""

from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources.continuation import fill_down

NAMES = ["unit", "first", "a", "b"]
Record = tuple[str | None, str | None, str | None, str | None]


def filled(records: Sequence[Record]) -> list[Record]:
    frame = pl.LazyFrame(records, schema=dict.fromkeys(NAMES, pl.String), orient="row")
    return fill_down(frame, "unit", ["a", "b"], pl.col("first")).select(NAMES).collect().rows()


def test_continuing_records_get_the_cells_of_their_first_one() -> None:
    assert filled([("1", "x", "A", None), ("1", None, None, None), ("2", "x", "B", "b")]) == [
        ("1", "x", "A", None),
        ("1", None, "A", None),
        ("2", "x", "B", "b"),
    ]


def test_nothing_falls_from_one_unit_into_the_next() -> None:
    assert filled([("1", "x", "A", "a"), ("2", "x", None, None), ("2", None, None, None)])[1:] == [
        ("2", "x", None, None),
        ("2", None, None, None),
    ]


def test_a_record_without_a_unit_neither_takes_nor_gives_and_parts_nothing() -> None:
    assert filled([("1", "x", "A", None), (None, None, None, "?"), ("1", None, None, None)]) == [
        ("1", "x", "A", None),
        (None, None, None, "?"),
        ("1", None, "A", None),
    ]


@pytest.mark.parametrize("order", [[1, 0, 2], [2, 0, 1], [0, 2, 1], [2, 1, 0]])
def test_records_that_stand_apart_from_their_first_one_are_filled_from_it(order: list[int]) -> None:
    records: list[Record] = [("1", "x", "A", "a"), ("1", None, None, None), ("2", "x", "B", None)]
    moved = [records[place] for place in order]
    assert sorted(filled(moved), key=str) == sorted(filled(records), key=str)
    assert [(record[0], record[1]) for record in filled(moved)] == [(r[0], r[1]) for r in moved]


def test_a_unit_without_a_first_record_stays_as_it_is() -> None:
    assert filled([("1", "x", "A", "a"), ("2", None, None, None)])[1] == ("2", None, None, None)


@st.composite
def shuffled_units(draw: st.DrawFn) -> list[Record]:
    """Records of some units, one of each the first, in any order, some without a unit."""
    cell = st.sampled_from([None, "p", "q"])
    records: list[Record] = []
    for unit in range(draw(st.integers(1, 4))):
        records.append((str(unit), "x", draw(cell), draw(cell)))
        records.extend((str(unit), None, None, None) for _ in range(draw(st.integers(0, 3))))
    records.extend((None, None, None, draw(cell)) for _ in range(draw(st.integers(0, 2))))
    return draw(st.permutations(records)) if draw(st.booleans()) else records


@given(shuffled_units())
@settings(max_examples=60, deadline=None)
def test_filling_agrees_with_looking_each_unit_up(records: list[Record]) -> None:
    firsts = {unit: (a, b) for unit, first, a, b in records if first}
    assert filled(records) == [
        (unit, first, a or firsts[unit][0], b or firsts[unit][1]) if unit else (unit, first, a, b)
        for unit, first, a, b in records
    ]
