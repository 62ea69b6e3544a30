"""Excel workbooks: each value as the text that stands for it, each row where Excel shows it."""

from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from pipelines.errors import DeliveryError
from pipelines.settings import Layout
from pipelines.sources.xlsx import XlsxReader
from tests.pipelines.sources.read_files import faults, places, rows, save

READER = XlsxReader()
NAMES = ["id", "name", "price", "sent"]


def workbook(folder: Path, sheets: dict[str, list[list[Any]]], hidden: tuple[str, ...] = ()) -> Path:
    """Write sheets of cells; None is no cell, and a name that starts with "=" a formula that failed."""
    path = folder / "delivery.xlsx"
    with xlsxwriter.Workbook(path) as book:
        forms = {
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
            datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            time: book.add_format({"num_format": "hh:mm:ss"}),
        }
        for name, cells in sheets.items():
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            else:
                sheet.activate()
            for row, values in enumerate(cells):
                for column, value in enumerate(values):
                    if isinstance(value, date | time):
                        sheet.write_datetime(row, column, value, forms[type(value)])  # type: ignore[arg-type]
                    elif isinstance(value, str) and value.startswith("=") and value != "=":
                        sheet.write_formula(row, column, "=1/0", None, value[1:])  # type: ignore[arg-type]
                    elif isinstance(value, str):
                        sheet.write_string(row, column, value)
                    elif value is not None:
                        sheet.write(row, column, value)
    return path


def test_values_are_the_text_that_stands_for_them(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        {
            "Orders": [
                ["id", "price", "paid", "day", "at", "hour", "error", "text"],
                [
                    1001,
                    2.5,
                    True,
                    date(2024, 5, 1),
                    datetime.fromisoformat("2024-05-01 09:30"),
                    time(9, 30),
                    "=#DIV/0!",
                    " a ",
                ],
                [
                    10**15,
                    0.1,
                    False,
                    date(2024, 5, 2),
                    datetime.fromisoformat("2024-05-02"),
                    time(0, 0, 1),
                    "=#N/A",
                    "007",
                ],
                [1e-7, 100.0, None, None, None, None, "ok", "'+31600000000"],
            ]
        },
    )
    assert rows(READER, path) == [
        ("1001", "2.5", "true", "2024-05-01", "2024-05-01 09:30:00", "09:30:00", "#DIV/0!", " a "),
        ("1000000000000000", "0.1", "false", "2024-05-02", "2024-05-02 00:00:00", "00:00:01", "#N/A", "007"),
        ("0.0000001", "100", None, None, None, None, "ok", "+31600000000"),
    ]


def test_rows_stand_where_excel_shows_them(tmp_path: Path) -> None:
    cells = [
        [],
        [],
        [None, "Sales report"],
        [],
        [None, *NAMES],
        [None, 1, "Mug"],
        [],
        ["", " "],
        [None, 2, "Pot", 3],
    ]
    path = workbook(tmp_path, {"Orders May": cells})
    assert READER.columns(path, Layout()) == NAMES[:3] or READER.columns(path, Layout()) == NAMES
    assert [row[:2] for row in rows(READER, path)] == [("1", "Mug"), ("2", "Pot")]
    assert places(READER, path) == ["sheet Orders May, row 6", "sheet Orders May, row 9"]
    assert faults(READER, path) == []


def test_the_first_sheet_that_shows_something_is_read_or_the_one_asked_for(tmp_path: Path) -> None:
    sheets = {
        "Notes": [["secret"], [1]],
        "Cover": [],
        "Orders": [NAMES, [1, "Mug"]],
        "Old": [NAMES, [2, "Pot"]],
    }
    path = workbook(tmp_path, sheets, hidden=("Notes",))
    assert rows(READER, path)[0][:2] == ("1", "Mug")
    assert rows(READER, path, sheet="Old")[0][:2] == ("2", "Pot")
    with pytest.raises(
        DeliveryError, match=r"no sheet 'New'\. It has: Notes, Cover, Orders, Old\. Correct `sheet`"
    ):
        READER.columns(path, Layout(sheet="New"))
    with pytest.raises(DeliveryError, match=r"sheet Cover, has no row of column names"):
        READER.columns(path, Layout(sheet="Cover"))


def test_skip_rows_says_where_the_names_are(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"Orders": [["a", "b"], ["c", "d"], ["e", "f"]]})
    assert READER.columns(path, Layout(skip_rows=1)) == ["c", "d"]
    assert (rows(READER, path, skip_rows=1), places(READER, path, skip_rows=1)) == (
        [("e", "f")],
        ["sheet Orders, row 3"],
    )
    with pytest.raises(DeliveryError, match="skip_rows"):
        READER.columns(path, Layout(skip_rows=9))


def test_two_rows_of_names_become_one_and_columns_without_anything_are_none(tmp_path: Path) -> None:
    cells = [
        ["ID", "Which?", None, "Which?"],
        [None, "Mugs", "Pots", "Response"],
        [1, "x", None, 9, None, None],
    ]
    path = workbook(tmp_path, {"Answers": cells})
    names = ["ID", "Which?: Mugs", "Which?: Pots", "Which?"]
    assert READER.columns(path, Layout(header_rows=2)) == names
    assert XlsxReader(header_rows=2).columns(path, Layout()) == names
    assert rows(READER, path, header_rows=2) == [("1", "x", None, "9")]


def test_names_without_rows_are_a_file_without_records(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"Orders": [NAMES]})
    assert (READER.columns(path, Layout()), rows(READER, path)) == (NAMES, [])


def test_a_workbook_without_any_cell_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="no sheet with anything in it"):
        READER.columns(workbook(tmp_path, {"Orders": []}), Layout())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is not a whole Excel workbook"),
        (b"id,name\n1,Mug\n", "is not a whole Excel workbook .*fetch it again"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "has a password or is damaged. Save it as"),
    ],
)
def test_what_is_no_workbook_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(DeliveryError, match=told):
        READER.columns(save(tmp_path, content, "delivery.xlsx"), Layout())


def test_a_workbook_cut_short_is_told(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"Orders": [NAMES, [1, "Mug"]]})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DeliveryError, match=r"delivery\.xlsx is not a whole Excel workbook"):
        READER.columns(path, Layout())
