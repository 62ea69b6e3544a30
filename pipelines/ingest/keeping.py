"""Keep what may be kept of a delivered file: all of it as it came, or its rows without those of erased people.

From what is kept a delivery is read again whenever the settings change. How such rows lie on the disk is said by
`pipelines.sources.kept_rows`, whose they are by `erased`, what becomes of a delivery by `taking`.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from pipelines.errors import DeliveryError
from pipelines.ingest.erased import Erased, Known, rows_of
from pipelines.ingest.numbers import with_numbers
from pipelines.ingest.receipts import Receipt, correct, receipts
from pipelines.ingest.replays import UNITS
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.sources import kept_rows
from pipelines.sources.arrivals import Arrival, checksum, look, reading
from pipelines.sources.kept_rows import rows_file, rows_files


def keep(lake: Lake, shop: Shop, arrival: Arrival, erased: Erased | None) -> Path:
    """Keep what may be kept of a file: all of it as delivered, or its rows without those of erased people."""
    landed = lake.root / "landed"
    if erased is None and not rows_files(landed, arrival.sha256):
        return _keep_file(lake, arrival)
    own = rows_file(landed, arrival.sha256, arrival.source)
    if own.exists() and own != arrival.path:  # an earlier part of the file
        return own
    with reading(arrival.origin):
        theirs = rows_in(arrival, shop, erased) if erased else None
    if (theirs is None or theirs.is_empty()) and not rows_files(landed, arrival.sha256):
        return _keep_file(lake, arrival)
    if theirs is None or not theirs.is_empty() or not own.exists():
        keep_rows(lake, shop, arrival, theirs)
    return own


def rows_in(arrival: Arrival, shop: Shop, known: Known) -> pl.Series:
    """Find the rows of people in all parts of a file: their positions, counted from 0."""
    table = arrival.source.table
    cells = arrival.cells().with_row_index("position").with_columns(delivery_id=pl.lit(""))
    rows = with_numbers(cells, table, {"": shop.numbers_of(arrival.source)})
    unit = [UNITS[table]] if table in UNITS else None
    return rows_of(rows, known, shop.identity, at=["position"], unit=unit)["position"].sort()


def keep_rows(
    lake: Lake,
    shop: Shop,
    arrival: Arrival,
    without: pl.Series | None,
    mend: Callable[[pl.LazyFrame], pl.LazyFrame] | None = None,
) -> None:
    """Keep the other rows of a file in its place.

    Every other source of the file keeps all rows that it reads of it: whose they are is looked up for each by itself.

    Parameters
    ----------
    without
        Positions of the rows that are left out, counted from 0.
    mend
        What is done to the rows that stay.
    """
    landed = lake.root / "landed"
    write_rows(arrival, rows_file(landed, arrival.sha256, arrival.source), without, mend)
    whole = landed / f"{arrival.sha256}{arrival.origin.suffix}"
    if not whole.exists():
        return
    taken = {one.source for one in receipts(lake) if one.sha256 == arrival.sha256} - {arrival.source.name}
    for source in shop.sources:
        if source.name in taken:
            place = rows_file(landed, arrival.sha256, source)
            if not place.exists():
                write_rows(look(shop, source, whole, arrival.origin)[0], place, None)
            correct(
                lake, source.table, partial(_kept_as, source=source.name, sha256=arrival.sha256, place=place)
            )
    whole.unlink()


def _kept_as(receipt: Receipt, *, source: str, sha256: str, place: Path) -> Receipt:
    is_meant = (receipt.source, receipt.sha256) == (source, sha256)
    return replace(receipt, kept_file=place.name) if is_meant else receipt


def write_rows(
    arrival: Arrival,
    place: Path,
    without: pl.Series | None,
    mend: Callable[[pl.LazyFrame], pl.LazyFrame] | None = None,
) -> None:
    """Write the rows of a file without those at some positions.

    Raises
    ------
    DeliveryError
        The file changed meanwhile.
    """
    rows = arrival.records()
    if without is not None:
        left_out = without.alias("_position").to_frame().lazy()
        rows = rows.with_row_index("_position").join(
            left_out, on="_position", how="anti", maintain_order="left"
        )
        rows = rows.drop("_position")
    with reading(arrival.origin):
        kept_rows.write(mend(rows) if mend else rows, place, arrival.path)
    if kept_rows.delivered_sha256(arrival.path) is None and checksum(arrival.path) != arrival.sha256:
        place.unlink()
        raise DeliveryError(
            f"{arrival.origin} changed while it was read. Run again when it is written whole."
        )


def _keep_file(lake: Lake, arrival: Arrival) -> Path:
    """Keep the file as delivered, so that a corrected mapping can be replayed from it."""
    kept = lake.root / "landed" / f"{arrival.sha256}{arrival.origin.suffix}"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        draft = kept.with_suffix(".draft")
        shutil.copyfile(arrival.path, draft)
        if checksum(draft) != arrival.sha256:
            draft.unlink()
            raise DeliveryError(
                f"{arrival.origin} changed while it was read. Run again when it is written whole."
            )
        draft.replace(kept)
    return kept
