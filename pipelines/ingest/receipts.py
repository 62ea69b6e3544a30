"""Receipts: what landing knows of every delivery, one small file a landing.

A landing's file is written before its rows are committed and stands only once they are: the raw table's newest commit
names the landing that made it. So a run may die at any moment and rows and receipts still agree. How rows are taken in
is `landing`'s business.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from pipelines.lake import Lake
from pipelines.lock import write_whole

OPEN, STANDS = ".open.json", ".json"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What landing knows of one delivery; the contract's counts are added in table ``deliveries``.

    Attributes
    ----------
    reading
        Checksum of the settings by which the file was read.
    kept_file
        Name of the copy in ``landed/``.
    notes
        How the file writes dates and numbers, and by what evidence.
    erased
        Rows of erased people: counted in ``rows``, and not kept.
    """

    receipt_id: str
    delivery_id: str
    source: str
    table: str
    file_name: str
    part: str | None
    sha256: str
    received_at: str
    rows: int
    replayed: int
    kept: int
    is_repeat: bool
    unknown_columns: str
    reading: str
    kept_file: str
    notes: str
    erased: int = 0

    @property
    def moment(self) -> datetime:
        """When the lab first saw the delivery."""
        return datetime.fromisoformat(self.received_at)


@dataclass(frozen=True, slots=True)
class Landing:
    """The receipts of one landing of one table.

    Attributes
    ----------
    landing_id
        Number in the order of landings, and when.
    is_anew
        The raw table was made anew: earlier landings hold no longer.
    blocked
        Deliveries that were set aside as a whole when this landing looked for replays.
    """

    landing_id: str
    is_anew: bool
    blocked: tuple[str, ...]
    receipts: tuple[Receipt, ...]


def receipts(lake: Lake, table: str | None = None) -> list[Receipt]:
    """Every receipt that stands (of one table), in the order of landing."""
    return [receipt for landing in landings(lake, table) for receipt in landing.receipts]


def landings(lake: Lake, table: str | None = None) -> list[Landing]:
    """Every landing that stands (of one table), each table's in their order."""
    tables = [table] if table else sorted(folder.name for folder in _root(lake).glob("*") if folder.is_dir())
    return [landing for name in tables for landing in _standing(lake, name)]


def next_landing_id(lake: Lake, table: str, received_at: datetime) -> str:
    """Name the landing to come; the number goes on from those there are."""
    last = max((int(file.name[:6]) for file in _folder(lake, table).glob("*.json")), default=0)
    return f"{last + 1:06}-{received_at:%Y%m%dT%H%M%S}"


def open_landing(lake: Lake, table: str, landing: Landing) -> None:
    """Write down a landing whose rows are about to be committed."""
    _write(_folder(lake, table) / f"{landing.landing_id}{OPEN}", landing)


def record_landing(lake: Lake, table: str, landing: Landing) -> None:
    """Write down a landing that adds no rows."""
    _write(_folder(lake, table) / f"{landing.landing_id}{STANDS}", landing)


def correct(lake: Lake, table: str, change: Callable[[Receipt], Receipt]) -> None:
    """Write a table's receipts anew as ``change`` gives them: after rows were erased from what they tell of."""
    for landing in landings(lake, table):
        changed = replace(landing, receipts=tuple(change(receipt) for receipt in landing.receipts))
        if changed != landing:
            record_landing(lake, table, changed)


def settle(lake: Lake, table: str) -> None:
    """Clear up after the run before: make landings stand whose rows were committed, remove the others."""
    for file in sorted(_folder(lake, table).glob(f"*{OPEN}")):
        if _is_committed(lake, table, file):
            file.replace(file.with_name(file.name.removesuffix(OPEN) + STANDS))
        else:
            file.unlink()
    kept = {landing.landing_id for landing in _standing(lake, table)}
    for file in _folder(lake, table).glob("*.json"):
        if file.name.removesuffix(STANDS) not in kept:
            file.unlink()


def _standing(lake: Lake, table: str) -> list[Landing]:
    found: list[Landing] = []
    for file in sorted(_folder(lake, table).glob("*.json")):
        if file.name.endswith(OPEN) and not _is_committed(lake, table, file):
            continue
        entry = json.loads(file.read_text(encoding="utf-8"))
        landing = Landing(
            landing_id=entry["landing_id"],
            is_anew=entry["is_anew"],
            blocked=tuple(entry["blocked"]),
            receipts=tuple(Receipt(**receipt) for receipt in entry["receipts"]),
        )
        found = [landing] if landing.is_anew else [*found, landing]
    return found


def _is_committed(lake: Lake, table: str, file: Path) -> bool:
    return lake.fingerprint(f"raw_{table}") == file.name.removesuffix(OPEN)


def _write(path: Path, landing: Landing) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(asdict(landing), indent=1))


def _folder(lake: Lake, table: str) -> Path:
    return _root(lake) / table


def _root(lake: Lake) -> Path:
    return lake.root / "landed" / "receipts"


def first_of_each(found: Sequence[Receipt]) -> dict[str, Receipt]:
    """Give each delivery's first receipt by delivery id, in the order in which they came."""
    return {receipt.delivery_id: receipt for receipt in found if not receipt.is_repeat}
