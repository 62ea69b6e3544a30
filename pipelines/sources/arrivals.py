"""Look at what a shop's sources hold right now: which files, and whether they bring what their table needs.

Looking changes nothing. Taking the rows in is `pipelines.ingest.landing`.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from data_contracts.dictionary import delivered_columns
from pipelines.errors import DeliveryError
from pipelines.settings import Source
from pipelines.shop import Shop
from pipelines.sources import format_of, kept_rows
from pipelines.sources.conventions import Conventions, find_conventions, in_canonical_text
from pipelines.sources.mapping import mapping_of, values_of
from pipelines.sources.reader import FAULT, RECORD, Format

CANDIDATE_FILES = "*"
"""What a source whose path is a folder takes of it."""


@dataclass(frozen=True)
class Arrival:
    """One delivery that lies ready: a file, or a part of one.

    Attributes
    ----------
    path, origin
        Where its bytes are read, and where it was delivered.
    delivery_id
        The same for the same source, file contents and part.
    part
        Value of the source's ``split_by`` column; None for a whole file.
    mapping
        Canonical column -> the file's column.
    unknown_columns
        Columns of the file that no setting maps and its format does not know.
    zone
        Timezone of times without an offset, where it is not the shop's.
    """

    source: Source
    path: Path
    origin: Path
    sha256: str
    part: str | None
    delivery_id: str
    mapping: dict[str, str]
    unknown_columns: tuple[str, ...]
    zone: ZoneInfo | None

    def rows(self) -> pl.LazyFrame:
        """Read the delivery's rows under canonical names, as canonical text; what it does not bring is null.

        `FAULT` stands beside the canonical columns.
        """
        columns = delivered_columns(self.source.table)
        return in_canonical_text(self._as_delivered(), columns, self.conventions, self.zone).drop(RECORD)

    @cached_property
    def conventions(self) -> Conventions:
        """How the delivery writes dates and numbers."""
        columns, layout = delivered_columns(self.source.table), self.source.layout
        if layout.decimal is None:
            layout = layout.model_copy(update={"decimal": format_of(self.source.format).decimal})
        with reading(self.origin):
            return find_conventions(self._as_delivered(), columns, layout)

    def places(self, row_numbers: list[int]) -> dict[int, str]:
        """Say where in the file rows stand, by their number in the delivery."""
        source_format = format_of(self.source.format)
        is_rows_file = kept_rows.delivered_sha256(self.path) is not None
        records = (
            self._as_delivered()
            .select(RECORD)
            .with_row_index("row_number", offset=1)
            .filter(pl.col("row_number").is_in(row_numbers))
            .collect()
        )
        return {
            row_number: f"record {record}"
            if is_rows_file
            else source_format.reader.place(self.path, self.source.layout, record)
            for row_number, record in records.iter_rows()
        }

    def cells(self) -> pl.LazyFrame:
        """Read every row of the file, of all its parts, under canonical names, each value as delivered; and `FAULT`."""
        whole = self.source.model_copy(update={"split_by": None})
        return replace(self, source=whole, part=None)._as_delivered().drop(RECORD)

    def height(self) -> int:
        """Count the delivery's rows."""
        return self._as_delivered().select(pl.len()).collect(engine="streaming").item()

    def records(self) -> pl.LazyFrame:
        """Read every row of the file under the file's own names, in the order of `cells`."""
        return shaped(format_of(self.source.format), self.source, self.path)

    def _as_delivered(self) -> pl.LazyFrame:
        frame = shaped(format_of(self.source.format), self.source, self.path)
        if self.source.split_by is not None:
            frame = frame.filter(pl.col(self.source.split_by) == self.part)
        return frame.select(
            *(self._cell(c.name) for c in delivered_columns(self.source.table)), FAULT, RECORD
        )

    def _cell(self, column: str) -> pl.Expr:
        if column in self.mapping:
            return pl.col(self.mapping[column]).alias(column)
        value = values_of(format_of(self.source.format), self.source).get(column)
        # A value for every row must not stand on rows that could not be read.
        constant = pl.when(pl.col(FAULT).is_null()).then(pl.lit(value, pl.String))
        return constant.alias(column) if value is not None else pl.lit(None, pl.String).alias(column)


def shaped(source_format: Format, source: Source, path: Path) -> pl.LazyFrame:
    """Read a file's rows for the source's table, under the file's own names and those that its format adds."""
    if kept_rows.delivered_sha256(path):
        return kept_rows.scan(path)
    records = source_format.reader.rows(path, source.layout).with_row_index(RECORD, offset=1)
    return source_format.shape(records, source.table)


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
    return [
        arrival
        for source in sources
        for path in files_of(shop, source)
        for arrival in look(shop, source, path)
    ]


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say which file it is that breaks off or turns to nonsense: readers are lazy and see it late."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DeliveryError(f"{path} cannot be read to its end ({reason}). Fetch it again.") from error


def reading_id(shop: Shop, source: Source) -> str:
    """Checksum of the settings by which a source's files are read: others, other rows."""
    said = {"format", "columns", "values", "split_by", "timezone", "layout"}
    columns = ",".join(column.name for column in delivered_columns(source.table))
    told = source.model_dump_json(include=said) + columns + (shop.timezone if source.timezone else "")
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def source_name(delivery_id: str) -> str:
    """Give the source that a delivery came from."""
    return delivery_id.rsplit("-", 2)[0]


def look(shop: Shop, source: Source, path: Path, origin: Path | None = None) -> list[Arrival]:
    """Look at one file of a source: its deliveries.

    Parameters
    ----------
    origin
        Where it was delivered, if that is not where it is read.
    """
    source_format = format_of(source.format)
    delivered_sha256 = kept_rows.delivered_sha256(path)
    have = (
        kept_rows.columns(path)
        if delivered_sha256
        else [*source_format.reader.columns(path, source.layout), *source_format.adds]
    )
    mapping = mapping_of(source_format, source, origin or path, have)
    unknown = tuple(
        name
        for name in have
        if name not in {*mapping.values(), source.split_by, *source_format.adds, *source_format.header}
    )
    sha256 = delivered_sha256 or checksum(path)
    parts = _parts(source_format, source, path, origin or path)
    zone = source.timezone or source_format.timezone
    return [
        Arrival(
            source=source,
            path=path,
            origin=origin or path,
            sha256=sha256,
            part=part,
            delivery_id=f"{source.name}-{sha256[:12]}-{number}",
            mapping=mapping,
            unknown_columns=unknown,
            zone=ZoneInfo(zone) if zone and zone != shop.timezone else None,
        )
        for number, part in enumerate(parts, start=1)
    ]


def files_of(shop: Shop, source: Source) -> list[Path]:
    """Find the files that a source holds right now, sorted by name; none for a database.

    Raises
    ------
    DeliveryError
        There is none.
    """
    if source.path is None:
        return []
    pattern = _pattern(shop, source)
    found = _matching(pattern)
    if not found:
        raise DeliveryError(
            f"Source {source.name}: there is no file {pattern}. "
            "Put the delivery there or correct `path` in shop.toml."
        )
    return found


NO_DELIVERIES = (".toml", ".md", ".py", ".ipynb", ".html", ".png", ".jpg", ".svg")
"""What people keep beside deliveries: settings, models, notebooks, pages, pictures."""


def untaken_files(shop: Shop) -> list[Path]:
    """Find files that lie in the folders of a shop's sources and that no source takes."""
    patterns = [_pattern(shop, source) for source in shop.sources if source.path is not None]
    taken = {file for pattern in patterns for file in _matching(pattern)}
    folders = {pattern.parent for pattern in patterns if not set("*?[") & set(str(pattern.parent))}
    beside = {
        file for folder in folders if folder.is_dir() for file in folder.iterdir() if _is_delivery(file)
    }
    return sorted(file for file in beside - taken if file.suffix not in NO_DELIVERIES)


def _pattern(shop: Shop, source: Source) -> Path:
    """Give the file or pattern that a source's path means; a folder means every file in it."""
    whole = Path(source.path or "").expanduser()
    place = whole if whole.is_absolute() else shop.folder / whole
    return place / CANDIDATE_FILES if place.is_dir() else place


def _matching(pattern: Path) -> list[Path]:
    if pattern.is_file():  # also one whose name has the letters of a pattern
        return [pattern]
    anchor = Path(pattern.anchor)
    return sorted(file for file in anchor.glob(str(pattern.relative_to(anchor))) if _is_delivery(file))


def _is_delivery(file: Path) -> bool:
    """Leave out hidden files and what programs keep beside a file while they write it."""
    return file.is_file() and not file.name.startswith((".", "~$")) and file.suffix not in (".part", ".tmp")


def _parts(source_format: Format, source: Source, path: Path, origin: Path) -> list[str | None]:
    with reading(origin):
        # A file may hold no row for one table, no refund say, and yet not be empty; all of its people may be erased.
        if kept_rows.delivered_sha256(path) is None and _is_empty(source_format, source, path):
            raise DeliveryError(
                f"{origin} is empty: it has columns and no rows. Remove it or deliver it again."
            )
        if source.split_by is None:
            return [None]
        names = shaped(source_format, source, path).select(
            pl.col(source.split_by).unique(maintain_order=True)
        )
        parts = names.collect().to_series().to_list()
    if None in parts:
        raise DeliveryError(
            f"{origin}, column {source.split_by}: some rows have no value, so their delivery is unknown."
        )
    return parts


def _is_empty(source_format: Format, source: Source, path: Path) -> bool:
    records = source_format.reader.rows(path, source.layout)
    return not records.select(pl.len()).collect(engine="streaming").item()


def checksum(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
