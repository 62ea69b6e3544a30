"""The files of a list: the upload file for machines and the reading file for people.

The upload file is never escaped and holds the least that serves: one column. The reading file is for eyes, its
cells cannot be taken for formulas, and its name says that it is not to be uploaded. Same rows, same bytes.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import polars as pl


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file is made of.

    Attributes
    ----------
    people
        Who is delivered, in the list's order: customer_key, external_id, position, reason and profile columns.
    notes
        What the reading file says beside the rows: pairs of a term and its meaning.
    """

    list_id: str
    title: str
    currency: str
    people: pl.DataFrame
    notes: list[tuple[str, str]]
    as_of: datetime


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""First characters that a spreadsheet may take for a formula, with their full-width forms (OWASP, CSV Injection)."""

READING_COLUMNS = {
    "external_id": "Customer",
    "reason": "Why",
    "stage": "Stage",
    "last_order_day": "Last order",
    "valid_orders": "Orders",
    "historic_clv": "Spent so far",
    "predicted_clv_365d": "Expected in a year",
}


@dataclass(frozen=True, slots=True)
class Built:
    """A file's bytes and how many people it holds."""

    data: bytes
    rows: int


def external_id_file(contents: Contents) -> Built:
    """The upload file for platforms that know the shop's own customer numbers: one column, sorted."""
    numbers = contents.people.select("external_id").drop_nulls().unique().sort("external_id")
    return Built(numbers.write_csv().encode(), numbers.height)


def reading_file(contents: Contents) -> Built:
    """The file for people: an Excel workbook with the rows and a sheet of notes."""
    import xlsxwriter

    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    # Without a fixed time of creation equal rows would give different bytes.
    workbook.set_properties({"title": contents.title, "created": contents.as_of})
    people = contents.people.sort("position").select(READING_COLUMNS.keys())
    text = [name for name, dtype in people.schema.items() if dtype == pl.String]
    people.with_columns(escaped(pl.col(name)).alias(name) for name in text).rename(
        READING_COLUMNS
    ).write_excel(
        workbook,
        worksheet="People",
        freeze_panes=(1, 0),
        header_format={"bold": True},
        dtype_formats={pl.Float64: "#,##0.00", pl.Date: "yyyy-mm-dd"},
        column_widths={
            "Customer": 110,
            "Why": 620,
            "Stage": 90,
            "Last order": 90,
            "Spent so far": 100,
            "Expected in a year": 130,
        },
    )
    sheet = workbook.add_worksheet("Notes")
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 100, workbook.add_format({"text_wrap": True, "valign": "top"}))
    term = workbook.add_format({"bold": True, "valign": "top"})
    for row, (name, meaning) in enumerate(contents.notes):
        sheet.write_string(row, 0, name, term)
        sheet.write_string(row, 1, f"'{meaning}" if meaning.startswith(FORMULA_STARTS) else meaning)
    workbook.close()
    return Built(buffer.getvalue(), people.height)


def escaped(text: pl.Expr) -> pl.Expr:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before what looks like one."""
    pattern = "^[" + "".join(f"\\{start}" if start in "-+=@" else start for start in FORMULA_STARTS) + "]"
    return pl.when(text.str.contains(pattern)).then(pl.concat_str(pl.lit("'"), text)).otherwise(text)


@dataclass(frozen=True, slots=True)
class Platform:
    """One kind of file: its name, ending and what makes it."""

    name: str
    suffix: str
    make: Callable[[Contents], Built]


PLATFORMS = {
    platform.name: platform
    for platform in (
        Platform("external_id", ".external-id.csv", external_id_file),
        Platform("reading", ".for-reading.xlsx", reading_file),
    )
}
