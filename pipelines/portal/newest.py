"""The newest finished run, and what was worked out from it: read once, until another run has finished.

A request asks the disk for one time of change and nothing else. What is worked out belongs to
`pipelines.portal.shelf`.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import polars as pl

from data_contracts import table
from pipelines.delivery.departures import Remembered, stamp
from pipelines.lake import Lake
from pipelines.snapshots import Snapshot, newest_snapshot

KEPT = 1_000
"""Answers kept; each is a small record or frame. What is not asked for any more gives way."""

Made = TypeVar("Made")


class Newest:
    """Tables of the newest finished run of a lake, and a memory of what was made of them."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._snapshots: Remembered[Snapshot] = Remembered(2)
        self._kept: Remembered[Any] = Remembered(KEPT)

    @property
    def snapshot(self) -> Snapshot:
        """The newest finished run.

        Raises
        ------
        LakeError
            There is none.
        """
        return self._snapshots.get(self._changed(), lambda: newest_snapshot(self.lake))

    def remembered(self, name: Hashable, make: Callable[[], Made]) -> Made:
        """Give what was worked out under a name, working it out if this is the first time since the last run.

        Who asks for the same at once waits for it; nobody else does.
        """
        return self._kept.get((self._changed(), name), make)

    def scan(self, name: str) -> pl.LazyFrame:
        """Read a table as the run left it, with every column that the dictionary promises.

        Of a table that the run did not have there are no rows; columns that it did not have yet are null.
        """
        promised = pl.Schema(table(name).schema)
        version = self.snapshot.versions.get(name)
        if version is None:
            return pl.LazyFrame(schema=promised)
        frame = self.lake.scan(name, version=version)
        has = frame.collect_schema()
        blank = {column: pl.lit(None, dtype) for column, dtype in promised.items() if column not in has}
        return frame.with_columns(**blank).select(promised.names())

    def _changed(self) -> tuple[int, ...]:
        """When a snapshot was last added, or an erasure pointed them elsewhere."""
        return stamp(self.lake, "snapshots")
