"""The shelf: what is told of lists, results and data is what the newest finished run has written."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.errors import LakeError
from pipelines.lake import Lake
from pipelines.portal.facts import Card
from pipelines.portal.newest import Newest
from pipelines.portal.shelf import NoSuchListError, Shelf
from pipelines.records.ledger import Download, Ledger
from pipelines.shop import Shop
from tests.pipelines.portal.composed_shelf import (
    AS_OF,
    EARLIER,
    MADE,
    NOW,
    QUIET,
    SETTINGS,
    THANK_YOU,
    UNHAPPY,
    WIN_BACK,
    campaign,
    composed_lake,
    composed_shop,
    finish,
    key,
    write,
)


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("composed_shelf")
    composed_lake(folder / "lake", composed_shop(folder / "shop"))
    return folder


@pytest.fixture
def shelf(composed: Path, tmp_path: Path) -> Shelf:
    shutil.copytree(composed, tmp_path / "copy")
    lake = Lake.open(tmp_path / "copy" / "lake")
    return Shelf(Shop.open(tmp_path / "copy" / "shop"), lake, Ledger.of(lake.root))


def _cards(shelf: Shelf) -> dict[str, Card]:
    return {card.list_id: card for card in shelf.overview(NOW).cards}


def test_lists_that_can_be_taken_come_first_and_only_those_of_the_newest_day(shelf: Shelf) -> None:
    overview = shelf.overview(NOW)
    assert [card.list_id for card in overview.cards] == [THANK_YOU, WIN_BACK, UNHAPPY, QUIET]
    assert [card.state for card in overview.cards] == ["ready", "ready", "needs", "nobody"]
    assert overview.customers == 1200


def test_an_empty_list_names_the_data_that_its_rule_lacks(shelf: Shelf) -> None:
    cards = _cards(shelf)
    assert cards[UNHAPPY].needs == ("answers to “would you recommend us?”",)
    assert cards[QUIET].needs == cards[WIN_BACK].needs == ()


def test_a_list_without_predictions_says_why_there_are_none(shelf: Shelf) -> None:
    asked = campaign("risky", "Risky", rule="churn_band = 'high'", not_eligible=1200)
    write(shelf.lake, "campaign_lists", [asked])
    not_ready = {"as_of": AS_OF, "condition": "customers", "found": 3, "is_ready": False}
    write(shelf.lake, "readiness", [not_ready | {"reasons": "3 customers, 500 are needed"}])
    finish(shelf.lake, finished_at=NOW, run="later")
    assert shelf.overview(NOW).cards[0].needs == ("predictions: 3 customers, 500 are needed",)


def test_who_is_new_is_counted_against_the_list_downloaded_last(shelf: Shelf) -> None:
    cards = _cards(shelf)
    # Of 300 in the file those below 20 were not on the list of the week before.
    assert cards[THANK_YOU].new_people == 20
    assert cards[WIN_BACK].new_people is None
    taken = Download("anna", THANK_YOU, "klaviyo", "Email", 0, "page")
    entry = shelf.ledger.open_entry(taken, NOW)
    assert _cards(shelf)[THANK_YOU].new_people == 20  # not finished: not taken
    shelf.ledger.close_entry(entry, NOW, rows=300, bytes=1, sha256="ef" * 32)
    assert _cards(shelf)[THANK_YOU].new_people == 0


def test_the_newest_note_of_a_list_holds(shelf: Shelf) -> None:
    assert _cards(shelf)[THANK_YOU].sent is None  # the note is on the list of the week before
    shelf.ledger.note(THANK_YOU, "sent", AS_OF, "ben", NOW)
    shelf.ledger.note(THANK_YOU, "not_used", None, "anna", NOW + timedelta(minutes=1))
    sent = _cards(shelf)[THANK_YOU].sent
    assert sent is not None and (sent.state, sent.who, sent.sent_on) == ("not_used", "anna", None)


def test_lists_expire_and_old_data_stop_them(shelf: Shelf) -> None:
    late = MADE + timedelta(hours=72, seconds=1)
    assert {card.state for card in shelf.overview(late).cards} == {"expired", "needs", "nobody"}
    stale = shelf.overview(NOW + timedelta(days=2, hours=16)).freshness
    assert (stale.is_stale, stale.age_days) == (True, 4)


def test_a_sample_neither_expires_nor_goes_stale(tmp_path: Path) -> None:
    shop = composed_shop(tmp_path / "shop", settings=f"sample = true\n{SETTINGS}")
    lake = composed_lake(tmp_path / "lake", shop)
    fresh = Shelf(shop, lake, Ledger.of(lake.root)).freshness(NOW + timedelta(days=4000))
    assert (fresh.is_stale, fresh.late_sources, fresh.is_sample) == (False, (), True)


def test_the_gate_adds_up_and_names_its_causes(shelf: Shelf) -> None:
    page = shelf.page("win_back", NOW)
    assert page.card.list_id == WIN_BACK
    left = [stop.left for stop in page.stops]
    assert left == [1160, 180, 70, 58, 40, 20, 10]
    assert left[-1] == page.card.people
    assert page.eligible == 180
    for stop in page.stops:
        assert sum(cause.customers for cause in stop.causes) == stop.customers


def test_people_are_counted_by_stage_and_spending_as_plain_recounting_does(shelf: Shelf) -> None:
    page = shelf.page(THANK_YOU, NOW)
    stages = ("active", "new", "at_risk", "lapsed", "dormant")
    for group in page.groups:
        people = [n for n in range(300) if stages[n % 5] == group.stage]
        by_score = [1 + n % 3 if n % 7 else None for n in people]
        assert group.people == len(people)
        assert group.by_spend == tuple(by_score.count(score) for score in (1, 2, 3, None))
        assert group.value == pytest.approx(sum(80 + n % 50 for n in people))
    assert sum(group.people for group in page.groups) == page.card.people


def test_nobody_in_the_sample_can_be_recognised(shelf: Shelf) -> None:
    sample = shelf.sample(WIN_BACK)
    assert [someone.letters for someone in sample[:5]] == ["Ä. O.", "A. O.", "A. O.", "A. O.", "No. 7…"]
    assert sample[-1].letters in ("No. 7…", "no name")
    assert sample[0].reason == "has not ordered for 490 days"
    assert not any("@" in str(someone) or "704" in str(someone) for someone in sample)


def test_an_erased_person_leaves_the_sample_at_once(shelf: Shelf) -> None:
    first = shelf.sample(WIN_BACK)[0]
    members = shelf.lake.scan("list_members").filter(pl.col("customer_key") != key(400)).collect()
    write(shelf.lake, "list_members", members)
    finish(shelf.lake, finished_at=MADE + timedelta(hours=1), run="erased")
    assert first not in shelf.sample(WIN_BACK)


def test_a_page_tells_files_overlaps_downloads_and_how_it_was_made(shelf: Shelf) -> None:
    page = shelf.page(THANK_YOU, NOW)
    assert [file.platform for file in page.files] == ["klaviyo", "external_id", "reading"]
    assert page.files[0].columns == ("Email", "First Name")
    assert [(other.list_id, other.customers) for other in page.overlaps] == [(WIN_BACK, 7)]
    assert [(taken.list_id, taken.finished_at is None) for taken in page.downloads] == [
        (THANK_YOU, True),
        (f"thank_you-{EARLIER}", False),
    ]
    assert (page.made.model, page.made.snapshot_id) == ("rfm_cell_mean", f"{AS_OF}-composed")


def test_the_list_of_an_earlier_day_points_to_the_newest(shelf: Shelf) -> None:
    with pytest.raises(LakeError):
        shelf.page(f"thank_you-{EARLIER}", NOW)  # no run for that day has finished
    finish(shelf.lake, as_of=EARLIER, finished_at=MADE - timedelta(days=7), run="earlier")
    page = shelf.page(f"thank_you-{EARLIER}", NOW)
    assert (page.newest_list_id, page.card.state) == (THANK_YOU, "expired")
    assert page.made.snapshot_id == f"{EARLIER}-earlier"


@pytest.mark.parametrize("ask", [lambda shelf: shelf.page("none", NOW), lambda shelf: shelf.result("none")])
def test_what_is_not_there_is_said_plainly(shelf: Shelf, ask: Callable[[Shelf], object]) -> None:
    with pytest.raises(NoSuchListError, match="'none'"):
        ask(shelf)


def test_a_lake_without_a_finished_run_says_what_to_do(tmp_path: Path) -> None:
    shop = composed_shop(tmp_path / "shop")
    lake = Lake.make(tmp_path / "lake", shop.name)
    with pytest.raises(LakeError, match="retention run"):
        Shelf(shop, lake, Ledger.of(lake.root)).overview(NOW)


def test_a_run_without_lists_gives_an_empty_overview(tmp_path: Path) -> None:
    shop = composed_shop(tmp_path / "shop")
    lake = Lake.make(tmp_path / "lake", shop.name)
    finish(lake)
    shelf = Shelf(shop, lake, Ledger.of(lake.root))
    assert shelf.overview(NOW).cards == ()
    assert shelf.results() == ()
    assert shelf.quality(NOW).tables == ()
    assert shelf.freshness(NOW).is_stale


def test_quality_accounts_for_every_row(shelf: Shelf) -> None:
    quality = shelf.quality(NOW)
    (orders,) = quality.tables
    assert orders.rows == orders.accepted + orders.quarantined + orders.replayed + orders.erased
    assert [(rule.says, rule.failed) for rule in quality.broken] == [("The price is above 0.", 15)]
    assert [(source.source, source.rows) for source in quality.sources] == [
        ("orders", 1000),
        ("survey_answers", None),
    ]


def test_results_put_what_was_used_before_what_was_not(shelf: Shelf) -> None:
    results = shelf.results()
    assert [result.verdict for result in results][-1] == "not_used"
    worked = shelf.result("worked-2024-Q1")
    assert [outcome.outcome for outcome in worked.outcomes] == ["ordered", "net_revenue"]
    assert worked.outcomes[0].effect == pytest.approx((0.03, 0.01, 0.054))
    assert shelf.result("too_early-2024-Q1").outcomes[0].effect is None


def test_contact_pressure_is_told_for_ninety_days_from_seldom_to_often(shelf: Shelf) -> None:
    told = shelf.pressure()
    assert [(row.contacts, row.customers, row.is_small) for row in told] == [
        ("0", 900, False),
        ("1", 280, False),
        ("10+", 20, True),
    ]


def test_readers_see_the_last_finished_run_until_the_next_has_finished(shelf: Shelf) -> None:
    before = _cards(shelf)
    write(shelf.lake, "campaign_lists", [campaign("other", "Other", not_eligible=1100)])
    assert _cards(shelf) == before
    finish(shelf.lake, finished_at=NOW, run="next")
    assert list(_cards(shelf)) == [f"other-{AS_OF}"]


def test_what_was_worked_out_is_kept_until_a_run_finishes(shelf: Shelf) -> None:
    newest, asked = Newest(shelf.lake), list[int]()

    def make() -> int:
        asked.append(1)
        return len(asked)

    assert [newest.remembered("it", make) for _ in range(3)] == [1, 1, 1]
    finish(shelf.lake, finished_at=NOW, run="next")
    assert newest.remembered("it", make) == 2
