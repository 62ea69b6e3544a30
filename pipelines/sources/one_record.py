"""One record of separated text, read exactly (RFC 4180), and what is wrong with it.

Looks at the text cell by cell, so it is for a file's first lines and for places where something is wrong; `whole`
looks at millions of records at once.
"""

import re
from dataclasses import dataclass
from functools import cache

NO_END = "a quote that does not end"
TEXT_AFTER = "text after a closing quote"


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes
    ----------
    end
        Where the next one starts.
    cells
        Without the quotes around them.
    fault
        Why it is none, if so; it ends then with the line in which that came out.
    is_exact
        Whether it is written as the standard says, so that every reader agrees on it.
    is_blank
        Whether it is a line of nothing but blanks and separators, which is no record.
    """

    end: int
    cells: tuple[bytes, ...]
    fault: str | None = None
    is_exact: bool = True
    is_blank: bool = False


def read_record(text: bytes, start: int, separator: bytes) -> Record:
    """Read the record that starts at ``start``.

    A quote inside of a cell without quotes is a character like any other (``5" pipe``), and spaces around quotes are
    none of the cell's.
    """
    quoted, opened, bare = _cell_patterns(separator)
    cells: list[bytes] = []
    is_exact = True
    at = start
    while True:
        if cell := quoted.match(text, at):
            cells.append(cell["text"].replace(b'""', b'"'))
            is_exact = is_exact and not cell["before"] and not cell["after"]
        elif cell := opened.match(text, at):
            is_open = cell.end() == len(text)
            return Record(_next_line(text, cell.end()), tuple(cells), NO_END if is_open else TEXT_AFTER)
        elif cell := bare.match(text, at):
            cells.append(cell["text"])
            is_exact = is_exact and b'"' not in cell["text"]
        at = cell.end() if cell else len(text)
        if not text.startswith(separator, at):
            return Record(_next_line(text, at), tuple(cells), None, is_exact)
        at += len(separator)


def write_record(cells: tuple[bytes, ...], separator: bytes) -> bytes:
    """Write a record so that every reader agrees on it."""
    return separator.join(b'"' + cell.replace(b'"', b'""') + b'"' if cell else b"" for cell in cells) + b"\n"


def _next_line(text: bytes, at: int) -> int:
    found = text.find(b"\n", at)
    return len(text) if found < 0 else found + 1


@cache
def _cell_patterns(separator: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes], re.Pattern[bytes]]:
    """Give the patterns of a cell in quotes, of one whose quotes are wrong, and of one without quotes."""
    mark = re.escape(separator)
    inside = rb'[^"]*+(?:""[^"]*+)*+'
    space = b" *" if separator != b" " else b""
    quoted = rb'(?P<before>%b)"(?P<text>%b)"(?P<after>%b)(?=%b|\r?\n|\r?\Z)' % (space, inside, space, mark)
    bare = rb"(?P<text>(?:[^%b\r\n]|\r(?!\n|\Z))*+)\r?" % mark
    return re.compile(quoted), re.compile(b'"' + inside), re.compile(bare)
