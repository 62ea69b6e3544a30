"""Erase one person from a lake: every table and old version, kept deliveries, files of lists, pages, runs' databases.

In this order: a journal, so that a killed erasure can be taken to its end; the keyed hashes by which the person is
known again; kept deliveries and receipts; tables; snapshots, which from then on name the versions that are left; older
versions; files. Each step can be done twice. Whose rows they are is said by `tables` and `kept_files`.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import polars as pl

from data_contracts import table
from pipelines.ingest.erased import TABLE, hashed
from pipelines.ingest.receipts import Receipt, correct, first_of_each, receipts, settle
from pipelines.keys import keys_of
from pipelines.lake import Lake
from pipelines.privacy.journal import Journal, begun, end
from pipelines.privacy.kept_files import erase_from, kept_files
from pipelines.privacy.pages import erase_from_lists, erase_from_rest
from pipelines.privacy.person import NobodyError, Person, find_person
from pipelines.privacy.search import Searched, search
from pipelines.privacy.tables import Holdings
from pipelines.shop import Shop

RECORD = "erasures"
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure came to, and what a search for the person found afterwards."""

    erasure_id: str
    rows: dict[str, int]
    delivered_rows: int
    files: int
    lists: tuple[str, ...]
    searched: Searched


def prepare(lake: Lake, shop: Shop, asked: str) -> Journal:
    """Find everything that would be erased, and change nothing. Hold the lake's lock.

    Raises
    ------
    NobodyError
        Nobody, or not one person, is meant; or the lab holds nothing of them.
    """
    person = find_person(lake, shop, asked)
    holdings = Holdings(lake, shop, person)
    rows = {name: _height(holdings.theirs(name)) for name in holdings.tables() if holdings.may_hold(name)}
    kept = list(kept_files(holdings))
    found = {name: count for name, count in rows.items() if count}
    if not found and not kept:
        raise NobodyError(
            "The lab holds nothing of that person: no row, no file. Rows of people who were erased before are "
            "left out of every delivery."
        )
    lists = holdings.theirs("list_members").select(pl.col("list_id").unique().sort()).collect()["list_id"]
    return Journal(
        erasure_id=secrets.token_hex(8),
        person=person,
        terms=holdings.terms,
        names=holdings.names,
        rows=found,
        delivered_rows=sum(len(file.theirs) for file in kept),
        files=0,
        erased=_erased_of_deliveries(holdings),
        lists=tuple(lists),
    )


def unfinished(lake: Lake) -> Journal | None:
    """Give the erasure that was broken off, which goes before any other."""
    return begun(lake)


def erase(
    lake: Lake, shop: Shop, journal: Journal, now: datetime, progress: Progress = lambda _: None
) -> Erasure:
    """Erase a person. Hold the lake's lock.

    Parameters
    ----------
    journal
        Of `prepare`, or of an erasure that was broken off.
    progress
        Is told each step, in words that name nobody.

    Returns
    -------
    Erasure
        With the search that looked for the person in every byte under the lake.
    """
    journal.write(lake)
    for name in lake.names():
        if name.startswith("raw_"):
            # Receipts stand by the name of their commit, which will be another.
            settle(lake, name.removeprefix("raw_"))
    holdings = Holdings(lake, shop, journal.person, journal.terms, journal.names)
    progress("Noting keyed hashes, so that nobody is taken in again")
    _remember(lake, shop, journal.person)
    progress("Kept deliveries")
    for file in kept_files(holdings):
        erase_from(holdings, file)
        journal = journal.counting(lake, 1)
    for name, counts in journal.erased.items():
        correct(lake, name, partial(_with_erased, counts=counts))
    progress("Tables")
    _erase_from_tables(holdings, journal.erasure_id)
    progress("Files of lists, pages, records of runs")
    journal = journal.counting(lake, erase_from_lists(lake, journal.person.keys))
    journal = journal.counting(lake, erase_from_rest(lake, (*journal.terms, *journal.names)))
    _record(lake, journal, now)
    end(lake)
    progress("Looking for what may be left")
    searched = search(lake.root, (*journal.terms, *journal.names))
    return Erasure(
        journal.erasure_id, journal.rows, journal.delivered_rows, journal.files, journal.lists, searched
    )


def erased_since(lake: Lake, moment: datetime) -> bool:
    """Whether somebody was erased after a list was made: its files may no longer be rebuilt with the same bytes."""
    return not lake.scan(RECORD).filter(pl.col("erased_at") > moment).head(1).collect().is_empty()


def _remember(lake: Lake, shop: Shop, person: Person) -> None:
    keys = keys_of(shop, lake.root)
    made = [
        pl.DataFrame({"keyed_hash": hashed(kind, pl.Series(texts, dtype=pl.String), keys.erasure)}).select(
            pl.lit(kind).alias("identifier_kind"), "keyed_hash", pl.lit(keys.erasure_id).alias("key_id")
        )
        for kind, texts in person.identifiers.items()
    ]
    known = lake.scan(TABLE)
    new = (
        pl.concat([table(TABLE).empty(), *made])
        .lazy()
        .join(known, on=["identifier_kind", "keyed_hash"], how="anti")
    )
    rows = new.collect()
    if not rows.is_empty():
        lake.append(TABLE, rows.lazy(), fingerprint="")


def _erased_of_deliveries(holdings: Holdings) -> dict[str, dict[str, int]]:
    """For each delivery of the person: how many of its rows will be erased in all."""
    first = first_of_each(receipts(holdings.lake))
    found: dict[str, dict[str, int]] = {}
    for name in holdings.tables():
        if name.startswith("raw_"):
            rows = holdings.theirs(name).filter(~pl.col("is_replay")).group_by("delivery_id").len().collect()
            found[name.removeprefix("raw_")] = {
                delivery_id: first[delivery_id].erased + count
                for delivery_id, count in rows.iter_rows()
                if delivery_id in first
            }
    return {name: counts for name, counts in found.items() if counts}


def _with_erased(receipt: Receipt, counts: dict[str, int]) -> Receipt:
    if receipt.is_repeat or receipt.delivery_id not in counts:
        return receipt
    return replace(receipt, erased=counts[receipt.delivery_id])


def _erase_from_tables(holdings: Holdings, erasure_id: str) -> None:
    lake = holdings.lake
    names = [name for name in holdings.tables() if name not in (TABLE, RECORD, "snapshots")]
    touched = [name for name in names if _erase_from_table(holdings, name, erasure_id)]
    # Old versions may hold the person where the newest does not.
    forgotten = {name for name in names if name in touched or holdings.may_hold(name)}
    versions = {name: version for name in forgotten if (version := lake.version(name)) is not None}
    _point_snapshots_at(lake, versions)
    for name in sorted(forgotten):
        lake.forget_other_versions(name)


def _erase_from_table(holdings: Holdings, name: str, erasure_id: str) -> bool:
    """Write a table anew without the person; False where nothing in it is of them."""
    lake = holdings.lake
    is_theirs = holdings.may_hold(name) and not holdings.theirs(name).head(1).collect().is_empty()
    is_named = is_theirs or not holdings.naming(lake.scan(name)).is_empty()
    if is_named:
        lake.rewrite(name, holdings.others(name), fingerprint=f"{lake.fingerprint(name)} erased {erasure_id}")
    return is_named


def _point_snapshots_at(lake: Lake, versions: dict[str, int]) -> None:
    """Let every snapshot name the versions that are left: the rows of its day, without the person."""
    if not lake.has("snapshots"):
        return
    kept = lake.scan("snapshots").collect()
    named = [json.loads(text) for text in kept["versions"]]
    left = [{name: versions.get(name, version) for name, version in one.items()} for one in named]
    if left != named:
        texts = pl.Series("versions", [json.dumps(one, sort_keys=True) for one in left], pl.String)
        lake.rewrite(
            "snapshots", kept.with_columns(texts).lazy(), fingerprint=lake.fingerprint("snapshots") or ""
        )


def _record(lake: Lake, journal: Journal, now: datetime) -> None:
    known = lake.scan(RECORD).filter(pl.col("erasure_id") == journal.erasure_id).collect()
    if not known.is_empty():
        return
    row = {
        "erasure_id": journal.erasure_id,
        "erased_at": now,
        "tables": len(journal.rows),
        "rows": sum(journal.rows.values()),
        "delivered_rows": journal.delivered_rows,
        "files": journal.files,
        "lists": ",".join(journal.lists),
    }
    lake.append(RECORD, pl.DataFrame([row], schema=pl.Schema(table(RECORD).schema)).lazy(), fingerprint="")


def _height(rows: pl.LazyFrame) -> int:
    return rows.select(pl.len()).collect(engine="streaming").item()
