"""Take deliveries in: keep the file, leave out exact replays, write a receipt, add the rows to the raw table.

Receipts are written before the rows are committed; those of a run that died between the two are taken back by
the next one. Judging rows is `contract`'s business.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from data_contracts.dictionary import delivered_columns
from pipelines.ingest.quarantine import BLOCKED
from pipelines.ingest.replays import UNITS, mark_replays, without_pure_replays
from pipelines.ingest.values import typed
from pipelines.lake import Lake
from pipelines.sources.arrivals import Arrival, reading

UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What landing knows of one delivery; the contract's counts are added in table ``deliveries``."""

    receipt_id: str
    delivery_id: str
    source: str
    table: str
    file_name: str
    part: str | None
    sha256: str
    received_at: str
    rows: int
    replayed: int
    kept: int
    is_repeat: bool
    unknown_columns: str


def land(lake: Lake, arrived: list[Arrival], table: str, received_at: datetime) -> pl.LazyFrame | None:
    """Land what is new of ``arrived`` and return the rows to add to raw; None where there is nothing new.

    A file that was landed before, byte for byte, gets one receipt that counts all its rows as replayed.
    """
    raw = lake.scan(f"raw_{table}")
    landed = set(raw.select(pl.col("delivery_id").unique()).collect().to_series())
    _take_back_unfinished(lake, table, landed)
    known = landed | {r.delivery_id for r in receipts(lake) if r.kept == 0 and not r.is_repeat}
    repeated: list[Arrival] = []
    parts: list[pl.DataFrame] = []
    for arrival in arrived:
        if arrival.delivery_id in known:
            repeated.append(arrival)
        else:
            earlier = [_without_blocked(raw, lake, table), *(part.lazy() for part in parts)]
            parts.append(_take(lake, arrival, earlier, received_at))
            known.add(arrival.delivery_id)
    for copy, path in enumerate(dict.fromkeys(arrival.path for arrival in repeated), start=1):
        _receive_again(lake, [arrival for arrival in repeated if arrival.path == path], received_at, copy)
    return pl.concat(parts).lazy() if parts else None


def receipts(lake: Lake) -> list[Receipt]:
    """Every receipt in the lake, in the order of their names."""
    folder = lake.root / "landed" / "receipts"
    return [Receipt(**json.loads(file.read_text(encoding="utf-8"))) for file in sorted(folder.glob("*.json"))]


def _take_back_unfinished(lake: Lake, table: str, landed: set[str]) -> None:
    """Remove the receipts of runs that died before their rows were committed."""
    open_ones = [
        r for r in receipts(lake) if r.table == table and not r.is_repeat and r.delivery_id not in landed
    ]
    died = {r.received_at for r in open_ones if r.kept}
    for receipt in open_ones:
        if receipt.received_at in died:
            _receipt_path(lake, receipt.receipt_id).unlink()


def _without_blocked(raw: pl.LazyFrame, lake: Lake, table: str) -> pl.LazyFrame:
    """Rows that count as delivered: those of a delivery set aside as a whole may come again."""
    quarantine = lake.scan(f"{table}_quarantine")
    return raw.join(quarantine.filter(pl.col("rules").str.contains(BLOCKED)), on="delivery_id", how="anti")


def _take(lake: Lake, arrival: Arrival, before: list[pl.LazyFrame], received_at: datetime) -> pl.DataFrame:
    table = arrival.source.table
    columns = delivered_columns(table)
    content = [column.name for column in columns]
    with reading(arrival.path):
        delivered = arrival.rows().with_row_index("row_number", offset=1).collect(engine="streaming")
    earlier = pl.concat(
        _of_same_units(frame, delivered, table).select("delivery_id", "is_replay", *content)
        for frame in before
    )
    marked = mark_replays(delivered.lazy(), earlier, content).collect()
    landed = marked.lazy().pipe(without_pure_replays, earlier, content, table).collect()
    _keep_file(lake, arrival)
    rows, replayed = marked.height, int(marked["is_replay"].sum())
    _write_receipt(lake, _receipt(arrival, arrival.delivery_id, received_at, rows, replayed, landed.height))
    moment = next(column for column in columns if column.kind == "moment" and column.required)
    # Which deliveries reach further is all that is asked here, so times without an offset may pass for UTC.
    through = delivered.lazy().pipe(typed, (moment,), UTC).select(pl.col(moment.name).max()).collect().item()
    return landed.select(
        pl.lit(arrival.delivery_id).alias("delivery_id"),
        pl.col("row_number").cast(pl.Int64),
        "is_replay",
        pl.lit(received_at).dt.cast_time_unit("us").dt.convert_time_zone("UTC").alias("received_at"),
        pl.lit(through, moment.dtype).alias("delivered_through"),
        *content,
    )


def _of_same_units(frame: pl.LazyFrame, delivered: pl.DataFrame, table: str) -> pl.LazyFrame:
    """Earlier rows of the orders or returns that a delivery brings, so that a small delivery reads little."""
    unit = UNITS.get(table)
    if unit is None:
        return frame
    return frame.join(pl.LazyFrame({unit: delivered[unit].unique()}), on=unit, how="semi", nulls_equal=True)


def _receive_again(lake: Lake, repeated: list[Arrival], received_at: datetime, copy: int) -> None:
    rows = sum(arrival.rows().select(pl.len()).collect().item() for arrival in repeated)
    whole = repeated[0]
    receipt_id = f"{whole.source.name}-{whole.sha256[:12]}-again-{received_at:%Y%m%dT%H%M%S%f}-{copy}"
    _write_receipt(lake, _receipt(whole, receipt_id, received_at, rows, rows, 0, is_repeat=True))


def _receipt(
    arrival: Arrival,
    receipt_id: str,
    received_at: datetime,
    rows: int,
    replayed: int,
    kept: int,
    *,
    is_repeat: bool = False,
) -> Receipt:
    return Receipt(
        receipt_id=receipt_id,
        delivery_id=arrival.delivery_id,
        source=arrival.source.name,
        table=arrival.source.table,
        file_name=arrival.file_name,
        part=None if is_repeat else arrival.part,
        sha256=arrival.sha256,
        received_at=received_at.isoformat(timespec="microseconds"),
        rows=rows,
        replayed=replayed,
        kept=kept,
        is_repeat=is_repeat,
        unknown_columns=",".join(arrival.unknown_columns),
    )


def _keep_file(lake: Lake, arrival: Arrival) -> None:
    """Keep the file as delivered, so that a corrected mapping can be replayed from it."""
    kept = lake.root / "landed" / f"{arrival.sha256}{arrival.path.suffix}"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        draft = kept.with_suffix(".draft")
        shutil.copyfile(arrival.path, draft)
        draft.replace(kept)


def _write_receipt(lake: Lake, receipt: Receipt) -> None:
    path = _receipt_path(lake, receipt.receipt_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(receipt), indent=1), encoding="utf-8")
    draft.replace(path)


def _receipt_path(lake: Lake, receipt_id: str) -> Path:
    return lake.root / "landed" / "receipts" / f"{receipt_id}.json"
