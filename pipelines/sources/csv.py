"""Separated text: CSV and its relatives. Every value stays the text it is.

A plain file (UTF-8, whole records) is scanned where it lies, at the speed of the scan. Everything else is written once
into a copy that is plain: see `plain_text` for bytes, `separated` for how a file is written, `records` for what is
whole and `mending` for what is not.
"""

from bisect import bisect_left
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl

from pipelines.settings import Layout
from pipelines.sources.copies import Copies
from pipelines.sources.guards import has_guards, without_guard
from pipelines.sources.mending import Expected
from pipelines.sources.plain_text import PlainText, plain_text
from pipelines.sources.reader import FAULT, Format
from pipelines.sources.records import BLOCK, Span, block_at, blocks
from pipelines.sources.separated import Dialect, find_dialect


@dataclass(frozen=True, slots=True)
class _Mark:
    """How many records stand before a block, and where it is read."""

    records: int
    span: Span


@dataclass(frozen=True, slots=True)
class _Opened:
    """What there is to know of one file before it is scanned."""

    plain: PlainText
    dialect: Dialect
    copy: Path | None
    records: int
    marks: tuple[_Mark, ...]
    is_guarded: bool


# Many formats are separated text: a file that several of them look at is surveyed once.
_OPENED: Copies[_Opened] = Copies()


class CsvReader:
    """Reader of separated text; see `pipelines.sources.reader.Reader`.

    Parameters
    ----------
    separator
        Of files that don't say their own; found out from each file by default.
    header_rows
        Of files whose layout doesn't say.
    """

    def __init__(self, separator: str | None = None, header_rows: int = 1) -> None:
        self._separator = separator
        self._header_rows = header_rows

    def columns(self, path: Path, layout: Layout) -> list[str]:
        """Read the names of the columns."""
        return list(self._open(path, layout).dialect.names)

    def rows(self, path: Path, layout: Layout) -> pl.LazyFrame:
        """Read the file's rows; an empty cell is null, in quotes or not."""
        opened = self._open(path, layout)
        names = opened.dialect.names
        if not opened.records:
            return pl.LazyFrame(schema=dict.fromkeys((*names, FAULT), pl.String))
        frame = pl.scan_csv(
            opened.copy or opened.plain.path,
            has_header=False,
            skip_lines=opened.dialect.line,
            separator=opened.dialect.separator.decode(),
            schema=dict.fromkeys((*names, FAULT) if opened.copy else names, pl.String),
            missing_columns="insert",  # the copy's records lack the fault where there is none
            null_values="",
            infer_schema=False,
            glob=False,
        )
        if opened.is_guarded:
            frame = frame.with_columns(without_guard(name) for name in names)
        return frame if opened.copy else frame.with_columns(pl.lit(None, pl.String).alias(FAULT))

    def place(self, path: Path, layout: Layout, record: int) -> str:
        """Say on which line of the file a record starts."""
        opened = self._open(path, layout)
        mark = opened.marks[bisect_left(opened.marks, record, key=lambda mark: mark.records) - 1]
        block = block_at(opened.plain, mark.span, _expected(opened.plain, opened.dialect))
        return f"line {block.line_of(record - 1 - mark.records) + 1}"

    def _open(self, path: Path, layout: Layout) -> _Opened:
        header_rows = layout.header_rows or self._header_rows

        def look(folder: Path) -> _Opened:
            plain = plain_text(path, folder, layout.encoding)
            dialect = find_dialect(path, plain, layout, self._separator, header_rows)
            return _survey(plain, dialect, folder / "mended")

        return _OPENED.of(path, (layout.model_dump_json(), header_rows, self._separator), look)


def _survey(plain: PlainText, dialect: Dialect, copy: Path) -> _Opened:
    """Look at all of a file's records, and write a copy if some of them are not whole."""
    marks: list[_Mark] = []
    records = 0
    is_guarded = False
    with ExitStack() as stack:
        target: BinaryIO | None = None
        for block in blocks(plain, dialect.offset, dialect.line, _expected(plain, dialect)):
            marks.append(_Mark(records, block.span))
            records += len(block.starts)
            is_guarded = is_guarded or has_guards(block, dialect.separator)
            if target is None and block.replacement is not None:
                target = stack.enter_context(copy.open("wb"))
                _copy_beginning(plain.path, target, block.span.offset)
            if target is not None:
                target.write(block.text[: block.size] if block.replacement is None else block.replacement)
    return _Opened(plain, dialect, copy if target is not None else None, records, tuple(marks), is_guarded)


def _expected(plain: PlainText, dialect: Dialect) -> Expected:
    return Expected(dialect.separator, len(dialect.names), plain.encoding)


def _copy_beginning(path: Path, target: BinaryIO, size: int) -> None:
    with path.open("rb") as file:
        while size > 0 and (chunk := file.read(min(size, BLOCK))):
            target.write(chunk)
            size -= len(chunk)


FORMAT = Format("csv", "comma-separated text", CsvReader(), suffixes=(".csv", ".csv.gz", ".txt"))
