"""A page that really listens on a free port, with a clock that tests turn, and people of every role.

Every person here is made up.
"""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI

from pipelines.portal.app import build_app
from pipelines.portal.first_admin import FirstAdmin
from pipelines.records import passwords
from pipelines.records.database import open_database
from pipelines.records.users import Role
from tests.pipelines.published_shops import NIGHT, Published

PASSWORD = "correct horse battery"
NAMES = {Role.VIEWER: "Vera", Role.MARKETER: "Max", Role.ADMIN: "Ada"}
FORM_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')


@dataclass
class Clock:
    """A clock that stands until it is turned."""

    now: datetime = NIGHT

    def __call__(self) -> datetime:
        return self.now


@dataclass
class RunningPage:
    """A page that listens.

    Attributes
    ----------
    code
        Of the first admin's link.
    """

    address: str
    app: FastAPI
    published: Published
    clock: Clock
    code: str
    opened: list[httpx.Client] = field(default_factory=list)

    @property
    def list_id(self) -> str:
        """The list of regulars."""
        return f"thank_you-{self.published.snapshot.as_of}"

    @property
    def file(self) -> str:
        """Where its upload file is."""
        return f"/lists/{self.list_id}/files/external_id"

    def browser(self, role: Role | None = None) -> httpx.Client:
        """A browser, of somebody who is signed in or not."""
        browser = httpx.Client(base_url=self.address, trust_env=False, timeout=30)
        self.opened.append(browser)
        if role is not None:
            answer = sign_in(browser, NAMES[role], PASSWORD)
            assert answer.status_code == 303, answer.text
        return browser

    def program(self, role: Role | None = None) -> httpx.Client:
        """A program with a token of a user of some role."""
        program = httpx.Client(base_url=self.address, trust_env=False, timeout=30)
        self.opened.append(program)
        if role is not None:
            state = self.app.state
            _, token = state.tokens.make(state.users.find(NAMES[role]), "test", self.clock())
            program.headers["authorization"] = f"Bearer {token}"
        return program


def form_token(browser: httpx.Client, path: str = "/sign-in") -> str:
    """The token of the forms of a page."""
    found = FORM_TOKEN.search(browser.get(path).text)
    assert found, path
    return found[1]


def sign_in(browser: httpx.Client, name: str, password: str, **more: str) -> httpx.Response:
    """Fill the sign-in form."""
    form = {"name": name, "password": password, "form_token": form_token(browser)} | more
    return browser.post("/sign-in", data=form)


@contextmanager
def running_page(
    published: Published, folder: Path, *, has_users: bool = True, is_behind_tls: bool = False
) -> Iterator[RunningPage]:
    """Serve the page of a published shop, with records of its own."""
    engine = open_database(folder, stays_open=True)
    clock = Clock()
    invited, code = FirstAdmin.invite(clock())
    app = build_app(
        published.shop,
        published.lake,
        engine,
        clock=clock,
        is_behind_tls=is_behind_tls,
        first_admin=invited,
    )
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, access_log=False, log_config=None, server_header=False, lifespan="off")
    )
    with cheap_hashes():
        if has_users:
            for role, name in NAMES.items():
                app.state.users.add(name, role, PASSWORD, clock())
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        page = RunningPage(f"http://127.0.0.1:{port}", app, published, clock, code)
        try:
            yield page
        finally:
            for client in page.opened:
                client.close()
            server.should_exit = True
            thread.join()
            engine.dispose()


@contextmanager
def cheap_hashes() -> Iterator[None]:
    """Hash passwords with next to no work: what the real parameters cost is no matter of tests."""
    before = passwords._HASHER
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords._nobodys_hash.cache_clear()
    try:
        yield
    finally:
        passwords._HASHER = before
        passwords._nobodys_hash.cache_clear()
