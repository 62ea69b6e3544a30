"""Take deliveries in: keep the file, leave out exact replays, write a receipt, add the rows to the raw table.

The receipt is written before the rows are committed, under the delivery's own name, so a run that dies between the
two lands the delivery again and overwrites it. Judging rows is `contract`'s business.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from data_contracts.dictionary import delivered_columns
from pipelines.ingest.replays import mark_replays, without_pure_replays
from pipelines.lake import Lake
from pipelines.sources.arrivals import Arrival


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
    is_repeat: bool
    unknown_columns: str


def land(lake: Lake, arrived: list[Arrival], table: str, received_at: datetime) -> pl.LazyFrame | None:
    """Land what is new of ``arrived`` and return the rows to add to raw; None where there is nothing new.

    A file that was landed before, byte for byte, gets one receipt that counts all its rows as replayed.
    """
    raw = lake.scan(f"raw_{table}")
    nothing_new_in = {r.delivery_id for r in receipts(lake) if r.rows == r.replayed and not r.is_repeat}
    known = nothing_new_in | set(raw.select(pl.col("delivery_id").unique()).collect().to_series())
    repeated = [arrival for arrival in arrived if arrival.delivery_id in known]
    for path in dict.fromkeys(arrival.path for arrival in repeated):
        _receive_again(lake, [arrival for arrival in repeated if arrival.path == path], received_at)
    parts: list[pl.DataFrame] = []
    for arrival in arrived:
        if arrival.delivery_id not in known:
            parts.append(_take(lake, arrival, [raw, *(part.lazy() for part in parts)], received_at))
    return pl.concat(parts).lazy() if parts else None


def receipts(lake: Lake) -> list[Receipt]:
    """Every receipt in the lake, in the order of their names."""
    folder = lake.root / "landed" / "receipts"
    return [Receipt(**json.loads(file.read_text(encoding="utf-8"))) for file in sorted(folder.glob("*.json"))]


def _take(lake: Lake, arrival: Arrival, before: list[pl.LazyFrame], received_at: datetime) -> pl.DataFrame:
    table = arrival.source.table
    content = [column.name for column in delivered_columns(table)]
    delivered = arrival.rows().with_row_index("row_number", offset=1).collect(engine="streaming")
    ids = pl.LazyFrame({"order_id": delivered["order_id"].unique()}) if table == "orders" else None
    earlier = pl.concat(
        [
            (frame if ids is None else frame.join(ids, on="order_id", how="semi", nulls_equal=True)).select(
                "delivery_id", *content
            )
            for frame in before
        ]
    )
    marked = mark_replays(delivered.lazy(), earlier, content).collect()
    landed = marked.lazy().pipe(without_pure_replays, table).collect()
    _keep_file(lake, arrival)
    _write_receipt(
        lake,
        _receipt(arrival, arrival.delivery_id, received_at, marked.height, int(marked["is_replay"].sum()), False),
    )
    return landed.select(
        pl.lit(arrival.delivery_id).alias("delivery_id"),
        pl.col("row_number").cast(pl.Int64),
        "is_replay",
        *content,
    )


def _receive_again(lake: Lake, repeated: list[Arrival], received_at: datetime) -> None:
    rows = sum(arrival.rows().select(pl.len()).collect().item() for arrival in repeated)
    whole = repeated[0]
    receipt_id = f"{whole.source.name}-{whole.sha256[:12]}-again-{received_at:%Y%m%dT%H%M%S%f}"
    _write_receipt(lake, _receipt(whole, receipt_id, received_at, rows, rows, True))


def _receipt(
    arrival: Arrival, receipt_id: str, received_at: datetime, rows: int, replayed: int, is_repeat: bool
) -> Receipt:
    return Receipt(
        receipt_id=receipt_id,
        delivery_id=arrival.delivery_id,
        source=arrival.source.name,
        table=arrival.source.table,
        file_name=arrival.path.name,
        part=None if is_repeat else arrival.part,
        sha256=arrival.sha256,
        received_at=received_at.isoformat(),
        rows=rows,
        replayed=replayed,
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
    path: Path = lake.root / "landed" / "receipts" / f"{receipt.receipt_id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(receipt), indent=1), encoding="utf-8")
    draft.replace(path)
