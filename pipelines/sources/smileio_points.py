"""Smile.io's file of points: an address and its balance, nothing more.

A balance is no booking: it has no number and no day. Each record becomes one booking of the whole balance, numbered by
its place in the file, so that of two files the later one counts; keep one file in the source. Its day stands nowhere:
shop.toml must give it (``values.booked_at = "2024-03-01"``), and without it the source is refused.

An address is no number either: `entry_id` stands beside pseudonyms, where nothing made from an address belongs.
https://help.smile.io/en/articles/4036233-import-points-with-a-csv-file
"""

import polars as pl

from pipelines.sources.csv import CsvReader
from pipelines.sources.reader import FAULT, RECORD, Format

ENTRY_ID = "number of the balance"


def shape(records: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Number the balances."""
    number = pl.concat_str(pl.lit("balance-"), pl.col(RECORD).cast(pl.String))
    return records.with_columns(pl.when(pl.col(FAULT).is_null()).then(number).alias(ENTRY_ID))


FORMAT = Format(
    "smileio_points",
    "a Smile.io file of points",
    CsvReader(),
    columns={"loyalty_ledger": {"entry_id": (ENTRY_ID,), "email": ("email",), "points": ("points",)}},
    values={"loyalty_ledger": {"reason": "balance"}},
    shape=shape,
    adds=(ENTRY_ID,),
    header=frozenset({"email", "points"}),
    signature=frozenset({"email", "points"}),
    suffixes=(".csv",),
)
