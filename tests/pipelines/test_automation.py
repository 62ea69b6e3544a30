"""Automation: every night the day before in the shop's own timezone, and publishing only what may be published."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from pipelines.assets.build import Overrides, yesterday
from pipelines.automation import AS_OF_TAG
from pipelines.definitions import build_defs
from pipelines.errors import AsOfError, DeliveryError
from pipelines.lake import Lake
from pipelines.publishable import choose_as_of, refuse_blocked
from pipelines.shop import Shop
from tests.pipelines.published_shops import rows_of
from tests.pipelines.small_shops import NOW, SETTINGS, write_shop


def shop_in(zone: str, folder: Path) -> Shop:
    return write_shop(folder, settings=SETTINGS.replace("Europe/London", zone))


@pytest.mark.parametrize(
    ("zone", "tick", "day"),
    [
        ("Europe/London", "2024-06-01T02:00:00+00:00", "2024-05-31"),
        ("Pacific/Auckland", "2024-05-31T15:00:00+00:00", "2024-05-31"),
        ("America/Los_Angeles", "2024-06-01T10:00:00+00:00", "2024-05-31"),
        ("America/Los_Angeles", "2024-06-01T06:59:00+00:00", "2024-05-30"),
        ("Europe/London", "2024-03-31T02:00:00+00:00", "2024-03-30"),
    ],
)
def test_a_night_asks_for_the_shop_local_day_before_its_tick(
    tmp_path: Path, zone: str, tick: str, day: str
) -> None:
    shop = shop_in(zone, tmp_path)
    moment = datetime.fromisoformat(tick)
    assert yesterday(shop, moment) == date.fromisoformat(day)
    (schedule,) = build_defs(shop=shop, overrides=Overrides(lake=tmp_path / "lake")).schedules or []
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert schedule.execution_timezone == zone
    assert schedule.cron_schedule == "0 3 * * *"
    with dg.build_schedule_context(scheduled_execution_time=moment) as context:
        (request,) = schedule.evaluate_tick(context).run_requests or []
    assert (request.run_key, request.tags[AS_OF_TAG]) == (day, day)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.make(tmp_path / "lake", "small_shop")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return shop_in("Europe/London", tmp_path / "shop")


def write_orders(lake: Lake, *days: date, is_valid: bool = True) -> None:
    rows = [{"order_id": str(n), "order_day": day, "is_valid": is_valid} for n, day in enumerate(days)]
    lake.replace("orders", rows_of("orders", rows).lazy(), fingerprint=str(days))


def write_delivery(lake: Lake, delivery_id: str, received_at: datetime, is_blocked: bool) -> None:
    row: dict[str, Any] = {
        "receipt_id": delivery_id,
        "delivery_id": delivery_id,
        "source": "orders",
        "table": "orders",
    }
    row |= {
        "file_name": f"{delivery_id}.csv",
        "received_at": received_at,
        "rows": 5,
        "quarantined": 4,
        "is_blocked": is_blocked,
    }
    lake.append("deliveries", rows_of("deliveries", [row]).lazy(), fingerprint=delivery_id)


def test_the_day_published_by_default_is_that_of_the_newest_valid_order(shop: Shop, lake: Lake) -> None:
    write_orders(lake, date(2024, 5, 1), date(2024, 5, 30))
    assert choose_as_of(shop, lake, None) == date(2024, 5, 30)
    assert choose_as_of(shop, lake, date(2024, 5, 10)) == date(2024, 5, 10)
    assert choose_as_of(shop, lake, date(2024, 6, 1)) == date(2024, 6, 1)


def test_a_day_without_fresh_orders_or_before_any_is_refused(shop: Shop, lake: Lake) -> None:
    with pytest.raises(AsOfError, match="no valid order yet"):
        choose_as_of(shop, lake, None)
    write_orders(lake, date(2024, 5, 1), date(2024, 5, 30))
    with pytest.raises(
        AsOfError, match=r"newest order is of 2024-05-30, 3 days before .* allows 2 \(max_age_days\)"
    ):
        choose_as_of(shop, lake, date(2024, 6, 2))
    with pytest.raises(AsOfError, match="before the first order"):
        choose_as_of(shop, lake, date(2024, 4, 30))


def test_a_new_delivery_set_aside_whole_stops_publishing_and_an_old_one_does_not(lake: Lake) -> None:
    write_delivery(lake, "good", NOW, is_blocked=False)
    write_delivery(lake, "broken", NOW, is_blocked=True)
    faults = [{"delivery_id": d, "row_number": n, "rule": r, "severity": "critical"} for d, n, r in FAULTS]
    lake.append("orders_faults", rows_of("orders_faults", faults).lazy(), fingerprint="faults")
    with pytest.raises(DeliveryError) as told:
        refuse_blocked(lake, NOW)
    assert "broken.csv (orders): 4 of 5 rows" in str(told.value)
    assert "price_fits on 2 rows" in str(told.value)
    assert "other_rule" not in str(told.value)
    refuse_blocked(lake, NOW + timedelta(seconds=1))


FAULTS = [("broken", 1, "price_fits"), ("broken", 2, "price_fits"), ("good", 1, "other_rule")]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        yield instance


def asked_of_the_sensor(
    shop: Shop,
    lake: Lake,
    instance: dg.DagsterInstance,
    tags: dict[str, str],
    name: str = "publish_after_ingest",
) -> Any:
    """What a sensor answers to a run of the job before that has just succeeded."""
    built = build_defs(shop=shop, overrides=Overrides(lake=lake.root))
    (sensor,) = [one for one in built.sensors or [] if one.name == f"{shop.name}__{name}"]
    assert isinstance(sensor, dg.RunStatusSensorDefinition)

    @dg.job(tags=tags)
    def ingest() -> None:
        nothing()

    finished = ingest.execute_in_process(instance=instance)
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor.name,
        dagster_instance=instance,
        dagster_run=finished.dagster_run,
        dagster_event=finished.get_run_success_event(),
    )
    return sensor(context)


@dg.op
def nothing() -> None:
    """Do nothing."""


def test_publishing_follows_a_nightly_ingest_for_its_day(
    shop: Shop, lake: Lake, instance: dg.DagsterInstance
) -> None:
    write_orders(lake, date(2024, 5, 1), date(2024, 5, 30))
    request = asked_of_the_sensor(shop, lake, instance, {AS_OF_TAG: "2024-05-31"})
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2024-05-31"
    # The tag leads on to the notebooks.
    assert request.tags[AS_OF_TAG] == "2024-05-31"


def test_all_notebooks_follow_a_night_that_was_published_and_no_day_that_was_published_by_hand(
    shop: Shop, lake: Lake, instance: dg.DagsterInstance
) -> None:
    name = "notebooks_after_publish"
    request = asked_of_the_sensor(shop, lake, instance, {AS_OF_TAG: "2024-05-31"}, name)
    assert isinstance(request, dg.RunRequest)
    assert (request.partition_key, request.asset_selection) == ("2024-05-31", None)
    by_hand = asked_of_the_sensor(shop, lake, instance, {}, name)
    assert isinstance(by_hand, dg.SkipReason)
    assert "by hand" in str(by_hand.skip_message)


def test_the_night_says_why_it_does_not_publish(shop: Shop, lake: Lake, instance: dg.DagsterInstance) -> None:
    write_orders(lake, date(2024, 5, 1), date(2024, 5, 30))
    by_hand = asked_of_the_sensor(shop, lake, instance, {})
    stale = asked_of_the_sensor(shop, lake, instance, {AS_OF_TAG: "2024-06-15"})
    write_delivery(lake, "broken", datetime.now(UTC) + timedelta(hours=1), is_blocked=True)
    blocked = asked_of_the_sensor(shop, lake, instance, {AS_OF_TAG: "2024-05-31"})
    told = [answer.skip_message for answer in (by_hand, stale, blocked) if isinstance(answer, dg.SkipReason)]
    assert [message and message[:20] for message in told] == [
        "the ingest was start",
        "The newest order is ",
        "Set aside as a whole",
    ]
    assert pl.Series(told).is_unique().all()
