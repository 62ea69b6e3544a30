"""What is made to be read is shown whole, and nothing that stands in it can break out of the page."""

import re
from collections.abc import Sequence
from decimal import Decimal

import polars as pl
import pytest

from data_contracts import ContractError, table, table_names
from pipelines.explore.described import described
from pipelines.explore.whole_frames import WholeFrame, html_table, text_table


@pytest.mark.parametrize("name", ["customer_profile", "cohort_retention"])
def test_a_tables_description_shows_every_column_and_every_word(name: str) -> None:
    shown = described(name)
    page, text = shown._repr_html_(), repr(shown)
    assert table(name).grain in page
    assert page.count("<tr>") == 1 + len(table(name).columns)
    for column in table(name).columns:
        assert column.name in text
        assert all(word in text for word in column.meaning.split())
        assert "…" not in text
    assert shown.frame["column"].to_list() == list(table(name).schema)


def test_every_table_of_the_dictionary_can_be_described() -> None:
    assert all(described(name).frame.height for name in table_names())
    with pytest.raises(ContractError, match="Did you mean orders"):
        described("order")


def test_what_stands_in_a_frame_is_escaped_and_missing_values_are_empty() -> None:
    page = html_table(pl.DataFrame({"a_name": ["<script>alert(1)</script>", None], "n": [12_345, None]}))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<th>a name</th>" in page
    assert '<td class="number">12,345</td>' in page
    assert '<td></td><td class="number"></td>' in page


def test_a_whole_frame_is_a_polars_frame_that_is_not_cut() -> None:
    rows = pl.DataFrame({"n": range(60), "text": ["a long sentence that a notebook would cut " * 3] * 60})
    whole = WholeFrame(rows)
    assert whole.equals(rows)
    assert whole.filter(pl.col("n") > 57).height == 2
    assert whole._repr_html_().count("<tr>") == 61
    assert repr(whole).count("would cut") == 180
    assert text_table(rows) == repr(whole)


def _column(values: Sequence[float | Decimal | None]) -> list[str]:
    page = html_table(pl.DataFrame({"x": values}, strict=False))
    return re.findall(r'<td class="number">(.*?)</td>', page)


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([0.2, 0.83, 0.165, None], ["0.200", "0.830", "0.165", ""]),
        ([0.5, 0.25], ["0.50", "0.25"]),
        ([0.1234567, -0.5], ["0.123", "-0.500"]),
        ([0.00001, 0.5, 0.0, -0.00001], ["&lt;0.001", "0.500", "0.000", "&gt;-0.001"]),
        ([12.25, 3.5], ["12.25", "3.50"]),
        ([250.34, 17.5], ["250.3", "17.5"]),
        ([1234567.8, 12.2], ["1,234,568", "12"]),
        ([1.0, 250.0], ["1", "250"]),
        ([Decimal("1.5000"), Decimal("20.2500")], ["1.50", "20.25"]),
        ([12345, None, 7], ["12,345", "", "7"]),
        ([float("nan"), 0.5], ["nan", "0.5"]),
        ([], []),
        # A share among counts keeps its digits.
        ([5852.0, 0.724], ["5,852", "0.724"]),
    ],
)
def test_numbers_of_a_column_are_written_alike(
    values: Sequence[float | Decimal | None], written: list[str]
) -> None:
    assert _column(values) == written


def test_a_terminal_shows_the_same_numbers_under_each_other() -> None:
    text = text_table(pl.DataFrame({"name": ["a", None], "n": [1_234, 5], "share": [0.25, 0.125]}))
    rows = [line.strip("│ ").split() for line in text.splitlines() if line.startswith("│")]
    assert rows == [["name", "n", "share"], ["a", "1,234", "0.250"], ["5", "0.125"]]
    ends = [line.index("0.") for line in text.splitlines() if "0." in line]
    assert ends[0] == ends[1], "shares under each other, though the counts are not equally long"
