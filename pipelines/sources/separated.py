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
from pipelines.sources.header import Row, column_names, extent, find_header, together
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
    given = layout.separator or (own[1].decode("latin-1") if own else separator)
    if given and (not given.isascii() or given in '"\r\n'):
        raise DeliveryError(f"{path}: {given!r} cannot separate cells. Correct `separator` in shop.toml.")
    samples = [_Sample(text, start, sign.encode()) for sign in ([given] if given else SEPARATORS)]
    found = [(one, one.header(header_rows, is_first=layout.skip_rows is not None)) for one in samples]
    best = max(found, key=lambda one: one[1].score if one[1] else -1.0)
    if best[1] is None:
        raise DeliveryError(
            f"{path} has no row of column names among its first {SAMPLE_RECORDS}. If it has one, say in "
            "shop.toml under layout how many lines stand before it: skip_rows."
        )
    return best[0].dialect(best[1], header_rows)


@dataclass(frozen=True, slots=True)
class _Header:
    row: int
    width: int
    score: float


class _Sample:
    """A file's first records, read with one separator; blank lines are none."""

    def __init__(self, text: bytes, start: int, separator: bytes) -> None:
        self._text = text
        self._separator = separator
        self._ends: list[int] = []
        self._rows: list[Row] = []
        while start < len(text) and len(self._rows) < SAMPLE_RECORDS:
            record = read_record(text, start, separator)
            cells, end = record.cells, record.end
            if record.fault is not None:
                end = _line_start(text, start, 1)
                cells = tuple(text[start:end].split(separator))
            if any(cell.strip() for cell in cells):
                self._rows.append([cell.decode("utf-8", "replace") for cell in cells])
                self._ends.append(end)
            start = end
        self._extents = [extent(row) for row in self._rows]

    def dialect(self, header: _Header, header_rows: int) -> Dialect:
        """Say how the file is written, the names being found."""
        last = header.row + header_rows - 1
        first, *more = [row[: header.width] for row in self._rows[header.row : last + 1]]
        padded = [*first, *[""] * (header.width - len(first))]
        line = self._text.count(b"\n", 0, self._ends[last])
        return Dialect(self._separator, column_names(padded, *more), self._ends[last], line)

    def header(self, header_rows: int, *, is_first: bool) -> _Header | None:
        """Find the names, the width of the records below them, and how well the separator explains both."""
        if is_first:
            row = 0 if len(self._rows) >= header_rows else None
        else:
            row = find_header(self._rows, header_rows, lambda row: self._width(row, row + header_rows) > 0)
        if row is None:
            return None
        below = self._rows[row + header_rows :]
        width = self._width(row, row + header_rows) or len(self._rows[row])
        share = sum(len(record) == width for record in below) / len(below) if below else 1.0
        # Names hardly ever hold what separates other files; pieces of records with decimal commas do.
        others = [sign for sign in SEPARATORS if sign.encode() != self._separator]
        doubtful = sum(any(sign in name for sign in others) for name in self._rows[row]) / len(
            self._rows[row]
        )
        return _Header(row, width, share**2 * (1 - 1 / width) * (1 - doubtful / 2))

    def _width(self, header: int, first: int) -> int:
        """Give the width of the records from ``first`` on if the row of names looks like them, else 0."""
        below = self._rows[first:]
        widths = Counter(len(record) for record in below)
        usual = max(widths, key=lambda width: (width * widths[width], width), default=0)
        names = self._rows[header]
        if not below or 4 * extent(together(self._rows[header:first])) < 3 * median(self._extents[first:]):
            return 0
        if len(names) > 1 and widths[len(names)] >= widths[usual]:
            return len(names)
        # Separators behind the last cell, of the records alone or of the names alone, make columns without a name.
        padded = sum(len(row) == usual and not any(map(str.strip, row[len(names) :])) for row in below)
        fits = 2 * padded > widths[usual] and not any(map(str.strip, names[usual:]))
        return usual if fits else 0


def _line_start(text: bytes, start: int, lines: int) -> int:
    """Say where a line starts, so many lines after the one at ``start``."""
    for _ in range(lines):
        found = text.find(b"\n", start)
        if found < 0:
            return len(text)
        start = found + 1
    return start
