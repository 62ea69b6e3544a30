"""Builders of people on lists and of what their files are made of. Everybody in them is made up."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from data_contracts import table
from pipelines.delivery.contents import Contents
from pipelines.delivery.platforms import PLATFORMS, Terms

OF_CONTACTS = (
    "reason", "email", "phone", "external_id", "first_name", "last_name", "city", "zip", "country", "drivers",
)  # fmt: skip
SCHEMA = pl.Schema(
    {
        "customer_key": pl.String(),
        "position": pl.Int64(),
        **dict.fromkeys(OF_CONTACTS, pl.String()),
        **{
            name: dtype
            for name, dtype in table("customer_profile").schema.items()
            if name not in ("as_of", "customer_key", "country")
        },
    }
)

FORMULAS = [
    '=HYPERLINK("http://example.org")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    " =1+1",
    "\u00a0=1+1",
    "\u200b=1+1",
    "\ufeff@x",
    "﹦1",
    '=1+1","=2+2',
]
"""What a spreadsheet may take for a formula (OWASP, CSV Injection), also after what nobody sees."""
QUOTED = ['O"Neill', "Smith, Jr", "Müller; Söhne", "d'Arc", "a|b", "Ann=Marie"]
"""Names that a CSV file has to quote, or may take as they stand."""


def people(rows: Sequence[Mapping[str, Any]]) -> pl.LazyFrame:
    """People in the list's order; what is not named is null, or the least that a person has."""
    named = [
        {"customer_key": f"key {n:05}", "position": n, "reason": "is a customer", "stage": "at_risk", **row}
        for n, row in enumerate(rows, 1)
    ]
    return pl.LazyFrame(named, schema=SCHEMA)


def regular(n: int) -> dict[str, Any]:
    """A person whom every platform takes."""
    return {
        "email": f"person{n:05}@example.com",
        "phone": f"+4915110{n:06}",
        "external_id": f"C{n:05}",
        "first_name": ("Ann", "Zoë", "Björn")[n % 3],
        "last_name": f"Name{n % 7}",
        "city": "Bad Homburg",
        "zip": "61348",
        "country": "DE",
        "last_order_day": date(2024, 5, 1),
        "valid_orders": n % 5 + 1,
        "historic_clv": 12.345 + n,
        "predicted_clv_365d": 8.5,
        "last_nps": 9,
    }


def contents(of: pl.LazyFrame, *, channel: str = "email", **changes: Any) -> Contents:
    """What the files of a list of these people are made of."""
    made = Contents(
        list_id="list-2024-05-31",
        title="List",
        channel=channel,
        currency="GBP",
        locale="en_GB",
        people=of,
        listed=of.select(pl.len()).collect().item(),
        notes=(("List", "=cmd()"), ("Purpose", "loyalty")),
        as_of=datetime(2024, 5, 31),  # noqa: DTZ001
    )
    return replace(made, **changes)


def file_rows(
    platform: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    channel: str | None = None,
    columns: tuple[str, ...] = (),
) -> pl.DataFrame:
    """A platform's rows of these people, in the order of the file."""
    chosen = PLATFORMS[platform]
    terms = Terms(channel or chosen.channels[0], "GBP", columns=columns)
    return chosen.rows(people(rows), terms).collect()


def nobody() -> pl.Series:
    """The keys of nobody."""
    return pl.Series("customer_key", [], pl.String)


def lines(path: Path) -> list[bytes]:
    """A CSV file's lines as they stand, each with its end."""
    return path.read_bytes().splitlines(keepends=True)
