"""Files: the same rows give the same bytes, built or streamed; reading files hold no formula, uploads no escape."""

import csv
import hashlib
import io
import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.delivery import files
from pipelines.delivery.files import PLATFORMS, BuiltFile, build, build_all, rows_in, stream
from pipelines.delivery.platforms import Terms, reading
from pipelines.delivery.platforms.texts import FORMULA_STARTS
from pipelines.delivery.platforms.workbook import escaped, money_format
from tests.pipelines.delivery.composed_people import (
    FORMULAS,
    QUOTED,
    contents,
    lines,
    nobody,
    people,
    regular,
)

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
CHANNEL = {name: platform.channels[-1] for name, platform in PLATFORMS.items()}
UPLOADS = [name for name, platform in PLATFORMS.items() if platform.is_upload]


def built(name: str, folder: Path, rows: list[dict[str, Any]], **changes: Any) -> BuiltFile:
    return build(PLATFORMS[name], contents(people(rows), channel=CHANNEL[name], **changes), folder)


def streamed(
    name: str, made: BuiltFile, without: pl.Series, rows: list[dict[str, Any]], **changes: Any
) -> bytes:
    whole = contents(people(rows), channel=CHANNEL[name], **changes)
    return b"".join(stream(PLATFORMS[name], made.rows_path, without, whole))


def sheets(path: Path) -> list[ElementTree.Element]:
    with zipfile.ZipFile(path) as book:
        names = sorted(name for name in book.namelist() if name.startswith("xl/worksheets/sheet"))
        return [ElementTree.fromstring(book.read(name)) for name in names]


def cells(sheet: ElementTree.Element) -> list[list[str | None]]:
    """Rows of a sheet: what every cell holds, None for an empty one."""
    shown: list[list[str | None]] = []
    for row in sheet.iter(f"{SHEET}row"):
        held: dict[int, str] = {}
        for cell in row.iter(f"{SHEET}c"):
            letters = re.sub(r"\d", "", cell.attrib["r"])
            text = "".join(part.text or "" for part in cell.iter() if part.tag in (f"{SHEET}t", f"{SHEET}v"))
            # Characters that XML cannot hold are written by their number.
            held[ord(letters) - ord("A")] = re.sub(
                r"_x([0-9A-F]{4})_", lambda match: chr(int(match[1], 16)), text
            )
        shown.append([held.get(column) for column in range(max(held) + 1)])
    return shown


@pytest.mark.parametrize("name", list(PLATFORMS))
def test_the_same_rows_give_the_same_bytes_and_the_sum_is_of_them(name: str, tmp_path: Path) -> None:
    rows = [regular(n) for n in range(9)]
    first, again = (built(name, tmp_path / folder, rows) for folder in ("first", "again"))
    data = first.path.read_bytes()
    assert data == again.path.read_bytes()
    assert (first.sha256, first.bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    assert (first.rows, first.dropped, rows_in(first.rows_path)) == (9, 0, 9)
    assert built(name, tmp_path / "other", rows[1:]).sha256 != first.sha256
    assert list(pl.read_parquet_schema(first.rows_path)) == ["customer_key", *first.columns]
    # Nothing but the file and its rows is left behind.
    assert sorted((tmp_path / "first").iterdir()) == sorted([first.path, first.rows_path])


@pytest.mark.parametrize("name", list(PLATFORMS))
def test_a_file_streamed_to_everybody_is_the_built_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SLICE", 4)
    rows = [regular(n) for n in range(11)]
    made = built(name, tmp_path, rows)
    assert streamed(name, made, nobody(), rows) == made.path.read_bytes()
    assert (
        streamed(name, made, pl.Series("customer_key", ["key of somebody else"]), rows)
        == made.path.read_bytes()
    )


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_without_some_people_exactly_their_lines_are_missing(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name = data.draw(st.sampled_from(UPLOADS))
    rows = [regular(n) for n in range(7)]
    made = built(name, tmp_path_factory.mktemp("files"), rows)
    keys = pl.read_parquet(made.rows_path)["customer_key"].to_list()
    gone = data.draw(st.sets(st.sampled_from(keys)))
    kept = streamed(name, made, pl.Series("customer_key", sorted(gone), pl.String), rows).splitlines(
        keepends=True
    )
    head, *whole = lines(made.path)
    assert kept == [head, *(line for key, line in zip(keys, whole, strict=True) if key not in gone)]


def test_without_some_people_a_reading_file_is_as_one_that_never_had_them(tmp_path: Path) -> None:
    rows = [regular(n) for n in range(6)]
    made = built("reading", tmp_path / "all", rows)
    path = tmp_path / "some.xlsx"
    path.write_bytes(streamed("reading", made, pl.Series("customer_key", ["key 00002", "key 00005"]), rows))
    shown = [row[0] for row in cells(sheets(path)[0])]
    assert shown == ["Customer", "C00000", "C00002", "C00003", "C00005"]


@pytest.mark.parametrize("name", list(PLATFORMS))
def test_a_list_of_nobody_has_files_with_headings_only(name: str, tmp_path: Path) -> None:
    made = built(name, tmp_path, [])
    assert (made.rows, made.dropped) == (0, 0)
    if PLATFORMS[name].is_upload:
        assert made.path.read_bytes() == ",".join(made.columns).encode() + b"\r\n"
    else:
        assert cells(sheets(made.path)[0]) == [list(made.columns)]


def test_who_is_not_in_a_file_is_counted(tmp_path: Path) -> None:
    rows = [regular(1), regular(2), regular(1), {"email": "no address"}, regular(3) | {"first_name": "=1+1"}]
    made = built("mailchimp", tmp_path, rows)
    assert (made.rows, made.dropped) == (2, 3)


def test_several_files_of_a_list_are_those_built_one_by_one(tmp_path: Path) -> None:
    whole = contents(people([regular(n) for n in range(5)]))
    chosen = [PLATFORMS[name] for name in ("klaviyo", "external_id", "reading")]
    together = build_all(chosen, whole, tmp_path / "together")
    assert list(together) == ["klaviyo", "external_id", "reading"]
    for platform in chosen:
        alone = build(platform, whole, tmp_path / "alone")
        assert together[platform.name].sha256 == alone.sha256
    assert len(list((tmp_path / "together").iterdir())) == 6


def test_a_build_that_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    made = built("klaviyo", tmp_path, [regular(1)])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    broken = contents(people([regular(2)]).drop("last_name"))
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        build(PLATFORMS["klaviyo"], broken, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert made.path.name == "list-2024-05-31.klaviyo.csv"


def test_names_are_quoted_where_rfc_4180_says_so_and_read_back_as_they_were(tmp_path: Path) -> None:
    rows = [regular(n) | {"last_name": name} for n, name in enumerate(QUOTED)]
    made = built("mailchimp", tmp_path, rows)
    text = made.path.read_bytes().decode()
    assert '"O""Neill"' in text
    assert '"Smith, Jr"' in text
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["Last Name"] for row in read] == QUOTED
    assert text.count("\r\n") == len(QUOTED) + 1


@pytest.mark.parametrize("name", UPLOADS)
def test_the_battery_passes_no_upload_file_and_alters_none(name: str, tmp_path: Path) -> None:
    harmless = [regular(n) for n in range(4)]
    clean = built(name, tmp_path / "clean", harmless)
    hostile = [
        regular(100 + n) | dict.fromkeys(("first_name", "last_name", "email", "external_id", "reason"), text)
        | {"phone": None}
        for n, text in enumerate(FORMULAS)
    ]  # fmt: skip
    mixed = built(name, tmp_path / "mixed", harmless + hostile)
    assert mixed.path.read_bytes() == clean.path.read_bytes()
    assert mixed.dropped == len(hostile)
    # A reason is for eyes only: it neither stops anybody nor reaches a platform.
    told = [row | {"reason": text, "city": "Ulm"} for row, text in zip(harmless, FORMULAS, strict=False)]
    assert built(name, tmp_path / "told", told).rows == 4


def test_no_cell_of_a_reading_file_is_a_formula_or_a_link_whatever_it_holds(tmp_path: Path) -> None:
    rows = [
        regular(n) | dict.fromkeys(("first_name", "last_name", "external_id", "reason", "tier"), text)
        for n, text in enumerate(
            [*FORMULAS, *QUOTED, "http://example.org", "{=1}", "a\nb", "mailto:a@example.com"]
        )
    ]
    made = built("reading", tmp_path, rows, columns=("tier",), notes=tuple((text, text) for text in FORMULAS))
    assert made.rows == len(rows)
    shown: list[str] = []
    for sheet in sheets(made.path):
        assert not list(sheet.iter(f"{SHEET}f"))
        assert not list(sheet.iter(f"{SHEET}hyperlink"))
        shown += [cell for row in cells(sheet) for cell in row if cell is not None]
    # What stands in a cell never starts like a formula, even when somebody saves the sheet as CSV and a program trims.
    invisible = "\u200b\ufeff"
    assert not [text for text in shown if text.strip().strip(invisible).startswith(FORMULA_STARTS)]
    assert '\'=1+1","=2+2' in shown
    assert 'O"Neill' in shown


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=6) | st.sampled_from(FORMULAS), min_size=1, max_size=6))
def test_an_apostrophe_goes_before_what_looks_like_a_formula_and_nothing_else_changes(
    texts: list[str],
) -> None:
    shown = pl.DataFrame({"text": texts}).select(escaped("text"))["text"].to_list()
    for before, after in zip(texts, shown, strict=True):
        assert after in (before, f"'{before}")
        if before.startswith(FORMULA_STARTS):
            assert after == f"'{before}"
        if before[:1].isalnum():
            assert after == before


def test_a_reading_file_is_in_the_lists_order_typed_and_says_why(tmp_path: Path) -> None:
    rows = [
        regular(n)
        | {"position": position, "reason": f"reason {n}", "churn_probability_90d": 0.25, "drivers": None}
        for n, position in ((1, 3), (2, 1), (3, 2))
    ]
    made = built("reading", tmp_path, rows, columns=("churn_probability_90d",))
    assert made.columns == (
        "Customer", "First name", "Last name", "Stage", "Why", "Last order", "Orders", "Spent so far",
        "Expected in a year", "Churn probability in 90 days",
    )  # fmt: skip
    shown = cells(sheets(made.path)[0])
    assert [row[4] for row in shown] == ["Why", "reason 2", "reason 3", "reason 1"]
    day = (date(2024, 5, 1) - date(1899, 12, 30)).days
    assert shown[1][3:] == ["at risk", "reason 2", str(day), "3", "14.345", "8.5", "0.25"]


def test_columns_of_which_nobody_has_anything_are_left_out_of_a_reading_file(tmp_path: Path) -> None:
    nameless = [regular(n) | {"first_name": None, "last_name": None} for n in range(3)]
    assert "First name" not in built("reading", tmp_path / "nameless", nameless).columns
    some = [*nameless, regular(3) | {"drivers": "long silence"}]
    made = built("reading", tmp_path / "some", some)
    assert {"First name", "Last name", "What speaks for and against another order"} <= set(made.columns)
    assert not [
        heading for heading in made.columns if "mail" in heading.lower() or "phone" in heading.lower()
    ]


def test_a_reading_file_is_frozen_filtered_formatted_and_named_for_reading(tmp_path: Path) -> None:
    made = built("reading", tmp_path, [regular(1), regular(2)], currency="EUR", locale="de_DE")
    assert made.path.name.endswith(".for-reading.xlsx")
    sheet = sheets(made.path)[0]
    (pane,) = sheet.iter(f"{SHEET}pane")
    assert (pane.attrib["ySplit"], pane.attrib["state"]) == ("1", "frozen")
    (kept,) = sheet.iter(f"{SHEET}autoFilter")
    assert kept.attrib["ref"] == "A1:I3"
    assert len(list(sheet.iter(f"{SHEET}col"))) >= 2
    with zipfile.ZipFile(made.path) as book:
        styles, words = book.read("xl/styles.xml").decode(), book.read("docProps/core.xml").decode()
    assert "#,##0.00\u00a0[$€]" in styles
    assert "d mmm yyyy" in styles
    assert "<b/>" in styles
    assert "2024-05-31T00:00:00Z" in words


@pytest.mark.parametrize(
    ("currency", "locale", "looks"),
    [
        ("GBP", "en_GB", "[$£]#,##0.00"),
        ("EUR", "de_DE", "#,##0.00\u00a0[$€]"),
        ("JPY", "ja_JP", "[$￥]#,##0"),
        ("CHF", "en_GB", "[$CHF]#,##0.00"),
    ],
)
def test_money_looks_as_people_of_the_locale_write_it(currency: str, locale: str, looks: str) -> None:
    assert money_format(currency, locale) == looks


def test_a_reading_file_holds_the_first_rows_of_a_long_list_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = people([regular(n) for n in range(5)])
    first = reading.rows(whole, Terms("email", "GBP"), most=3).collect()
    assert first["customer_key"].to_list() == ["key 00001", "key 00002", "key 00003"]
    assert reading.rows(whole, Terms("email", "GBP"), most=5).collect().height == 5
    made = built("reading", tmp_path / "fits", [regular(n) for n in range(5)], listed=reading.MOST_ROWS)
    assert "Not all are shown" not in {row[0] for row in cells(sheets(made.path)[1])}
    longer = built(
        "reading", tmp_path / "longer", [regular(n) for n in range(5)], listed=reading.MOST_ROWS + 1
    )
    noted = {row[0]: row[1] for row in cells(sheets(longer.path)[1])}
    assert noted["Not all are shown"] == (
        "The list has 20,001 people. This file shows its first 20,000; the upload files hold them all."
    )


def test_what_is_no_number_is_an_empty_cell(tmp_path: Path) -> None:
    rows = [
        regular(n) | {"historic_clv": value}
        for n, value in enumerate((float("nan"), float("inf"), None, 2.5))
    ]
    shown = cells(sheets(built("reading", tmp_path, rows).path)[0])
    assert [row[7] for row in shown] == ["Spent so far", None, None, None, "2.5"]


def test_long_texts_are_cut_to_what_a_cell_holds(tmp_path: Path) -> None:
    made = built("reading", tmp_path, [regular(1) | {"reason": "=" + "x" * 40_000}])
    (why,) = (row[4] for row in cells(sheets(made.path)[0])[1:])
    assert why is not None
    assert why.startswith("'=x")
    assert len(why) == 32_001


def test_memory_and_first_bytes_do_not_wait_for_the_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [regular(n) for n in range(50)]
    made = built("klaviyo", tmp_path, rows)
    monkeypatch.setattr(files, "SLICE", 10)
    pieces = stream(PLATFORMS["klaviyo"], made.rows_path, nobody(), contents(people(rows)))
    assert next(pieces) == b"Phone Number,First Name,Last Name\r\n"
    assert len(next(pieces).splitlines()) == 10
    assert len(list(pieces)) == 4
