"""What every reader offers. Nothing here knows a format."""

from pathlib import Path
from typing import Protocol

import polars as pl


class Reader(Protocol):
    """Reads one delivered format.

    Both methods raise `pipelines.errors.DeliveryError` when the file is not what its format says.
    """

    def columns(self, path: Path) -> list[str]:
        """Read the file's column names, in file order."""
        ...

    def rows(self, path: Path) -> pl.LazyFrame:
        """Read every row in file order, every value as the text that stands for it; an empty cell is null."""
        ...
