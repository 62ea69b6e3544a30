"""Which row of a sheet or a separated file holds the names of its columns, and what the columns are called then.

Exports begin with titles, dates and blank rows; a row of names looks like the rows that follow it, and names are no
numbers. Where nothing looks like names nothing is guessed: a record taken for names would be lost, and read out in
messages.
"""

import re
from collections.abc import Callable, Sequence
from itertools import zip_longest

from pipelines.sources.reader import FAULT, RECORD

Row = Sequence[str]
Fits = Callable[[int], bool]
ADDRESS = re.compile(r"\S+@\S+\.\S+")
VALUE = re.compile(r"[-+]?[$£€]? ?\d[\d.,:/ TZ%+-]*(?:[AaPp][Mm])?")
"""Numbers, days and times: what names are not."""
ANSWERS = ("Response", "Open-Ended Response")
"""What SurveyMonkey writes below a question that has one column; it says nothing more of it."""


def could_be_names(row: Row) -> bool:
    """Say whether a row can hold names: something in it, less than half of it numbers and days, no address."""
    cells = [name for cell in row if (name := _name(cell))]
    values = sum(VALUE.fullmatch(cell) is not None for cell in cells)
    return 2 * values < len(cells) and not any(ADDRESS.fullmatch(cell) for cell in cells)


def extent(row: Row) -> int:
    """Count the cells up to the last one in which something stands; titles are shorter than names."""
    return max((number for number, cell in enumerate(row, start=1) if _name(cell)), default=0)


def together(rows: Sequence[Row]) -> Row:
    """Lay rows of names over each other: of each column the first cell in which something stands."""
    return [next((cell for cell in cells if _name(cell)), "") for cells in zip_longest(*rows, fillvalue="")]


def find_header(rows: Sequence[Row], header_rows: int, fits: Fits) -> int | None:
    """Find the row that holds the (first row of) names among a file's first rows.

    Parameters
    ----------
    fits
        Says of a row by its number whether it looks like those that follow it. Where no row does, the first one is
        taken that has about as many names as any.
    """
    candidates = [
        number
        for number in range(len(rows) - header_rows + 1)
        if could_be_names(together(rows[number : number + header_rows]))
    ]
    most = max((extent(row) for row in rows), default=0)
    fitting = (number for number in candidates if fits(number))
    return next(fitting, next((number for number in candidates if 2 * extent(rows[number]) > most), None))


def column_names(row: Row, below: Row = ()) -> tuple[str, ...]:
    """Name the columns.

    Trimmed; a blank name becomes "column 7" and a doubled one gets " (2)".

    Parameters
    ----------
    below
        A second row, which goes on with the names: "Question: Answer". A blank name above it is that of the cell
        before.
    """
    width = max(len(row), len(below))
    above = [_name(cell) for cell in row] + [""] * (width - len(row))
    under = [_name(cell) for cell in below] + [""] * (width - len(below))
    names: list[str] = []
    question = ""
    for name, answer in zip(above, under, strict=True):
        question = name or (question if answer else "")
        is_alone = not answer or answer in ANSWERS
        names.append(question if is_alone else f"{question}: {answer}" if question else answer)
    return distinct(names)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Make names differ, and none blank or one of ours."""
    taken = {FAULT, RECORD}
    found: list[str] = []
    for number, name in enumerate(names, start=1):
        wanted = name or f"column {number}"
        free = wanted
        copy = 1
        while free in taken or (free != name and free in names):
            copy += 1
            free = f"{wanted} ({copy})"
        taken.add(free)
        found.append(free)
    return tuple(found)


def _name(cell: str) -> str:
    trimmed = cell.replace("\0", "").strip().removeprefix("\ufeff").removeprefix("'").strip()
    return re.sub(r"\s*[\r\n]+\s*", " ", trimmed)
