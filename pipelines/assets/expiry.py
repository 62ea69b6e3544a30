"""What is kept long enough goes: files of lists that have expired, and versions of tables that were replaced long ago.

Lists of samples never expire. Rows of lists and of the ledger stay: they are counts and reasons, and of the newest
versions. Erasing one person is the business of `pipelines.privacy`.
"""

from datetime import timedelta
from pathlib import Path

import polars as pl

from data_contracts import table as promise
from pipelines.assets.given import Given
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.shop import Shop
from pipelines.snapshots import newest_snapshot

TABLE = "expired_files"


def steps(_: Shop) -> list[Step]:
    """Files that expired since the last run; made in every run, for it is time that makes them so."""
    return [
        Step(
            table=TABLE,
            stage=Stage.LISTS,
            keeps=Keeps.EVERYTHING,
            reads=("campaign_lists", "list_files"),
            make=_delete,
            always=True,
        )
    ]


def _delete(given: Given) -> pl.LazyFrame | None:
    forget_old_versions(given)
    return delete_expired_files(given)


def delete_expired_files(given: Given) -> pl.LazyFrame | None:
    """Delete the files of lists past their expiry, of every as_of; rows of ``expired_files``, None where none was."""
    now = given.moment.now
    expired = (
        given.lake.scan("campaign_lists")
        .filter(pl.col("expires_at") < now)
        .group_by("list_id")
        .agg(pl.col("expires_at").max())
        .sort("list_id")
        .collect()
    )
    rows: list[dict[str, object]] = []
    for list_id, expired_at in expired.iter_rows():
        sizes = _delete_folder(given.lake.root / "files" / list_id)
        if sizes:
            counts = {"files": len(sizes), "bytes": sum(sizes)}
            rows.append({"list_id": list_id, "expired_at": expired_at, "deleted_at": now, **counts})
    return pl.DataFrame(rows, schema=pl.Schema(promise(TABLE).schema)).lazy() if rows else None


def forget_old_versions(given: Given) -> None:
    """Delete what only versions of tables hold that were replaced more than ``keep_versions_days`` ago.

    What the newest finished run wrote stays, however long ago that was: it is what readers see.
    """
    ago = timedelta(days=given.shop.keep_versions_days)
    before = (given.moment.now - ago).timestamp()
    seen = newest_snapshot(given.lake).versions if given.lake.has("snapshots") else {}
    for name in given.lake.names():
        if given.lake.has_files_before(name, before):
            given.lake.forget_versions_replaced(name, ago, but=seen.get(name))


def _delete_folder(folder: Path) -> list[int]:
    """Delete a list's files and give their sizes."""
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    sizes = [path.stat().st_size for path in files]
    for path in files:
        path.unlink()
    if folder.is_dir():
        folder.rmdir()
    return sizes
