"""Everything the lab holds of one person, in one file: for the person, in words of the dictionary.

Rows name other people too, a referral two: whoever is not the person is masked. Whose rows they are is said by `tables`
and `kept_files`.
"""

import html
import json
from datetime import datetime
from typing import Any

import polars as pl

from data_contracts import Privacy, table
from pipelines.ingest.erased import CELLS
from pipelines.lake import Lake
from pipelines.privacy.kept_files import kept_files, rows_as_delivered
from pipelines.privacy.pages import named_in
from pipelines.privacy.person import NobodyError, find_person
from pipelines.privacy.tables import Holdings
from pipelines.shop import Shop

ANOTHER = "[another person]"


def export_person(lake: Lake, shop: Shop, asked: str, now: datetime) -> dict[str, Any]:
    """Give all that is held of a person, as it is written to JSON.

    Returns
    -------
    dict
        shop, exported_at, person (keys and identifiers), tables (by name: what one row is, what the columns mean, the
        rows), delivered_files (their rows with every column as delivered), named_in (other files of the lake).

    Raises
    ------
    NobodyError
        Nobody, or not one person, is meant; or the lab holds nothing of them.
    """
    person = find_person(lake, shop, asked)
    holdings = Holdings(lake, shop, person)
    tables = {name: told for name in holdings.tables() if (told := _table(holdings, name))["rows"]}
    files = [
        {
            "file": file.receipt.file_name,
            "source": file.receipt.source,
            "received_at": file.receipt.received_at,
            "rows": rows_as_delivered(file).to_dicts(),
        }
        for file in kept_files(holdings)
        if not file.theirs.is_empty() and not _names_two(f"valid_{file.receipt.table}")
    ]
    if not tables and not files:
        raise NobodyError("The lab holds nothing of that person: no row, no file.")
    return {
        "shop": shop.title,
        "exported_at": now.isoformat(timespec="seconds"),
        "person": {"customer_keys": person.keys, "identifiers": person.identifiers},
        "tables": dict(sorted(tables.items())),
        "delivered_files": files,
        "named_in": [str(path) for path in named_in(lake, (*holdings.terms, *holdings.names))],
    }


def as_json(export: dict[str, Any]) -> str:
    """Write an export for programs, and for people with patience."""
    return json.dumps(export, indent=1, ensure_ascii=False, default=str)


def as_page(export: dict[str, Any]) -> str:
    """Write an export as a page that can be read without the lab."""
    sections = [
        f"<h2>{html.escape(name)}</h2><p>One row per {html.escape(told['one_row_per'])}. "
        f"{html.escape(told['meaning'])}</p>{_rows(told['rows'], told['columns'])}"
        for name, told in export["tables"].items()
    ]
    sections += [
        f"<h2>File {html.escape(file['file'])}</h2><p>As delivered, from source {html.escape(file['source'])}.</p>"
        f"{_rows(file['rows'], {})}"
        for file in export["delivered_files"]
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>What is held of you</title>'
        "<style>body{font-family:sans-serif;margin:2em}table{border-collapse:collapse;font-size:.85em}"
        "td,th{border:1px solid #bbb;padding:.2em .5em;text-align:left}div{overflow-x:auto}</style>"
        f"<h1>What {html.escape(export['shop'])} holds of you</h1><p>Exported at {export['exported_at']}.</p>"
        f"{''.join(sections)}</html>"
    )


def _rows(rows: list[dict[str, Any]], columns: dict[str, dict[str, str]]) -> str:
    names = list(rows[0])
    heads = "".join(
        f'<th title="{html.escape(columns.get(name, {}).get("meaning", ""))}">{html.escape(name)}</th>'
        for name in names
    )
    cells = "".join(
        "<tr>"
        + "".join(f"<td>{html.escape('' if row[n] is None else str(row[n]))}</td>" for n in names)
        + "</tr>"
        for row in rows
    )
    return f"<div><table><tr>{heads}</tr>{cells}</table></div>"


def _table(holdings: Holdings, name: str) -> dict[str, Any]:
    promised = table(name)
    if not holdings.may_hold(name):
        return {"rows": []}
    theirs = holdings.theirs(name).collect(engine="streaming").sort(promised.key)
    rows = _masked(holdings, name, theirs)
    return {
        "one_row_per": promised.grain,
        "meaning": promised.meaning,
        "columns": {
            column.name: {"meaning": column.meaning, "unit": column.unit, "privacy": column.privacy.value}
            for column in promised.columns
        },
        "rows": rows.to_dicts(),
    }


def _masked(holdings: Holdings, name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Mask whoever else a row names."""
    promised = table(name)
    keys = holdings.person.keys
    if _names_two(name):
        own = holdings.forms_of(rows, name)
        cells = [cell for cell in promised.columns_of(Privacy.IDENTIFIER) if cell.endswith(CELLS)]
        is_own = {cell: pl.col(cell).str.strip_chars().str.to_lowercase().is_in(own) for cell in cells}
    else:
        is_own = {key: pl.col(key).is_in(keys) for key in promised.columns_of(Privacy.PSEUDONYM)}
    return rows.with_columns(
        pl.when(told | pl.col(cell).is_null()).then(cell).otherwise(pl.lit(ANOTHER)).alias(cell)
        for cell, told in is_own.items()
    )


def _names_two(name: str) -> bool:
    return sum(column.endswith("email") for column in table(name).columns_of(Privacy.IDENTIFIER)) > 1
