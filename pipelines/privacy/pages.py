"""Take a person out of the files that lie beside the tables: files of lists, pages, databases of runs, drafts.

Aggregates stay. Of a page goes every table row that names the person, and what is left of the name is blackened; of a
database every text; a file that cannot be mended goes as a whole. The ledger and the users of the page are never
changed: they hold no customers. Kept deliveries are `kept_files`' business.
"""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.lake import Lake
from pipelines.privacy.journal import NAME as JOURNAL
from pipelines.privacy.search import Looking, is_sqlite
from pipelines.privacy.terms import ERASED, byte_pattern

PAGES = {".html", ".htm", ".md", ".txt", ".csv", ".tsv", ".json", ".svg", ".log", ".yaml"}
"""Files of text, which can be mended."""
ROW = re.compile(rb"<tr[\s>].*?</tr>", re.DOTALL | re.IGNORECASE)
KEY = "customer_key"
ROWS = ".rows.parquet"


def erase_from_lists(lake: Lake, keys: tuple[str, ...]) -> int:
    """Take a person out of the files of lists; gives how many files changed or went.

    Rows are kept without theirs, so that the list can still be handed out; the file as it was built goes.
    """
    changed = 0
    for path in sorted((lake.root / "files").rglob(f"*{ROWS}")):
        rows = pl.scan_parquet(path, glob=False)
        if KEY not in rows.collect_schema():
            continue
        is_theirs = pl.col(KEY).is_in(keys).fill_null(False)
        if rows.filter(is_theirs).head(1).collect().is_empty():
            continue
        # The built file first: its rows tell, should this end in between, that it has to go.
        built = path.with_name(path.name.removesuffix(ROWS))
        changed += built.exists() + 1
        built.unlink(missing_ok=True)
        draft = path.with_name(path.name + ".draft")
        rows.filter(~is_theirs).sink_parquet(draft, statistics=False)
        draft.replace(path)
    return changed


def erase_from_rest(lake: Lake, terms: tuple[str, ...]) -> int:
    """Take a person out of every other file of the lake; gives how many changed or went."""
    drafts = lake.root / "landed" / "drafts"
    shutil.rmtree(drafts, ignore_errors=True)
    looking, changed = Looking(terms), 0
    for path in _rest(lake.root):
        if not looking.is_named_in(path):
            if _is_sqlite(path):
                _free(path)
            continue
        changed += 1
        if _is_sqlite(path):
            _scrub(path, terms)
        elif path.suffix.lower() in PAGES and not byte_pattern(terms).search(path.name.encode()):
            _mend(path, terms)
        else:
            path.unlink()
    return changed


def named_in(lake: Lake, terms: tuple[str, ...]) -> list[Path]:
    """Files beside tables and kept deliveries that name a person, below the lake's folder."""
    looking = Looking(terms)
    return [path.relative_to(lake.root) for path in _rest(lake.root) if looking.is_named_in(path)]


def _rest(root: Path) -> Iterator[Path]:
    """Files that are neither tables nor receipts nor of the ledger."""
    for path in sorted(root.rglob("*")):
        place = path.relative_to(root)
        is_own = place.parts[0] == "tables" or place.parts[:2] == ("landed", "receipts")
        is_ledger = place.parts[0].startswith("ledger.sqlite")
        if path.is_file() and not (is_own or is_ledger or place.name == JOURNAL or _is_kept(place)):
            yield path


def _is_kept(place: Path) -> bool:
    """Whether it is a delivery's copy: named by its checksum, straight under landed/."""
    return (
        place.parts[0] == "landed"
        and len(place.parts) == 2
        and bool(re.match(r"[0-9a-f]{64}", place.name))
        and (place.suffix != ".draft")
    )


def _mend(path: Path, terms: tuple[str, ...]) -> None:
    pattern = byte_pattern(terms)
    text = ROW.sub(lambda row: b"" if pattern.search(row[0]) else row[0], path.read_bytes())
    draft = path.with_name(path.name + ".draft")
    draft.write_bytes(pattern.sub(ERASED.encode(), text))
    draft.replace(path)


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return is_sqlite(file) or path.name.endswith(("-wal", "-journal"))


def _free(path: Path) -> None:
    """Give a database's free pages back: what was deleted before still stands in them."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as database:
        if database.execute("PRAGMA freelist_count").fetchone()[0]:
            database.execute("VACUUM")


def _scrub(path: Path, terms: tuple[str, ...]) -> None:
    """Blacken texts in a database of runs, and write its file anew so that no free page keeps them."""
    if path.name.endswith(("-wal", "-journal")):
        path = path.with_name(path.name.rpartition("-")[0])
    pattern = byte_pattern(terms)

    def blacken(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(ERASED.encode(), value.encode()).decode()
        return pattern.sub(ERASED.encode(), value) if isinstance(value, bytes) else value

    with closing(sqlite3.connect(path)) as database:
        database.create_function("blacken", 1, blacken, deterministic=True)
        database.execute("PRAGMA secure_delete = ON")
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            if table.startswith("sqlite_"):
                continue
            for column in [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]:
                database.execute(
                    f'UPDATE "{table}" SET "{column}" = blacken("{column}") '
                    f'WHERE typeof("{column}") IN (\'text\', \'blob\') AND blacken("{column}") IS NOT "{column}"'
                )
        database.commit()
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
