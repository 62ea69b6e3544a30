"""The records in a real PostgreSQL: the same ledger, users and throttle as in a file, and nobody changes the ledger."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DatabaseError

from data_contracts import table
from pipelines.records.database import RecordsError, open_database, writing
from pipelines.records.ledger import Download, Ledger
from pipelines.records.sessions import IDLE, Sessions
from pipelines.records.tables import downloads, sendings
from pipelines.records.throttle import NAME, Throttle
from pipelines.records.tokens import Tokens
from pipelines.records.users import Role, Users
from tests.services.postgres_server import Server, running_server

pytestmark = pytest.mark.services
NOW = datetime(2024, 6, 1, 3, 0, 0, 123456, tzinfo=UTC)
PASSWORD = "correct horse battery"
TAKEN = Download("Ann", "thank_you-2024-05-31", "external_id", "external_id", 1, "page")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture
def lake(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lake whose records are in an empty database."""
    server.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    monkeypatch.setenv("RETENTION_DATABASE", server.address)
    return tmp_path


def test_many_open_an_empty_database_at_once(lake: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(lambda _: open_database(lake), range(8)))
    assert Ledger(engines[0]).entries().is_empty()
    assert not (lake / "ledger.sqlite").exists()


def test_the_ledger_keeps_what_it_is_told_and_refuses_changes(lake: Path) -> None:
    ledger = Ledger.of(lake)
    in_tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    entry = ledger.open_entry(TAKEN, in_tokyo)
    ledger.close_entry(entry, NOW + timedelta(seconds=2), rows=5, bytes=60, sha256="f" * 64)
    with pytest.raises(RecordsError, match="not open"):
        ledger.close_entry(entry, NOW, rows=5, bytes=60, sha256="f" * 64)
    ledger.open_entry(TAKEN, NOW + timedelta(days=1))
    ledger.note(TAKEN.list_id, "sent", date(2024, 6, 1), "Ann", NOW)
    entries, notes = ledger.entries(), ledger.sendings()
    assert dict(entries.schema) == dict(table("download_ledger").schema)
    assert entries.select("started_at", "finished_at", "rows", "sha256").rows() == [
        (NOW, NOW + timedelta(seconds=2), 5, "f" * 64),
        (NOW + timedelta(days=1), None, None, None),
    ]
    assert notes.select("state", "sent_on").rows() == [("sent", date(2024, 6, 1))]
    for statement in (
        delete(downloads),
        update(downloads).values(who="Bob"),
        text("TRUNCATE download_ledger"),
        delete(sendings),
        update(sendings).values(state="not_used"),
        text("TRUNCATE campaign_sendings"),
    ):
        with pytest.raises(DatabaseError, match="append-only"), writing(ledger.engine) as connection:
            connection.execute(statement)
    assert (ledger.entries().rows(), ledger.sendings().rows()) == (entries.rows(), notes.rows())


def test_many_downloads_at_once_lose_nothing(lake: Path) -> None:
    ledger = Ledger.of(lake)

    def take(number: int) -> str:
        entry = ledger.open_entry(TAKEN, NOW + timedelta(seconds=number))
        ledger.close_entry(entry, NOW + timedelta(seconds=number + 1), rows=1, bytes=2, sha256="f" * 64)
        return entry

    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(take, range(80)))
    assert ledger.entries()["download_id"].to_list() == ids


def test_users_sessions_and_tokens_live_there_too(lake: Path) -> None:
    engine = open_database(lake)
    users, sessions, tokens = Users(engine), Sessions(engine), Tokens(engine)
    ann = users.add("Ann", Role.ADMIN, PASSWORD, NOW, only_first=True)
    with pytest.raises(RecordsError, match="already"):
        users.add("ANN", Role.VIEWER, PASSWORD, NOW)
    with pytest.raises(RecordsError, match="the only admin"):
        users.disable("ann", NOW)
    assert users.check("ann", PASSWORD) == ann
    session, (_, token) = sessions.start(ann, NOW), tokens.make(ann, "nightly", NOW)
    assert sessions.user_of(session, NOW + IDLE) == tokens.user_of(token) == ann
    users.reset("Ann", "another long password", NOW)
    assert sessions.user_of(session, NOW) is tokens.user_of(token) is users.check("ann", PASSWORD) is None


def test_guesses_at_the_same_time_count_all(lake: Path) -> None:
    engine = open_database(lake)
    throttle = Throttle(engine)
    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(lambda n: throttle.begin("ann", f"10.0.0.{n}", NOW), range(40)))
    assert waits.count(0) == NAME.free + 1


def test_another_shops_records_are_not_mixed_in(lake: Path) -> None:
    for shop in ("one", "two"):
        (lake / shop).mkdir()
        (lake / shop / "lake.json").write_text(f'{{"format": 1, "shop": "{shop}"}}')
    open_database(lake / "one")
    with pytest.raises(RecordsError, match="records of shop 'one'"):
        open_database(lake / "two")
