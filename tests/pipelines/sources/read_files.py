"""Read files that tests compose with a reader: rows, faults, places."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.settings import Layout
from pipelines.sources.reader import FAULT, Reader

Rows = list[tuple[str | None, ...]]


def rows(reader: Reader, path: Path, **layout: Any) -> Rows:
    """The rows without faults, in file order."""
    return frame(reader, path, **layout).filter(pl.col(FAULT).is_null()).drop(FAULT).rows()


def faults(reader: Reader, path: Path, **layout: Any) -> list[str]:
    """What is wrong with records, in file order; such rows have no values."""
    found = frame(reader, path, **layout).filter(pl.col(FAULT).is_not_null())
    assert not any(any(row) for row in found.drop(FAULT).iter_rows())
    return found[FAULT].to_list()


def frame(reader: Reader, path: Path, **layout: Any) -> pl.DataFrame:
    """All rows; every reader gives text alone, and as many rows as it counts."""
    lazy = reader.rows(path, Layout(**layout))
    found = lazy.collect(engine="streaming")
    assert lazy.select(pl.len()).collect(engine="streaming").item() == len(found)
    assert found.columns == [*reader.columns(path, Layout(**layout)), FAULT]
    assert set(found.dtypes) == {pl.String}
    return found


def places(reader: Reader, path: Path, **layout: Any) -> list[str]:
    """Where each row stands."""
    count = len(frame(reader, path, **layout))
    return [reader.place(path, Layout(**layout), record) for record in range(1, count + 1)]


def save(folder: Path, content: bytes | Sequence[bytes], name: str = "delivery.csv") -> Path:
    """Write a file, of one piece or of lines."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else b"\n".join(content) + b"\n")
    return path
