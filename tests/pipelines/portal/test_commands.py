"""`retention users` and `retention portal` as a person types them, on the lake of the composed shop."""

import json
import re
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from pipelines.portal.server import Place, ServingError
from pipelines.portal.warm import warm
from pipelines.records.database import open_database
from pipelines.records.tokens import Tokens
from pipelines.records.users import Role, Users
from tests.pipelines.command import COMMAND, assert_plain, retention
from tests.pipelines.portal.running_page import FORM_TOKEN, PASSWORD, RunningPage
from tests.pipelines.published_shops import Published, copy_of

pytestmark = pytest.mark.xdist_group("published_small_shop")


@pytest.fixture
def own(published_small_shop: Published, tmp_path: Path) -> Published:
    return copy_of(published_small_shop, tmp_path)


def users(own: Published, *words: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run `retention users` on the shop, with something on standard input."""
    where = ("--shop", str(own.shop.folder), "--lake", str(own.lake.root))
    return subprocess.run(
        [str(COMMAND), "users", *map(str, words), *where],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd=own.lake.root.parent,
    )


def test_users_are_added_reset_disabled_and_listed(own: Published) -> None:
    added = users(own, "add", "Ann", "--role", "admin", stdin=f"{PASSWORD}\n")
    assert (added.returncode, added.stdout) == (0, "Added Ann (admin).\n"), added.stderr
    made = users(own, "add", "Max", "--role", "marketer", "--generate")
    password = made.stdout.rpartition(": ")[2].strip()
    known = Users(open_database(own.lake.root))
    assert known.check("ann", PASSWORD)
    assert known.check("max", password)
    reset = users(own, "reset", "max", "--generate")
    assert known.check("max", password) is None
    assert known.check("max", reset.stdout.rpartition(": ")[2].strip())
    assert users(own, "disable", "MAX").returncode == 0
    told = json.loads(users(own, "list", "--json").stdout)
    assert [(row["name"], row["role"], row["disabled_at"] is None) for row in told] == [
        ("Ann", "admin", True),
        ("Max", "marketer", False),
    ]


def test_a_token_is_shown_once_and_revoked(own: Published) -> None:
    users(own, "add", "Ann", "--role", "viewer", stdin=f"{PASSWORD}\n")
    secret = users(own, "token", "Ann", "--for", "nightly").stdout.strip()
    tokens = Tokens(open_database(own.lake.root))
    user = tokens.user_of(secret)
    assert user is not None
    assert user.role is Role.VIEWER
    told = users(own, "tokens").stdout
    assert secret not in told
    assert "nightly: holds" in told
    users(own, "revoke", told.partition(" ")[0])
    assert tokens.user_of(secret) is None


def test_what_cannot_be_is_told_plainly(own: Published) -> None:
    assert_plain(
        users(own, "add", "Ann", "--role", "root", stdin=f"{PASSWORD}\n"),
        "no role 'root'",
        "viewer, marketer",
    )
    assert_plain(users(own, "add", "Ann", "--role", "admin", stdin="short\n"), "12 to 256 characters")
    assert_plain(users(own, "disable", "Nobody"), "no user 'Nobody'", "retention users list")
    assert_plain(
        retention("portal", "--host", "0.0.0.0", folder=own.lake.root.parent), "unencrypted", "--behind-tls"
    )


def test_the_portal_starts_with_a_link_for_the_first_admin_and_ends_when_told(
    own: Published, free_port: int
) -> None:
    command = [str(COMMAND), "portal", "--shop", str(own.shop.folder), "--lake", str(own.lake.root)]
    process = subprocess.Popen(
        [*command, "--port", str(free_port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        assert f"http://127.0.0.1:{free_port}" in lines[0]
        link = re.search(r"http://\S+/first-admin\?code=\S+", lines[1])
        assert link
        with httpx.Client(trust_env=False, base_url=f"http://127.0.0.1:{free_port}") as browser:
            form = _asked_until_it_answers(browser, link[0])
            token = FORM_TOKEN.search(form.text)
            assert token
            code = link[0].rpartition("=")[2]
            sent = {
                "code": code,
                "name": "Ada",
                "password": PASSWORD,
                "again": PASSWORD,
                "form_token": token[1],
            }
            assert browser.post("/first-admin", data=sent).status_code == 303
            assert browser.get("/users").status_code == 200
        taken = subprocess.run(
            [*command, "--port", str(free_port)], capture_output=True, text=True, check=False
        )
        assert taken.returncode == 1
        assert "cannot be listened on" in taken.stderr
    finally:
        process.terminate()
        _, log = process.communicate(timeout=20)
    assert "POST /first-admin 303" in log
    assert not re.search(r"code=|Ada|Traceback", log)


def _asked_until_it_answers(browser: httpx.Client, link: str) -> httpx.Response:
    for _ in range(200):
        try:
            return browser.get(link)
        except httpx.ConnectError:
            time.sleep(0.1)
    raise AssertionError("the portal does not answer")


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (Place("0.0.0.0", 1), "unencrypted"),
        (Place("::", 1), "unencrypted"),
        (Place("shop.example", 1), "unencrypted"),
        (Place("127.0.0.1", 1, tls_certificate=Path("a")), "belong together"),
        (Place("127.0.0.1", 1, Path("no such a"), Path("no such b")), "not there"),
    ],
)
def test_passwords_never_go_over_a_network_in_the_clear(place: Place, says: str) -> None:
    with pytest.raises(ServingError, match=says):
        place.check()


def test_this_machine_and_encrypted_places_are_fine(tmp_path: Path) -> None:
    (tmp_path / "pem").write_text("")
    for place in (
        Place("127.0.0.1", 1),
        Place("localhost", 1),
        Place("::1", 1),
        Place("0.0.0.0", 1, is_behind_tls=True),
        Place("0.0.0.0", 1, tmp_path / "pem", tmp_path / "pem"),
    ):
        place.check()
    assert Place("::1", 8000).address == "http://[::1]:8000"


def test_downloads_are_prepared_beforehand_and_nothing_is_noted(page: RunningPage) -> None:
    lists = page.published.lake.scan("list_files").collect()
    assert warm(page.app, page.clock()) == lists.height
    assert page.app.state.ledger.entries().is_empty()


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
