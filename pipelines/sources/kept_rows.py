"""Files of which rows were erased: their rows as they were read, in Parquet, in the place of the file.

A delivered file is kept as it came, until a person in it is erased: then only its other rows are kept, under the file's
own column names, as text, as the source's format and layout read them that day. Mapping, fixed values, parts and
timezone may still change; format and layout may not. Whose rows go is said by `pipelines.ingest.erased`.
"""

import hashlib
import re
from pathlib import Path

import polars as pl

from pipelines.settings import Source
from pipelines.sources.reader import FAULT, RECORD

SUFFIX = ".rows.parquet"
NAME = re.compile(r"(?P<sha256>[0-9a-f]{64})-(?P<source>.+)-(?P<shape>[0-9a-f]{8})\.rows\.parquet")


def rows_file(landed: Path, sha256: str, source: Source) -> Path:
    """Where the rows of a file that was delivered to a source lie, where some were erased."""
    return landed / f"{sha256}-{source.name}-{_shape_id(source)}{SUFFIX}"


def rows_files(landed: Path, sha256: str) -> list[Path]:
    """Every file of rows that stands in the place of a delivered file, sorted."""
    return sorted(landed.glob(f"{sha256}-*{SUFFIX}"))


def delivered_sha256(path: Path) -> str | None:
    """Give the checksum of the delivered file that a file of rows stands for; None for any other file."""
    found = NAME.fullmatch(path.name)
    return found["sha256"] if found else None


def source_of(path: Path) -> str | None:
    """Name the source that a file of rows was read for; None for any other file."""
    found = NAME.fullmatch(path.name)
    return found["source"] if found else None


def columns(path: Path) -> list[str]:
    """Column names of the delivered file, and those that its format adds."""
    return [name for name in pl.read_parquet_schema(path) if name not in (FAULT, RECORD)]


def scan(path: Path) -> pl.LazyFrame:
    """Read the rows, with `FAULT` and `RECORD` as on the day they were kept."""
    return pl.scan_parquet(path, glob=False)


def write(rows: pl.LazyFrame, path: Path, delivered: Path) -> None:
    """Keep rows in the place of the file ``delivered``, with what that says about itself as a whole."""
    draft = path.with_name(path.name + ".draft")
    rows.sink_parquet(draft, metadata=_metadata(delivered), mkdir=True)
    draft.replace(path)


def _metadata(delivered: Path) -> dict[str, str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        told = pq.read_metadata(delivered).metadata or {}
    except (pa.ArrowException, OSError):  # no Parquet file: it says nothing
        return {}
    return {
        key.decode(): value.decode() for key, value in told.items() if key not in (b"ARROW:schema", b"pandas")
    }


def _shape_id(source: Source) -> str:
    """Checksum of what decides how rows are read: these settings can no longer change."""
    told = source.model_dump_json(include={"format", "table", "layout"})
    return hashlib.sha256(told.encode()).hexdigest()[:8]
