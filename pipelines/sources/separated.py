"""How one separated file is written: its separator, where the names of its columns stand, and where its records begin.

Found out from the file's first records. Reading the records is the business of `records` and `csv`.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pipelines.errors import DeliveryError
from pipelines.settings import Layout
from pipelines.sources.header import Row, column_names, filled, find_header, together
from pipelines.sources.one_record import read_record
from pipelines.sources.plain_text import PlainText

SEPARATORS = (",", ";", "\t", "|")
SAMPLE = 1 << 20
"""Bytes that are looked at."""
SAMPLE_RECORDS = 100
SEPARATOR_LINE = re.compile(rb"\s*\"?sep=(.)\"?\r?\n")
"""How a file tells Excel its separator."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written.

    Attributes
    ----------
    separator
        Between cells, one byte.
    names
        Of its columns.
    offset, line
        Where its records begin: byte, and line counted from 0.
    """

    separator: bytes
    names: tuple[str, ...]
    offset: int
    line: int


def find_dialect(
    path: Path, plain: PlainText, layout: Layout, separator: str | None, header_rows: int
) -> Dialect:
    """Find out how a file is written.

    Parameters
    ----------
    layout
        What it says goes before what the file looks like.
    separator
        The usual one of such files, if there is one.

    Raises
    ------
    DeliveryError
        No row looks like names of columns.
    """
    with plain.path.open("rb") as file:
        text = file.read(SAMPLE)
    if len(text) == SAMPLE:
        text = text[: text.rfind(b"\n") + 1] or text
    own = SEPARATOR_LINE.match(text, plain.start)
    start = own.end() if own else plain.start
    if layout.skip_rows is not None:
        start = _line_start(text, plain.start, layout.skip_rows)
    given = own[1].decode("latin-1") if own else separator
    candidates = [given] if (given := layout.separator or given) else SEPARATORS
    if given and (not given.isascii() or given in '"\r\n'):
        raise DeliveryError(f"{path}: {given!r} cannot separate cells. Correct `separator` in shop.toml.")
    samples = [_Sample(text, start, candidate.encode()) for candidate in candidates]
    found = [sample.header(header_rows, layout.skip_rows is not None) for sample in samples]
    sample, header = max(
        ((sample, header) for sample, header in zip(samples, found, strict=True) if header is not None),
        key=lambda one: one[1].score,
        default=(None, None),
    )
    if sample is None or header is None:
        raise DeliveryError(
            f"{path} has no row of column names among its first {SAMPLE_RECORDS}. If it has one, say in "
            "shop.toml under layout how many lines stand before it: skip_rows."
        )
    offset = sample.ends[header.row + header_rows - 1]
    names = [row[: header.width] for row in sample.rows[header.row : header.row + header_rows]]
    padded = [*names[0], *[""] * (header.width - len(names[0]))]
    return Dialect(sample.separator, column_names(padded, *names[1:]), offset, text.count(b"\n", 0, offset))


@dataclass(frozen=True, slots=True)
class _Header:
    row: int
    width: int
    score: float


class _Sample:
    """A file's first records, read with one separator; blank lines are none."""

    def __init__(self, text: bytes, start: int, separator: bytes) -> None:
        self.separator = separator
        self.rows: list[Row] = []
        self.ends: list[int] = []
        while start < len(text) and len(self.rows) < SAMPLE_RECORDS:
            record = read_record(text, start, separator)
            cells, end = record.cells, record.end
            if record.fault is not None:
                end = _line_start(text, start, 1)
                cells = tuple(text[start:end].split(separator))
            if any(cell.strip() for cell in cells):
                self.rows.append([cell.decode("utf-8", "replace") for cell in cells])
                self.ends.append(end)
            start = end

    def header(self, header_rows: int, is_first: bool) -> _Header | None:
        """Find the names, the width of the records below them, and how well the separator explains both."""
        if is_first:
            row = 0 if len(self.rows) >= header_rows else None
        else:
            row = find_header(self.rows, header_rows, lambda row: self._width(row, row + header_rows) > 0)
        if row is None:
            return None
        below = self.rows[row + header_rows :]
        width = self._width(row, row + header_rows) or len(self.rows[row])
        share = sum(len(record) == width for record in below) / len(below) if below else 1.0
        return _Header(row, width, share**2 * (1 - 1 / width))

    def _width(self, header: int, first: int) -> int:
        """Give the width of the records from ``first`` on if the row of names looks like them, else 0."""
        below = self.rows[first:]
        widths = Counter(len(record) for record in below)
        usual = max(widths, key=lambda width: (width * widths[width], width), default=0)
        names = self.rows[header]
        if not below or 2 * filled(together(self.rows[header:first])) <= median(
            filled(record) for record in below
        ):
            return 0
        # A separator behind the last cell, of the records alone or of the names alone, makes a column without name.
        is_open = sum(len(record) == usual and not record[-1].strip() for record in below) * 2 > widths[usual]
        fits = (
            len(names) == usual
            or (len(names) == usual - 1 and is_open)
            or (len(names) == usual + 1 and not names[-1].strip())
        )
        return usual if fits else 0


def _line_start(text: bytes, start: int, lines: int) -> int:
    """Say where a line starts, so many lines after the one at ``start``."""
    for _ in range(lines):
        found = text.find(b"\n", start)
        if found < 0:
            return len(text)
        start = found + 1
    return start
