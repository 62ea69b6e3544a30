"""Find out fast which records of separated text are whole: as many cells as they should have, quotes where they may be.

A block of text becomes masks of one bit a byte, for quotes, separators and line ends; what lies within quotes is the
running parity of the quotes (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", VLDB Journal 28, 2019,
section 3.1.1). No step looks at a single record, so that it costs little beside reading the text into a table. What
to do about a record that is not whole is the business of `mending`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint64]
Positions = NDArray[np.int64]
LINE_END, RETURN, QUOTE, APOSTROPHE = b"\n\r\"'"
ONE, LAST_BIT, ALL = np.uint64(1), np.uint64(63), ~np.uint64(0)
LOWEST_BIT = np.array([0, *((byte & -byte).bit_length() - 1 for byte in range(1, 256))], np.int64)


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a block, as far as its quotes stand where they may.

    Attributes
    ----------
    starts, ends
        Where records start, and their line ends.
    is_whole
        Of each: whether it has the cells that it should have.
    sure_until
        Where the first record starts that the block cuts, or whose quotes stand where they may not.
    is_sure
        Whether it is only the block's end that cuts it.
    line_ends
        Where all lines end, in quotes or not.
    has_apostrophes
        Whether a cell may start with an apostrophe.
    """

    starts: Positions
    ends: Positions
    is_whole: NDArray[np.bool_]
    sure_until: int
    is_sure: bool
    line_ends: Positions
    has_apostrophes: bool


def find_records(text: bytes, separator: bytes, width: int, *, at_end: bool) -> Records:
    """Find the records of a block of text that starts where a record starts.

    Parameters
    ----------
    width
        Cells that a record should have.
    at_end
        Whether the file ends here, so that the last record may lack its line end.
    """
    masks = _Masks(text, separator)
    line_ends = _positions(masks.line_ends)
    separators, ends, trusted = masks.separators, line_ends, len(text)
    if masks.quotes is not None:
        inside, trusted = _quoted(masks)
        separators = separators & ~inside
        ends = line_ends[~_are_set(inside, line_ends)]
        if at_end and _are_set(inside, np.array([len(text) - 1]))[0]:
            trusted = min(trusted, text.rindex(b'"'))
    ends = ends[: np.searchsorted(ends, trusted)]
    if at_end and trusted == len(text) and not text.endswith(b"\n"):
        ends = np.append(ends, len(text))
    starts = np.concatenate((np.zeros(1, np.int64), ends + 1))
    cells = np.diff(_count_before(separators, ends), prepend=0) + 1
    is_whole = _are_whole(masks.data, starts[:-1], ends, cells, width)
    if at_end and text.endswith(b"\r") and len(is_whole):
        is_whole[-1] = False
    sure_until = int(min(starts[-1], len(text)))
    return Records(
        starts[:-1], ends, is_whole, sure_until, trusted == len(text), line_ends, masks.have_apostrophes()
    )


class _Masks:
    """Where a block's marks stand: one bit a byte, and one word more for the position behind the text."""

    def __init__(self, text: bytes, separator: bytes) -> None:
        self.text = text
        self.data = np.frombuffer(text, np.uint8)
        self._found = np.empty(len(text), np.bool_)
        self.line_ends = self.of(LINE_END)
        self.separators = self.of(separator[0])
        self.quotes = self.of(QUOTE) if b'"' in text else None

    def of(self, byte: int) -> Mask:
        packed = np.packbits(np.equal(self.data, byte, out=self._found), bitorder="little")
        words = np.zeros(len(self.data) // 64 + 1, "<u8")
        words.view(np.uint8)[: len(packed)] = packed
        return words

    def have_apostrophes(self) -> bool:
        if b"'" not in self.text:
            return False
        borders = self.line_ends | self.separators
        before = _next(borders if self.quotes is None else borders | self.quotes)
        return self.text.startswith(b"'") or bool((self.of(APOSTROPHE) & before).any())


def _are_whole(
    data: NDArray[np.uint8], starts: Positions, ends: Positions, cells: Positions, width: int
) -> NDArray[np.bool_]:
    returns = (data[ends - 1] == RETURN) & (ends > starts)
    # As many separators as bytes: a blank line, or one of separators alone.
    is_blank = ends - starts - returns == cells - 1
    return (cells == width) & ~is_blank


def _quoted(masks: _Masks) -> tuple[Mask, int]:
    """Mask what stands in quotes, opening quotes included, and say up to where the quotes can be trusted."""
    quotes = masks.quotes if masks.quotes is not None else np.zeros_like(masks.line_ends)
    inside = _running_parity(quotes)
    opening, closing = quotes & inside, quotes & ~inside
    line_ends = masks.line_ends & ~inside
    borders = (masks.separators & ~inside) | line_ends
    # A quote in a cell is written twice: it closes and opens again at once.
    may_open = _next(borders | closing)
    may_open[0] |= ONE
    returns = masks.of(RETURN) & _previous(line_ends) if b"\r" in masks.text else np.zeros_like(line_ends)
    may_close = _previous(borders | opening | returns)
    last = len(masks.text) - 1
    may_close[last >> 6] |= ONE << np.uint64(last & 63)
    misplaced = np.flatnonzero((opening & ~may_open) | (closing & ~may_close))
    return inside, int(misplaced[0]) << 6 if len(misplaced) else len(masks.text)


def _positions(bits: Mask) -> Positions:
    """Give the numbers of the bits that are set, which are few."""
    octets = bits.view(np.uint8)
    places = np.flatnonzero(octets != 0)
    left = octets[places]
    found: list[Positions] = []
    while len(places):
        found.append((places << 3) + LOWEST_BIT[left])
        left &= left - np.uint8(1)
        places, left = places[left != 0], left[left != 0]
    if len(found) > 1:
        return np.sort(np.concatenate(found))
    return found[0] if found else np.zeros(0, np.int64)


def _running_parity(bits: Mask) -> Mask:
    """Set each bit for which the bits up to it, itself included, are odd in number."""
    parity = bits.copy()
    for distance in (1, 2, 4, 8, 16, 32):
        parity ^= parity << np.uint64(distance)
    carried = np.bitwise_xor.accumulate(parity >> LAST_BIT)
    parity[1:] ^= carried[:-1] * ALL
    return parity


def _next(bits: Mask) -> Mask:
    moved = bits << ONE
    moved[1:] |= bits[:-1] >> LAST_BIT
    return moved


def _previous(bits: Mask) -> Mask:
    moved = bits >> ONE
    moved[:-1] |= bits[1:] << LAST_BIT
    return moved


def _are_set(bits: Mask, positions: Positions) -> NDArray[np.bool_]:
    return (bits[positions >> 6] >> (positions & 63).astype(np.uint64) & ONE).astype(np.bool_)


def _count_before(bits: Mask, positions: Positions) -> Positions:
    """Count the bits set before each position."""
    counts = np.cumsum(np.bitwise_count(bits), dtype=np.int64)
    word = positions >> 6
    later = bits[word] >> (positions & 63).astype(np.uint64)
    return counts[word] - np.bitwise_count(later)
