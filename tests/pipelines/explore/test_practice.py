"""The practice shop is made once, whole or not at all, and opened from then on."""

import json
from pathlib import Path

import polars as pl
import pytest

from pipelines.errors import LabError, LakeError
from pipelines.explore.practice import NOTE, Practice, practice_folder, ready_practice
from pipelines.lab import Lab

pytestmark = pytest.mark.xdist_group("practice")

PEOPLE, DAYS, SEED = 60, 120, 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small practice shop, made once."""
    made = tmp_path_factory.mktemp("practice") / "practice"
    ready_practice(made, customers=PEOPLE, days=DAYS, seed=SEED)
    return made


def test_it_has_what_most_shops_lack_and_none_of_the_pages(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_PRACTICE", str(folder))
    lab = Lab.practice()
    for name in ("orders", "returns", "survey_answers", "shipments", "tickets", "messages", "costs"):
        assert lab.has(name), name
    assert lab.sql("SELECT count(*) FROM customers WHERE customer_key IS NOT NULL").item() > 0
    assert (lab.shop.folder / "truth" / "effects.json").is_file()
    assert not (lab.lake.root / "reports").exists()
    assert not lab.has("reports")


def test_it_is_made_once_and_holds_what_was_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_PRACTICE", str(folder))
    before = (folder / NOTE).stat().st_mtime_ns
    first = Lab.practice().snapshot
    assert Lab.practice(customers=PEOPLE, seed=SEED).snapshot == first
    assert (folder / NOTE).stat().st_mtime_ns == before
    with pytest.raises(
        LakeError, match="holds 60 made-up people over 120 days, seed 1, not 61 made-up people"
    ):
        Lab.practice(customers=61)


def test_the_nights_own_day_and_lake_do_not_matter_to_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_PRACTICE", str(folder))
    monkeypatch.setenv("RETENTION_AS_OF", "2011-12-09")
    monkeypatch.setenv("RETENTION_SHOP", "uk_gift_shop")
    monkeypatch.setenv("RETENTION_LAKE", str(tmp_path / "nowhere"))
    lab = Lab.practice()
    assert lab.shop.name == "simulated_shop"
    newest = lab.read("orders").filter("is_valid").select(pl.col("order_day").max()).collect().item()
    assert newest == lab.as_of


def test_it_stands_beside_the_lakes_unless_it_is_told_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RETENTION_PRACTICE", raising=False)
    monkeypatch.setenv("RETENTION_LAKE", str(tmp_path / "lakes" / "uk_gift_shop"))
    assert practice_folder() == tmp_path / "lakes" / "practice"
    monkeypatch.delenv("RETENTION_LAKE")
    (tmp_path / "workspace.yaml").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert practice_folder() == tmp_path / "lake" / "practice"
    monkeypatch.setenv("RETENTION_PRACTICE", str(tmp_path / "mine"))
    assert practice_folder() == tmp_path / "mine"


def test_what_could_not_be_made_is_told_and_begun_anew(tmp_path: Path) -> None:
    folder = tmp_path / "practice"
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "left over").touch()
    # A note of another program's making is none.
    note = {"practice": {"customers": 1, "days": 1, "seed": 1}, "made_by": ["0.0.0", 0]}
    (folder / NOTE).write_text(json.dumps(note), encoding="utf-8")
    with pytest.raises(LabError, match=f"could not be made in {folder}: "):
        ready_practice(folder, customers=-1)
    assert not (folder / NOTE).exists()
    assert not (folder / "shop" / "left over").exists()


def test_a_place_where_nothing_can_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LabError, match=r"cannot be made: .*. Name another folder in \$RETENTION_PRACTICE"):
        ready_practice(tmp_path / "file" / "practice")


def test_a_practice_shop_says_what_it_is_made_of() -> None:
    assert str(Practice()) == "4,000 made-up people over 730 days, seed 1"
