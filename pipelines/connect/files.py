"""Which files a person means: files, folders with everything below them, and globs.

What is in the files is `pipelines.connect.seen`' business.
"""

from dataclasses import dataclass
from pathlib import Path

from pipelines.connect.seen import known_suffixes
from pipelines.errors import DeliveryError

MOST_FILES = 2_000


@dataclass(frozen=True, slots=True)
class Found:
    """Files to look at, and those of folders that are left out because no format reads such names."""

    files: tuple[Path, ...]
    left_out: tuple[Path, ...]


def find_files(wanted: list[str]) -> Found:
    """Find the files that are meant, each once, sorted.

    Raises
    ------
    DeliveryError
        A name stands for nothing, or folders hold too many files.
    """
    files: set[Path] = set()
    left_out: set[Path] = set()
    for name in wanted:
        place = Path(name).expanduser()
        if place.is_file():
            files.add(place.resolve())
            continue
        anchor = Path(place.anchor)
        below = place.rglob("*") if place.is_dir() else anchor.glob(str(place.relative_to(anchor)))
        tables = _tables_below(place) if place.is_dir() else set()
        found = {path.resolve() for path in below if _is_delivered(path) and not tables & {*path.parents}}
        if not found:
            raise DeliveryError(
                f"There is no file {name}. Name files, folders or patterns such as 'exports/*.csv'."
            )
        known = {path for path in found if path.name.lower().endswith(known_suffixes())}
        files |= known or found
        left_out |= found - known if known else set()
    if len(files) > MOST_FILES:
        raise DeliveryError(
            f"These are {len(files):,} files. Name one of each kind: a source takes a pattern later."
        )
    return Found(tuple(sorted(files)), tuple(sorted(left_out - files)))


def _tables_below(place: Path) -> set[Path]:
    """Find folders of the lab's own: lakes and stored tables lie beside deliveries at times."""
    return {mark.parent for name in ("lake.json", "_delta_log") for mark in place.rglob(name)}


def _is_delivered(path: Path) -> bool:
    is_ours = path.name == "shop.toml"
    return (
        path.is_file() and not is_ours and not any(part.startswith((".", "~$")) for part in path.parts[-2:])
    )
