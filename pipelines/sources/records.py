"""The records of a separated file, block by block: where they start, and what to read where they are not whole.

Flat in memory: a block is a megabyte or two. What a broken record becomes is the business of `mending`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from pipelines.sources.mending import Expected, mended
from pipelines.sources.plain_text import PlainText
from pipelines.sources.whole import Positions, Records, find_records

BLOCK = 1 << 20
"""Bytes read at a time; a record that is longer is none."""

RESTARTS = 32
"""How often a block is looked at anew behind a record that had to be set right; then it is read record by record."""


@dataclass(frozen=True, slots=True)
class Span:
    """What was read of a file to find a block's records.

    Attributes
    ----------
    offset, line
        Where it starts: byte, and line counted from 0.
    size
        How many bytes were read.
    at_end
        Whether nothing follows.
    """

    offset: int
    line: int
    size: int
    at_end: bool


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of whole records.

    Attributes
    ----------
    span, text
        What was read: maybe the beginning of the next block, too.
    size, lines
        How much of it is the block: bytes, and line ends.
    replacement
        What to read in its place; None where it can be read as it stands.
    starts
        Where in ``text`` its records start.
    has_apostrophes
        Whether a cell may start with one.
    """

    span: Span
    text: bytes
    size: int
    lines: int
    replacement: bytes | None
    starts: Positions
    has_apostrophes: bool

    def line_of(self, record: int) -> int:
        """Say in which line of the file the block's nth record starts, both counted from 0."""
        return self.span.line + self.text.count(b"\n", 0, int(self.starts[record]))


def blocks(plain: PlainText, offset: int, line: int, expected: Expected) -> Iterator[Block]:
    """Read a file's records from ``offset`` on, which is where ``line`` starts."""
    with plain.path.open("rb") as file:
        at_end = False
        while not at_end:
            # What a block cuts off at its end is read again with the next one.
            file.seek(offset)
            text = file.read(BLOCK)
            at_end = len(text) < BLOCK
            if not text:
                return
            block = _block(text, Span(offset, line, len(text), at_end), plain.foreign_lines, expected)
            yield block
            offset += block.size
            line += block.lines


def block_at(plain: PlainText, span: Span, expected: Expected) -> Block:
    """Read one block again."""
    with plain.path.open("rb") as file:
        file.seek(span.offset)
        return _block(file.read(span.size), span, plain.foreign_lines, expected)


def _block(text: bytes, span: Span, foreign_lines: tuple[int, ...], expected: Expected) -> Block:
    records = find_records(text, expected.separator, expected.width, at_end=span.at_end)
    foreign = _in_block(foreign_lines, span.line, span.line + len(records.line_ends) + 1)
    size, replacement, starts = records.sure_until, None, records.starts
    if foreign or not (records.is_whole.all() and records.is_sure and records.sure_until):
        size, replacement, starts = _Rebuilding(text, span, foreign, expected, records).rebuild()
    lines = int(np.searchsorted(records.line_ends, size))
    return Block(span, text, size, lines, replacement, starts, records.has_apostrophes)


def _in_block(foreign_lines: tuple[int, ...], first: int, end: int) -> list[int]:
    """Give those lines of a block, counted from 0 in it, whose bytes are no text; the file's count from 1."""
    found = foreign_lines[bisect_left(foreign_lines, first + 1) : bisect_left(foreign_lines, end + 1)]
    return [number - 1 - first for number in found]


def _runs(numbers: Positions) -> Iterator[tuple[int, int]]:
    """Give the first and the last of each run of neighbours."""
    for run in np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1):
        if len(run):
            yield int(run[0]), int(run[-1])


class _Rebuilding:
    """A block's whole records as they stand, and between them what is set right."""

    def __init__(
        self, text: bytes, span: Span, foreign: list[int], expected: Expected, records: Records
    ) -> None:
        self._text, self._span, self._expected, self._records = text, span, expected, records
        self._line_ends = records.line_ends
        self._foreign = foreign
        line_starts = np.concatenate((np.zeros(1, np.int64), self._line_ends + 1))
        self._foreign_at = line_starts[foreign]
        self._parts: list[bytes] = []
        self._starts: list[Positions] = []

    def rebuild(self) -> tuple[int, bytes, Positions]:
        """Give the size of what was read, what to read in its place, and where the records start in it."""
        base = 0
        records = self._records
        for tries_left in range(RESTARTS, -1, -1):
            self._take(records, base)
            at = base + records.sure_until
            if records.is_sure and at > 0:
                return self._done(at)
            # What comes after one record with misplaced quotes is mostly right again.
            base = self._mend(at, len(self._text), 1 if tries_left else None, is_complete=self._span.at_end)
            if base in (at, len(self._text)) or not tries_left:
                return self._done(base)
            separator, width = self._expected.separator, self._expected.width
            records = find_records(self._text[base:], separator, width, at_end=self._span.at_end)
        raise AssertionError("the last try mends all there is")

    def _done(self, size: int) -> tuple[int, bytes, Positions]:
        return size, b"".join(self._parts), np.concatenate(self._starts)

    def _take(self, records: Records, base: int) -> None:
        """Take the records of a part of the block that starts at ``base``."""
        is_whole = records.is_whole.copy()
        if len(is_whole) and len(self._foreign_at):
            inside = self._foreign_at[self._foreign_at >= base] - base
            is_whole[np.searchsorted(records.starts, inside, side="right") - 1] = False
        done = at = 0
        for first, last in _runs(np.flatnonzero(~is_whole)):
            begin, end = int(records.starts[first]), min(int(records.ends[last]) + 1, len(self._text) - base)
            self._keep(base + at, base + begin, records.starts[done:first] + base)
            self._mend(base + begin, base + end, None, is_complete=True)
            done, at = last + 1, end
        self._keep(base + at, base + records.sure_until, records.starts[done:] + base)

    def _keep(self, begin: int, end: int, starts: Positions) -> None:
        self._parts.append(self._text[begin:end])
        self._starts.append(starts)

    def _mend(self, begin: int, end: int, most: int | None, *, is_complete: bool) -> int:
        """Set right the records of a stretch, or the first ones, and say where they end."""
        first, last = (int(line) for line in np.searchsorted(self._line_ends, [begin, end]))
        here = self._foreign[bisect_left(self._foreign, first) : bisect_right(self._foreign, last)]
        foreign = frozenset(line - first for line in here)
        pieces = mended(
            self._text[begin:end],
            self._expected,
            foreign,
            is_complete=is_complete,
            at_least_one=begin == 0,
        )
        taken = list(islice(pieces, most))
        self._parts += [piece.text for piece in taken]
        self._starts.append(np.array([begin + piece.start for piece in taken if piece.text], np.int64))
        return begin + taken[-1].end if taken else begin
