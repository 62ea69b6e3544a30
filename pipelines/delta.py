"""Delta tables under any folder name.

deltalake tells a table's files with percent-encoded folder names, and Polars looks for them under those:
with a space or an umlaut in the path nothing is found (pola-rs/polars issue 20944). Which tables there are
and what they hold is `pipelines.lake`'s business.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from deltalake import CommitProperties, DeltaTable

RESTORES = "restores"
"""Note of a commit that takes later ones back: the version that holds again."""
NULLS = "null_count."
"""How the files' counts of nulls are called in a table's list of its files."""
HISTORY_TO_SEARCH = 200
"""Commits looked through for the last one of an as_of; older as_ofs are computed anew."""


class LocalDeltaTable(DeltaTable):
    """A Delta table on this machine's disk that names its files as the disk does."""

    def file_uris(self, *args: Any, **kwargs: Any) -> list[str]:
        """List the files of the loaded version."""
        return [unquote(uri) for uri in super().file_uris(*args, **kwargs)]

    @property
    def table_uri(self) -> str:
        """Folder of the table."""
        return unquote(super().table_uri)

    def blank_columns(self) -> list[str]:
        """Name the columns that no row fills, where the files' own counts say so."""
        files = self.get_add_actions(flatten=True)
        counts = dict(zip(files.column_names, files.columns, strict=True))
        rows = counts["num_records"].to_pylist()
        nulls = {name.removeprefix(NULLS): counts[name] for name in counts if name.startswith(NULLS)}
        return [name for name, count in nulls.items() if count.to_pylist() == rows]

    def standing_commits(self) -> Iterator[dict[str, Any]]:
        """Give the notes of the commits that still hold, newest first; those taken back are passed over."""
        newest = self.version()
        for commit in self.history(HISTORY_TO_SEARCH):
            if commit["version"] > newest:
                continue
            if RESTORES in commit:
                newest = int(commit[RESTORES])
            else:
                yield commit

    def take_back(self) -> None:
        """Restore the version before the newest by a commit of its own."""
        before = self.version() - 1
        self.restore(before, commit_properties=CommitProperties(custom_metadata={RESTORES: str(before)}))
