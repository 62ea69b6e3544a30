"""The real command `retention simulate`, and every step of a run on what it wrote."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.simulate.clock import LAST_DAY
from tests.pipelines.command import assert_plain, retention
from tests.pipelines.published_shops import publish

pytestmark = [pytest.mark.xdist_group("gx"), pytest.mark.usefixtures("great_expectations")]

NOW = datetime(2025, 6, 1, 3, 0, tzinfo=UTC)


def test_a_run_takes_a_simulated_shop_as_it_is(tmp_path: Path) -> None:
    made = retention(
        "simulate", "--customers", 500, "--days", 270, "--out", "shop", "--json", folder=tmp_path
    )
    assert made.returncode == 0, made.stderr
    assert made.stderr == "", "quiet in a pipe"
    facts = json.loads(made.stdout)
    assert facts["customers"] == 500
    assert facts["last_day"] == "2024-12-31"
    plan = retention("run", "--shop", "shop", "--lake", "lake", "--dry-run", folder=tmp_path)
    assert plan.returncode == 0, plan.stderr
    assert plan.stdout.count(": new") == sum(1 for _ in (tmp_path / "shop").glob("deliveries/*/*"))
    shop = Shop.open(tmp_path / "shop")
    lake = Lake.make(tmp_path / "lake", shop.name)
    publish(shop, lake, LAST_DAY, NOW)
    deliveries = lake.scan("deliveries").collect()
    assert deliveries["rows"].sum() == sum(facts["rows"].values())
    assert deliveries["quarantined"].sum() == facts["dirty_rows"]
    assert 0.9 * 500 < lake.scan("customer_summary").collect().height < 1.1 * 500
    for measure in (
        "cohort_retention",
        "satisfaction",
        "return_rates",
        "purchase_latency",
        "customer_stages",
    ):
        assert lake.scan(measure).collect().height > 0, measure
    assert lake.scan("campaign_lists").collect().height == len(shop.lists) == 10


def test_it_says_what_it_made_and_what_comes_next(tmp_path: Path) -> None:
    made = retention(
        "simulate", "--customers", 5, "--days", 40, "--seed", 4, "--out", "my shop", folder=tmp_path
    )
    assert made.returncode == 0, made.stderr
    assert "5 made-up people from 2024-11-22 to 2024-12-31, seed 4" in made.stdout
    assert "retention run --shop 'my shop'" in made.stdout


def test_faults_are_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine", encoding="utf-8")
    assert_plain(
        retention("simulate", "--customers", 5, "--out", "full", folder=tmp_path),
        "full is not empty",
        "--force",
    )
    assert_plain(
        retention("simulate", "--customers", 5, "--out", "full", "--force", folder=tmp_path),
        "no simulation wrote it",
    )
    for wrong in (["--customers", "0"], ["--days", "0"], ["--seed", "-1"], []):
        target = ["--out", "new"] if wrong else []
        finished = retention("simulate", *wrong, *target, folder=tmp_path)
        assert finished.returncode == 2, finished.stderr
        assert not (tmp_path / "new").exists()
