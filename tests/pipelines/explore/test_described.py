"""What is made to be read is shown whole, and nothing that stands in it can break out of the page."""

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
