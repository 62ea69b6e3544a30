"""Take deliveries in: keep the file, leave out exact replays, write a receipt, give the rows to add to the raw table.

The raw table is what the kept files say, read in the order in which they came by the settings of today. Where those
settings change (a mapping is corrected), or a delivery that later ones were compared with is blocked afterwards, it
is made anew from the kept files. Judging rows is `contract`'s business, what crashes leave behind `receipts`'.
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from data_contracts import table as promise
from pipelines.errors import DeliveryError
from pipelines.ingest.erased import Erased
from pipelines.ingest.quarantine import BLOCKED
from pipelines.ingest.receipts import (
    Landing,
    Receipt,
    first_of_each,
    landings,
    next_landing_id,
    open_landing,
    record_landing,
    settle,
)
from pipelines.ingest.taking import Taken, take
from pipelines.lake import Lake
from pipelines.shop import Numbers, Shop
from pipelines.sources import kept_rows
from pipelines.sources.arrivals import Arrival, look, reading_id, source_name
from pipelines.sources.kept_rows import rows_file


@dataclass(frozen=True, slots=True)
class Landed:
    """Rows that are ready to be committed to a raw table, as the landing that they belong to.

    Attributes
    ----------
    is_anew
        They replace what is there; else they are added.
    origin
        The file that is read while they are written, where they were not read before.
    """

    rows: pl.LazyFrame
    landing_id: str
    is_anew: bool
    origin: Path | None = None


def land(lake: Lake, shop: Shop, arrived: list[Arrival], table: str, received_at: datetime) -> Landed | None:
    """Land what is new of ``arrived``; None where the raw table stays as it is.

    A file that was landed before, byte for byte, gets one receipt that counts all its rows as replayed.

    Raises
    ------
    DeliveryError
        A file cannot be read to its end, or one kept earlier is gone or lacks a column that a new mapping names.
    """
    settle(lake, table)
    drafts = _cleared(lake.root / "landed" / "drafts" / table)
    before = landings(lake, table)
    firsts = first_of_each([receipt for landing in before for receipt in landing.receipts])
    blocked, erased = _blocked(lake, table), Erased.of(lake, shop)
    is_anew = _reads_otherwise(shop, firsts) or _compares_otherwise(before, blocked)
    new, repeated = _split(arrived, firsts)
    taken = (
        _take_again(lake, shop, firsts, blocked, drafts, erased) if is_anew else _standing(lake, shop, table)
    )
    standing = 0 if is_anew else len(taken)
    is_only = len(new) == 1 and not is_anew
    for arrival in new:
        taken.append(
            take(lake, shop, arrival, taken, blocked, received_at, None if is_only else drafts, erased)
        )
    fresh = [(one.receipt, one.rows) for one in taken[standing:] if one.receipt is not None]
    landing_id = next_landing_id(lake, table, received_at)
    again = _repeats(
        repeated, [*firsts.values(), *(receipt for receipt, _ in fresh)], landing_id, received_at
    )
    if is_anew:
        again = [r for landing in before for r in landing.receipts if r.is_repeat] + again
    landing = Landing(
        landing_id, is_anew, tuple(sorted(blocked)), tuple([receipt for receipt, _ in fresh] + again)
    )
    kept = [rows for receipt, rows in fresh if receipt.kept]
    if not kept and not is_anew:
        if landing.receipts:
            record_landing(lake, table, landing)
        return None
    open_landing(lake, table, landing)
    rows = pl.concat(kept or [promise(f"raw_{table}").empty().lazy()])
    return Landed(rows, landing_id, is_anew, new[0].origin if is_only else None)


def _split(arrived: Iterable[Arrival], firsts: dict[str, Receipt]) -> tuple[list[Arrival], list[Arrival]]:
    """Part what is new from what came before, in an earlier landing or earlier in this one."""
    known = {(receipt.source, receipt.sha256) for receipt in firsts.values()}
    new: dict[str, Arrival] = {}
    repeated: list[Arrival] = []
    for arrival in arrived:
        if (arrival.source.name, arrival.sha256) in known or arrival.delivery_id in new:
            repeated.append(arrival)
        else:
            new[arrival.delivery_id] = arrival
    return list(new.values()), repeated


def _reads_otherwise(shop: Shop, firsts: dict[str, Receipt]) -> bool:
    """Whether the settings read a kept file otherwise than it was read."""
    now = {source.name: reading_id(shop, source) for source in shop.sources}
    return any(receipt.reading != now.get(receipt.source, receipt.reading) for receipt in firsts.values())


def _compares_otherwise(before: Sequence[Landing], blocked: frozenset[str]) -> bool:
    """Whether a delivery was compared with one that has been set aside as a whole since, or released."""
    if not before:
        return False
    changed = blocked.symmetric_difference(before[-1].blocked)
    ids = [r.delivery_id for landing in before for r in landing.receipts if not r.is_repeat]
    return bool(changed.intersection(ids[:-1]))


def _blocked(lake: Lake, table: str) -> frozenset[str]:
    """Deliveries set aside as a whole: their rows may come again."""
    quarantine = lake.scan(f"{table}_quarantine").filter(pl.col("rules").str.contains(BLOCKED))
    return frozenset(quarantine.select(pl.col("delivery_id").unique()).collect().to_series())


def _standing(lake: Lake, shop: Shop, table: str) -> list[Taken]:
    """Give what the raw table holds, by whose numbers it bears."""
    raw = lake.scan(f"raw_{table}")
    ids = raw.select(pl.col("delivery_id").unique().sort()).collect().to_series()
    of: dict[Numbers, list[str]] = {}
    for delivery_id in ids:
        of.setdefault(_numbers(shop, source_name(delivery_id)), []).append(delivery_id)
    return [Taken(numbers, raw.filter(pl.col("delivery_id").is_in(some))) for numbers, some in of.items()]


def _numbers(shop: Shop, source: str) -> Numbers:
    """Whose numbers a source brings; of a source that is no longer in the settings, its own."""
    known = {one.name: shop.numbers_of(one) for one in shop.sources}
    return known.get(source, Numbers(source, source))


def _take_again(
    lake: Lake,
    shop: Shop,
    firsts: dict[str, Receipt],
    blocked: frozenset[str],
    drafts: Path,
    erased: Erased | None,
) -> list[Taken]:
    """Take every kept file in again, in the order in which they came, by the settings of today."""
    sources = {source.name: source for source in shop.sources}
    taken: list[Taken] = []
    files: dict[tuple[str, str], Receipt] = {}
    for receipt in firsts.values():
        files.setdefault((receipt.source, receipt.sha256), receipt)
    for (name, sha256), receipt in files.items():
        if name not in sources:
            taken += [
                Taken(_numbers(shop, name), _rows_of(lake, one), one)
                for one in firsts.values()
                if (one.source, one.sha256) == (name, sha256)
            ]
            continue
        kept = lake.root / "landed" / receipt.kept_file
        if not kept.exists():
            raise DeliveryError(
                f"The settings of source {name} have changed, and {kept}, the copy of {receipt.file_name}, is gone: "
                "it cannot be read anew. Restore it from a backup, or take the change back and give the new settings "
                "to a source of another name."
            )
        if kept_rows.delivered_sha256(kept) and kept != rows_file(kept.parent, sha256, sources[name]):
            raise DeliveryError(
                f"People were erased from {receipt.file_name}, so only its rows are kept, as source {name} read them "
                "then: it cannot be read by another format or layout. Take the change back, or give the new settings "
                "to a source of another name."
            )
        again = look(shop, sources[name], kept, Path(receipt.file_name))
        gone = {one.part: one.erased for one in firsts.values() if (one.source, one.sha256) == (name, sha256)}
        for arrival in again:
            before = gone.pop(arrival.part, 0)
            if arrival is again[-1]:  # parts that are gone as a whole, or are parted otherwise today
                before += sum(gone.values())
            taken.append(take(lake, shop, arrival, taken, blocked, receipt.moment, drafts, erased, before))
    return taken


def _rows_of(lake: Lake, receipt: Receipt) -> pl.LazyFrame:
    return lake.scan(f"raw_{receipt.table}").filter(pl.col("delivery_id") == receipt.delivery_id)


def _repeats(
    repeated: Sequence[Arrival], firsts: Sequence[Receipt], landing_id: str, received_at: datetime
) -> list[Receipt]:
    """One receipt for each file that came again: all its rows are replays."""
    found: list[Receipt] = []
    for number, (origin, source, sha256) in enumerate(
        dict.fromkeys((one.origin, one.source.name, one.sha256) for one in repeated), start=1
    ):
        # Where all is taken anew, each delivery has an old receipt and a new one.
        own = [one for one in firsts if (one.source, one.sha256) == (source, sha256)]
        parts = list({one.delivery_id: one for one in own}.values())
        rows = sum(one.rows for one in parts)
        found.append(
            replace(
                parts[0],
                receipt_id=f"{source}-{sha256[:12]}-again-{landing_id}-{number}",
                file_name=origin.name,
                part=None,
                received_at=received_at.isoformat(timespec="microseconds"),
                rows=rows,
                replayed=rows,
                kept=0,
                erased=0,
                is_repeat=True,
            )
        )
    return found


def _cleared(drafts: Path) -> Path:
    shutil.rmtree(drafts, ignore_errors=True)
    drafts.mkdir(parents=True)
    return drafts
