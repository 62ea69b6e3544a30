"""Names of columns: none blank, none twice, and nothing taken for names that are values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.header import column_names, could_be_names, distinct, extent
from pipelines.sources.reader import FAULT, RECORD


@given(st.lists(st.sampled_from(["", "a", "a (2)", "column 1", "column 2", FAULT, RECORD, " a"])))
def test_names_differ_and_are_never_blank_or_ours(row: list[str]) -> None:
    names = column_names(row)
    assert len(set(names)) == len(names) == len(row)
    assert not {"", FAULT, RECORD} & set(names)


def test_a_name_that_stands_once_stays_what_it_is() -> None:
    assert distinct(["a", "a", "a (2)", "", "column 4"]) == (
        "a",
        "a (3)",
        "a (2)",
        "column 4 (2)",
        "column 4",
    )


@pytest.mark.parametrize(
    ("row", "below", "names"),
    [
        (["ID", "Which?", "", ""], ["", "A", "B", ""], ("ID", "Which?: A", "Which?: B", "column 4")),
        (["Why?", "How?"], ["Open-Ended Response", "Response"], ("Why?", "How?")),
        (["", "a"], ["x"], ("x", "a")),
        (["a\nb", " 'c"], [], ("a b", "c")),
    ],
)
def test_a_second_row_goes_on_with_the_names(
    row: list[str], below: list[str], names: tuple[str, ...]
) -> None:
    assert column_names(row, below) == names


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (["id", "name"], True),
        (["#", "How likely are you to recommend us?", "Start Date (UTC)"], True),
        (["1001", "2024-05-01", "Mug"], False),
        (["Ann", "ann@example.com", "Gent", "mug"], False),
        (["10:30", "1,50 ", "€ 3", "-5 %", "05/01/2024 9:30 PM"], False),
        (["", " ", "\0"], False),
    ],
)
def test_numbers_days_and_addresses_are_no_names(row: list[str], expected: bool) -> None:
    assert could_be_names(row) is expected


def test_how_far_a_row_reaches_counts_its_gaps() -> None:
    assert [extent(row) for row in (["a", "", "b", " "], ["", ""], [])] == [3, 0, 0]
