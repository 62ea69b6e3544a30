"""The folder that a simulated shop is written to: nothing in it that was not written by a simulation is ever touched.

A list of what was written lies in `RECORD`; a file that is not on it, or has changed since, stops the writing.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pipelines.errors import ShopError

RECORD = "simulated.json"
DRAFT = ".simulating"
OWN = ("deliveries", "truth", "MODEL.md", "shop.toml", RECORD)
"""What a simulation writes; other names in the folder are left alone."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a shop is written, and where it is drafted."""

    folder: Path

    @property
    def draft(self) -> Path:
        """Folder to write to until all is there."""
        return self.folder / DRAFT

    @classmethod
    def of(cls, folder: Path, *, force: bool) -> Self:
        """Check that a folder may be written to.

        Raises
        ------
        ShopError
            It holds something, and ``force`` is not given or that something is not a simulation's.
        """
        if folder.exists() and not folder.is_dir():
            raise ShopError(f"{folder} is a file. Give the name of a folder to --out.")
        found = [path for path in folder.iterdir() if path.name != DRAFT] if folder.is_dir() else []
        if found and not force:
            raise ShopError(
                f"{folder} is not empty. Give another folder to --out, or --force to write over a simulated shop "
                "that lies in it."
            )
        if found:
            _check_own(folder)
        return cls(folder)

    def __enter__(self) -> Self:
        try:
            shutil.rmtree(self.draft, ignore_errors=True)
            self.draft.mkdir(parents=True)
        except OSError as error:
            raise ShopError(f"{self.folder} cannot be written: {error.strerror or error}.") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.draft, ignore_errors=True)

    def finish(self) -> None:
        """Put the draft in the place of what was there before."""
        sizes = {
            str(path.relative_to(self.draft)): path.stat().st_size
            for path in sorted(self.draft.rglob("*"))
            if path.is_file()
        }
        (self.draft / RECORD).write_text(json.dumps(sizes, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        for name in OWN:
            old = self.folder / name
            if old.is_dir():
                shutil.rmtree(old)
            else:
                old.unlink(missing_ok=True)
        for path in self.draft.iterdir():
            path.rename(self.folder / path.name)


def _check_own(folder: Path) -> None:
    """Refuse a folder in which anything under our names is not as a simulation left it."""
    record = folder / RECORD
    told = f"--force writes over nothing but a simulated shop: {folder}"
    if not record.is_file():
        raise ShopError(f"{told} has no {RECORD}, so no simulation wrote it. Give another folder to --out.")
    try:
        sizes: dict[str, int] = json.loads(record.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ShopError(f"{told}/{RECORD} cannot be read. Give another folder to --out.") from error
    for path in _files(folder):
        name = str(path.relative_to(folder))
        if path != record and name.split("/")[0] in OWN and sizes.get(name) != path.stat().st_size:
            raise ShopError(
                f"{told} has {name}, which was added or changed since. Move it away, or give another folder."
            )


def _files(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.rglob("*") if path.is_file() and DRAFT not in path.parts[len(folder.parts) :]
    )
