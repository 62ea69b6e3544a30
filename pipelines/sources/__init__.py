"""One file a delivered format; a reader gives a file's columns and its rows as text, and judges nothing.

To add a format, write a module with a `Reader` and name it in `READERS`. What a column means is the mapping's
business (`pipelines.sources.arrivals`), what a value means the contract's (`pipelines.ingest`).
"""

from pipelines.errors import ShopError
from pipelines.sources.csv import CsvReader
from pipelines.sources.parquet import ParquetReader
from pipelines.sources.reader import Reader

READERS: dict[str, Reader] = {"parquet": ParquetReader(), "csv": CsvReader()}


def reader_of(format_name: str) -> Reader:
    """Find the reader of a format.

    Raises
    ------
    ShopError
        No reader has that name; the message lists those there are.
    """
    if format_name not in READERS:
        raise ShopError(f"There is no format {format_name!r}. Known formats: {', '.join(sorted(READERS))}.")
    return READERS[format_name]
