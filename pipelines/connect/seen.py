"""Look at a file nobody has described yet: its format, its columns and its first records.

What the columns mean is `pipelines.connect.guess`' business; how much of a large file is read, `heads`'.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.connect.heads import Head, Kind, first_text, head_of, kind_of
from pipelines.errors import DeliveryError
from pipelines.settings import Layout
from pipelines.sources import formats
from pipelines.sources.arrivals import reading
from pipelines.sources.reader import RECORD, Format

SAMPLE_ROWS = 20_000
SUFFIXES: dict[Kind, tuple[str, ...]] = {
    "parquet": (".parquet",),
    "workbook": (".xlsx", ".xlsm"),
    "json": (".jsonl", ".ndjson", ".json"),
    "text": (".csv", ".tsv", ".txt"),
}
"""How names of files of a kind usually end."""


@dataclass(frozen=True)
class Seen:
    """One file, or one sheet of a workbook, as far as it was looked at.

    Attributes
    ----------
    layout
        What must be said to read it: which sheet it is.
    columns
        Names of its columns as its format reads them.
    records
        Its first records under those names, with `FAULT` and `RECORD`.
    rows
        How many rows it has, about if only its head was read.
    is_whole
        Whether it was read to its end.
    """

    path: Path
    format: Format
    layout: Layout
    columns: tuple[str, ...]
    records: pl.DataFrame
    rows: int
    is_whole: bool

    @property
    def is_platform(self) -> bool:
        """Whether its format says by itself what the columns mean."""
        return bool(self.format.columns)


def look_at(path: Path) -> list[Seen]:
    """Look at a file: one entry, or one for each sheet of a workbook that has rows.

    Raises
    ------
    DeliveryError
        It is empty, of no known kind, or cannot be read.
    """
    try:
        kind = kind_of(path)
        with head_of(path, kind) as head:
            if kind != "workbook":
                return [_look(path, kind, head, Layout())]
            return _look_at_sheets(path, head)
    except OSError as error:
        raise DeliveryError(f"{path} cannot be read ({error.strerror or error}).") from error


def known_suffixes() -> tuple[str, ...]:
    """Give the ways in which names of files end that some format reads."""
    usual = {suffix for suffixes in SUFFIXES.values() for suffix in suffixes}
    return tuple(sorted(usual | {suffix for known in formats().values() for suffix in known.suffixes}))


def _look_at_sheets(path: Path, head: Head) -> list[Seen]:
    import fastexcel

    try:
        names = fastexcel.read_excel(str(path)).sheet_names
    except fastexcel.FastExcelError as error:
        raise DeliveryError(
            f"{path} is not a whole Excel workbook ({str(error).splitlines()[0]})."
        ) from error
    found: list[Seen] = []
    refusals: list[DeliveryError] = []
    for number, name in enumerate(names):
        try:
            found.append(_look(path, "workbook", head, Layout(sheet=name if number else None)))
        except DeliveryError as error:
            refusals.append(error)
    if not found:
        raise refusals[0] if refusals else DeliveryError(f"{path} is a workbook without sheets.")
    return found


def _look(path: Path, kind: Kind, head: Head, layout: Layout) -> Seen:
    source_format, columns = _format(path, kind, head, layout)
    with reading(path):
        rows = source_format.reader.rows(head.path, layout).with_row_index(RECORD, offset=1)
        records = rows.head(SAMPLE_ROWS).collect(engine="streaming")
        count = rows.select(pl.len()).collect(engine="streaming").item()
    if not count:
        raise DeliveryError(f"{path} is empty: it has columns and no rows. Remove it or deliver it again.")
    about = count if head.is_whole else round(count / head.share)
    return Seen(path, source_format, layout, columns, records, about, head.is_whole)


def _format(path: Path, kind: Kind, head: Head, layout: Layout) -> tuple[Format, tuple[str, ...]]:
    """Take the platform's format that has the most telling columns, else the first general one that can read."""
    candidates = [known for known in formats().values() if _is_of(known, kind)]
    start = first_text(head.path) if kind == "text" else None
    platforms = [
        known
        for known in candidates
        if known.signature and (start is None or all(name in start for name in known.signature))
    ]
    general = sorted(
        (known for known in candidates if not known.columns),
        key=lambda known: not path.name.lower().endswith(known.suffixes),
    )
    refusal = DeliveryError(f"{path} is of no known kind. Known formats: {', '.join(formats())}.")
    matches: list[tuple[Format, tuple[str, ...]]] = []
    for known in (*platforms, *general):
        if matches and not known.signature:
            break
        try:
            with reading(path):
                columns = tuple(known.reader.columns(head.path, layout))
        except DeliveryError as error:
            refusal = DeliveryError(str(error).replace(str(head.path), str(path)))
            continue
        if known.signature <= set(columns):
            matches.append((known, columns))
    if not matches:
        raise refusal
    return max(matches, key=lambda one: len(one[0].signature))


def _is_of(known: Format, kind: Kind) -> bool:
    return any(usual in suffix for suffix in known.suffixes for usual in SUFFIXES[kind])
