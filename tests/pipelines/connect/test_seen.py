"""Looking at a file: its kind by its bytes, its format by its columns, and of large files the head only."""

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.connect import heads
from pipelines.connect.files import find_files
from pipelines.connect.seen import look_at
from pipelines.errors import DeliveryError
from tests.pipelines.connect.composed_files import (
    english_orders,
    german_orders,
    shopify_orders,
    typeform_answers,
    workbook,
)


def test_platforms_are_known_by_their_columns(tmp_path: Path) -> None:
    (orders,) = look_at(shopify_orders(tmp_path, "anything.csv"))
    assert (orders.format.name, orders.is_platform, orders.rows, orders.is_whole) == (
        "shopify_orders",
        True,
        80,
        True,
    )
    (answers,) = look_at(typeform_answers(tmp_path))
    assert answers.format.name == "typeform"


def test_general_files_are_known_by_their_bytes_whatever_they_are_called(tmp_path: Path) -> None:
    frame = pl.read_csv(english_orders(tmp_path), infer_schema=False)
    frame.write_parquet(tmp_path / "orders.csv.bak")
    frame.write_ndjson(tmp_path / "lines.txt")
    (tmp_path / "packed.csv").write_bytes(gzip.compress((tmp_path / "orders.csv").read_bytes()))
    workbook(tmp_path, {"Orders": frame}, "book.csv")
    found = {
        name: look_at(tmp_path / name)[0]
        for name in ("orders.csv.bak", "lines.txt", "packed.csv", "book.csv")
    }
    assert [seen.format.name for seen in found.values()] == ["parquet", "jsonl", "csv", "xlsx"]
    assert {seen.columns for seen in found.values()} == {tuple(frame.columns)}
    assert {seen.rows for seen in found.values()} == {20}


def test_each_sheet_with_rows_is_looked_at(tmp_path: Path) -> None:
    frame = pl.read_csv(english_orders(tmp_path), infer_schema=False)
    path = workbook(tmp_path, {"First": frame, "Empty": frame.head(0), "Second": frame.head(5)})
    first, second = look_at(path)
    assert (first.layout.sheet, first.rows) == (None, 20)
    assert (second.layout.sheet, second.rows) == ("Second", 5)


def test_of_a_large_text_file_the_head_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = german_orders(tmp_path, rows=4000)
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    monkeypatch.setattr(heads, "WHOLE_BYTES", 10_000)
    monkeypatch.setattr(heads, "HEAD_BYTES", 50_000)
    for file in (path, packed):
        (seen,) = look_at(file)
        assert not seen.is_whole
        assert 100 < seen.records.height < 1000
        assert seen.rows > seen.records.height
    # Of a packed file of this size the packed bytes of the head cannot be told from those of all.
    assert look_at(path)[0].rows == pytest.approx(4000, rel=0.1)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"Order ID,Date\n", "is empty: it has columns and no rows"),
        (b"PAR1 and no more", "is not a whole Parquet file"),
        (b"PK\x03\x04 and no more", "is not a whole Excel workbook"),
        (b"\x1f\x8b and no more", "."),
        (b"%PDF-1.7 and so on", "is not text but a PDF"),
        (b"1,2.5,2026-01-01\n2,3.5,2026-01-02\n" * 20, "has no row of column names"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_own_name(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "delivery.csv"
    path.write_bytes(content)
    with pytest.raises(DeliveryError) as told:
        look_at(path)
    assert str(told.value).startswith(str(path))
    assert says in str(told.value)


@given(st.binary(max_size=400), st.sampled_from([b"", b"PAR1", b"PK\x03\x04", b"\x1f\x8b", b"{", b"a,b\n1,"]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_whatever_are_more_than_a_delivery_error(
    tmp_path: Path, content: bytes, start: bytes
) -> None:
    path = tmp_path / "delivery.csv"
    path.write_bytes(start + content)
    try:
        assert look_at(path)
    except DeliveryError as error:
        assert "delivery.csv" in str(error)


def test_folders_and_patterns_are_searched_and_what_is_no_delivery_is_left_out(tmp_path: Path) -> None:
    first, second = english_orders(tmp_path / "a"), english_orders(tmp_path / "a" / "b", "more.csv")
    for name in ("a/readme.md", "a/shop.toml", "a/.hidden.csv", "a/~$open.xlsx"):
        (tmp_path / name).write_text("x")
    (tmp_path / "a" / "lake").mkdir()
    (tmp_path / "a" / "lake" / "lake.json").write_text("{}")
    english_orders(tmp_path / "a" / "lake" / "landed")
    found = find_files([str(tmp_path / "a"), str(first)])
    assert found.files == tuple(sorted((first, second)))
    assert [path.name for path in found.left_out] == ["readme.md"]
    assert find_files([str(tmp_path / "a" / "*.csv")]).files == (first,)
    with pytest.raises(DeliveryError, match=r"There is no file .*nothing.*Name files"):
        find_files([str(tmp_path / "nothing*")])
