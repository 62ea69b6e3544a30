"""What the free forms of `lab.plot` draw: a frame's columns as plain values, with the words and formats of their axes.

Nothing is drawn here; the shapes stand in `pipelines.explore.house_charts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from textwrap import wrap
from typing import Any, Final, Literal

import polars as pl

from pipelines.errors import LabError
from pipelines.report.words import CURRENCY_SIGNS, MINUS, SPACE, number, percent, short_month

SHARES: Final = ("%", "share")
"""Units of numbers from 0 to 1 that are written as per cent."""
MOST_ROWS: Final = 5_000
LABEL_WIDTH: Final = 34
"""Characters of a label before it goes on in the next line."""

Kind = Literal["day", "number", "text"]


@dataclass(frozen=True, slots=True)
class Drawable:
    """Rows ready to be drawn.

    Attributes
    ----------
    rows
        Plain values by column: days as 2011-12-09, amounts as floats.
    kinds
        What each column holds.
    """

    rows: list[dict[str, Any]]
    kinds: dict[str, Kind]

    def values(self, column: str) -> list[Any]:
        """Distinct values of a column, in order of appearance; nothing for a missing one."""
        return list(dict.fromkeys(row[column] for row in self.rows if row[column] is not None))

    def labels(self, column: str) -> list[str]:
        """What is written for each of `values`."""
        values = self.values(column)
        if self.kinds[column] == "day":
            days = [date.fromisoformat(value[:10]) for value in values]
            return [short_month(day) for day in days] if all(day.day == 1 for day in days) else [
                day.isoformat() for day in days
            ]  # fmt: skip
        return ["\n".join(wrap(str(value), LABEL_WIDTH)) or str(value) for value in values]


def drawable(frame: pl.DataFrame | pl.LazyFrame, *columns: str | None) -> Drawable:
    """Take the named columns of a frame.

    Raises
    ------
    LabError
        A column is not there, or there are more rows than anybody could see; the message says which.
    """
    wanted = list(dict.fromkeys(column for column in columns if column))
    whole = frame.lazy()
    known = whole.collect_schema().names()
    if missing := [column for column in wanted if column not in known]:
        raise LabError(f"The frame has no column {', '.join(missing)}. Columns: {', '.join(known)}.")
    chosen = whole.select(wanted).head(MOST_ROWS + 1).collect()
    if chosen.height > MOST_ROWS:
        raise LabError(f"The frame has more than {MOST_ROWS:,} rows: group or filter it before it is drawn.")
    kinds: dict[str, Kind] = {name: _kind(dtype) for name, dtype in chosen.schema.items()}
    return Drawable([{k: _plain(v) for k, v in row.items()} for row in chosen.to_dicts()], kinds)


def _kind(dtype: pl.DataType) -> Kind:
    if dtype.is_temporal():
        return "day"
    return "number" if dtype.is_numeric() else "text"


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return float(value)
        case date() | datetime():
            return value.isoformat()
        case bool():
            return "yes" if value else "no"
        case _:
            return value


def axis_words(column: str, unit: str) -> str:
    """Name of a column with its unit, for an axis; shares carry theirs in every number."""
    words = column.replace("_", " ")
    return words if not unit or unit in SHARES or unit in words else f"{words}, {unit}"


def axis_format(values: Sequence[float], unit: str) -> str:
    """How Vega writes an axis' numbers."""
    largest = max((abs(value) for value in values), default=1.0)
    if unit in SHARES:
        return ".0%" if largest >= 0.05 else ".1%"
    return ",.0f" if largest >= 10 else ",.2~f"


def day_format(days: Sequence[str]) -> str:
    """How Vega writes an axis' days: the longer the time, the coarser."""
    found = sorted(date.fromisoformat(day[:10]) for day in days)
    span = (found[-1] - found[0]).days if found else 0
    return "%-d %b" if span < 100 else "%b %Y"


def said(value: float, unit: str) -> str:
    """One number beside its mark: ``38.1 %``, ``£1,234``, ``12 days``."""
    if unit in SHARES:
        return percent(value)
    digits = number(value) if abs(value) >= 100 else f"{value:,.3g}".replace("-", MINUS)
    if unit in CURRENCY_SIGNS or unit in CURRENCY_SIGNS.values():
        sign = CURRENCY_SIGNS.get(unit, unit)
        return f"{MINUS}{sign}{digits[1:]}" if digits.startswith(MINUS) else f"{sign}{digits}"
    return f"{digits}{SPACE}{unit}" if unit and len(unit) <= 8 else digits
