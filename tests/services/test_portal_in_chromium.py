"""The page for marketing in a real browser, served by the real command: signing in, a download, keys only, a phone.

axe-core judges every page; `make .venv/.axe` fetches it from npm.
"""

import hashlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from pipelines.lake import Lake
from pipelines.portal.shelf import Shelf
from pipelines.records.database import VARIABLE
from pipelines.records.ledger import Ledger
from pipelines.shop import Shop
from tests.services.conftest import RETENTION

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = Path(".venv/.axe/node_modules/axe-core/axe.min.js")
SHOP = "uk_gift_shop"
NAME, PASSWORD = "ann", "correct horse battery staple"
PAGES = ("/", "/lists/{list}", "/why", "/results", "/downloads", "/data", "/users", "/words", "/none")
SERIOUS = "axe.run().then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v => v.help))"

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(
        CHROMIUM is None, reason="chromium is not installed (Debian: apt-get install chromium)"
    ),
]


@dataclass
class Portal:
    """A portal that was started by the command, and a browser beside it.

    Attributes
    ----------
    faults
        What the browser complained of: broken policies, missing files.
    asked
        Hosts that pages asked anything of.
    """

    address: str
    lake: Path
    browser: Browser
    faults: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    @property
    def shelf(self) -> Shelf:
        return Shelf(Shop.open(SHOP), Lake.open(self.lake), Ledger.of(self.lake))

    @property
    def list_id(self) -> str:
        """The list with most people, so that every part of its page is there."""
        lists = self.shelf.newest.scan("campaign_lists").sort("deliverable").collect()
        return str(lists["list_id"][-1])

    def paths(self) -> list[str]:
        return [path.format(list=self.list_id) for path in PAGES]

    def open(self, *, width: int = 1280, may_judge: bool = False, is_dark: bool = False) -> BrowserContext:
        """A fresh browser window; to judge pages a script is let in that the pages themselves forbid."""
        return self.browser.new_context(
            base_url=self.address,
            viewport={"width": width, "height": 900},
            bypass_csp=may_judge,
            color_scheme="dark" if is_dark else "light",
        )

    def tab(self, context: BrowserContext, *, is_signed_in: bool = True) -> Page:
        page = context.new_page()
        page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: self.asked.add(request.url.split("/")[2]))
        if is_signed_in:
            page.goto("/sign-in")
            page.get_by_label("Name").fill(NAME)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{self.address}/")
        return page


@pytest.fixture(scope="module")
def portal(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """`retention portal` on the bundled shop with records of its own; the first admin is made by its link."""
    records = tmp_path_factory.mktemp("records") / "records.sqlite"
    log = records.with_name("log")
    with pytest.MonkeyPatch.context() as patch, log.open("w") as out:
        patch.setenv(VARIABLE, f"sqlite:///{records}")
        port = _free_port()
        command = [RETENTION, "portal", "--shop", SHOP, "--lake", str(published), "--port", str(port)]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=dict(os.environ))
        try:
            link = _link(process, log)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                running = Portal(f"http://127.0.0.1:{port}", published, browser)
                _make_first_admin(running, link)
                yield running
                browser.close()
        finally:
            process.terminate()
            process.wait(30)


def _link(process: subprocess.Popen[bytes], log: Path) -> str:
    """The first admin's link, once the page answers."""
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        found = re.search(r"http\S+/first-admin\?code=\S+", log.read_text())
        with suppress(httpx.TransportError):
            if found and httpx.get(found[0], trust_env=False).status_code == 200:
                return found[0]
        time.sleep(0.3)
    raise AssertionError(log.read_text())


def _make_first_admin(portal: Portal, link: str) -> None:
    with portal.open() as context:
        page = portal.tab(context, is_signed_in=False)
        page.goto(link)
        page.get_by_label("Your name").fill(NAME)
        page.get_by_label("Password At least").fill(PASSWORD)
        page.get_by_label("The password again").fill(PASSWORD)
        page.get_by_role("button", name="Make the account").click()
        page.wait_for_url(f"{portal.address}/")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_file_that_is_downloaded_is_the_one_in_the_ledger(portal: Portal) -> None:
    with portal.open() as context:
        page = portal.tab(context)
        page.locator(f'h2 a[href="/lists/{portal.list_id}"]').click()
        with page.expect_download() as started:
            page.get_by_role("link", name="Download Customer numbers").click()
        data = Path(started.value.path()).read_bytes()
        entry = Ledger.of(portal.lake).entries().row(-1, named=True)
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert (entry["list_id"], entry["platform"], entry["who"], entry["via"]) == (
            portal.list_id,
            "external_id",
            NAME,
            "page",
        )
        assert entry["bytes"] == len(data) and entry["rows"] == data.count(b"\n") - 1
        page.reload()
        # Another test may have taken the same file before: the same bytes, another entry.
        assert page.get_by_text(entry["sha256"][:12]).first.is_visible()


def test_keys_alone_lead_from_signing_in_to_a_file(portal: Portal) -> None:
    with portal.open() as context:
        page = portal.tab(context, is_signed_in=False)
        page.goto("/")
        assert page.url.endswith("/sign-in")
        page.wait_for_function("document.activeElement.id === 'name'")
        page.keyboard.type(NAME)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{portal.address}/")
        page.keyboard.press("Tab")
        assert _focused(page) == "Skip to the content"
        page.keyboard.press("Enter")
        _press_until(page, "Tab", lambda: _focus_leads_to(page, f"/lists/{portal.list_id}"))
        assert _has_visible_focus(page)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/lists/{portal.list_id}")
        _press_until(page, "Tab", lambda: _focus_leads_to(page, f"/lists/{portal.list_id}/files/external_id"))
        assert _has_visible_focus(page)
        with page.expect_download() as started:
            page.keyboard.press("Enter")
        assert started.value.suggested_filename.endswith(".external-id.csv")


def test_no_page_is_wider_than_a_phone(portal: Portal) -> None:
    with portal.open(width=360) as context:
        page = portal.tab(context)
        for path in portal.paths():
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


@pytest.mark.parametrize(("width", "is_dark"), [(1280, False), (360, True)])
def test_axe_finds_nothing_serious(portal: Portal, width: int, is_dark: bool) -> None:
    assert AXE.is_file(), "axe-core is missing: make .venv/.axe"
    axe = AXE.read_text(encoding="utf-8")
    with portal.open(width=width, may_judge=True, is_dark=is_dark) as context:
        page = portal.tab(context, is_signed_in=False)
        for path in ("/sign-in", "/first-admin?code=none"):
            page.goto(path)
            assert _serious(page, axe) == [], path
        page = portal.tab(context)
        for path in portal.paths():
            page.goto(path)
            assert _serious(page, axe) == [], path
        page.evaluate("document.querySelector('h1').insertAdjacentHTML('afterend', '<img src=\"data:,\">')")
        assert _serious(page, axe) == ["Images must have alternative text"]  # it does look


def test_pages_ask_nobody_else_and_break_no_policy(portal: Portal) -> None:
    portal.faults.clear()
    with portal.open() as context:
        page = portal.tab(context)
        for path in portal.paths()[:-1]:
            page.goto(path)
    assert portal.faults == []
    assert portal.asked == {portal.address.removeprefix("http://")}


def test_a_list_is_noted_as_sent_and_the_person_who_noted_it_is_told(portal: Portal) -> None:
    with portal.open() as context:
        page = portal.tab(context)
        page.goto(f"/lists/{portal.list_id}")
        page.get_by_role("button", name="Note the day").click()
        page.wait_for_url("**noted=true#sent")
        assert page.get_by_role("status").filter(has_text="Noted").is_visible()
    noted = Ledger.of(portal.lake).sendings().row(-1, named=True)
    assert (noted["list_id"], noted["state"], noted["who"]) == (portal.list_id, "sent", NAME)


def test_a_person_is_found_without_standing_in_an_address(portal: Portal) -> None:
    members = portal.shelf.newest.scan("list_members").filter(list_id=portal.list_id)
    contacts = portal.shelf.newest.scan("contacts").filter(kind="external_id")
    told = members.join(contacts, on="customer_key").sort("position").head(1).collect().row(0, named=True)
    with portal.open() as context:
        page = portal.tab(context)
        page.goto("/why")
        page.get_by_label("Customer number").fill(told["address"])
        page.get_by_role("button", name="Look up").click()
        assert page.get_by_text(told["reason"]).first.is_visible()
        assert page.url == f"{portal.address}/why"


def _serious(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    return page.evaluate(SERIOUS)


def _focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent")).strip()


def _focus_leads_to(page: Page, path: str) -> bool:
    return page.evaluate("document.activeElement.getAttribute('href') || ''") == path


def _has_visible_focus(page: Page) -> bool:
    return page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def _press_until(page: Page, key: str, is_there: Callable[[], bool], most: int = 120) -> None:
    for _ in range(most):
        page.keyboard.press(key)
        if is_there():
            return
    raise AssertionError(f"{key} does not lead there")
