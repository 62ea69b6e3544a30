"""Parquet: each value as the text that reads back to it, nested ones as in JSON; damage is told before rows are."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.errors import DeliveryError
from pipelines.settings import Layout
from pipelines.sources.parquet import ParquetReader
from tests.pipelines.sources.read_files import places, rows

READER = ParquetReader()


def write(folder: Path, frame: pl.DataFrame) -> Path:
    path = folder / "delivery.parquet"
    frame.write_parquet(path)
    return path


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1, None], ["1", None]),
        ([17850.0, 2.55, None], ["17850", "2.55", None]),
        ([2.0**60, float("nan"), -0.5], ["1.152921504606847e+18", "NaN", "-0.5"]),
        ([Decimal("1.10"), None], ["1.10", None]),
        ([True, False], ["true", "false"]),
        ([date(2024, 5, 1)], ["2024-05-01"]),
        ([datetime(2024, 5, 1, 9, 30, tzinfo=UTC)], ["2024-05-01 09:30:00.000000+00:00"]),
        ([time(9, 30)], ["09:30:00"]),
        ([timedelta(days=1, seconds=5)], ["P1DT5S"]),
        ([None, None], [None, None]),
        (["", " x "], ["", " x "]),
        ([b"text", b"\xff\x00", None], ["text", "ff00", None]),
        ([[1, 2], [], None], ["[1,2]", "[]", None]),
        ([["é", 'q"'], None], ['["é","q\\""]', None]),
        ([[b"a", b"\xff", None], None], ['["a","ff",null]', None]),
        ([[{"a": Decimal("1.20"), "b": date(2024, 5, 1)}]], ['[{"a":"1.20","b":"2024-05-01"}]']),
    ],
)
def test_values_are_the_text_that_stands_for_them(
    tmp_path: Path, values: list[object], texts: list[str]
) -> None:
    path = write(tmp_path, pl.DataFrame({"a": values}))
    assert rows(READER, path) == [(text,) for text in texts]


def test_kinds_of_text_and_fixed_lists_are_text(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        [
            pl.Series("category", ["x", "y"], pl.Categorical),
            pl.Series("choice", ["x", "y"], pl.Enum(["x", "y"])),
            pl.Series("pair", [[1, 2], [3, 4]], pl.Array(pl.Int64, 2)),
        ]
    )
    assert rows(READER, write(tmp_path, frame)) == [("x", "x", "[1,2]"), ("y", "y", "[3,4]")]


def test_structures_become_dotted_columns(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "person": [{"id": 1, "at": {"city": "Gent", "tags": ["a"]}}, None],
            "person.id": ["x", "y"],
            "": [1, 2],
        }
    )
    path = write(tmp_path, frame)
    names = ["person.id", "person.at.city", "person.at.tags", "person.id (2)", "column 5"]
    assert READER.columns(path, Layout()) == names
    assert rows(READER, path) == [("1", "Gent", '["a"]', "x", "1"), (None, None, None, "y", "2")]
    assert places(READER, path) == ["row 1", "row 2"]


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, pl.DataFrame({"a": [1], "b": [2]}))
    plan = READER.rows(path, Layout()).select("a").explain()
    assert "PROJECT 1/2 COLUMNS" in plan


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1PAR1", b"id,name\n1,Mug\n"])
def test_what_is_no_parquet_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "delivery.parquet"
    path.write_bytes(content)
    with pytest.raises(
        DeliveryError, match=r"delivery\.parquet is not a whole Parquet file \(.+\)\. It may be cut"
    ):
        READER.columns(path, Layout())


def test_damage_within_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, pl.DataFrame({"a": [f"value {number}" for number in range(1000)]}))
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)
    with pytest.raises(DeliveryError, match="not a whole Parquet file"):
        READER.rows(path, Layout())
