"""How a reading file looks: a sheet of people and a sheet of notes, nothing of which a spreadsheet takes for a formula.

Rows are written one after the other and forgotten (constant memory); the same rows give the same bytes. Which columns
there are belongs to `reading`.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

import polars as pl

from data_contracts import table
from pipelines.delivery.platforms.reading import HEADINGS, heading
from pipelines.delivery.platforms.texts import LOOKS_LIKE_A_FORMULA, MONEY_DIGITS

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

MOST_CHARACTERS = 32_000
"""Of the 32,767 that a cell holds (Excel's specifications and limits)."""
WIDTHS = {"Why": 70, HEADINGS["drivers"]: 60, "Last name": 20}
WIDTH = 17
DAY, WHOLE, SHARE, NUMBER = "d mmm yyyy", "#,##0", "0.0%", "#,##0.00"
BAND, RULE = "#1F3A5F", "#C9D3DF"

_Write = Callable[[int, int, Any], object]


def write_workbook(
    target: IO[bytes],
    *,
    schema: pl.Schema,
    slices: Iterable[pl.DataFrame],
    notes: Sequence[tuple[str, str]],
    title: str,
    made_for: datetime,
    money: str,
) -> None:
    """Write a workbook of people and notes.

    Parameters
    ----------
    schema
        Headings and types of the people's columns.
    slices
        Their rows, in order.
    made_for
        The list's day: with a time of writing equal rows would give different bytes.
    money
        Number format of amounts, as `money_format` gives it.
    """
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    workbook = xlsxwriter.Workbook(target, options)
    workbook.set_properties({"title": title, "created": made_for, "comments": "For reading. Not for upload."})
    _write_people(workbook, schema, slices, money)
    _write_notes(workbook, notes)
    workbook.close()


def money_format(currency: str, locale: str) -> str:
    """How a spreadsheet shows amounts of a currency, its sign where people of the locale write it."""
    from babel import Locale
    from babel.numbers import get_currency_precision, get_currency_symbol

    pattern = Locale.parse(locale).currency_formats["standard"].pattern
    digits = get_currency_precision(currency)
    decimals = "." + "0" * digits if digits else ""
    return re.sub(r"0\.0+", f"0{decimals}", pattern).replace(
        "¤", f"[${get_currency_symbol(currency, locale)}]"
    )


def escaped(column: str) -> pl.Expr:
    """A column's texts so that no spreadsheet takes one for a formula: an apostrophe goes before what looks like one.

    What is longer than a cell holds is cut.
    """
    text = pl.col(column).str.slice(0, MOST_CHARACTERS)
    looks_like_one = text.str.contains(LOOKS_LIKE_A_FORMULA)
    return pl.when(looks_like_one).then(pl.concat_str(pl.lit("'"), text)).otherwise(text).alias(column)


def _write_people(
    workbook: "Workbook", schema: pl.Schema, slices: Iterable[pl.DataFrame], money: str
) -> None:
    sheet = workbook.add_worksheet("People")
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    for column, name in enumerate(schema):
        sheet.set_column(column, column, WIDTHS.get(name, WIDTH))
    head = workbook.add_format(
        {"bold": True, "font_color": "white", "bg_color": BAND, "valign": "vcenter", "text_wrap": True}
    )
    sheet.set_row(0, 32)
    for column, name in enumerate(schema):
        sheet.write_string(0, column, name, head)
    writers = [
        _writer(sheet, dtype, workbook.add_format(look) if (look := _look(name, dtype, money)) else None)
        for name, dtype in schema.items()
    ]
    texts = [name for name, dtype in schema.items() if dtype == pl.String]
    row = 0
    for rows in slices:
        safe = rows.with_columns(escaped(name) for name in texts)
        for cells in safe.iter_rows():
            row += 1
            for column, (cell, write) in enumerate(zip(cells, writers, strict=True)):
                if cell is not None:
                    write(row, column, cell)
    sheet.autofilter(0, 0, row, len(schema) - 1)


def _look(name: str, dtype: pl.DataType, money: str) -> dict[str, str]:
    units = {heading(column.name): column.unit for column in table("customer_profile").columns}
    if dtype == pl.Date:
        return {"num_format": DAY, "align": "left"}
    if dtype.is_integer():
        return {"num_format": WHOLE}
    if dtype.is_numeric():
        return {"num_format": {"shop currency": money, "share": SHARE}.get(units.get(name, ""), NUMBER)}
    return {}


def _writer(sheet: "Worksheet", dtype: pl.DataType, look: "Format | None") -> _Write:
    if dtype.is_temporal():
        return lambda row, column, cell: sheet.write_datetime(row, column, cell, look)
    if dtype == pl.Boolean:
        return lambda row, column, cell: sheet.write_boolean(row, column, cell)
    if dtype.is_integer():
        return lambda row, column, cell: sheet.write_number(row, column, cell, look)
    if dtype.is_numeric():
        return lambda row, column, cell: sheet.write_number(
            row, column, round(float(cell), MONEY_DIGITS + 2), look
        )
    return lambda row, column, cell: sheet.write_string(row, column, cell)


def _write_notes(workbook: "Workbook", notes: Sequence[tuple[str, str]]) -> None:
    sheet = workbook.add_worksheet("Notes")
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 110)
    term = workbook.add_format({"bold": True, "valign": "top", "bottom": 1, "bottom_color": RULE})
    meaning = workbook.add_format({"text_wrap": True, "valign": "top", "bottom": 1, "bottom_color": RULE})
    frame = pl.DataFrame(notes, schema={"term": pl.String, "meaning": pl.String}, orient="row")
    safe = frame.select(escaped(name) for name in frame.columns)
    for row, (name, said) in enumerate(safe.iter_rows()):
        sheet.write_string(row, 0, name, term)
        sheet.write_string(row, 1, said, meaning)
