"""Frames that are shown whole: every row, and text that wraps instead of being cut.

For the few tables that are made to be read, such as a table's dictionary; a notebook cuts all others at ten rows.
"""

from collections.abc import Iterator
from decimal import Decimal
from html import escape
from math import inf
from typing import Any

import polars as pl

_OURS = "table.retention-lab.retention-lab"
"""Doubled, because Jupyter's own rule for cells of a table is as narrow as one class."""
STYLE = (
    f"<style>{_OURS}{{border-collapse:collapse}}{_OURS} th,{_OURS} td{{text-align:left;"
    "vertical-align:top;white-space:normal;padding:.2em .9em .2em 0;max-width:44em;border:0}"
    f"{_OURS} .number{{text-align:right;font-variant-numeric:tabular-nums}}"
    f"{_OURS} tr+tr td{{border-top:1px solid #D9D9D9}}</style>"
)
NUMBER = ' class="number"'
ROOM = 160
"""Characters of a line on a terminal."""
MOST_DECIMALS = 3
_ROOM_FOR = ((1, MOST_DECIMALS), (100, 2), (1_000, 1), (inf, 0))
"""Largest number of a column, and the decimals that there is room for."""


class WholeFrame(pl.DataFrame):
    """A Polars frame that a notebook and a terminal show whole; whatever is made of it is a plain frame."""

    def _repr_html_(self, **_: Any) -> str:
        return html_table(self)

    def __repr__(self) -> str:
        return text_table(self)

    __str__ = __repr__


def html_table(frame: pl.DataFrame) -> str:
    """Write a frame as an HTML table whose text wraps; what stands in it is escaped."""
    numeric = [dtype.is_numeric() for dtype in frame.dtypes]
    head = "".join(
        f"<th{NUMBER if is_number else ''}>{escape(name.replace('_', ' '))}</th>"
        for name, is_number in zip(frame.columns, numeric, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{NUMBER if is_number else ''}>{escape(value)}</td>"
            for value, is_number in zip(row, numeric, strict=True)
        )
        + "</tr>"
        for row in _rows_written(frame)
    )
    return f'{STYLE}<table class="retention-lab"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def text_table(frame: pl.DataFrame) -> str:
    """Write a frame for a terminal, with all of its rows and columns."""
    written = pl.DataFrame(
        list(_rows_written(frame)), schema=dict.fromkeys(frame.columns, pl.String), orient="row"
    )
    aligned = [
        series.str.pad_start(max(map(len, series), default=0)) if dtype.is_numeric() else series
        for series, dtype in zip(written.get_columns(), frame.dtypes, strict=True)
    ]
    with pl.Config(
        tbl_rows=-1, tbl_cols=-1, fmt_str_lengths=1_000, tbl_width_chars=ROOM,
        tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True, tbl_formatting="UTF8_BORDERS_ONLY",
    ):  # fmt: skip
        return str(pl.DataFrame(aligned))


def _rows_written(frame: pl.DataFrame) -> Iterator[tuple[str, ...]]:
    """Every value in words, those of a column alike."""
    decimals = [_decimals(series) for series in frame.get_columns()]
    for row in frame.iter_rows():
        yield tuple(_written(value, digits) for value, digits in zip(row, decimals, strict=True))


def _decimals(column: pl.Series) -> int | None:
    """As many as a column's largest number leaves room for, and no more than one of its numbers needs.

    None where that would round small numbers away, such as a share in a column of counts: each is written alone.
    """
    if not (column.dtype.is_float() or column.dtype.is_decimal()):
        return 0
    known = column.cast(pl.Float64).drop_nulls()
    known = known.filter(known.is_finite())
    largest = max((abs(value) for value in known), default=0.0)
    most = next(digits for below, digits in _ROOM_FOR if largest <= below)
    digits = next((few for few in range(most) if (known.round(few) == known).all()), most)
    is_lost = (known.round(digits) - known).abs() > known.abs() / 10
    return None if digits < MOST_DECIMALS and is_lost.any() else digits


def _written(value: object, digits: int | None) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float() | Decimal():
            return _alone(float(value)) if digits is None else _rounded(float(value), digits)
        case _:
            return str(value)


def _alone(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.0f}"


def _rounded(value: float, digits: int) -> str:
    """What is not nothing is never rounded to it."""
    least = 10.0**-digits
    if 0 < abs(value) < least / 2:
        return f"{'<' if value > 0 else '>-'}{least:g}"
    return f"{value:,.{digits}f}"
