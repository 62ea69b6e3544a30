"""The journal of an erasure: whom it erases and what it found, so that one that was killed can be taken to its end.

It lies in the lake, for its owner only, from before the first thing is changed until all is gone.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipelines.errors import LakeError
from pipelines.lake import Lake
from pipelines.privacy.person import Person

NAME = "erasing.json"


@dataclass(frozen=True, slots=True)
class Journal:
    """An erasure that has begun.

    Attributes
    ----------
    terms, names
        What names the person in texts; see `pipelines.privacy.tables.Holdings`.
    rows, delivered_rows
        Rows that were found by table, and in kept files.
    files
        Files that were changed or removed so far.
    erased
        For each delivery, by table and id: how many of its rows are erased when this is done.
    lists
        Lists that the person was on.
    """

    erasure_id: str
    person: Person
    terms: tuple[str, ...]
    names: tuple[str, ...]
    rows: dict[str, int]
    delivered_rows: int
    files: int
    erased: dict[str, dict[str, int]]
    lists: tuple[str, ...]

    def write(self, lake: Lake) -> "Journal":
        """Write it down, whole or not at all."""
        path = lake.root / NAME
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        return self

    def counting(self, lake: Lake, files: int) -> "Journal":
        """Count more files, and write that down."""
        return replace(self, files=self.files + files).write(lake) if files else self


def begun(lake: Lake) -> Journal | None:
    """Give the erasure that has begun and has not ended; None where there is none.

    Raises
    ------
    LakeError
        Its journal cannot be read.
    """
    path = lake.root / NAME
    if not path.exists():
        return None
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        person = Person(
            tuple(told["person"]["keys"]),
            {kind: tuple(texts) for kind, texts in told["person"]["identifiers"].items()},
        )
        lists = {name: tuple(told[name]) for name in ("terms", "names", "lists")}
        return Journal(**{**told, **lists, "person": person})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LakeError(
            f"{path}, the journal of an erasure that was broken off, cannot be read. Restore it from a backup, or "
            "delete it and name the person again."
        ) from error


def end(lake: Lake) -> None:
    """Forget the erasure: all is gone."""
    path: Path = lake.root / NAME
    path.unlink(missing_ok=True)
    path.with_suffix(".draft").unlink(missing_ok=True)
