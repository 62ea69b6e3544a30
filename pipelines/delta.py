"""Delta tables under any folder name.

deltalake tells a table's files with percent-encoded folder names, and Polars looks for them under those: with a
space or an umlaut in the path nothing is found (pola-rs/polars issue 20944). What is in a table is
`pipelines.lake`'s business.
"""

from typing import Any
from urllib.parse import unquote

from deltalake import DeltaTable


class LocalDeltaTable(DeltaTable):
    """A Delta table on this machine's disk that names its files as the disk does."""

    def file_uris(self, *args: Any, **kwargs: Any) -> list[str]:
        """List the files of the loaded version."""
        return [unquote(uri) for uri in super().file_uris(*args, **kwargs)]

    @property
    def table_uri(self) -> str:
        """Folder of the table."""
        return unquote(super().table_uri)
