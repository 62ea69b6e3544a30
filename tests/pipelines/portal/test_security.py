"""What holds for every answer: headers, sizes, names of hosts, no traceback, and a log that tells of nobody."""

import logging
import re
import socket
from collections.abc import Iterator

import pytest

from pipelines.portal.access import FORM_TOKEN
from pipelines.portal.security import LARGEST_BODY, host_of
from pipelines.records.users import Role
from tests.pipelines.portal.running_page import PASSWORD, RunningPage, form_token, sign_in

pytestmark = pytest.mark.xdist_group("published_small_shop")
PROMISED = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/lists/thank_you", 200),
        ("GET", "/lists/thank_you/files/external_id", 200),
        ("GET", "/nothing", 404),
        ("PUT", "/", 405),
        ("POST", "/sign-in", 403),
        ("GET", "/style.css", 200),
        ("GET", "/api/lists", 401),
        ("GET", "/api/health", 200),
        ("GET", "/api/docs", 200),
    ],
)
def test_every_answer_has_the_headers(page: RunningPage, method: str, path: str, status: int) -> None:
    answer = page.browser(Role.MARKETER).request(method, path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in PROMISED} == PROMISED
    assert "camera=()" in answer.headers["permissions-policy"]
    assert path == "/style.css" or answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


def test_pages_load_nothing_and_run_nothing(page: RunningPage) -> None:
    browser = page.browser(Role.ADMIN)
    paths = (
        "/",
        "/lists/thank_you",
        "/why",
        "/results",
        "/data",
        "/downloads",
        "/users",
        "/words",
        "/api/docs",
    )
    for path in paths:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        told = answer.text
        assert not re.search(r"<script|\son\w+=|\sstyle=|<style|https?://(?!www\.w3\.org/)", told), path


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "127.0.0.1.elsewhere.example", "", "localhost.evil:80"]
)
def test_another_host_name_is_refused(page: RunningPage, host: str) -> None:
    assert page.browser().get("/sign-in", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8000", "LOCALHOST", "[::1]:8000"])
def test_names_of_this_machine_are_not(page: RunningPage, host: str) -> None:
    assert page.browser().get("/sign-in", headers={"host": host}).status_code == 200


def test_hosts_are_read_without_their_port() -> None:
    assert [host_of(text) for text in ("a:1", "A", "[::1]:2", "[::1]", "")] == [
        "a",
        "a",
        "[::1]",
        "[::1]",
        "",
    ]


def test_a_large_body_is_refused_whether_its_length_is_told_or_not(page: RunningPage) -> None:
    browser = page.browser()
    token = form_token(browser)
    body = f"{FORM_TOKEN}={token}&name=".encode() + b"a" * LARGEST_BODY

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 8192):
            yield body[start : start + 8192]

    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert browser.post("/sign-in", content=body, headers=headers).status_code == 413
    assert browser.post("/sign-in", content=pieces(), headers=headers).status_code == 413


def test_a_fault_of_the_program_shows_no_traceback_and_logs_no_values(
    page: RunningPage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*_: object) -> None:
        raise ValueError("somebody@example.org")

    monkeypatch.setattr(page.app.state.shelf, "overview", break_down)
    with caplog.at_level(logging.INFO):
        answers = [page.browser(Role.VIEWER).get("/"), page.program(Role.VIEWER).get("/api/lists")]
    for answer in answers:
        assert answer.status_code == 500
        assert "Traceback" not in answer.text
        assert "ValueError" not in answer.text
        assert "somebody" not in answer.text
        assert answer.headers["content-security-policy"] == PROMISED["content-security-policy"]
    assert "ValueError at " in caplog.text
    assert "somebody" not in caplog.text


def test_the_log_tells_routes_and_user_ids_and_nothing_that_was_typed(
    page: RunningPage, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="retention.portal"):
        browser = page.browser(Role.MARKETER)
        browser.get("/lists/thank_you?x=secret@example.org")
        browser.get("/somebody@example.org")
        browser.post("/why", data={"customer": "somebody@example.org", FORM_TOKEN: form_token(browser, "/")})
        sign_in(page.browser(), "somebody@example.org", PASSWORD)
    told = "\n".join(record.getMessage() for record in caplog.records if record.name == "retention.portal")
    max_id = page.app.state.users.find("Max").user_id
    assert re.search(rf"GET /lists/{{name}} 200 \d+ ms user {max_id}", told)
    assert "GET (no such page) 404" in told
    for hidden in ("@", "secret", "Max", "127.0.0.1", PASSWORD, "?"):
        assert hidden not in told


def test_answers_to_wrong_input_do_not_repeat_it(page: RunningPage) -> None:
    program = page.program(Role.MARKETER)
    answer = program.post("/api/lists/thank_you/sent", json={"sent_on": "somebody@example.org"})
    assert answer.status_code == 422
    assert "somebody" not in answer.text
    assert program.get("/api/lists/somebody@example.org").status_code == 422


def test_nonsense_on_the_wire_breaks_nothing(page: RunningPage) -> None:
    port = int(page.address.rpartition(":")[2])
    for sent in (
        b"\x00\xff\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: x\r\n\r\n",
        b"GET",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as wire:
            wire.sendall(sent)
    assert page.browser().get("/api/health").json() == {"status": "ok"}
