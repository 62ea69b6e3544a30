"""A run: everything from deliveries to lists through Dagster, once; after that only what changed."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from data_contracts import Privacy, table
from pipelines.assets.catalogue import steps_of
from pipelines.assets.step import Keeps, Stage
from pipelines.errors import AsOfError, LakeError
from pipelines.keys import keys_path
from pipelines.lake import Lake
from pipelines.run import CheckError, plan_run, run_shop
from pipelines.shop import Shop
from tests.pipelines.published_shops import NIGHT, PAGES, Published, bytes_of, copy_of, publish

pytestmark = pytest.mark.xdist_group("published_small_shop")
PERSON = {"2": "answered 10", "7": "objected", "8": "unsubscribed", "9": "bounced on another channel"}


@pytest.fixture
def published(published_small_shop: Published) -> Published:
    return published_small_shop


@contextmanager
def records_of(lake: Lake) -> Iterator[dg.DagsterInstance]:
    """Dagster's own records of a lake's runs."""
    with dg.DagsterInstance.from_config(str(lake.root / ".dagster")) as instance:
        yield instance


def key_of(published: Published, number: str) -> str:
    found = published.lake.scan("contacts").filter(
        (pl.col("kind") == "external_id") & (pl.col("address") == number)
    )
    return found.collect()["customer_key"].item()


def rows(lake: Lake, name: str) -> list[dict[str, object]]:
    return lake.scan(name).collect().rows(named=True)


def test_surveys_consents_and_suppressions_reach_measures_profile_and_gate(published: Published) -> None:
    people = {row["customer_key"]: row for row in rows(published.lake, "customer_profile")}
    assert people[key_of(published, "2")]["last_nps"] == 10
    assert people[key_of(published, "7")]["rfm_segment"] is None
    assert people[key_of(published, "8")]["rfm_segment"] is not None
    asked = published.lake.scan("satisfaction").filter(pl.col("measure") == "nps").collect()
    # Six were asked, three answered: 10, 9 and 3.
    assert (3, 6) in asked.select("n", "invitations").rows()
    (thanked,) = [row for row in rows(published.lake, "campaign_lists") if row["name"] == "thank_you"]
    # The first ordered once, the fifth refused, the seventh objected, the eighth unsubscribed.
    assert (thanked["everyone"], thanked["suppressed"], thanked["not_eligible"], thanked["no_consent"]) == (
        12,
        2,
        1,
        1,
    )
    members = published.lake.scan("list_members").collect()["customer_key"]
    assert not {key_of(published, number) for number in ("1", "5", "7", "8")} & set(members)
    assert {key_of(published, number) for number in ("2", "6", "9")} <= set(members)


def test_a_small_shop_is_not_ready_and_says_so_where_predictions_are_missing(published: Published) -> None:
    readiness = rows(published.lake, "readiness")
    assert {row["is_ready"] for row in readiness} == {False}
    assert "12 customers have a valid order, and at least 500 are needed" in str(readiness[0]["reasons"])
    for name in ("purchase_models", "backtest", "champions", "customer_predictions"):
        assert rows(published.lake, name) == []
    wants_predictions = next(
        row for row in rows(published.lake, "campaign_lists") if row["name"] == "worth_most"
    )
    assert (wants_predictions["deliverable"], wants_predictions["predicted_value"]) == (0, None)
    # Nobody was decided on by the rule: all for want of a prediction.
    assert wants_predictions["null_decided"] == 10
    (report,) = [row for row in rows(published.lake, "reports") if row["page"] == "report"]
    page = (published.lake.root / str(report["file_name"])).read_text()
    assert "at least 500 are needed" in page


def test_every_check_of_every_asset_is_recorded_beside_the_lake(published: Published) -> None:
    with records_of(published.lake) as instance:
        for name, step in steps_of(published.shop).items():
            for check in ("key_is_unique", *step.check_names):
                key = dg.AssetCheckKey(dg.AssetKey([published.shop.name, name]), check)
                (last,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
                passed = check != "enough_data_for_predictions"
                assert (last.status.value == "SUCCEEDED") == passed, (name, check)


def test_what_dagster_shows_of_a_table_says_nothing_of_a_person(published: Published) -> None:
    personal = (Privacy.PSEUDONYM, Privacy.PERSONAL, Privacy.IDENTIFIER, Privacy.FREE_TEXT)
    keys = published.lake.scan("customers").collect()["customer_key"].to_list()
    shown = 0
    with records_of(published.lake) as instance:
        for name in steps_of(published.shop):
            event = instance.get_latest_materialization_event(dg.AssetKey([published.shop.name, name]))
            assert event is not None
            assert event.asset_materialization is not None
            preview = event.asset_materialization.metadata.get("preview")
            if preview is None:
                continue
            shown += 1
            text = str(preview.value)
            header = {cell.strip() for cell in text.splitlines()[0].split("|")}
            assert not header & set(table(name).columns_of(*personal)), name
            assert not any(key in text for key in keys), name
    assert shown > 30


def test_a_run_writes_nothing_outside_its_lake_and_leaves_the_environment(published: Published) -> None:
    beside = {path.name for path in published.lake.root.parent.iterdir()}
    assert beside == {"shop", "lake", keys_path(published.lake.root).name}
    assert (published.lake.root / ".dagster" / "dagster.yaml").is_file()
    assert str(published.lake.root) not in os.environ.get("DAGSTER_HOME", "")


def test_the_same_again_adds_a_receipt_and_a_snapshot_and_no_other_version(
    published: Published, tmp_path: Path
) -> None:
    copy = copy_of(published, tmp_path)
    before, files = copy.lake.versions(), bytes_of(copy.lake.root / "files")
    deliveries = len(rows(copy.lake, "deliveries"))
    publish(copy.shop, copy.lake, published.snapshot.as_of, NIGHT + timedelta(hours=1), leave_out=())
    changed = {name for name, version in copy.lake.versions().items() if version != before[name]}
    assert changed == {"deliveries", "snapshots"}
    assert len(rows(copy.lake, "snapshots")) == 2
    # One delivery of each of the five connected tables came again.
    assert len(rows(copy.lake, "deliveries")) == deliveries + 5
    assert bytes_of(copy.lake.root / "files") == files


def test_a_changed_list_is_made_anew_and_nothing_before_it(published: Published, tmp_path: Path) -> None:
    copy = copy_of(published, tmp_path)
    settings = copy.shop.folder / "shop.toml"
    settings.write_text(settings.read_text().replace("valid_orders >= 2", "valid_orders >= 3"))
    outcomes = publish(Shop.open(copy.shop.folder), copy.lake, published.snapshot.as_of, leave_out=PAGES)
    made = {name for name, outcome in outcomes.items() if not outcome.was_unchanged}
    assert made == {
        "deliveries",
        "list_stops",
        "list_members",
        "list_overlaps",
        "campaign_results",
        "contact_pressure",
        "prediction_drivers",
        "campaign_lists",
        "list_files",
        "snapshots",
    }
    (thanked,) = [row for row in rows(copy.lake, "campaign_lists") if row["name"] == "thank_you"]
    assert (thanked["rule"], thanked["not_eligible"]) == ("valid_orders >= 3", 2)


def test_a_past_day_comes_out_as_in_a_fresh_lake_and_the_newest_day_stays(
    published: Published, tmp_path: Path
) -> None:
    past = published.snapshot.as_of - timedelta(days=45)
    copy = copy_of(published, tmp_path)
    steps = steps_of(copy.shop)
    newest = {name for name, step in steps.items() if step.keeps is Keeps.NEWEST_DAY}
    before = copy.lake.versions()
    publish(copy.shop, copy.lake, past)
    assert {name: version for name, version in copy.lake.versions().items() if name in newest} == {
        name: before[name] for name in newest
    }
    fresh = Lake.make(tmp_path / "fresh", copy.shop.name)
    shutil.copy2(keys_path(copy.lake.root), keys_path(fresh.root))
    publish(copy.shop, fresh, past)
    for name, step in steps.items():
        if step.keeps is not Keeps.OTHER_DAYS or name in PAGES:
            continue
        here, there = (lake.scan(name, as_of=past).collect() for lake in (copy.lake, fresh))
        order = here.columns
        assert here.sort(order).equals(there.sort(order)), name
        if published.snapshot.versions[name] >= 0 and name != "list_files":
            kept = copy.lake.scan(name, as_of=published.snapshot.as_of).collect()
            assert kept.height == published.lake.scan(name, as_of=published.snapshot.as_of).collect().height


def test_tables_that_contradict_each_other_are_not_published(published: Published, tmp_path: Path) -> None:
    copy = copy_of(published, tmp_path)
    for receipt in (copy.lake.root / "landed" / "receipts" / "orders").glob("*.json"):
        receipt.write_text(
            re.sub(r'"rows": (\d+)', lambda match: f'"rows": {int(match[1]) + 1}', receipt.read_text())
        )
    with pytest.raises(CheckError, match=r"nothing_is_lost.*Nothing was published.*report it"):
        run_shop(copy.shop, copy.lake.root, plan_run(copy.shop, copy.lake.root, None))
    assert len(rows(copy.lake, "snapshots")) == 1


def test_a_plan_says_what_is_new_and_changes_nothing(published: Published, tmp_path: Path) -> None:
    before = bytes_of(published.lake.root)
    again = plan_run(published.shop, published.lake.root, None)
    assert {arrival.delivery_id for arrival in again.ready} == again.known
    assert plan_run(published.shop, tmp_path / "new", date(2024, 2, 1)).known == frozenset()
    assert bytes_of(published.lake.root) == before
    assert not (tmp_path / "new").exists()


def test_a_plan_refuses_days_that_cannot_be_and_lakes_that_are_not_there(
    published: Published, tmp_path: Path
) -> None:
    shop, lake = published.shop, published.lake.root
    with pytest.raises(AsOfError, match="lies before the shop's history, which starts on 2024-01-01"):
        plan_run(shop, lake, date(2023, 12, 31))
    with pytest.raises(AsOfError, match="lies before the first order"):
        plan_run(shop, lake, date(2024, 1, 9))
    with pytest.raises(AsOfError, match=r"2024-06-02 lies in the future \(today is 2024-06-01\)"):
        plan_run(shop, lake, date(2024, 6, 2), now=NIGHT)
    with pytest.raises(LakeError, match="does not exist"):
        plan_run(shop, tmp_path / "new", None, Stage.LISTS)
    assert plan_run(shop, lake, date(2024, 6, 1), Stage.LISTS, now=NIGHT).ready == []
