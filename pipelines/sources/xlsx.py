"""Excel workbooks: one sheet, every cell as the text that stands for its value.

Whole numbers come without ".0", days and times as ISO 8601, booleans as true and false, and what Excel shows for a
formula that failed (#N/A) as that. Sheets are read by calamine (fastexcel); rows without any value are no records.
"""

import re
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, cast

import polars as pl

from pipelines.errors import DeliveryError
from pipelines.settings import Layout
from pipelines.sources.copies import Copies
from pipelines.sources.guards import without_guard
from pipelines.sources.header import column_names, extent, find_header, together
from pipelines.sources.parts import FAULT_TEXT, PLACE, Parts
from pipelines.sources.reader import Format

if TYPE_CHECKING:
    import fastexcel

HEAD = 100
"""Rows among which the names are looked for."""
MOMENT = r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}"
OLD_OR_LOCKED = b"\xd0\xcf\x11\xe0"
"""How Excel files of before 2007 begin, and those with a password."""
SHOWN = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "GettingData": "#GETTING_DATA",
}
"""What calamine calls a formula's error -> what Excel shows."""


_OPENED: Copies[tuple[str, Parts]] = Copies()


class XlsxReader:
    """Reader of Excel workbooks; see `pipelines.sources.reader.Reader`.

    Parameters
    ----------
    header_rows
        Of files whose layout doesn't say.
    """

    def __init__(self, header_rows: int = 1) -> None:
        self._header_rows = header_rows

    def columns(self, path: Path, layout: Layout) -> list[str]:
        """Read the names of the sheet's columns."""
        return list(self._open(path, layout)[1].names)

    def rows(self, path: Path, layout: Layout) -> pl.LazyFrame:
        """Read the sheet's rows."""
        return self._open(path, layout)[1].scan()

    def place(self, path: Path, layout: Layout, record: int) -> str:
        """Say in which row of which sheet a record stands."""
        sheet, parts = self._open(path, layout)
        return f"sheet {sheet}, row {parts.place(record)}"

    def _open(self, path: Path, layout: Layout) -> tuple[str, Parts]:
        header_rows = layout.header_rows or self._header_rows

        def read(folder: Path) -> tuple[str, Parts]:
            sheet, cells = _read_sheet(path, layout.sheet)
            parts = _records(cells, layout.skip_rows, header_rows, folder)
            if parts is None:
                raise DeliveryError(
                    f"{path}, sheet {sheet}, has no row of column names among its first {HEAD}. If it has one, "
                    "say in shop.toml under layout how many rows stand before it: skip_rows; or name another sheet."
                )
            return sheet, parts

        return _OPENED.of(path, (layout.model_dump_json(), header_rows), read)


def _read_sheet(path: Path, wanted: str | None) -> tuple[str, pl.DataFrame]:
    """Read the wanted sheet, else the first one that shows something: its name and all of its cells."""
    import fastexcel

    try:
        workbook = fastexcel.read_excel(path)
        if wanted is not None and wanted not in workbook.sheet_names:
            raise DeliveryError(
                f"{path} has no sheet {wanted!r}. It has: {', '.join(workbook.sheet_names)}. "
                "Correct `sheet` under layout in shop.toml."
            )
        for name in workbook.sheet_names if wanted is None else [wanted]:
            # From the first row on, so that the numbers of rows are those that Excel shows.
            sheet = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
            if wanted is not None or (sheet.visible == "visible" and sheet.height):
                return name, _cells(sheet)
    except fastexcel.FastExcelError as error:
        raise DeliveryError(_not_a_workbook(path, error)) from error
    raise DeliveryError(f"{path} has no sheet with anything in it. Remove it or deliver it again.")


def _not_a_workbook(path: Path, error: Exception) -> str:
    with path.open("rb") as file:
        is_locked = file.read(len(OLD_OR_LOCKED)) == OLD_OR_LOCKED
    if is_locked:
        return (
            f"{path} cannot be opened: it has a password or is damaged. Save it as .xlsx without a password."
        )
    reason = str(error).splitlines()[0].removeprefix("calamine error: ").rstrip(".")
    return f"{path} is not a whole Excel workbook ({reason}). It may be cut short: fetch it again."


def _cells(sheet: "fastexcel.ExcelSheet") -> pl.DataFrame:
    batch, errors = sheet.to_arrow_with_errors()
    cells = cast(pl.DataFrame, pl.from_arrow(batch))
    for error in errors.errors if errors else ():
        row, column = error.position
        kind = re.sub(r".*Error\((\w+)\).*", r"\1", error.detail)
        cells[row, column] = SHOWN.get(kind, f"#{kind.upper()}!")
    return cells


def _records(cells: pl.DataFrame, skip_rows: int | None, header_rows: int, folder: Path) -> Parts | None:
    """Write what stands below the names; None where nothing looks like names."""
    head = [[cell or "" for cell in row] for row in cells.slice(skip_rows or 0, HEAD).iter_rows()]
    numbers = [number for number, row in enumerate(head) if extent(row)]
    rows = [head[number] for number in numbers]
    if skip_rows is None:
        extents = [extent(row) for row in rows]
        header = find_header(rows, header_rows, lambda row: _fits(rows, extents, row, header_rows))
    else:
        header = 0 if len(rows) >= header_rows else None
    if header is None:
        return None
    first = numbers[header + header_rows - 1] + 1 + (skip_rows or 0)
    named = rows[header : header + header_rows]
    cells.columns = [f"c{number}" for number in range(cells.width)]
    filled_rows = (
        cells.with_columns(pl.all().replace("", None))
        .with_row_index(PLACE, offset=1)
        .slice(first)
        .filter(pl.any_horizontal(pl.exclude(PLACE).str.strip_chars() != ""))
        .with_columns(without_guard(name) for name in cells.columns)
    )
    columns = {
        column.name: name
        for column, name, shown in zip(
            filled_rows.drop(PLACE), column_names(*named), together(named), strict=True
        )
        if shown.strip() or column.null_count() < len(column)
    }
    records = filled_rows.select(
        pl.col(PLACE).cast(pl.Int64),
        pl.lit(None, pl.String).alias(FAULT_TEXT),
        *(_as_iso(filled_rows[column]) for column in columns),
    )
    file = folder / "sheet.parquet"
    records.write_parquet(file)
    return Parts((file,), tuple(columns.values()), tuple(columns))


def _fits(rows: list[list[str]], extents: list[int], header: int, header_rows: int) -> bool:
    """Say whether names reach about as far as the rows below them."""
    below = extents[header + header_rows :]
    return bool(below) and 4 * extent(together(rows[header : header + header_rows])) >= 3 * median(below)


def _as_iso(column: pl.Series) -> pl.Series:
    """Write times without the day that Excel counts from, and days without a time where a column holds only days."""
    times = column.str.replace("^1899-12-3[01] ", "")
    is_moment = times.str.contains(MOMENT)
    if not (is_moment & ~times.str.ends_with(" 00:00:00")).any():
        return times.str.replace(" 00:00:00$", "")
    return times


FORMAT = Format("xlsx", "an Excel workbook", XlsxReader(), suffixes=(".xlsx", ".xlsm"))
