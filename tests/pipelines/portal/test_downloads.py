"""Files over the network: whole and in the ledger, or broken off and open there; nobody who has gone is in them."""

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from pipelines.delivery import handout
from pipelines.portal import downloads
from pipelines.portal.access import SESSION
from pipelines.records.users import Role
from tests.pipelines.portal.running_page import RunningPage, running_page
from tests.pipelines.published_shops import Published, copy_of, moment
from tests.pipelines.small_shops import deliver, ingest

pytestmark = pytest.mark.xdist_group("published_small_shop")


@pytest.fixture
def own(published_small_shop: Published, tmp_path: Path) -> Iterator[RunningPage]:
    """A page whose shop may be written to."""
    with running_page(copy_of(published_small_shop, tmp_path), tmp_path) as running:
        yield running


@pytest.mark.parametrize("platform", ["external_id", "reading"])
def test_a_file_has_the_bytes_that_were_built_and_the_ledger_says_so(
    page: RunningPage, platform: str
) -> None:
    browser = page.browser(Role.MARKETER)
    answer = browser.get(downloads.download_path(page.list_id, platform))
    lake = page.published.lake
    built = lake.scan("list_files").collect().filter(list_id=page.list_id, platform=platform)
    sha256 = hashlib.sha256(answer.content).hexdigest()
    assert answer.status_code == 200
    assert sha256 == built["sha256"].item()
    name = Path(built["file_name"].item()).name
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    (row,) = page.app.state.ledger.entries().rows(named=True)
    assert (row["who"], row["via"], row["platform"], row["sha256"]) == ("Max", "page", platform, sha256)
    assert (row["rows"], row["bytes"], row["dropped"]) == (built["rows"].item(), len(answer.content), 0)
    assert row["finished_at"] >= row["started_at"] == page.clock.now
    assert row["columns"] == built["columns"].item()


def test_a_program_gets_the_same_file_by_the_lists_name(page: RunningPage) -> None:
    program = page.program(Role.MARKETER)
    answer = program.get("/api/lists/thank_you/files/external_id")
    page.clock.now += timedelta(seconds=1)
    assert answer.content == page.browser(Role.MARKETER).get(page.file).content
    assert page.app.state.ledger.entries()["via"].to_list() == ["api", "page"]


def test_head_says_what_a_file_would_be_and_notes_nothing(page: RunningPage) -> None:
    browser = page.browser(Role.MARKETER)
    said = browser.head(page.file)
    assert said.content == b""
    assert page.app.state.ledger.entries().is_empty()
    got = browser.get(page.file)
    for name in ("content-type", "content-disposition", "x-rows", "x-dropped"):
        assert said.headers[name] == got.headers[name]


def test_who_opted_out_since_is_not_in_the_file(own: RunningPage, great_expectations: None) -> None:
    browser = own.browser(Role.MARKETER)
    before = browser.get(own.file).text.split()[1:]
    gone = {"customer_id": before[0], "kind": "objection", "recorded_at": moment("2024-06-01")}
    shop, lake = own.published.shop, own.published.lake
    deliver(shop.folder, "suppressions", "2", [gone])
    ingest(shop, lake, own.clock() + timedelta(hours=1))
    own.clock.now += timedelta(minutes=5)
    answer = browser.get(own.file)
    assert answer.text.split()[1:] == before[1:]
    assert (answer.headers["x-rows"], answer.headers["x-dropped"]) == (str(len(before) - 1), "1")
    assert own.app.state.ledger.entries()["dropped"].to_list() == [0, 1]


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/lists/nothing/files/external_id", 404, "no list"),
        ("/lists/thank_you/files/klaviyo", 404, "no file for"),
        ("/lists/..%2Fledger.sqlite/files/external_id", 404, "no"),
    ],
)
def test_what_is_not_there_is_told(page: RunningPage, path: str, status: int, says: str) -> None:
    answer = page.browser(Role.MARKETER).get(path)
    assert answer.status_code == status
    assert says in answer.text
    assert page.app.state.ledger.entries().is_empty()


def test_an_expired_list_and_old_data_are_told_apart(own: RunningPage) -> None:
    browser, program = own.browser(Role.MARKETER), own.program(Role.MARKETER)
    own.clock.now += timedelta(hours=25)
    own.app.state.shop = own.published.shop.model_copy(update={"max_age_days": 0})
    session = own.app.state.sessions.start(own.app.state.users.find("Max"), own.clock())
    browser.cookies.clear()
    browser.cookies.set(SESSION, session)
    assert browser.get(own.file).status_code == 409
    assert "newest order" in program.get(f"/api{own.file}").json()["detail"]
    own.clock.now += timedelta(hours=48)
    answer = program.get(f"/api{own.file}")
    assert (answer.status_code, "expired" in answer.json()["detail"]) == (410, True)
    assert own.app.state.ledger.entries().is_empty()


def test_a_changed_file_is_not_handed_out(own: RunningPage) -> None:
    lake = own.published.lake
    name = lake.scan("list_files").collect().filter(platform="external_id")["file_name"].sort()[0]
    with (lake.root / name).open("ab") as file:
        file.write(b"99999\r\n")
    answer = own.program(Role.MARKETER).get(f"/api{own.file}")
    assert answer.status_code == 409
    assert "checksum differs" in answer.json()["detail"]


def test_links_on_other_sites_start_no_download(page: RunningPage) -> None:
    browser = page.browser(Role.MARKETER)
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
        assert browser.get(page.file, headers={"sec-fetch-site": site}).status_code == status


def test_a_download_that_breaks_off_stays_open(own: RunningPage, monkeypatch: pytest.MonkeyPatch) -> None:
    _enlarge(own, monkeypatch, pieces=400)
    browser = own.browser(Role.MARKETER)
    port = int(own.address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as wire:
        cookie = f"{SESSION}={browser.cookies[SESSION]}"
        wire.sendall(f"GET {own.file} HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: {cookie}\r\n\r\n".encode())
        assert wire.recv(1000).startswith(b"HTTP/1.1 200")
    time.sleep(0.5)
    (row,) = own.app.state.ledger.entries().rows(named=True)
    assert (row["finished_at"], row["rows"], row["bytes"], row["sha256"]) == (None, None, None, None)
    # And nothing is left waiting: the next one goes through.
    with browser.stream("GET", own.file) as answer:
        assert sum(len(piece) for piece in answer.iter_raw()) == 400 * handout.PIECE
    assert own.app.state.ledger.entries()["finished_at"].null_count() == 1


def test_a_fault_in_the_middle_breaks_the_transfer_off(
    own: RunningPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(path: Path) -> Iterator[bytes]:
        yield b"a" * 100
        raise OSError("disk gone")

    monkeypatch.setattr(handout, "_pieces", breaks)
    with pytest.raises(httpx.RemoteProtocolError):
        own.program(Role.MARKETER).get(f"/api{own.file}")
    assert own.app.state.ledger.entries()["finished_at"].to_list() == [None]


def test_a_fault_before_the_first_byte_is_told_as_one(
    own: RunningPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(path: Path) -> Iterator[bytes]:
        raise OSError("disk gone")
        yield b""

    monkeypatch.setattr(handout, "_pieces", breaks)
    assert own.program(Role.MARKETER).get(f"/api{own.file}").status_code == 500


def test_slow_readers_keep_nobody_from_pages(own: RunningPage, monkeypatch: pytest.MonkeyPatch) -> None:
    held = threading.Event()

    def waits(path: Path) -> Iterator[bytes]:
        held.wait(20)
        yield b"a"

    monkeypatch.setattr(handout, "_pieces", waits)
    program, browser = own.program(Role.MARKETER), own.browser(Role.VIEWER)
    with ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(program.get, f"/api{own.file}") for _ in range(12)]
        try:
            time.sleep(0.3)
            assert browser.get("/").status_code == 200
            assert not any(answer.done() for answer in waiting)
        finally:
            held.set()
        assert {answer.result().content for answer in waiting} == {b"a"}
    assert own.app.state.ledger.entries()["finished_at"].null_count() == 0


def _enlarge(own: RunningPage, monkeypatch: pytest.MonkeyPatch, pieces: int) -> None:
    """Hand out a file that no buffer of the system takes whole."""

    def many(path: Path) -> Iterator[bytes]:
        for _ in range(pieces):
            yield b"a" * handout.PIECE

    monkeypatch.setattr(handout, "_pieces", many)
