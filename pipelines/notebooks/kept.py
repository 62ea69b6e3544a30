"""What became of each notebook: its page under the lake, and its row in the table ``notebooks``.

A row says what it was made from, so that a notebook is run again only where something changed. Running is `night`'s
business.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from data_contracts import Layer, conform, table, table_names
from pipelines.assets.program import code_version
from pipelines.errors import LabError
from pipelines.lake import Lake
from pipelines.notebooks.execute import Executed
from pipelines.notebooks.files import read
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot

TABLE = "notebooks"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one notebook.

    Attributes
    ----------
    error
        Which cell failed and how, in plain words; None where none did.
    page
        Where the page lies; of one that failed, as far as it got.
    """

    name: str
    status: Literal["ok", "failed"]
    error: str | None
    seconds: float
    page: Path
    was_unchanged: bool = False


def keep(
    lake: Lake, snapshot: Snapshot, name: str, executed: Executed, page: bytes, made_from: str
) -> Outcome:
    """Write a notebook's page, and its row in place of the one it had for that day. The caller holds the lock."""
    day = snapshot.as_of
    path = lake.root / TABLE / day.isoformat() / f"{name}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_bytes(page)
    draft.replace(path)
    row = {
        "as_of": day,
        "page": name,
        "status": "failed" if executed.error else "ok",
        "error": executed.error,
        "seconds": round(executed.seconds, 1),
        "snapshot_id": snapshot.snapshot_id,
        "made_from": made_from,
        "file_name": str(path.relative_to(lake.root)),
        "bytes": len(page),
        "sha256": hashlib.sha256(page).hexdigest(),
    }
    own = pl.DataFrame([row], schema=pl.Schema(table(TABLE).schema))
    others = _rows(lake, snapshot).filter(pl.col("page") != name)
    lake.replace(TABLE, pl.concat([others, own]).lazy(), fingerprint=made_from, as_of=day)
    return _outcome(lake, row)


def outcomes(lake: Lake, shop: Shop, snapshot: Snapshot, notebooks: dict[str, Path]) -> dict[str, Outcome]:
    """What was kept of notebooks as they are now, for a snapshot or one of the same tables; others are left out."""
    rows = {row["page"]: row for row in _rows(lake, snapshot).iter_rows(named=True)}
    return {
        name: _outcome(lake, rows[name], was_unchanged=True)
        for name, path in notebooks.items()
        if name in rows and rows[name]["made_from"] == made_from(path, shop, snapshot)
    }


def made_from(path: Path, shop: Shop, snapshot: Snapshot) -> str:
    """Checksum what a page depends on: cells, modules beside them, tables, settings, program; outputs do not count."""
    records = {name for name in table_names() if table(name).layer is Layer.RECORD}
    modules = sorted({*path.parent.rglob("*.py"), *shop.folder.glob("*.py")})
    parts = {
        "cells": _cells(path),
        "modules": [(module.name, module.read_text(encoding="utf-8")) for module in modules],
        "as_of": snapshot.as_of.isoformat(),
        "versions": {name: v for name, v in sorted(snapshot.versions.items()) if name not in records},
        "settings": shop.settings_hash(),
        "code": code_version(),
    }
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def _cells(path: Path) -> list[tuple[str, str]]:
    try:
        return [(cell.cell_type, cell.source) for cell in read(path).cells]
    except LabError:  # told when it is run
        return []


def _rows(lake: Lake, snapshot: Snapshot) -> pl.DataFrame:
    rows = lake.scan(TABLE, as_of=snapshot.as_of)
    if "status" not in rows.collect_schema():  # an older program did not note what became of a notebook
        return table(TABLE).empty()
    return conform(rows.filter(pl.col("status").is_not_null()), table(TABLE)).collect()


def _outcome(lake: Lake, row: dict[str, object], *, was_unchanged: bool = False) -> Outcome:
    error, failed = row["error"], row["status"] == "failed"
    return Outcome(
        name=str(row["page"]),
        status="failed" if failed else "ok",
        error=None if error is None else str(error),
        seconds=float(str(row["seconds"])),
        page=lake.root / str(row["file_name"]),
        was_unchanged=was_unchanged,
    )
