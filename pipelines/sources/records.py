"""The records of a separated file, block by block: where they start, and what to read where they are not whole.

Flat in memory: a block is a megabyte or two. What a broken record becomes is the business of `mending`.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipelines.sources.mending import Expected, mended
from pipelines.sources.plain_text import PlainText
from pipelines.sources.whole import Positions, Records, find_records

BLOCK = 1 << 20
"""Bytes read at a time; a record that is longer is none."""


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
    is_whole = records.is_whole
    if foreign and len(is_whole):
        line_starts = np.concatenate((np.zeros(1, np.int64), records.line_ends + 1))
        is_whole[np.searchsorted(records.starts, line_starts[foreign], side="right") - 1] = False
    size, replacement, starts = records.sure_until, None, records.starts
    if not (is_whole.all() and records.is_sure and records.sure_until):
        size, replacement, starts = _Rebuilding(text, records, foreign, expected).rebuild(at_end=span.at_end)
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

    def __init__(self, text: bytes, records: Records, foreign: list[int], expected: Expected) -> None:
        self._text, self._records, self._expected = text, records, expected
        self._foreign = frozenset(foreign)
        self._parts: list[bytes] = []
        self._starts: list[Positions] = []

    def rebuild(self, *, at_end: bool) -> tuple[int, bytes, Positions]:
        """Give the size of what was read, what to read in its place, and where the records start in it."""
        records = self._records
        done = at = 0
        for first, last in _runs(np.flatnonzero(~records.is_whole)):
            begin, end = int(records.starts[first]), min(int(records.ends[last]) + 1, len(self._text))
            self._keep(at, begin, records.starts[done:first])
            self._mend(begin, end, is_complete=True)
            done, at = last + 1, end
        self._keep(at, records.sure_until, records.starts[done:])
        at = records.sure_until
        if not records.is_sure or at == 0:
            at = self._mend(at, len(self._text), is_complete=at_end)
        return at, b"".join(self._parts), np.concatenate(self._starts)

    def _keep(self, begin: int, end: int, starts: Positions) -> None:
        self._parts.append(self._text[begin:end])
        self._starts.append(starts)

    def _mend(self, begin: int, end: int, *, is_complete: bool) -> int:
        lines_before = int(np.searchsorted(self._records.line_ends, begin))
        foreign = frozenset(line - lines_before for line in self._foreign)
        pieces = list(
            mended(
                self._text[begin:end],
                self._expected,
                foreign,
                is_complete=is_complete,
                at_least_one=begin == 0,
            )
        )
        self._parts += [piece.text for piece in pieces]
        self._starts.append(np.array([begin + piece.start for piece in pieces if piece.text], np.int64))
        return begin + pieces[-1].end if pieces else begin
