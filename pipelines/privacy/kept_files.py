"""A person's rows in the delivered files that the lake keeps, with every column that the files brought.

Rows are found as landing would find them, and by texts that name the person in columns that no setting maps. What the
raw tables hold is `tables`' business, how a file without some rows is kept that of `pipelines.ingest.keeping`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from pipelines.ingest.keeping import keep_rows, rows_in
from pipelines.ingest.receipts import Receipt, correct, first_of_each, receipts
from pipelines.privacy.search import Looking
from pipelines.privacy.tables import Holdings
from pipelines.sources.arrivals import Arrival, look
from pipelines.sources.kept_rows import rows_file
from pipelines.sources.reader import FAULT, RECORD


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A kept file as one of its sources reads it, and where in it the person's rows are.

    Attributes
    ----------
    arrival
        The file; None where no setting reads it any more.
    theirs
        Positions of the person's rows, counted from 0.
    is_named
        Whether the person stands in it at all, be it in other people's texts or in what is never read of it.
    """

    path: Path
    receipt: Receipt
    arrival: Arrival | None
    theirs: pl.Series
    is_named: bool


def kept_files(holdings: Holdings) -> Iterator[KeptFile]:
    """Look at every kept file, once for each source that reads it; those without the person are passed over.

    Raises
    ------
    DeliveryError, ShopError
        A kept file cannot be read by the settings of today.
    """
    lake, shop = holdings.lake, holdings.shop
    looking = Looking((*holdings.terms, *holdings.names))
    sources = {source.name: source for source in shop.sources}
    seen: set[tuple[str, str]] = set()
    for receipt in first_of_each(receipts(lake)).values():
        landed = lake.root / "landed"
        path = landed / receipt.kept_file
        if receipt.source in sources:
            # Since the receipts were read, the file may have been replaced for all its sources.
            own = rows_file(landed, receipt.sha256, sources[receipt.source])
            path = own if own.exists() else path
        if (receipt.source, receipt.sha256) in seen or not path.exists():
            continue
        seen.add((receipt.source, receipt.sha256))
        is_named = looking.is_named_in(path)
        if receipt.source not in sources:
            if is_named:
                yield KeptFile(path, receipt, None, pl.Series(dtype=pl.UInt32), is_named)
            continue
        arrival = look(shop, sources[receipt.source], path, Path(receipt.file_name))[0:1]
        theirs = _theirs(holdings, arrival[0]) if arrival else pl.Series(dtype=pl.UInt32)
        if is_named or not theirs.is_empty():
            yield KeptFile(path, receipt, arrival[0] if arrival else None, theirs, is_named)


def rows_as_delivered(file: KeptFile) -> pl.DataFrame:
    """Give the person's rows of a kept file, under the file's own column names."""
    if file.arrival is None:
        return pl.DataFrame()
    places = file.theirs.alias("_position").to_frame().lazy()
    rows = file.arrival.records().with_row_index("_position").join(places, on="_position", how="semi")
    return rows.drop("_position", FAULT, RECORD, strict=False).collect(engine="streaming")


def erase_from(holdings: Holdings, file: KeptFile) -> None:
    """Keep a file's other rows in its place, the person blackened in them.

    A file that no setting reads goes as a whole: the raw table holds what it brought.
    """
    lake = holdings.lake
    if file.arrival is None:
        file.path.unlink(missing_ok=True)
        return
    keep_rows(lake, holdings.shop, file.arrival, file.theirs, holdings.blackened)
    receipt = file.receipt
    place = rows_file(lake.root / "landed", receipt.sha256, file.arrival.source)
    correct(lake, receipt.table, partial(_as_kept, of=receipt, place=place))


def _as_kept(receipt: Receipt, *, of: Receipt, place: Path) -> Receipt:
    is_meant = (receipt.source, receipt.sha256) == (of.source, of.sha256)
    return replace(receipt, kept_file=place.name) if is_meant else receipt


def _theirs(holdings: Holdings, arrival: Arrival) -> pl.Series:
    found = rows_in(arrival, holdings.shop, holdings.person)
    named = holdings.naming(arrival.records().with_row_index("position")).select("position")
    if named.is_empty():
        return found
    cells = arrival.cells().with_row_index("position").join(named.lazy(), on="position", how="semi")
    nameless = holdings.naming_nobody(cells, arrival.source)["position"]
    return pl.concat([found, nameless.cast(found.dtype)]).unique().sort()
