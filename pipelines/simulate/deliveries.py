"""The files of a simulated shop, written piece by piece, so that no table is ever whole in memory.

A table's rows go to the delivery that brings them, ``deliveries/<table>/<last day>.parquet``, every cell as text as a
shop's export has it. What stands in the rows is not this module's business.
"""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from pipelines.simulate.block import DELIVERY
from pipelines.simulate.clock import Clock
from pipelines.simulate.dirt import RULES, spoil

if TYPE_CHECKING:
    import pyarrow.parquet as pq

REPEATED = frozenset(
    (
        "amount", "assignment", "campaign", "carrier", "category", "channel", "city", "comment", "country", "currency",
        "discount", "first_name", "is_granted", "is_open", "is_test", "kind", "last_name", "outcome", "points",
        "product_id", "product_name", "promised_day", "quantity", "reason", "score", "status", "tags", "topic",
        "unit_price",
    )
)  # fmt: skip
"""Columns of few different texts."""
DIRTY_ROWS = {"table": pl.String(), "file": pl.String(), "row_number": pl.Int64(), "rules": pl.String()}


class Files:
    """Parquet files that grow by pieces; the first piece of each says which columns it has."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._rows: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def append(self, name: str, frame: pl.DataFrame) -> int:
        """Add rows to a file; how many rows stood before them."""
        import pyarrow.parquet as pq

        before = self._rows.get(name, 0)
        if frame.height or name not in self._writers:
            rows = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
            if name not in self._writers:
                path = self._folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                repeated = [column for column in frame.columns if column in REPEATED]
                # Dictionaries and statistics of texts that hardly repeat cost a third of the time and save nothing.
                self._writers[name] = pq.ParquetWriter(
                    path,
                    rows.schema,
                    compression="zstd",
                    use_dictionary=repeated,  # pyright: ignore[reportArgumentType]  # the stubs know flags only
                    write_statistics=False,
                )
            self._writers[name].write_table(rows)
            self._rows[name] = before + frame.height
        return before

    def rows(self) -> Mapping[str, int]:
        """Count the rows of each file."""
        return self._rows


class Deliveries:
    """Deliveries of all tables, and which of their rows are broken."""

    def __init__(self, files: Files, clock: Clock, dirty_share: float) -> None:
        self._files, self._share = files, dirty_share
        days = [clock.day(edge - 0.5) for edge in clock.edges]
        self._names = [*(f"{day}.parquet" for day in days), f"{clock.day(clock.end)}.parquet"]
        self._dirty: list[pl.DataFrame] = [pl.DataFrame(schema=DIRTY_ROWS)]
        self.counts: dict[str, int] = {}

    @property
    def corrections(self) -> int:
        """Number of the delivery that comes after all others and brings corrections."""
        return len(self._names) - 1

    def add(self, table: str, rows: pl.DataFrame, generator: np.random.Generator) -> None:
        """Put the rows of one table into their deliveries, with broken ones behind them."""
        broken = spoil(table, rows, self._share, generator)
        for number, name in enumerate(self._names):
            brought = pl.col(DELIVERY) == number
            part, dirty = rows.filter(brought).drop(DELIVERY), broken.filter(brought).drop(DELIVERY)
            if part.is_empty():
                continue
            before = self._files.append(f"deliveries/{table}/{name}", pl.concat([part, dirty.drop(RULES)]))
            start = before + part.height + 1
            found = pl.select(
                pl.lit(table).alias("table"),
                pl.lit(name).alias("file"),
                pl.int_range(start, start + dirty.height, dtype=pl.Int64).alias("row_number"),
                dirty[RULES].alias("rules"),
            )
            self._dirty.append(found)
            self.counts[table] = self.counts.get(table, 0) + part.height + dirty.height

    def dirty_rows(self) -> pl.DataFrame:
        """Say which delivered rows are broken, and by which rules."""
        return pl.concat(self._dirty).sort("table", "file", "row_number")
