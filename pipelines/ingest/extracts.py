"""Fetch what is new in a shop's databases, as files that land like any other.

An extract lies in the lake from the moment it is fetched until it has landed, so that a run that dies in between loses
none of it. How a database is asked stands in `pipelines.sources.postgres`.
"""

from pathlib import Path

from pipelines.ingest.receipts import receipts, settle
from pipelines.lake import Lake
from pipelines.settings import Source
from pipelines.shop import Shop
from pipelines.sources.arrivals import Arrival, checksum, look
from pipelines.sources.postgres import extract, newest_change


def extracts(lake: Lake, shop: Shop, table: str) -> list[Arrival]:
    """Fetch what changed in every database source of a table since the last landed extract.

    Raises
    ------
    ShopError, DeliveryError
        A database cannot be asked; see `pipelines.sources.postgres.extract`.
    """
    sources = [source for source in shop.sources_of(table) if source.database is not None]
    if not sources:
        return []
    settle(lake, table)
    return [arrival for source in sources for arrival in _extracts_of(lake, shop, source)]


def _extracts_of(lake: Lake, shop: Shop, source: Source) -> list[Arrival]:
    folder = lake.root / "landed" / "extracts" / source.name
    landed = {one.sha256: lake.root / "landed" / one.kept_file for one in receipts(lake, source.table)
              if one.source == source.name}  # fmt: skip
    changes = [newest_change(file) for file in landed.values() if file.exists()]
    extract(source, folder, max((change for change in changes if change), default=None))
    return [arrival for file in _waiting(folder, set(landed)) for arrival in look(shop, source, file)]


def _waiting(folder: Path, landed: set[str]) -> list[Path]:
    """Give the extracts that have not landed yet; the others have done their duty."""
    waiting: list[Path] = []
    for file in sorted(folder.glob("*.parquet")):
        if checksum(file) in landed:
            file.unlink()
        else:
            waiting.append(file)
    return waiting
