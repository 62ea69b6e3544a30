"""Where the objects of a JSON file stand: one a line, or one after the other, in a list or not.

What is no object is told with its text, and its neighbours stay right. Making rows of objects is the business of
`flat_json` and `jsonl`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TextIO

from pipelines.sources.flat_json import DECODER, written
from pipelines.sources.mending import LONGEST_TEXT
from pipelines.sources.plain_text import PlainText

HEAD = 1 << 16
"""Characters that tell whether each line is an object."""
CHUNK = 1 << 20
LONGEST_VALUE = 1 << 24
"""Characters after which an object without end is broken."""
LONGEST_SIGN = 12
"""Characters of the longest thing, besides strings, that the end of a piece can cut: ``\\ud83d\\ude00``."""
NOT_JSON = "not JSON"
BETWEEN = re.compile(r"[\s,\[\]]*")


HALF_CHARACTER = re.compile(r"\\u[dD][89abcdefABCDEF]")
"""One of the two escapes that make a character together; alone it is none."""


class BrokenListError(Exception):
    """A list that breaks in the middle, so that nobody can say where its next object starts; with the line."""


class Found(NamedTuple):
    """One object, or what stands where one should.

    Attributes
    ----------
    line
        Where it starts, from 1.
    text
        As it is written.
    value
        None for a fault.
    fault
        Why it is none.
    """

    line: int
    text: str
    value: dict[str, Any] | None
    fault: str | None = None


def find_objects(plain: PlainText) -> Iterator[Found]:
    """Find a file's objects in file order.

    Raises
    ------
    BrokenListError
        See there.
    """
    with plain.path.open(encoding="utf-8", newline="\n") as file:
        file.seek(plain.start)
        head = file.read(HEAD)
        file.seek(plain.start)
        yield from _by_line(file) if _has_lines(head) else _Stream(file).objects()


def _has_lines(head: str) -> bool:
    """Say whether each line is an object: the first one, or if that is broken another one."""
    text = head.lstrip()
    if text.startswith("["):
        return False
    lines = [line for line in text.split("\n") if line.strip()]
    return not text.startswith("{") or any(_parse(line, 0).value is not None for line in lines[:100])


def _by_line(file: TextIO) -> Iterator[Found]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            yield _parse(line, number)


def _parse(text: str, line: int) -> Found:
    try:
        return _found(DECODER.decode(text), text, line)
    except (ValueError, RecursionError):
        return Found(line, text, None, NOT_JSON)


def _found(value: Any, text: str, line: int) -> Found:
    if not isinstance(value, dict):
        return Found(line, text, None, "JSON, but no object")
    if "\\u" in text and HALF_CHARACTER.search(text) and not _is_unicode(value):
        return Found(line, text, None, "text that is not Unicode")
    return Found(line, text, value)


def _is_unicode(value: dict[str, Any]) -> bool:
    try:
        written(value).encode()
    except UnicodeEncodeError:
        return False
    except RecursionError:
        return True
    return True


class _Stream:
    """Reads objects one after the other from pieces of text."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._line = 1
        self._open_lists = 0
        self._at_start = True
        self._indent: str | None = None
        self._at_end = False

    def objects(self) -> Iterator[Found]:
        is_cut = False
        while self._skip_between():
            found = self._next()
            self._line += found.text.count("\n")
            is_cut = found.fault is not None and self._at == len(self._text)
            yield found
        if self._open_lists > 0 and not is_cut:
            yield Found(self._line, "", None, "a list that does not end: the file may be cut short")

    def _skip_between(self) -> bool:
        """Go to the next value, over blanks, commas and the list's own brackets; False at the end of the file."""
        between = "\n" if self._at_start else ""
        while passed := BETWEEN.match(self._text, self._at):
            between += passed[0]
            self._at = passed.end()
            if self._at < len(self._text) or not self._read_more():
                break
        self._line += between.count("\n") - self._at_start
        self._open_lists += between.count("[") - between.count("]")
        _, line_end, indent = between.rpartition("\n")
        self._indent = indent if line_end and not indent.strip() else None
        self._at_start = False
        return self._at < len(self._text)

    def _next(self) -> Found:
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                may_go_on = self._is_at_end_of_text(error)
                if may_go_on and self._may_read_more():
                    continue
                return self._broken(is_cut=may_go_on)
            # A number goes on as long as there are digits.
            if end < len(self._text) or isinstance(value, dict) or not self._read_more():
                text = self._text[self._at : end]
                self._at = end
                return _found(value, text, self._line)

    def _is_at_end_of_text(self, error: Exception) -> bool:
        """Say whether there is nothing wrong but that the text stops."""
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated") or error.pos > len(self._text) - LONGEST_SIGN

    def _broken(self, *, is_cut: bool) -> Found:
        """Tell a value that cannot be read, and go on with the next one that starts where it did in its line."""
        after: int | None = None
        if self._indent is not None:
            next_one = re.compile("\n" + re.escape(self._indent) + r"(?=\{)")
            while (found := next_one.search(self._text, self._at)) is None and self._may_read_more():
                pass
            after = found.end() if found else None
        if after is None:
            while self._may_read_more():
                pass
            if not self._at_end or not (is_cut or len(self._text) - self._at <= LONGEST_TEXT):
                raise BrokenListError(self._line)
            after = len(self._text)
        text = self._text[self._at : after]
        self._at = after
        return Found(self._line, text, None, NOT_JSON)

    def _may_read_more(self) -> bool:
        return len(self._text) - self._at < LONGEST_VALUE and self._read_more()

    def _read_more(self) -> bool:
        """Read as much again as there is, so that long values are not looked at too often."""
        more = self._file.read(max(CHUNK, len(self._text) - self._at))
        self._text, self._at = self._text[self._at :] + more, 0
        self._at_end = not more
        return bool(more)
