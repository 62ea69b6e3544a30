"""Set right a stretch of separated text in which something is wrong, so that every reader agrees on its records.

What cannot be set right becomes a row without values that says what is wrong and carries the text; no text is lost.
Finding such stretches is the business of `whole`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.sources.one_record import NO_END, TEXT_AFTER, Record, read_record, write_record

TOO_LONG = "a record too long to be one"
LONGEST_TEXT = 2_000
"""Characters that a fault carries of a record's text."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the records of a file should be.

    Attributes
    ----------
    separator
        Between cells, one byte.
    width
        Cells of a record.
    encoding
        For people.
    """

    separator: bytes
    width: int
    encoding: str = "utf-8"


class Piece(NamedTuple):
    """One record, or a blank line.

    Attributes
    ----------
    start, end
        Where it stands in the stretch.
    text
        What to read in its place: nothing for a blank line, one cell more than expected for a fault.
    """

    start: int
    end: int
    text: bytes


def mended(
    stretch: bytes,
    expected: Expected,
    foreign_lines: frozenset[int] = frozenset(),
    *,
    is_complete: bool = True,
    at_least_one: bool = False,
) -> Iterator[Piece]:
    """Read a stretch record by record.

    Parameters
    ----------
    stretch
        Starts where a record starts.
    foreign_lines
        Lines, counted from 0, whose bytes are no text of the file's encoding.
    is_complete
        Whether it ends where a record ends. If not, the record that it cuts is left out.
    at_least_one
        Not if it is the first one: so long a record is none.
    """
    at = line = 0
    while at < len(stretch):
        record = _read(stretch, at, expected)
        is_cut = record.end == len(stretch) and (record.fault == NO_END or not stretch.endswith(b"\n"))
        if is_cut and not is_complete and (at > 0 or not at_least_one):
            return
        end, fault = record.end, _fault(record, expected)
        if is_cut and not is_complete:
            end, fault = _last_line_end(stretch, at), NO_END if record.fault == NO_END else TOO_LONG
        elif fault is not None:
            end = _end_of_fault(stretch, at, record, expected)
            fault = NO_END if fault == TEXT_AFTER and end < record.end else fault
        raw = stretch[at:end]
        lines = max(raw.count(b"\n"), 1)
        if foreign_lines and any(line + more in foreign_lines for more in range(lines)):
            fault = f"bytes that are not {expected.encoding.upper()}"
        yield Piece(
            at, end, _written(record, raw, expected) if fault is None else _told(fault, raw, expected)
        )
        at, line = end, line + lines


def _read(stretch: bytes, at: int, expected: Expected) -> Record:
    end = _line_end(stretch, at)
    if stretch.find(b'"', at, end) >= 0:
        return read_record(stretch, at, expected.separator)
    line = stretch[at:end].removesuffix(b"\n").removesuffix(b"\r")
    cells = tuple(line.split(expected.separator))
    is_blank = not line.strip(expected.separator) or (len(cells) != expected.width and not line.strip())
    return Record(end, cells, is_blank=is_blank)


def _fault(record: Record, expected: Expected) -> str | None:
    """Say why a record is none. Spreadsheets fill rows with empty cells: more of them than names is nothing lost."""
    cells = len(record.cells)
    if record.fault is not None or record.is_blank:
        return record.fault
    if cells < expected.width or any(record.cells[expected.width :]):
        return f"{cells} {'cell' if cells == 1 else 'cells'} instead of {expected.width}"
    return None


def _written(record: Record, raw: bytes, expected: Expected) -> bytes:
    """Write a record so that every reader agrees on it; nothing for a blank line."""
    if record.is_blank:
        return b""
    if record.is_exact and len(record.cells) == expected.width:
        return raw if raw.endswith(b"\n") else raw + b"\n"
    return write_record(record.cells[: expected.width], expected.separator)


def _told(fault: str, raw: bytes, expected: Expected) -> bytes:
    """Write a record without values, and behind them what is wrong with it and its text."""
    told = f"{fault}: {raw.decode('utf-8').strip()[:LONGEST_TEXT]}".encode()
    return write_record((*[b""] * expected.width, told), expected.separator)


def _end_of_fault(stretch: bytes, start: int, record: Record, expected: Expected) -> int:
    """Say where a fault ends: with its record, but no text is to be cut off, and no other record swallowed.

    A quote that nobody closed goes on to the next quote, over lines that are records by themselves.
    """
    line = _line_end(stretch, start)
    while line < record.end:
        line_end = _line_end(stretch, line)
        if line_end - start > LONGEST_TEXT:
            return line
        if record.fault is not None:
            candidate = read_record(stretch, line, expected.separator)
            if candidate.fault is None and len(candidate.cells) == expected.width:
                return line
        line = line_end
    return record.end


def _last_line_end(stretch: bytes, at: int) -> int:
    """Say where the last line ends that ends in the stretch, else where its last whole character does."""
    end = stretch.rfind(b"\n", at) + 1
    return end if end > at else at + len(stretch[at:].decode("utf-8", "ignore").encode())


def _line_end(text: bytes, at: int) -> int:
    found = text.find(b"\n", at)
    return len(text) if found < 0 else found + 1
