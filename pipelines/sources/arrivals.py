"""Look at what a shop's sources hold right now: which files, and whether they bring what their table needs.

Looking changes nothing. Taking the rows in is `pipelines.ingest.landing`.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data_contracts.dictionary import delivered_columns
from pipelines.errors import DeliveryError, ShopError
from pipelines.settings import Source
from pipelines.shop import Shop
from pipelines.sources import reader_of


@dataclass(frozen=True, slots=True)
class Arrival:
    """One delivery that lies ready: a file, or a part of one.

    Attributes
    ----------
    delivery_id
        The same for the same source, file contents and part.
    part
        Value of the source's ``split_by`` column; None for a whole file.
    unknown_columns
        Columns of the file that no setting maps.
    """

    source: Source
    path: Path
    sha256: str
    part: str | None
    delivery_id: str
    unknown_columns: tuple[str, ...]

    def rows(self) -> pl.LazyFrame:
        """Read the delivery's rows under canonical names, as text; what it does not bring is null."""
        mapping = self.source.columns
        frame = reader_of(self.source.format).rows(self.path)
        if self.source.split_by is not None:
            frame = frame.filter(pl.col(self.source.split_by) == self.part)
        return frame.select(
            pl.col(mapping[column.name]).alias(column.name)
            if column.name in mapping
            else pl.lit(None, pl.String).alias(column.name)
            for column in delivered_columns(self.source.table)
        )


def arrivals(shop: Shop, table: str | None = None) -> list[Arrival]:
    """Look at every file of every source (of one table), in the order in which they are to be taken.

    Raises
    ------
    DeliveryError
        A file is missing, cut short or empty, or lacks a column that its table needs.
    ShopError
        A source's mapping names a column that its table does not have.
    """
    sources = shop.sources if table is None else shop.sources_of(table)
    return [arrival for source in sources for path in _files(shop, source) for arrival in _look(source, path)]


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say which file it is that breaks off or turns to nonsense: readers are lazy and see it late."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DeliveryError(f"{path} cannot be read to its end ({reason}). Fetch it again.") from error


def source_name(delivery_id: str) -> str:
    """Give the source that a delivery came from."""
    return delivery_id.rsplit("-", 2)[0]


def _files(shop: Shop, source: Source) -> list[Path]:
    paths = (
        sorted(shop.folder.glob(source.path)) if not Path(source.path).is_absolute() else [Path(source.path)]
    )
    if not paths or not paths[0].exists():
        raise DeliveryError(
            f"Source {source.name}: there is no file {shop.folder / source.path}. "
            "Put the delivery there or correct `path` in shop.toml."
        )
    return paths


def _look(source: Source, path: Path) -> list[Arrival]:
    reader = reader_of(source.format)
    have = reader.columns(path)
    _check_mapping(source, path, have)
    unknown = tuple(name for name in have if name not in {*source.columns.values(), source.split_by})
    sha256 = _sha256(path)
    frame = reader.rows(path)
    with reading(path):
        parts = (
            [None]
            if source.split_by is None
            else frame.select(pl.col(source.split_by).unique(maintain_order=True))
            .collect()
            .to_series()
            .to_list()
        )
        rows = frame.select(pl.len()).collect().item()
    if not rows:
        raise DeliveryError(f"{path} is empty: it has columns and no rows. Remove it or deliver it again.")
    if None in parts and source.split_by:
        raise DeliveryError(
            f"{path}, column {source.split_by}: some rows have no value, so their delivery is unknown."
        )
    return [
        Arrival(source, path, sha256, part, f"{source.name}-{sha256[:12]}-{number}", unknown)
        for number, part in enumerate(parts, start=1)
    ]


def _check_mapping(source: Source, path: Path, have: list[str]) -> None:
    canonical = delivered_columns(source.table)
    names = {column.name for column in canonical}
    if strangers := sorted(set(source.columns) - names):
        raise ShopError(
            f"Source {source.name} maps {', '.join(strangers)}, which table {source.table} does not have. "
            f"It has: {', '.join(sorted(names))}."
        )
    if unmapped := [c.name for c in canonical if c.required and c.name not in source.columns]:
        raise ShopError(f"Source {source.name} does not say which column holds {', '.join(unmapped)}.")
    wanted = [*source.columns.values(), *([source.split_by] if source.split_by else [])]
    if missing := [name for name in wanted if name not in have]:
        raise DeliveryError(
            f"{path} has no column {', '.join(repr(name) for name in missing)} (source {source.name}). "
            f"It has: {', '.join(have)}. Correct the mapping in shop.toml or the file."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
