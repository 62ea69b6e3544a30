"""Signing in and out: sessions that nobody else can have, forms that no other site can send, guessing that is slow."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipelines.portal.access import FORM_TOKEN, SESSION
from pipelines.portal.first_admin import LIVES
from pipelines.portal.security import VISITOR
from pipelines.portal.sign_in import network_of
from pipelines.portal.telling import local_path
from pipelines.records.sessions import IDLE
from pipelines.records.users import Role
from tests.pipelines.portal.running_page import (
    NAMES,
    PASSWORD,
    RunningPage,
    form_token,
    running_page,
    sign_in,
)
from tests.pipelines.published_shops import Published

pytestmark = pytest.mark.xdist_group("published_small_shop")
LIST = "/lists/thank_you"


def cookies_set(answer: httpx.Response) -> dict[str, str]:
    """Set-Cookie headers by the cookie's name."""
    return {header.partition("=")[0]: header for header in answer.headers.get_list("set-cookie")}


def test_the_right_password_opens_a_session_and_leads_to_the_page_asked_for(page: RunningPage) -> None:
    browser = page.browser()
    asked = browser.get(LIST)
    assert (asked.status_code, asked.headers["location"]) == (303, f"/sign-in?next={LIST}")
    answer = sign_in(browser, NAMES[Role.VIEWER], PASSWORD, next=LIST)
    assert (answer.status_code, answer.headers["location"]) == (303, LIST)
    assert browser.get(LIST).status_code == 200
    assert browser.get("/sign-in").headers["location"] == "/"


@pytest.mark.parametrize(("name", "password"), [("Vera", "wrong password"), ("Nobody", PASSWORD), ("", "")])
def test_whatever_is_wrong_is_told_in_the_same_words(page: RunningPage, name: str, password: str) -> None:
    browser = page.browser()
    answer = sign_in(browser, name, password)
    assert answer.status_code == 401
    assert "The name or the password is not right." in answer.text
    assert SESSION not in cookies_set(answer)
    assert browser.get("/").status_code == 303


def test_cookies_are_for_this_page_alone(page: RunningPage) -> None:
    browser = page.browser()
    visitor = cookies_set(browser.get("/sign-in"))[VISITOR]
    session = cookies_set(sign_in(browser, "Vera", PASSWORD))[SESSION]
    for cookie in (visitor, session):
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie


def test_behind_tls_cookies_are_sent_over_tls_only(published_small_shop: Published, tmp_path: Path) -> None:
    with running_page(published_small_shop, tmp_path, is_behind_tls=True) as page:
        browser = page.browser()
        answer = browser.get("/sign-in")
        visitor = cookies_set(answer)[f"__Host-{VISITOR}"]
        assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in visitor.split(";")}
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        # A cookie without the prefix may come from a neighbour domain: it counts for nothing.
        state = page.app.state
        session = state.sessions.start(state.users.find("Ada"), page.clock())
        for name, status in ((SESSION, 303), (f"__Host-{SESSION}", 200)):
            assert browser.get("/", headers={"cookie": f"{name}={session}"}).status_code == status


def test_a_session_gets_a_new_id_at_sign_in_and_the_old_one_ends(page: RunningPage) -> None:
    browser = page.browser(Role.VIEWER)
    before = browser.cookies[SESSION]
    planted = page.browser()
    planted.cookies.set(SESSION, "chosen by somebody else")
    form = {"name": "Ada", "password": PASSWORD, FORM_TOKEN: form_token(planted)}
    planted.post("/sign-in", data=form)
    assert planted.cookies.get(SESSION, domain="127.0.0.1") != "chosen by somebody else"
    assert page.app.state.sessions.user_of("chosen by somebody else", page.clock()) is None
    form = {"name": "Ada", "password": PASSWORD, FORM_TOKEN: form_token(browser, "/")}
    browser.post("/sign-in", data=form)
    assert browser.cookies[SESSION] != before
    assert page.app.state.sessions.user_of(before, page.clock()) is None


def test_signing_out_ends_the_session_on_the_server_too(page: RunningPage) -> None:
    browser = page.browser(Role.VIEWER)
    kept = browser.cookies[SESSION]
    answer = browser.post("/sign-out", data={FORM_TOKEN: form_token(browser, "/")})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "Max-Age=0" in cookies_set(answer)[SESSION]
    assert page.browser().get("/", headers={"cookie": f"{SESSION}={kept}"}).status_code == 303


def test_a_session_ends_after_a_pause(page: RunningPage) -> None:
    browser = page.browser(Role.VIEWER)
    page.clock.now += IDLE + timedelta(seconds=1)
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize("how", ["disable", "reset"])
def test_who_is_shut_out_is_out_at_once(page: RunningPage, how: str) -> None:
    browser, program = page.browser(Role.MARKETER), page.program(Role.MARKETER)
    assert (browser.get("/").status_code, program.get("/api/lists").status_code) == (200, 200)
    users = page.app.state.users
    if how == "disable":
        users.disable("Max", page.clock())
    else:
        users.reset("Max", "another long password", page.clock())
    assert (browser.get("/").status_code, program.get("/api/lists").status_code) == (303, 401)


@pytest.mark.parametrize(
    "changes",
    [
        {"token": ""},
        {"token": "0" * 64},
        {"token": "of another"},
        {"headers": {"origin": "https://elsewhere.example"}},
        {"headers": {"origin": "null"}},
        {"headers": {"sec-fetch-site": "cross-site"}},
        {"headers": {"sec-fetch-site": "same-site"}},
        {"headers": {"sec-fetch-site": "none"}},
        {"headers": {"sec-fetch-site": "cross-site", "origin": "SELF"}},
    ],
)
def test_what_another_site_sends_changes_nothing(page: RunningPage, changes: dict[str, Any]) -> None:
    browser = page.browser(Role.MARKETER)
    token = changes.get("token", form_token(browser, "/"))
    if token == "of another":
        token = form_token(page.browser(Role.MARKETER), "/")
    headers = {
        name: value.replace("SELF", page.address) for name, value in changes.get("headers", {}).items()
    }
    answer = browser.post(f"{LIST}/not-used", data={FORM_TOKEN: token}, headers=headers)
    assert answer.status_code == 403
    assert page.app.state.ledger.sendings().is_empty()


@pytest.mark.parametrize(
    "headers", [{}, {"origin": "SELF"}, {"sec-fetch-site": "same-origin", "origin": "null"}]
)
def test_what_our_own_page_sends_is_done(page: RunningPage, headers: dict[str, str]) -> None:
    browser = page.browser(Role.MARKETER)
    told = {name: value.replace("SELF", page.address) for name, value in headers.items()}
    form = {FORM_TOKEN: form_token(browser, "/")}
    assert browser.post(f"{LIST}/not-used", data=form, headers=told).status_code in (200, 303)
    assert page.app.state.ledger.sendings()["who"].to_list() == ["Max"]


def test_a_sign_in_form_belongs_to_the_browser_that_asked_for_it(page: RunningPage) -> None:
    token = form_token(page.browser())
    other = page.browser()
    other.get("/sign-in")
    answer = other.post("/sign-in", data={"name": "Ada", "password": PASSWORD, FORM_TOKEN: token})
    assert answer.status_code == 403
    assert page.browser().post("/sign-in", data={"name": "Ada", "password": PASSWORD}).status_code == 403


def test_guessing_gets_slow_and_the_right_password_has_to_wait_too(page: RunningPage) -> None:
    browser = page.browser()
    answers = [sign_in(browser, "Ada", f"guess number {n}") for n in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "1"
    assert sign_in(browser, "Ada", PASSWORD).status_code == 429
    page.clock.now += timedelta(seconds=1)
    assert sign_in(browser, "Ada", PASSWORD).status_code == 303
    assert sign_in(page.browser(), "Vera", PASSWORD).status_code == 303


def test_unknown_names_are_slowed_down_like_known_ones(page: RunningPage) -> None:
    seen = {
        name: [sign_in(page.browser(), name, f"guess number {n}").status_code for n in range(7)]
        for name in ("Ada", "Nobody")
    }
    assert seen["Ada"] == seen["Nobody"]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "unknown"),
        ("", "unknown"),
    ],
)
def test_who_has_a_whole_network_gets_no_more_guesses(address: str, network: str) -> None:
    assert network_of(address) == network


def test_the_first_admin_is_made_by_the_link_once(published_small_shop: Published, tmp_path: Path) -> None:
    with running_page(published_small_shop, tmp_path, has_users=False) as page:
        browser = page.browser()
        link = f"/first-admin?code={page.code}"
        form = {"code": page.code, "name": "Ada", "password": PASSWORD, "again": PASSWORD}
        assert browser.get("/first-admin?code=guessed").status_code == 403
        assert browser.post("/first-admin", data=form).status_code == 403
        form[FORM_TOKEN] = form_token(browser, link)
        for wrong in ({"again": "another"}, {"password": "short", "again": "short"}, {"name": "=1+1"}):
            assert browser.post("/first-admin", data=form | wrong).status_code == 422
        assert browser.post("/first-admin", data=form | {"code": "guessed"}).status_code == 403
        page.clock.now += LIVES + timedelta(seconds=1)
        assert browser.post("/first-admin", data=form).status_code == 403
        page.clock.now -= timedelta(seconds=1)
        assert browser.post("/first-admin", data=form).status_code == 303
        assert browser.get("/users").status_code == 200
        assert page.browser().get(link).status_code == 403


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/lists/a-2024-05-31", "/lists/a-2024-05-31"),
        ("//elsewhere.example/", "/"),
        ("https://elsewhere.example/", "/"),
        ("/\\elsewhere.example", "/"),
        ("/a\r\nset-cookie: x=1", "/"),
        ("javascript:alert(1)", "/"),
        ("/sign-out", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_signing_in_leads_nowhere_else(asked: str | None, leads_to: str) -> None:
    assert local_path(asked) == leads_to
