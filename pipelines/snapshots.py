"""Snapshots: which version of every table belongs together. Readers see the newest, so nobody sees half a run."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from data_contracts import table
from pipelines.errors import LakeError
from pipelines.lake import Lake


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One finished run."""

    snapshot_id: str
    run_id: str
    as_of: date
    finished_at: datetime
    versions: dict[str, int]
    settings_hash: str
    code_version: str

    def row(self) -> pl.DataFrame:
        """The snapshot as one row of table ``snapshots``."""
        return pl.DataFrame(
            {
                "snapshot_id": [self.snapshot_id],
                "run_id": [self.run_id],
                "as_of": [self.as_of],
                "finished_at": [self.finished_at],
                "versions": [json.dumps(self.versions, sort_keys=True)],
                "settings_hash": [self.settings_hash],
                "code_version": [self.code_version],
            }
        )


class LakeAtSnapshot(Lake):
    """A lake as one finished run left it, for reading: what came later is not seen."""

    def __init__(self, root: Path, snapshot: Snapshot) -> None:
        super().__init__(root)
        self._snapshot = snapshot

    def scan(self, name: str, *, version: int | None = None, as_of: date | None = None) -> pl.LazyFrame:
        """Read a table as the run left it; of one that it did not write, no rows."""
        known = self._snapshot.versions.get(name) if version is None else version
        if known is None:
            return table(name).empty().lazy()
        return super().scan(name, version=known, as_of=as_of)

    def as_of(self, name: str) -> date | None:
        """Give the run's day for the tables that it wrote."""
        return self._snapshot.as_of if name in self._snapshot.versions else None


def newest_snapshot(lake: Lake, as_of: date | None = None) -> Snapshot:
    """The snapshot that readers see: of the latest as_of (or of the one named), the last that finished.

    Raises
    ------
    LakeError
        There is none.
    """
    found = lake.scan("snapshots").sort("as_of", "finished_at")
    if as_of is not None:
        found = found.filter(pl.col("as_of") == as_of)
    last = found.tail(1).collect()
    if last.is_empty():
        of = "" if as_of is None else f" for {as_of}"
        raise LakeError(f"{lake.root} has no finished run{of} yet. Run `retention run` first.")
    row = last.row(0, named=True)
    return Snapshot(**{**row, "versions": json.loads(row["versions"])})
