"""Damaged files: whatever bytes a reader is given, it gives rows or a `DeliveryError`, and nothing else."""

import csv
import gzip
import io
import json
from functools import cache
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import DeliveryError
from pipelines.settings import Layout
from pipelines.sources import format_of, records
from pipelines.sources.arrivals import reading
from tests.pipelines.sources.read_files import frame

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ROWS = [
    [
        f"#{number}",
        "2024-05-01 10:00",
        ["Mug", 'the "big" one', "two\nlines, x", "é", ""][number % 5],
        f"{number}.50",
    ]
    for number in range(25)
]
NAMES = ["Name", "Created at", "Item", "Price"]


@cache
def whole_files() -> dict[str, list[bytes]]:
    """Files that are right, by format; composed."""
    text = io.StringIO()
    csv.writer(text).writerows([NAMES, *ROWS])
    objects = [{"id": row[0], "item": {"name": row[2], "tags": ["a", 1.50]}, "price": row[3]} for row in ROWS]
    book = io.BytesIO()
    with xlsxwriter.Workbook(book) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate([NAMES, *ROWS]):
            sheet.write_row(number, 0, row)
    table = io.BytesIO()
    pl.DataFrame(ROWS, schema=NAMES, orient="row").with_columns(
        tags=pl.concat_list("Name", "Item")
    ).write_parquet(table)
    return {
        "csv": [text.getvalue().encode(codec) for codec in ("utf-8", "utf-16", "windows-1252")]
        + [gzip.compress(text.getvalue().encode())],
        "tsv": [text.getvalue().replace(",", "\t").encode()],
        "jsonl": ["\n".join(map(json.dumps, objects)).encode(), json.dumps(objects, indent=1).encode()],
        "xlsx": [book.getvalue()],
        "parquet": [table.getvalue()],
    }


@st.composite
def damaged(draw: st.DrawFn, file_format: str) -> bytes:
    """A right file with bytes changed, put in, taken out, doubled or cut off; or anything."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    content = bytearray(draw(st.sampled_from(whole_files()[file_format])))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(content)))
        match draw(st.sampled_from(["change", "mark", "take out", "double", "cut"])):
            case "change":
                content[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "mark":
                content[at:at] = draw(
                    st.sampled_from([b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"{", b"[", b"}"])
                )
            case "take out":
                del content[at : at + draw(st.integers(1, 60))]
            case "double":
                content[at:at] = content[at : at + draw(st.integers(1, 200))]
            case _:
                del content[at:]
    return bytes(content)


@pytest.mark.parametrize("file_format", ["csv", "tsv", "jsonl", "xlsx", "parquet"])
@FEW
@given(data=st.data())
def test_any_bytes_are_rows_or_a_delivery_error(
    tmp_path: Path, file_format: str, data: st.DataObject
) -> None:
    path = tmp_path / "delivery"
    path.write_bytes(data.draw(damaged(file_format)))
    reader = format_of(file_format).reader
    try:
        with pytest.MonkeyPatch.context() as patch, reading(path):
            patch.setattr(records, "BLOCK", data.draw(st.sampled_from([300, 1 << 20])))
            found = frame(reader, path)
            placed = [reader.place(path, Layout(), number) for number in range(1, len(found) + 1)]
    except DeliveryError as error:
        assert str(path) in str(error)
        return
    if file_format in ("csv", "tsv", "jsonl"):
        lines = [int(place.removeprefix("line ")) for place in placed]
        assert lines == sorted(lines)


@pytest.mark.parametrize("file_format", ["csv", "tsv", "jsonl", "xlsx", "parquet"])
def test_right_files_have_all_their_rows(tmp_path: Path, file_format: str) -> None:
    for number, content in enumerate(whole_files()[file_format]):
        path = tmp_path / str(number)
        path.write_bytes(content)
        found = frame(format_of(file_format).reader, path)
        assert (len(found), found["_fault"].null_count()) == (len(ROWS), len(ROWS))


@pytest.mark.parametrize("file_format", ["csv", "tsv", "jsonl", "xlsx", "parquet"])
@pytest.mark.parametrize("other", ["csv", "jsonl", "xlsx", "parquet"])
def test_a_file_of_another_format_is_never_a_traceback(tmp_path: Path, file_format: str, other: str) -> None:
    path = tmp_path / "delivery"
    path.write_bytes(whole_files()[other][0])
    try:
        frame(format_of(file_format).reader, path)
    except DeliveryError as error:
        assert str(path) in str(error)
