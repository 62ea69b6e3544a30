"""The ledger: every download is written before its first byte and closed after its last."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data_contracts import table
from pipelines.delivery.ledger import Download, Ledger

START = datetime(2024, 6, 1, 3, 0, 0, 123456, tzinfo=UTC)
TAKEN = Download("Ann", "thank_you-2024-05-31", "external_id", "external_id", 5, 1, "f" * 64)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


def test_a_ledger_nobody_wrote_to_is_empty_and_makes_no_file(ledger: Ledger) -> None:
    assert ledger.entries().is_empty()
    assert dict(ledger.entries().schema) == dict(table("download_ledger").schema)
    assert not ledger.path.exists()


def test_an_entry_is_open_until_it_is_closed_and_is_closed_once(ledger: Ledger) -> None:
    entry = ledger.open_entry(TAKEN, START)
    assert ledger.entries()["finished_at"].to_list() == [None]
    ledger.close_entry(entry, START + timedelta(seconds=2))
    ledger.close_entry(entry, START + timedelta(days=2))
    (row,) = ledger.entries().rows(named=True)
    assert (row["started_at"], row["finished_at"]) == (START, START + timedelta(seconds=2))
    assert (row["who"], row["rows"], row["dropped"], row["sha256"]) == ("Ann", 5, 1, "f" * 64)


def test_entries_come_in_the_order_of_their_start_and_keep_the_schema(ledger: Ledger) -> None:
    for days in (2, 0, 1):
        ledger.open_entry(TAKEN, START + timedelta(days=days))
    entries = ledger.entries()
    assert entries["started_at"].is_sorted()
    assert dict(entries.schema) == dict(table("download_ledger").schema)
