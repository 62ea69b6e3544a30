"""The ledger: written before the first byte, closed once after the last, never changed otherwise."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DatabaseError

from data_contracts import table
from pipelines.records.database import RecordsError, open_database, writing
from pipelines.records.ledger import Download, Ledger
from pipelines.records.tables import downloads, sendings

START = datetime(2024, 6, 1, 3, 0, 0, 123456, tzinfo=UTC)
TAKEN = Download("Ann", "thank_you-2024-05-31", "external_id", "external_id", 1, "page")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.of(tmp_path)


def close(ledger: Ledger, entry: str, at: datetime = START + timedelta(seconds=2)) -> None:
    ledger.close_entry(entry, at, rows=5, bytes=60, sha256="f" * 64)


def test_a_new_ledger_is_empty_and_has_the_shapes_of_its_copies_in_the_lake(ledger: Ledger) -> None:
    assert ledger.entries().is_empty()
    assert ledger.sendings().is_empty()
    assert dict(ledger.entries().schema) == dict(table("download_ledger").schema)
    assert dict(ledger.sendings().schema) == dict(table("campaign_sendings").schema)


def test_an_entry_is_open_until_it_is_closed_and_is_closed_once(ledger: Ledger) -> None:
    entry = ledger.open_entry(TAKEN, START)
    (row,) = ledger.entries().rows(named=True)
    assert (row["finished_at"], row["rows"], row["bytes"], row["sha256"]) == (None, None, None, None)
    close(ledger, entry)
    with pytest.raises(RecordsError, match="not open in the ledger"):
        close(ledger, entry, START + timedelta(days=2))
    (row,) = ledger.entries().rows(named=True)
    assert (row["started_at"], row["finished_at"]) == (START, START + timedelta(seconds=2))
    assert (row["who"], row["via"], row["rows"], row["bytes"], row["dropped"]) == ("Ann", "page", 5, 60, 1)
    assert row["sha256"] == "f" * 64


def test_what_was_never_opened_cannot_be_closed(ledger: Ledger) -> None:
    with pytest.raises(RecordsError, match="not open"):
        close(ledger, "no such download")


def test_entries_come_in_the_order_of_their_start_and_keep_the_schema(ledger: Ledger) -> None:
    for days in (2, 0, 1):
        ledger.open_entry(TAKEN, START + timedelta(days=days))
    assert ledger.entries()["started_at"].is_sorted()
    assert dict(ledger.entries().schema) == dict(table("download_ledger").schema)


@pytest.mark.parametrize(
    "statement",
    [
        lambda: delete(downloads),
        lambda: update(downloads).values(who="Bob"),
        lambda: update(downloads).values(finished_at=START, rows=1, bytes=1, sha256="0" * 64, dropped=9),
        lambda: update(downloads).values(finished_at=None),
        lambda: delete(sendings),
        lambda: update(sendings).values(state="not_used", sent_on=None),
    ],
)
@pytest.mark.parametrize("is_closed", [False, True])
def test_the_database_itself_refuses_changes(
    ledger: Ledger, statement: Callable[[], object], is_closed: bool
) -> None:
    entry = ledger.open_entry(TAKEN, START)
    ledger.note(TAKEN.list_id, "sent", date(2024, 6, 1), "Ann", START)
    if is_closed:
        close(ledger, entry)
    before = ledger.entries().rows(), ledger.sendings().rows()
    with pytest.raises(DatabaseError, match="append-only"), writing(ledger.engine) as connection:
        connection.execute(statement())  # pyright: ignore
    assert (ledger.entries().rows(), ledger.sendings().rows()) == before


def test_many_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    ledgers = [Ledger.of(tmp_path) for _ in range(4)]

    def take(number: int) -> str:
        ledger = ledgers[number % 4]
        entry = ledger.open_entry(TAKEN, START + timedelta(seconds=number))
        close(ledger, entry, START + timedelta(seconds=number + 1))
        return entry

    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(take, range(80)))
    entries = ledgers[0].entries()
    assert entries["download_id"].to_list() == ids
    assert entries["finished_at"].null_count() == 0


def test_notes_on_a_list_are_added_and_the_newest_comes_last(ledger: Ledger) -> None:
    ledger.note("a-2024-05-31", "sent", date(2024, 6, 1), "Ann", START)
    ledger.note("a-2024-05-31", "not_used", None, "Bob", START + timedelta(days=1))
    assert ledger.sendings().select("state", "sent_on", "who").rows() == [
        ("sent", date(2024, 6, 1), "Ann"),
        ("not_used", None, "Bob"),
    ]


def test_a_note_without_sense_is_refused(ledger: Ledger) -> None:
    with pytest.raises(RecordsError, match="has a day"):
        ledger.note("a-2024-05-31", "sent", None, "Ann", START)
    with pytest.raises(RecordsError, match="has none"):
        ledger.note("a-2024-05-31", "not_used", date(2024, 6, 1), "Ann", START)


def test_the_ledger_of_an_earlier_version_is_taken_over_once(tmp_path: Path) -> None:
    new = ("via", "bytes")
    names = [name for name in table("download_ledger").schema if name not in new]
    with sqlite3.connect(tmp_path / "ledger.sqlite") as earlier:
        earlier.execute(f"CREATE TABLE downloads ({', '.join(f'{name!r}' for name in names)})")
        for number, ended in enumerate((START.isoformat(), None)):
            known = {"download_id": f"d{number}", "started_at": START.isoformat(), "finished_at": ended}
            known |= {"rows": 5, "dropped": 0}
            values = [known.get(name, "x") for name in names]
            earlier.execute(f"INSERT INTO downloads VALUES ({', '.join('?' * len(names))})", values)
    earlier.close()
    for _ in range(2):
        entries = Ledger.of(tmp_path).entries().sort("download_id")
        assert entries.select("download_id", "finished_at", "rows", "via").rows() == [
            ("d0", START, 5, "command"),
            ("d1", None, None, "command"),
        ]


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    open_database(tmp_path)
    assert (tmp_path / "ledger.sqlite").stat().st_mode & 0o077 == 0


def test_records_of_another_shop_are_not_mixed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_DATABASE", f"sqlite:///{tmp_path / 'both.sqlite'}")
    for shop in ("one", "two"):
        (tmp_path / shop).mkdir()
        (tmp_path / shop / "lake.json").write_text(f'{{"format": 1, "shop": "{shop}"}}')
    open_database(tmp_path / "one")
    with pytest.raises(RecordsError, match=r"records of shop 'one', not of 'two'.*RETENTION_DATABASE"):
        open_database(tmp_path / "two")


@pytest.mark.parametrize(
    "url", ["no url", "mysql://ann:geheim@host/base", "postgresql://ann:geheim@127.0.0.1:1/b"]
)
def test_a_database_that_cannot_be_used_is_told_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("RETENTION_DATABASE", url)
    with pytest.raises(RecordsError) as told:
        open_database(tmp_path)
    assert "RETENTION_DATABASE" in str(told.value)
    assert "geheim" not in str(told.value)
