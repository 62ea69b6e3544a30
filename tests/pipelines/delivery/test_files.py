"""Files: the same rows give the same bytes, nothing in a reading file is a formula, an upload file is untouched."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from xml.etree import ElementTree

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.delivery.files import FORMULA_STARTS, Built, Contents, escaped, external_id_file, reading_file

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
HOSTILE = [
    '=HYPERLINK("http://example.org")',
    "+1+1",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
    "{=1}",
    "http://example.org",
    "plain",
]


def contents(ids: list[str | None], reason: str = "is a customer") -> Contents:
    count = len(ids)
    people = pl.DataFrame(
        {
            "customer_key": [f"key {n}" for n in range(count)],
            "external_id": ids,
            "position": list(range(1, count + 1)),
            "reason": [reason] * count,
            "stage": ["active"] * count,
            "last_order_day": [date(2024, 5, 1)] * count,
            "valid_orders": [2] * count,
            "historic_clv": [12.345] * count,
            "predicted_clv_365d": [None] * count,
        },
        schema_overrides={"external_id": pl.String, "predicted_clv_365d": pl.Float64},
    )
    notes = [("List", reason), ("Purpose", "=1+1")]
    return Contents(
        "list-2024-05-31",
        "List",
        "GBP",
        people,
        notes,
        datetime(2024, 5, 31, tzinfo=UTC).replace(tzinfo=None),
    )


def sheets(data: bytes) -> list[ElementTree.Element]:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        names = sorted(name for name in book.namelist() if name.startswith("xl/worksheets/sheet"))
        return [ElementTree.fromstring(book.read(name)) for name in names]


def strings(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        root = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
    texts = ["".join(part.text or "" for part in item.iter(f"{SHEET}t")) for item in root.iter(f"{SHEET}si")]
    # Characters that XML cannot hold are written by their number.
    return [re.sub(r"_x([0-9A-F]{4})_", lambda match: chr(int(match[1], 16)), text) for text in texts]


def test_no_cell_of_a_reading_file_is_a_formula_or_a_link_whatever_it_holds() -> None:
    built = reading_file(contents([*HOSTILE], reason=HOSTILE[0]))
    assert built.rows == len(HOSTILE)
    assert len(sheets(built.data)) == 2
    for sheet in sheets(built.data):
        assert not list(sheet.iter(f"{SHEET}f"))
        assert not list(sheet.iter(f"{SHEET}hyperlink"))
    # What stands in a cell never starts like a formula, even when somebody saves the sheet as CSV.
    shown = [text for text in strings(built.data) if text.lstrip("'") in HOSTILE]
    assert shown
    starters = [text for text in shown if text.startswith(FORMULA_STARTS)]
    assert starters == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=6) | st.sampled_from(HOSTILE), min_size=1, max_size=6))
def test_an_apostrophe_goes_before_what_looks_like_a_formula_and_before_nothing_else(
    texts: list[str],
) -> None:
    shown = pl.DataFrame({"text": texts}).select(escaped(pl.col("text")).alias("shown"))["shown"].to_list()
    assert shown == [f"'{text}" if text.startswith(FORMULA_STARTS) else text for text in texts]


def test_the_upload_file_is_one_column_sorted_unescaped_and_without_people_who_have_no_number() -> None:
    built = external_id_file(contents(["9", "=10", None, "10", "9", "-3"]))
    assert built.data == b"external_id\n-3\n10\n9\n=10\n"
    assert built.rows == 4


@pytest.mark.parametrize("make", [external_id_file, reading_file])
def test_the_same_rows_give_the_same_bytes(make: Callable[[Contents], Built]) -> None:
    assert make(contents(["1", "2"])).data == make(contents(["1", "2"])).data
    assert make(contents(["1", "2"])).data != make(contents(["1", "3"])).data


def test_a_list_of_nobody_has_files_with_headings_only() -> None:
    assert external_id_file(contents([])).data == b"external_id\n"
    built = reading_file(contents([]))
    assert built.rows == 0
    assert "Customer" in strings(built.data)
