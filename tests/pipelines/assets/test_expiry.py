"""Files of expired lists leave the lake and are counted; old versions of tables go; readers lose nothing they see."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from data_contracts import table
from pipelines.assets.expiry import delete_expired_files, forget_old_versions, steps
from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Moment
from pipelines.errors import LakeError
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot
from tests.pipelines.published_shops import AS_OF, NIGHT, rows_of
from tests.pipelines.small_shops import write_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return write_shop(tmp_path / "shop")


def given_at(shop: Shop, lake: Lake, now: datetime = NIGHT) -> Given:
    return Given(shop, lake, Moment("composed run", now, AS_OF), {})


def with_lists(shop: Shop, folder: Path, expiries: dict[str, datetime | None]) -> Lake:
    lake = Lake.make(folder / "lake", shop.name)
    rows = [
        {"as_of": AS_OF, "list_id": list_id, "expires_at": moment} for list_id, moment in expiries.items()
    ]
    lake.replace("campaign_lists", rows_of("campaign_lists", rows).lazy(), fingerprint="1", as_of=AS_OF)
    for list_id in expiries:
        place = lake.root / "files" / list_id
        place.mkdir(parents=True)
        (place / f"{list_id}.csv").write_bytes(b"external_id\r\n7\r\n")
        (place / f"{list_id}.csv.rows.parquet").write_bytes(b"PAR1")
    return lake


def test_files_of_expired_lists_are_deleted_and_counted(shop: Shop, tmp_path: Path) -> None:
    expiries = {"old": NIGHT - timedelta(hours=1), "fresh": NIGHT + timedelta(hours=1), "sample": None}
    lake = with_lists(shop, tmp_path, expiries)
    outcome = carry_out(steps(shop)[0], given_at(shop, lake))
    assert outcome.rows == 1
    row = lake.scan("expired_files").collect().row(0, named=True)
    assert (row["list_id"], row["files"], row["bytes"]) == ("old", 2, 20)
    assert sorted(path.name for path in (lake.root / "files").iterdir()) == ["fresh", "sample"]
    assert lake.scan("campaign_lists").collect().height == 3


def test_the_same_list_is_counted_once_and_a_lake_without_lists_has_nothing_to_count(
    shop: Shop, tmp_path: Path
) -> None:
    lake = with_lists(shop, tmp_path, {"old": NIGHT - timedelta(hours=1)})
    assert delete_expired_files(given_at(shop, lake)) is not None
    assert delete_expired_files(given_at(shop, lake)) is None
    assert delete_expired_files(given_at(shop, Lake.make(tmp_path / "empty", shop.name))) is None


def test_versions_replaced_long_ago_go_and_the_newest_finished_runs_stay(shop: Shop, tmp_path: Path) -> None:
    lake = Lake.make(tmp_path / "lake", shop.name)
    for number in range(3):
        rows = pl.DataFrame({"customer_key": [str(number)]}).lazy()
        blank = [pl.lit(None, kind).alias(name) for name, kind in table("consents").schema.items()]
        frame = rows.with_columns(one for one in blank if one.meta.output_name() != "customer_key")
        lake.replace("consents", frame, fingerprint=str(number))
    snapshot = Snapshot("one", "one", AS_OF, NIGHT, {"consents": 1}, "", "")
    lake.append("snapshots", snapshot.row().lazy(), fingerprint="1")
    long_ago = NIGHT.timestamp() - timedelta(days=60).total_seconds()
    for file in lake.path("consents").rglob("*.parquet"):
        os.utime(file, (long_ago, long_ago))
    # What was replaced is dated by the log's own clock, so the run is put far enough behind it.
    forget_old_versions(given_at(shop, lake, datetime.now(NIGHT.tzinfo)))
    assert lake.scan("consents", version=0).collect().height == 1
    lake.forget_versions_replaced("consents", timedelta(0), but=1)
    with pytest.raises(LakeError, match="Version 0 of table consents is gone"):
        lake.scan("consents", version=0)
    assert lake.scan("consents", version=1).collect()["customer_key"].to_list() == ["1"]
    assert lake.scan("consents").collect()["customer_key"].to_list() == ["2"]
