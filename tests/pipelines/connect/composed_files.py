"""Composed exports as shops have them. Every person and order in them is made up."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl
import xlsxwriter

SHOPIFY_HEADER = """Name,Email,Financial Status,Paid at,Fulfillment Status,Accepts Marketing,Currency,Subtotal,\
Shipping,Taxes,Total,Discount Code,Discount Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,\
Lineitem sku,Shipping Country,Cancelled at,Refunded Amount,Id,Source"""
SHOPIFY = SHOPIFY_HEADER.split(",")
TYPEFORM = [
    "#",
    "How likely are you to recommend us?",
    "What could be better?",
    "email",
    "Start Date (UTC)",
    "Submit Date (UTC)",
    "Network ID",
]
GERMAN = [
    "Bestellnummer",
    "Bestelldatum",
    "Kunden-Nr.",
    "E-Mail",
    "Artikelnummer",
    "Artikelbezeichnung",
    "Menge",
    "Einzelpreis",
    "Land",
]


def write_rows(
    path: Path,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    separator: str = ",",
    encoding: str = "utf-8",
) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(header)
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def shopify_orders(
    folder: Path, name: str = "orders_export_1.csv", *, orders: int = 40, refunds: bool = True
) -> Path:
    """Two lines an order; times carry the offsets of Berlin, summer and winter."""
    rows: list[list[object]] = []
    for number in range(1001, 1001 + orders):
        month = 1 + number % 6
        at = f"2026-{month:02}-{10 + number % 10} 09:59:00 +0{1 if month < 4 else 2}00"
        is_refunded = refunds and number % 10 == 0
        order = {
            "Name": f"#{number}",
            "Email": f"person{number % 9}@example.com",
            "Financial Status": "refunded" if is_refunded else "paid",
            "Paid at": at,
            "Accepts Marketing": "yes" if number % 2 else "no",
            "Currency": "EUR",
            "Subtotal": "20.00",
            "Total": "25.00",
            "Created at": at,
            "Lineitem quantity": 1,
            "Lineitem name": "Mug",
            "Lineitem price": "10.00",
            "Lineitem sku": "MUG",
            "Shipping Country": "DE",
            "Refunded Amount": "20.00" if is_refunded else "0.00",
            "Id": number,
            "Source": "web",
        }
        further = {name: order[name] for name in ("Name", "Email", "Created at")}
        further |= {
            "Lineitem quantity": 2,
            "Lineitem name": "Cup",
            "Lineitem price": "5.00",
            "Lineitem sku": "CUP",
        }
        rows += [[line.get(column, "") for column in SHOPIFY] for line in (order, further)]
    return write_rows(folder / name, SHOPIFY, rows)


def typeform_answers(folder: Path, name: str = "responses.csv") -> Path:
    rows = [
        [f"h{n:08x}", n % 11, f"Nothing much {n}", f"person{n % 9}@example.com", f"2026-04-{1 + n % 28:02} 10:00:00",
         f"2026-04-{1 + n % 28:02} 10:05:00", f"n{n}"]
        for n in range(30)
    ]  # fmt: skip
    return write_rows(folder / name, TYPEFORM, rows)


def german_orders(folder: Path, name: str = "Bestellungen.csv", *, first: int = 0, rows: int = 60) -> Path:
    """Semicolons, Windows-1252, decimal commas, dd.mm.yyyy."""
    lines = [
        [f"B{n // 2:05}", f"{1 + n % 28:02}.{1 + n % 12:02}.2025 10:{n % 60:02}", f"K{n % 7}", f"k{n % 7}@example.com",
         f"A-{n % 5}", f"Tasse, Größe {n % 5}", 1 + n % 3, "1.234,50" if n % 9 == 0 else f"{n % 50},90",
         "Österreich" if n % 10 == 0 else "Deutschland"]
        for n in range(first, first + rows)
    ]  # fmt: skip
    return write_rows(folder / name, GERMAN, lines, ";", "windows-1252")


def english_orders(
    folder: Path, name: str = "orders.csv", changes: Mapping[str, Sequence[object]] | None = None
) -> Path:
    """Plain lines of a till; ``changes`` replace or add columns."""
    columns: dict[str, Sequence[object]] = {
        "Order ID": [f"T{n // 2}" for n in range(20)],
        "Order date": [f"2025-03-{1 + n:02} 12:00:00" for n in range(20)],
        "SKU": [f"S{n % 4}" for n in range(20)],
        "Qty": [1 + n % 2 for n in range(20)],
        "Unit price": ["9.50"] * 20,
        "Customer ID": [n % 5 for n in range(20)],
    }
    columns |= changes or {}
    return write_rows(folder / name, list(columns), list(zip(*columns.values(), strict=True)))


def workbook(folder: Path, sheets: dict[str, pl.DataFrame], name: str = "export.xlsx") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(folder / name)) as book:
        for title, frame in sheets.items():
            frame.write_excel(book, worksheet=title)
    return folder / name
