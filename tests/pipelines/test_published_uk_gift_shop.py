"""The bundled real shop, published once: conservation, figures, predictions, lists, pages that need no network."""

import json
import re
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.delivery.handout import download, rebuild
from pipelines.notebooks.files import notebook_files
from pipelines.settings import ready_lists
from pipelines.summary import summarise
from tests.pipelines.command import assert_plain, retention
from tests.pipelines.published_shops import NIGHT, Published, copy_of

pytestmark = pytest.mark.xdist_group("uk_gift_shop")
LOADED = re.compile(
    r"<(?:script|img|iframe|link|source|audio|video)\b[^>]*?\b(?:src|href)=[\"']?(?!data:|#)([^\"'> ]+)", re.I
)
STYLED = re.compile(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", re.I)


def test_the_real_shops_figures_are_those_of_its_file(published_uk_gift_shop: Published) -> None:
    published = published_uk_gift_shop
    facts = summarise(published.shop, published.lake, published.snapshot, 1.0).facts
    kept = facts["conservation"]
    assert kept["rows"] == 1_067_370
    assert kept["rows"] == kept["accepted"] + kept["quarantined"] + kept["replayed"] + kept["erased"]
    assert (facts["orders"]["valid"], facts["orders"]["valid_without_customer"]) == (39_516, 2_922)
    assert facts["customers"] == sum(facts["stages"].values()) == 5_852
    assert str(facts["as_of"]) == "2011-12-09"
    assert {row["quantity"] for row in facts["champions"]} == {"value", "probability"}
    assert all(row["reason"] for row in facts["champions"])
    assert len(facts["lists"]) == len(ready_lists()) == 10
    lists = {row["list_id"].rsplit("-", 3)[0]: row for row in facts["lists"]}
    # The shop asks nobody for a score, and an audience to look like is not written to.
    assert lists.pop("detractor_recovery")["deliverable"] == 0
    assert lists.pop("lookalike_seed")["held_out"] == 0
    for row in lists.values():
        assert row["deliverable"] > 0
        assert row["held_out"] > 0
        assert 0 < row["detectable_lift"] < 1


def test_the_real_shops_predictions_are_possible(published_uk_gift_shop: Published) -> None:
    lake = published_uk_gift_shop.lake
    made = lake.scan("customer_predictions").collect()
    assert made.height == 5_852
    for name in ("churn_probability_90d", "churn_probability_365d"):
        assert made[name].is_between(0, 1).all()
    assert (made["churn_probability_365d"] <= made["churn_probability_90d"]).all()
    low, high = made["churn_probability_365d_low"], made["churn_probability_365d_high"]
    assert (low <= high).all()
    assert (made["predicted_orders_365d_low"] <= made["predicted_orders_365d_high"]).all()
    profile = lake.scan("customer_profile").collect()
    assert profile["churn_band"].null_count() == 0
    stages = profile.group_by("stage").agg(pl.len())
    assert stages["len"].sum() == 5_852


def test_the_real_shops_list_members_are_explained_in_the_published_models_terms(
    published_uk_gift_shop: Published,
) -> None:
    lake = published_uk_gift_shop.lake
    drivers, members = (lake.scan(name).collect() for name in ("prediction_drivers", "list_members"))
    assert set(drivers["customer_key"]) <= set(members["customer_key"])
    assert drivers["customer_key"].n_unique() > 0.9 * members["customer_key"].n_unique()
    assert drivers["effect"].abs().is_between(0.005, 1).all()
    assert (drivers["says"].str.len_chars() > 0).all()
    champion = lake.scan("champions").filter(quantity="probability").collect()["model"].item()
    assert drivers["model"].unique().to_list() == [champion]


def test_the_real_shop_can_be_back_tested_on_request_without_changing_a_table(
    published_uk_gift_shop: Published, tmp_path: Path
) -> None:
    lake = published_uk_gift_shop.lake
    before = lake.versions()
    asked = ("backtest", "--lake", lake.root, "--horizon", 90, "--as-of", "2011-06-30")
    done = retention(*asked, "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["horizon_days"], told["as_of"]) == (90, "2011-06-30")
    assert told["origins"] == ["2010-10-03", "2011-01-01", "2011-04-01"]
    assert set(told["champions"]) == {"value", "probability"}
    assert {row["model"] for row in told["metrics"]} >= {"global_mean", "bg_nbd_gamma_gamma"}
    assert lake.versions() == before
    assert_plain(
        retention("backtest", "--lake", lake.root, "--horizon", 9_999, folder=tmp_path),
        "A horizon of 9999 days cannot be tested on a history of 738 days",
        "Give another --as-of or --horizon",
    )


def test_the_real_shops_first_notebook_ran_after_the_snapshot_and_loads_nothing_from_the_network(
    published_uk_gift_shop: Published,
) -> None:
    lake = published_uk_gift_shop.lake
    made = lake.scan("notebooks").collect()
    assert made.select("page", "status", "error", "snapshot_id").rows() == [
        (notebook_files()[0].stem, "ok", None, published_uk_gift_shop.snapshot.snapshot_id)
    ]
    for name in made["file_name"]:
        page = (lake.root / name).read_text()
        assert LOADED.findall(page) == []
        assert STYLED.findall(page) == []
        assert "Traceback" not in page
    reports = lake.scan("reports").sort("page").collect()
    assert reports["page"].to_list() == ["contracts", "report"]
    for name in reports["file_name"]:
        page = (lake.root / name).read_text()
        assert LOADED.findall(page) == []
        assert STYLED.findall(page) == []


def test_the_real_shops_lists_are_rebuilt_byte_for_byte_and_do_not_expire(
    published_uk_gift_shop: Published, tmp_path: Path
) -> None:
    shop, lake = published_uk_gift_shop.shop, published_uk_gift_shop.lake
    made = [one for entry in shop.lists for one in rebuild(shop, lake, entry.name, tmp_path / "out")]
    assert len(made) == 20
    assert all(one.is_as_built for one in made)
    assert [one.path.name.rsplit("-20", 1)[0] for one in made if not one.rows] == ["detractor_recovery"] * 2
    copy = copy_of(published_uk_gift_shop, tmp_path)
    years_later = NIGHT + timedelta(days=9999)
    taken = download(
        shop, copy.lake, "win_back_valuable", "external_id", tmp_path / "out", "Ann", years_later
    )
    assert taken.is_as_built
    given = taken.path.read_text().split()[1:]
    assert given == sorted(given)
    assert all(number.isdigit() for number in given)
