"""`retention results`: what campaigns changed, in words and as JSON; notes on lists, and why one cannot be made.

Every person and order here is made up.
"""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from models.campaign_effect import Campaign, campaign_results
from pipelines.cli import read  # noqa: F401  # with one command alone the frame would take no command's name
from pipelines.cli.app import app
from pipelines.errors import LabError
from pipelines.lake import Lake
from pipelines.records.ledger import Ledger
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot
from tests.pipelines.published_shops import rows_of
from tests.pipelines.small_shops import write_shop

AS_OF = date(2024, 5, 31)
START = date(2024, 3, 1)
ORDERED = {"deliver": 120, "hold_out": 15}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop with a campaign that worked, one that is not over and one that nobody took."""
    folder = tmp_path_factory.mktemp("results")
    made = write_shop(folder / "shop")
    lake = Lake.make(folder / "lake", made.name)
    lists = [
        {"as_of": day, "list_id": f"{name}-{day}", "name": name, "title": name.title(), "channel": "email"}
        for name, day in (("thanks", START), ("thanks", AS_OF), ("win_back", AS_OF))
    ]
    for day in (START, AS_OF):
        rows = rows_of("campaign_lists", [row for row in lists if row["as_of"] == day])
        lake.replace("campaign_lists", rows.lazy(), fingerprint=f"{day}", as_of=day)
    lake.replace("campaign_results", _results(), fingerprint="results", as_of=AS_OF)
    finished = datetime(2024, 6, 1, 3, tzinfo=UTC)
    snapshot = Snapshot("s", "run", AS_OF, finished, lake.versions(), "settings", "code")
    lake.append("snapshots", snapshot.row().lazy(), fingerprint="snapshot")
    return made


def _results() -> pl.LazyFrame:
    people = [
        {"customer_key": f"{where} {n}", "assignment": where, "started_on": START}
        for where, size in (("deliver", 600), ("hold_out", 200))
        for n in range(size)
    ]
    orders = [
        {"order_id": f"{where} {n}", "customer_key": f"{where} {n}", "order_day": START + timedelta(3),
         "is_valid": True, "gross": Decimal(20), "discount": Decimal(0)}
        for where, count in ORDERED.items()
        for n in range(count)
    ]  # fmt: skip
    frame = pl.LazyFrame(people)
    about: dict[str, Any] = {"source": "lists", "channel": "email", "lists": 1}
    of = [
        Campaign(name="thanks-2024-Q1", list_name="thanks", title="Thanks", window_days=30, people=frame, lists_used=1,
                 **about),
        Campaign(name="thanks-2024-Q2", list_name="thanks", title="Thanks", window_days=365, people=frame, lists_used=1,
                 **about),
        Campaign(name="win_back-2024-Q2", list_name="win_back", title="Win back", window_days=90, people=None,
                 lists_used=0, **about),
    ]  # fmt: skip
    return campaign_results(
        of, rows_of("orders", orders).lazy(), rows_of("returns", []).lazy(), AS_OF, currency="GBP"
    )


def told(shop: Shop, *words: str, lake: Path | None = None) -> Result:
    where = ["--shop", str(shop.folder), "--lake", str(lake or shop.folder.parent / "lake")]
    return CliRunner().invoke(app, ["results", *words, *where], catch_exceptions=True)


def test_every_campaign_has_its_verdict_in_words(shop: Shop) -> None:
    shown = told(shop)
    assert shown.exit_code == 0
    text = shown.output.replace("\u00a0", " ")
    assert (
        "thanks-2024-Q1: Thanks, from 2024-03-01 on\n  Worked: 20.0 % of 600 people written to ordered"
        in text
    )
    assert "Too early: the window of 365 days closes on 2025-02-28, in 273 days." in text
    assert "win_back-2024-Q2: Win back\n  Not used: its list was not downloaded" in text


@pytest.mark.parametrize("name", ["thanks-2024-Q1", "thanks"])
def test_one_campaign_is_told_with_all_its_numbers(shop: Shop, name: str) -> None:
    shown = told(shop, name)
    assert shown.exit_code == 0
    assert "net revenue, GBP" in shown.output
    assert "12.50 % (7.09 % to 16.96 %)" in shown.output
    assert "75 (43 to 102)" in shown.output
    assert "win_back" not in shown.output
    assert ("thanks-2024-Q2" in shown.output) == (name == "thanks")


def test_scripts_get_json_without_a_person_in_it(shop: Shop) -> None:
    found = json.loads(told(shop, "--json").output)
    assert [one["campaign"] for one in found] == ["thanks-2024-Q1", "thanks-2024-Q2", "win_back-2024-Q2"]
    worked = found[0]
    assert worked["verdict"] == "worked"
    assert worked["outcomes"]["ordered"]["difference"] == pytest.approx(0.125)
    assert worked["outcomes"]["unsubscribed"]["difference"] is None
    assert "deliver 1" not in json.dumps(found)


def test_notes_go_into_the_ledger_and_the_newest_holds(shop: Shop, tmp_path: Path) -> None:
    root = _lake_of_its_own(shop, tmp_path)
    assert (
        "was sent on 2024-03-02"
        in told(shop, "--sent", f"thanks-{START}", "--on", "2024-03-02", lake=root).output
    )
    assert f"thanks-{AS_OF} was not used" in told(shop, "--not-used", "thanks", lake=root).output
    kept = Ledger.of(root).sendings()
    assert kept.select("list_id", "state", "sent_on").rows() == [
        (f"thanks-{START}", "sent", date(2024, 3, 2)),
        (f"thanks-{AS_OF}", "not_used", None),
    ]


def _lake_of_its_own(shop: Shop, folder: Path) -> Path:
    from shutil import copytree

    copytree(shop.folder.parent / "lake", folder / "lake")
    return folder / "lake"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--sent", f"thanks-{START}", "--on", "2024-02-29"], "was made from data up to 2024-03-01"),
        (["--sent", f"thanks-{START}", "--on", "2999-01-01"], "it was not sent on 2999-01-01"),
        (
            ["--sent", "thank", "--on", "2024-03-02"],
            "There is no list 'thank'. The newest are: thanks-2024-03-01",
        ),
        (["--not-used", "nothing"], "There is no list 'nothing'"),
        (
            ["spring"],
            "There is no campaign 'spring'. Known: thanks-2024-Q1, thanks-2024-Q2, win_back-2024-Q2",
        ),
    ],
)
def test_what_cannot_be_is_told_plainly_and_changes_nothing(
    shop: Shop, words: Sequence[str], says: str
) -> None:
    shown = told(shop, *words)
    assert isinstance(shown.exception, LabError)
    assert says in str(shown.exception)
    assert not (shop.folder.parent / "lake" / "ledger.sqlite").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--sent", "thanks"],
        ["--on", "2024-03-02"],
        ["--sent", "thanks", "--on", "2024-03-02", "--not-used", "thanks"],
        ["--sent", "thanks", "--on", "tomorrow"],
    ],
)
def test_half_a_note_is_wrong_usage(shop: Shop, words: Sequence[str]) -> None:
    assert told(shop, *words).exit_code == 2


def test_help_has_an_example(shop: Shop) -> None:
    assert "Example: " in CliRunner().invoke(app, ["results", "--help"]).output
