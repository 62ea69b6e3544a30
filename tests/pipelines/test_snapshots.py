"""Snapshots: readers see the newest finished run, whole."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.errors import LakeError
from pipelines.lake import Lake
from pipelines.snapshots import Snapshot, newest_snapshot

DAY = date(2024, 5, 31)
NIGHT = datetime(2024, 6, 1, 3, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.make(tmp_path / "lake", "small_shop")


def finish(lake: Lake, name: str, as_of: date, finished_at: datetime) -> Snapshot:
    snapshot = Snapshot(name, name, as_of, finished_at, {"orders": 3, "rfm": 0}, "settings", "code")
    lake.append("snapshots", snapshot.row().lazy(), fingerprint=name)
    return snapshot


def test_a_snapshot_comes_back_as_it_was_written(lake: Lake) -> None:
    written = finish(lake, "first", DAY, NIGHT)
    assert newest_snapshot(lake) == written


def test_the_newest_is_of_the_latest_day_and_of_that_day_the_last_that_finished(lake: Lake) -> None:
    finish(lake, "first", DAY, NIGHT)
    second = finish(lake, "second", DAY, NIGHT + timedelta(hours=1))
    past = finish(lake, "past", DAY - timedelta(days=30), NIGHT + timedelta(days=1))
    assert newest_snapshot(lake) == second
    assert newest_snapshot(lake, DAY - timedelta(days=30)) == past


def test_without_a_finished_run_the_remedy_is_told(lake: Lake) -> None:
    with pytest.raises(LakeError, match=r"no finished run yet. Run `retention run` first"):
        newest_snapshot(lake)
    finish(lake, "first", DAY, NIGHT)
    with pytest.raises(LakeError, match="no finished run for 2023-01-01 yet"):
        newest_snapshot(lake, date(2023, 1, 1))
