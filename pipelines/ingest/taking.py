"""Take one delivery in: keep its file, read it by the settings of today, compare it with what came before, receipt it.

Rows of erased people are counted and left out, of what is kept of the file too. Which deliveries are taken, and what
becomes of their rows, is `landing`'s business; who is erased, `erased`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from data_contracts import table as promise
from data_contracts.dictionary import READING_FAULT, delivered_columns, reach_of
from pipelines.ingest.erased import Erased
from pipelines.ingest.keeping import keep
from pipelines.ingest.receipts import Receipt
from pipelines.ingest.replays import UNITS, mark
from pipelines.ingest.values import typed
from pipelines.lake import Lake
from pipelines.shop import Numbers, Shop
from pipelines.sources import kept_rows
from pipelines.sources.arrivals import Arrival, reading, reading_id
from pipelines.sources.reader import FAULT

UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows in the shape of raw that later deliveries are compared with; the receipt where they are new."""

    numbers: Numbers
    rows: pl.LazyFrame
    receipt: Receipt | None = None


def take(
    lake: Lake,
    shop: Shop,
    arrival: Arrival,
    before: Sequence[Taken],
    blocked: frozenset[str],
    received_at: datetime,
    drafts: Path | None,
    erased: Erased | None = None,
    erased_before: int = 0,
) -> Taken:
    """Take one delivery in, compared with those before it that bear the same numbers.

    Without ``drafts`` its rows stay a plan over the kept file, so that a large file is written once.

    Parameters
    ----------
    erased
        People whose rows are left out.
    erased_before
        Rows that were left out of the kept file already.
    """
    table = arrival.source.table
    delivered = arrival.height() if erased else 0
    kept = keep(lake, shop, arrival, erased)
    arrival = replace(arrival, path=kept)
    gone = erased_before
    if erased and kept_rows.delivered_sha256(kept):
        gone += delivered - arrival.height()
    numbers = shop.numbers_of(arrival.source)
    with reading(arrival.origin):
        count, through = _survey(arrival)
        rows = _in_raw_shape(arrival, received_at, through)
        earlier = [one.rows for one in before if one.numbers == numbers]
        replayed, left = 0, count
        if earlier:
            unblocked = pl.concat(earlier).filter(~pl.col("delivery_id").is_in(list(blocked)))
            marks = mark(rows, unblocked, _content(table), UNITS.get(table))
            replayed, left = marks.filter("is_replay").height, marks.filter("is_kept").height
            rows = (
                rows.drop("is_replay")
                .join(marks.filter("is_kept").lazy().drop("is_kept"), on="row_number")
                .select(promise(f"raw_{table}").schema.keys())
            )
        if drafts is not None:
            draft = drafts / f"{arrival.delivery_id}.parquet"
            rows.sink_parquet(draft)
            rows = pl.scan_parquet(draft, glob=False)
    receipt = _receipt(shop, arrival, received_at, count + gone, replayed, left, gone)
    return Taken(numbers, rows, receipt)


def _survey(arrival: Arrival) -> tuple[int, datetime | None]:
    """Count the rows of a delivery and find the latest time in it."""
    moment = reach_of(arrival.source.table)
    # Which deliveries reach further is all that is asked here, so times without an offset may pass for UTC.
    return (
        arrival.rows()
        .select(moment.name)
        .pipe(typed, (moment,), UTC)
        .select(pl.len(), pl.col(moment.name).max().cast(pl.Datetime("us", "UTC")).alias("through"))
        .collect(engine="streaming")
        .row(0)
    )


def _in_raw_shape(arrival: Arrival, received_at: datetime, through: datetime | None) -> pl.LazyFrame:
    moment = pl.Datetime("us", "UTC")
    return (
        arrival.rows()
        .with_row_index("row_number", offset=1)
        .with_columns(
            pl.lit(arrival.delivery_id).alias("delivery_id"),
            pl.col("row_number").cast(pl.Int64),
            pl.lit(False).alias("is_replay"),
            pl.lit(received_at).dt.cast_time_unit("us").dt.convert_time_zone("UTC").alias("received_at"),
            pl.lit(through, moment).alias("delivered_through"),
            pl.col(FAULT).alias(READING_FAULT),
        )
        .select(promise(f"raw_{arrival.source.table}").schema.keys())
    )


def _content(table: str) -> list[str]:
    """The columns that make a delivered row what it is."""
    return [*(column.name for column in delivered_columns(table)), READING_FAULT]


def _receipt(
    shop: Shop, arrival: Arrival, received_at: datetime, rows: int, replayed: int, kept: int, erased: int
) -> Receipt:
    return Receipt(
        receipt_id=arrival.delivery_id,
        delivery_id=arrival.delivery_id,
        source=arrival.source.name,
        table=arrival.source.table,
        file_name=arrival.origin.name,
        part=arrival.part,
        sha256=arrival.sha256,
        received_at=received_at.isoformat(timespec="microseconds"),
        rows=rows,
        replayed=replayed,
        kept=kept,
        is_repeat=False,
        unknown_columns=",".join(arrival.unknown_columns),
        reading=reading_id(shop, arrival.source),
        kept_file=arrival.path.name,
        notes="; ".join(arrival.conventions.notes),
        erased=erased,
    )
