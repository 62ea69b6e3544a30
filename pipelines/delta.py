"""Delta tables under any folder name.

deltalake tells a table's files with percent-encoded folder names, and Polars looks for them under those:
with a space or an umlaut in the path nothing is found (pola-rs/polars issue 20944). Which tables there are
and what they hold is `pipelines.lake`'s business.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
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

    def forget_other_versions(self, root: Path) -> None:
        """Keep nothing below the table's folder but the loaded version, which is the newest.

        Files that it does not name go, and with them the log of how it came to be: that holds the least and the
        greatest value of each column of every file there ever was. What goes is listed by deltalake, and deleted here:
        its own deleting would be commits of its own, and the version that readers were told of would go, too.
        """
        superfluous = self.vacuum(0, dry_run=True, enforce_retention_duration=False, full=True)
        self.create_checkpoint()
        _delete(root, superfluous)
        for file in (root / "_delta_log").iterdir():
            number = file.name.split(".")[0]
            if number.isdigit() and int(number) < self.version():
                file.unlink()

    def forget_versions_replaced(self, root: Path, ago: timedelta, but: int | None = None) -> None:
        """Delete the files that belong only to versions that were replaced longer ago than ``ago``, ``but`` one."""
        hours = int(ago.total_seconds() // 3600)
        kept = None if but is None else [but]
        _delete(root, self.vacuum(hours, dry_run=True, enforce_retention_duration=False, keep_versions=kept))

    def take_back(self) -> None:
        """Restore the version before the newest by a commit of its own."""
        before = self.version() - 1
        self.restore(before, commit_properties=CommitProperties(custom_metadata={RESTORES: str(before)}))


def _delete(root: Path, names: list[str]) -> None:
    """Delete files of a table, by the percent-encoded names that deltalake tells."""
    for name in names:
        (root / unquote(name)).unlink(missing_ok=True)
