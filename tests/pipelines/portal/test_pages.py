"""The pages: everybody can read them, they say what the shelf says, and forms do what they promise."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from pipelines.lake import Lake
from pipelines.records.ledger import Ledger
from pipelines.records.users import Role
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot
from tests.pipelines.portal.composed_shelf import (
    AS_OF,
    NOW,
    SETTINGS,
    THANK_YOU,
    UNHAPPY,
    WIN_BACK,
    composed_lake,
    composed_shop,
    finish,
)
from tests.pipelines.portal.read_pages import Page, read
from tests.pipelines.portal.running_page import RunningPage, running_page
from tests.pipelines.published_shops import Published

NO_SNAPSHOT = Snapshot("none", "none", AS_OF, NOW, {}, "", "")
PAGES = [
    "/", f"/lists/{WIN_BACK}", f"/lists/{THANK_YOU}", f"/lists/{UNHAPPY}", "/lists/quiet", "/why", "/results",
    "/results/worked-2024-Q1", "/results/too_small-2024-Q1", "/results/too_early-2024-Q1",
    "/results/not_used-2024-Q1", "/downloads", "/data", "/users", "/words",
]  # fmt: skip


class Portal:
    """The page of a composed shop, and browsers of everybody."""

    def __init__(self, running: RunningPage) -> None:
        self.running = running
        self.browsers: dict[Role | None, httpx.Client] = {}

    def browser(self, role: Role | None) -> httpx.Client:
        if role not in self.browsers:
            self.browsers[role] = self.running.browser(role)
        return self.browsers[role]

    def at(self, now: datetime) -> None:
        """Turn the clock; sessions end."""
        self.running.clock.now = now
        self.browsers.clear()

    @property
    def ledger(self) -> Ledger:
        return self.running.app.state.ledger

    def get(self, path: str, role: Role | None = Role.ADMIN) -> httpx.Response:
        return self.browser(role).get(path)

    def page(self, path: str, role: Role | None = Role.ADMIN) -> Page:
        answer = self.get(path, role)
        assert answer.status_code == 200, answer.text
        return read(answer.text)

    def post(self, path: str, of: str, by: Role = Role.MARKETER, **sent: str) -> httpx.Response:
        token = self.page(of, by).fields["form_token"]
        return self.browser(by).post(path, data={"form_token": token, **sent})


@contextmanager
def portal_of(shop: Shop, lake: Lake) -> Iterator[Portal]:
    """Serve the page; its records lie in the lake."""
    with running_page(Published(shop, lake, NO_SNAPSHOT), lake.root) as running:
        running.clock.now = NOW
        yield Portal(running)


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("composed_pages")
    composed_lake(folder / "lake", composed_shop(folder / "shop"))
    return folder


@pytest.fixture(scope="module")
def shown(composed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """For tests that change nothing."""
    shop, lake = copied(composed, tmp_path_factory.mktemp("shown"))
    with portal_of(shop, lake) as portal:
        yield portal


@pytest.fixture
def portal(composed: Path, tmp_path: Path) -> Iterator[Portal]:
    with portal_of(*copied(composed, tmp_path / "copy")) as portal:
        yield portal


def copied(composed: Path, folder: Path) -> tuple[Shop, Lake]:
    """A shop and its lake to write to."""
    shutil.copytree(composed, folder, dirs_exist_ok=True)
    return Shop.open(folder / "shop"), Lake.open(folder / "lake")


@pytest.mark.parametrize("path", PAGES)
def test_everybody_can_read_every_page(shown: Portal, path: str) -> None:
    page = shown.page(path)
    assert page.faults == []
    assert page.title.endswith("· Corner shop")
    assert all(is_post for _, is_post in page.forms)


@pytest.mark.parametrize(
    ("path", "status"), [("/sign-in", 200), ("/first-admin?code=x", 403), ("/none", 404)]
)
def test_everybody_can_read_the_pages_outside(shown: Portal, path: str, status: int) -> None:
    answer = shown.get(path, None)
    assert answer.status_code == status
    assert read(answer.text).faults == []


@pytest.mark.parametrize("role", Role)
def test_every_link_that_somebody_sees_leads_somewhere(shown: Portal, role: Role) -> None:
    seen, waiting = set[str](), {"/"}
    anchors: dict[str, set[str]] = {}
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = shown.browser(role).get(path, follow_redirects=True)
        # A list of another day has no run of its own here; files are handed out by tests of their own.
        assert answer.status_code == 200 or "thank_you-2024-05-24" in path, (path, answer.status_code)
        if answer.status_code != 200:
            continue
        page = read(answer.text)
        anchors[path] = set(page.ids)
        for link in page.links:
            target, _, anchor = link.partition("#")
            target = target or path
            if target in anchors and anchor:
                assert anchor in anchors[target], f"{path} leads to {link}"
            if target not in seen and "/files/" not in target:
                waiting.add(target)
    assert {"/", "/results", "/data", "/words", f"/lists/{WIN_BACK}"} <= seen
    assert ("/users" in seen) == (role is Role.ADMIN)
    assert ("/why" in seen) == (role is not Role.VIEWER)


def test_the_overview_says_what_each_list_is_and_what_it_needs(shown: Portal) -> None:
    words = shown.page("/").words
    assert "300 people in the file" in words and "£24,000" in words and "20 new" in words
    assert "Needs: answers to “would you recommend us?”." in words
    assert "Fresh until 4 Jun 2024, 04:00".replace(" Jun", "\u00a0Jun").replace("\u00a0", " ") in words
    assert "Data up to 31 May 2024" in words.replace("\u00a0", " ")


def test_the_waterfall_is_a_picture_and_the_same_numbers_a_table(shown: Portal) -> None:
    html = shown.get(f"/lists/{WIN_BACK}").text
    page = read(html)
    assert "of 1,200 customers 10 are in the file" in html
    drawn = re.findall(r'class="count"[^>]*>([^<]+)<', html)
    for number in ("1,200", "−980", "180", "−110", "−12", "−18", "−20", "−10"):
        assert drawn.count(number) >= 2  # for a wide screen and for a phone
        assert number.removeprefix("−") in page.words
    assert "31 : unsubscribed" in page.words or "31: unsubscribed" in page.words


def test_what_a_list_can_show_is_said_with_both_rates(shown: Portal) -> None:
    words = shown.page(f"/lists/{WIN_BACK}").words.replace("\u00a0", " ")
    assert "would show a rise from 3.0 % to 5.8 % or more" in words
    assert "lifecycle stage is lapsed or dormant" in words
    assert "That cannot be said" in shown.page(f"/lists/{UNHAPPY}").words


def test_a_viewer_sees_counts_and_neither_people_nor_files(shown: Portal) -> None:
    html = shown.get(f"/lists/{WIN_BACK}", Role.VIEWER).text
    assert "Ä. O." not in html and "/files/" not in html and "After sending" not in html
    assert "Ä. O." in shown.get(f"/lists/{WIN_BACK}", Role.MARKETER).text
    assert shown.get("/why", Role.VIEWER).status_code == 403
    assert shown.get("/users", Role.MARKETER).status_code == 403


def test_no_page_holds_an_address_a_name_or_a_key(shown: Portal) -> None:
    for path in PAGES:
        html = shown.get(path).text
        assert "example.org" not in html and "Made-Up" not in html and "Ägnes" not in html, path
        assert not re.search(r"\b[0-9a-f]{24}\b", html), path


def test_files_say_what_is_in_them_and_where_they_are_fetched(shown: Portal) -> None:
    page = shown.page(f"/lists/{THANK_YOU}")
    assert f"/lists/{THANK_YOU}/files/klaviyo" in page.links
    assert "300 people · 18 kB · until 4 Jun 2024, 04:00" in page.words.replace("\u00a0", " ")
    assert "Email, First name" in page.words and "3 people without an address" in page.words.replace(
        "\u00a0", " "
    )


def test_marketing_notes_the_day_of_sending(portal: Portal) -> None:
    of = f"/lists/{THANK_YOU}"
    answer = portal.post(f"{of}/sent", of, day=AS_OF.isoformat())
    assert (answer.status_code, answer.headers["location"]) == (303, f"{of}?noted=true#sent")
    assert "Max noted that it was sent on 31 May 2024" in portal.page(
        f"{of}?noted=true", Role.MARKETER
    ).words.replace("\u00a0", " ")
    portal.running.clock.now += timedelta(minutes=1)
    assert portal.post(f"{of}/not-used", of).status_code == 303
    noted = portal.ledger.sendings().filter(list_id=THANK_YOU)
    assert noted["state"].to_list() == ["sent", "not_used"]
    assert "Not used" in portal.page("/", Role.MARKETER).words


@pytest.mark.parametrize("day", ["2024-05-30", "2024-06-02", "yesterday", ""])
def test_a_day_that_cannot_be_is_refused_and_said_so(portal: Portal, day: str) -> None:
    of = f"/lists/{THANK_YOU}"
    answer = portal.post(f"{of}/sent", of, day=day)
    assert answer.status_code == 422
    page = read(answer.text)
    assert page.faults == [] and "fault" in page.ids
    assert portal.ledger.sendings().filter(list_id=THANK_YOU).is_empty()


@pytest.mark.parametrize("typed", ["nobody@example.org", " "])
def test_who_is_not_found_is_said_to_be_and_never_repeated(shown: Portal, typed: str) -> None:
    answer = shown.post("/why", "/why", customer=typed)
    assert answer.status_code == 422
    page = read(answer.text)
    assert page.faults == [] and "fault" in page.ids
    assert "nobody@example.org" not in answer.text


def test_an_admin_adds_resets_and_disables_users(portal: Portal) -> None:
    added = portal.post("/users/add", "/users", Role.ADMIN, name="dora", role="viewer")
    found = re.search(r'<strong class="mono">([^<]+)</strong>', added.text)
    assert found is not None and read(added.text).faults == []
    assert portal.post("/users/add", "/users", Role.ADMIN, name="dora", role="viewer").status_code == 422
    assert portal.post("/users/add", "/users", Role.ADMIN, name="eve", role="queen").status_code == 422
    users = portal.running.app.state.users
    assert users.check("dora", found[1]) is not None
    assert "can no longer sign in" in portal.post("/users/disable", "/users", Role.ADMIN, name="dora").text
    assert users.check("dora", found[1]) is None
    again = re.search(
        r'<strong class="mono">([^<]+)</strong>',
        portal.post("/users/reset", "/users", Role.ADMIN, name="dora").text,
    )
    assert again is not None and again[1] != found[1] and users.check("dora", again[1]) is not None


def test_old_data_are_told_on_every_page(portal: Portal) -> None:
    portal.at(NOW + timedelta(days=9))
    for path in PAGES:
        page = portal.page(path)
        assert "The data are too old." in page.words and page.faults == []


def test_an_expired_list_offers_no_files(portal: Portal) -> None:
    portal.at(NOW + timedelta(days=2, hours=20))
    page = portal.page(f"/lists/{THANK_YOU}")
    assert "Expired" in page.words or "Data too old" in page.words
    assert not any("/files/" in link for link in page.links)


@pytest.mark.parametrize("locale", ["de_DE", "en_US", "fr_FR", "ja_JP"])
def test_days_and_money_are_written_as_in_the_shops_country(
    composed: Path, tmp_path: Path, locale: str
) -> None:
    _, lake = copied(composed, tmp_path / "copy")
    shop = composed_shop(tmp_path / "shop", settings=f'{SETTINGS}locale = "{locale}"\n')
    with portal_of(shop, lake) as portal:
        html = portal.get("/").text
    money = {
        "de_DE": "24.000\u00a0£",
        "en_US": "£24,000",
        "fr_FR": "24\u202f000\u00a0£GB",
        "ja_JP": "£24,000",
    }[locale]
    assert money in html
    assert ('lang="de">31. Mai' in html.replace("\u00a0", " ")) == (locale == "de_DE")
    assert read(html).faults == []


def test_before_the_first_run_the_pages_say_so(tmp_path: Path) -> None:
    shop = composed_shop(tmp_path / "shop")
    lake = Lake.make(tmp_path / "lake", shop.name)
    with portal_of(shop, lake) as portal:
        assert "Nothing was published yet." in portal.page("/").words
        for path in ("/results", "/data"):
            answer = portal.get(path)
            assert answer.status_code == 503 and read(answer.text).faults == []
        finish(lake)
        assert "This shop has no lists." in portal.page("/").words
        assert "No campaign was used yet." in portal.page("/results").words


@pytest.mark.parametrize(
    "ask",
    [
        lambda portal: portal.get("/lists/none"),
        lambda portal: portal.get("/results/none"),
        lambda portal: portal.get(f"/lists/{UNHAPPY}/files/klaviyo"),
        lambda portal: portal.browser(Role.MARKETER).post("/why", data={"customer": "7"}),
    ],
)
def test_faults_are_kind_pages(shown: Portal, ask: Callable[[Portal], httpx.Response]) -> None:
    answer = ask(shown)
    assert 400 <= answer.status_code < 500
    page = read(answer.text)
    assert page.faults == [] and "To all lists" in page.words
