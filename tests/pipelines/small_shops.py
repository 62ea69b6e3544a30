"""Builders of small composed shops: a shop.toml, deliveries as CSV or Parquet, and an ingest into a lake.

Every person and order here is made up.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import polars as pl

from data_contracts.dictionary import READING_FAULT, delivered_columns
from pipelines.assets import contract, facts, landing
from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Moment, Outcome, Step
from pipelines.lake import Lake
from pipelines.shop import Shop

NOW = datetime(2024, 6, 1, 3, 0, tzinfo=UTC)
SETTINGS = """
name = "small_shop"
title = "Small shop"
timezone = "Europe/London"
currency = "GBP"
history_start = 2024-01-01

[orders]
return_order_ids = "^C"
adjustment_order_ids = "^A"

[orders.kinds]
'^POST$' = "postage"
'^TEST' = "test"
'^GIFT' = "gift_card"

[contracts]
block_share = 1.0
"""

Row = Mapping[str, Any]


def write_shop(
    folder: Path, tables: Iterable[str] = ("orders",), *, settings: str = SETTINGS, more: str = ""
) -> Shop:
    """Write a shop.toml whose sources read deliveries/<table>/*.csv under canonical column names."""
    sources = "".join(source(table) for table in tables)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shop.toml").write_text(f"{settings}\n{sources}\n{more}", encoding="utf-8")
    return Shop.open(folder)


def source(
    table: str,
    name: str | None = None,
    *,
    path: str | None = None,
    file_format: str = "csv",
    columns: Mapping[str, str] | None = None,
    more: str = "",
) -> str:
    """One [[sources]] entry."""
    mapping = columns or {column.name: column.name for column in delivered_columns(table)}
    lines = "\n".join(f'{ours} = "{theirs}"' for ours, theirs in mapping.items())
    return (
        f'\n[[sources]]\nname = "{name or table}"\ntable = "{table}"\nformat = "{file_format}"\n'
        f'path = "{path or f"deliveries/{table}/*.{file_format}"}"\n{more}\n[sources.columns]\n{lines}\n'
    )


def order_line(order_id: str = "1", **changes: Any) -> dict[str, Any]:
    """One delivered order line; what is not named is one mug for 10 pounds of customer 7."""
    return {
        "order_id": order_id,
        "ordered_at": "2024-03-01 12:00:00",
        "customer_id": "7",
        "product_id": "MUG",
        "product_name": "Mug",
        "quantity": "1",
        "unit_price": "10.00",
    } | changes


def return_row(return_id: str = "R1", **changes: Any) -> dict[str, Any]:
    """One row of a file of returns; what is not named is the mug of customer 7."""
    return {
        "return_id": return_id,
        "customer_id": "7",
        "product_id": "MUG",
        "quantity": "1",
        "amount": "10.00",
        "returned_at": "2024-03-20 12:00:00",
    } | changes


def deliver(folder: Path, table: str, name: str, rows: Sequence[Row]) -> Path:
    """Put one CSV delivery of ``table`` where the shop's source looks."""
    path = folder / "deliveries" / table / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    as_text(table, rows).write_csv(path)
    return path


def as_text(table: str, rows: Sequence[Row]) -> pl.DataFrame:
    """Rows with every column that the table may be delivered with, as text."""
    names = [column.name for column in delivered_columns(table)]
    return pl.DataFrame(
        [[row.get(name) for name in names] for row in rows],
        schema=dict.fromkeys(names, pl.String),
        orient="row",
    )


def raw_rows(table: str, rows: Sequence[Row], delivery_id: str = f"orders-{'0' * 12}-1") -> pl.LazyFrame:
    """Rows as landing leaves them, of one delivery."""
    return (
        as_text(table, rows)
        .with_row_index("row_number", offset=1)
        .select(
            pl.lit(delivery_id).alias("delivery_id"),
            pl.col("row_number").cast(pl.Int64),
            pl.lit(False).alias("is_replay"),
            pl.lit(NOW).dt.cast_time_unit("us").alias("received_at"),
            pl.lit(NOW).dt.cast_time_unit("us").alias("delivered_through"),
            pl.exclude("row_number"),
            pl.lit(None, pl.String).alias(READING_FAULT),
        )
        .lazy()
    )


def ingest_steps(shop: Shop) -> dict[str, Step]:
    """The steps of the job ``ingest``, each after what it reads."""
    steps = {step.table: step for stage in (landing, contract, facts) for step in stage.steps(shop)}
    order = TopologicalSorter({name: [n for n in step.reads if n in steps] for name, step in steps.items()})
    return {name: steps[name] for name in order.static_order()}


def ingest(shop: Shop, lake: Lake, now: datetime = NOW) -> dict[str, Outcome]:
    """Carry out every step of the job ``ingest``; outcomes by table."""
    steps = ingest_steps(shop)
    given = Given(shop, lake, Moment("composed run", now, None), steps)
    return {name: carry_out(step, given) for name, step in steps.items()}


def ingested(folder: Path, deliveries: Mapping[str, Sequence[Sequence[Row]]], *, more: str = "") -> Lake:
    """Make a shop whose deliveries all lie ready and take them in, one run per position."""
    shop = write_shop(folder, deliveries, more=more)
    lake = Lake.make(folder / "lake", shop.name)
    for number in range(max(len(files) for files in deliveries.values())):
        for table, files in deliveries.items():
            if number < len(files):
                deliver(folder, table, f"{number:03}", files[number])
            else:
                (folder / "deliveries" / table).mkdir(parents=True, exist_ok=True)
        ingest(shop, lake, NOW.replace(day=1 + number))
    return lake
