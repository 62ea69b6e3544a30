"""Frames that are shown whole: every row, and text that wraps instead of being cut.

For the few tables that are made to be read, such as a table's dictionary; a notebook cuts all others at ten rows.
"""

from html import escape
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
            f"<td{NUMBER if is_number else ''}>{escape(_written(value))}</td>"
            for value, is_number in zip(row, numeric, strict=True)
        )
        + "</tr>"
        for row in frame.iter_rows()
    )
    return f'{STYLE}<table class="retention-lab"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def text_table(frame: pl.DataFrame) -> str:
    """Write a frame for a terminal, with all of its rows and columns."""
    with pl.Config(
        tbl_rows=-1, tbl_cols=-1, fmt_str_lengths=1_000, tbl_width_chars=ROOM,
        tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True, tbl_formatting="UTF8_BORDERS_ONLY",
    ):  # fmt: skip
        return str(pl.DataFrame(frame.get_columns()))


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.4g}" if isinstance(value, float) and abs(value) < 1_000 else _long(value)


def _long(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, float) else str(value)
