"""Files in the formats of platforms: their real headers (`headers/PROVENANCE.md`) over composed rows.

Every person and order in them is made up.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.sources.arrivals import Arrival, arrivals
from tests.pipelines.small_shops import write_shop

HEADERS = Path(__file__).parent / "headers"
Cells = Mapping[str, str]


def header(name: str) -> list[str]:
    """The names of a platform's columns."""
    return next(csv.reader([(HEADERS / f"{name}.header.csv").read_text(encoding="utf-8")]))


def write(path: Path, names: Sequence[str], rows: Sequence[Cells]) -> Path:
    """Write rows under a header; what a row does not name is blank."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([row.get(name, "") for name in names] for row in rows)
    return path


def look(folder: Path, file_format: str, table: str, more: str = "") -> Arrival:
    """Look at ``delivery.csv`` as a source of ``table``."""
    entry = (
        f'[[sources]]\nname = "source"\ntable = "{table}"\nformat = "{file_format}"\npath = "delivery.csv"\n'
    )
    shop = write_shop(folder, [] if table == "orders" else ["orders"], more=entry + more)
    (arrival,) = arrivals(shop, table)
    return arrival


def filled(arrival: Arrival) -> list[dict[str, Any]]:
    """The rows in file order, without what is null."""
    return [
        {name: value for name, value in row.items() if value is not None}
        for row in arrival.rows().collect().to_dicts()
    ]


def records(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pl.LazyFrame:
    """Records as a reader gives them to a format's shape."""
    return pl.LazyFrame(
        [[row.get(name) for name in names] for row in rows],
        schema=dict.fromkeys(names, pl.String),
        orient="row",
    ).with_row_index("_record", offset=1)
