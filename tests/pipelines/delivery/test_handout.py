"""Handing out: the same bytes again, nobody who has gone since, every download in the ledger."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.delivery.handout import HandoutError, download, find_list, rebuild
from pipelines.delivery.ledger import Ledger
from pipelines.errors import LakeError
from tests.pipelines.published_shops import NIGHT, Published, bytes_of, copy_of, moment
from tests.pipelines.small_shops import deliver, ingest, order_line

pytestmark = pytest.mark.xdist_group("published_small_shop")
LATER = NIGHT + timedelta(hours=9)


@pytest.fixture
def published(published_small_shop: Published, tmp_path: Path) -> Published:
    return copy_of(published_small_shop, tmp_path)


def numbers(path: Path) -> list[str]:
    return path.read_text().split()[1:]


def test_a_list_is_rebuilt_byte_for_byte_from_stored_rows(published: Published, tmp_path: Path) -> None:
    first = rebuild(published.shop, published.lake, "thank_you", tmp_path / "out")
    built = published.lake.scan("list_files").filter(pl.col("list_id").str.starts_with("thank_you")).collect()
    assert all(made.is_as_built for made in first)
    assert {made.path.name: made.path.read_bytes() for made in first} == {
        Path(name).name: (published.lake.root / name).read_bytes() for name in built["file_name"]
    }
    assert {made.sha256 for made in first} == set(built["sha256"])


def test_a_download_drops_who_ordered_or_opted_out_since_and_is_in_the_ledger(
    published: Published, tmp_path: Path, great_expectations: None
) -> None:
    shop, lake = published.shop, published.lake
    made = download(shop, lake, "thank_you", "external_id", tmp_path / "first", "Ann", NIGHT)
    assert (made.dropped, made.is_as_built) == (0, True)
    before = numbers(made.path)
    assert len(before) >= 4
    ordered, objected, refused, *rest = before
    day = published.snapshot.as_of + timedelta(days=1)
    deliver(shop.folder, "orders", "2", [order_line("new", customer_id=ordered, ordered_at=moment(day))])
    deliver(
        shop.folder,
        "suppressions",
        "2",
        [{"customer_id": objected, "kind": "objection", "recorded_at": moment(day)}],
    )
    refusal = {"customer_id": refused, "channel": "email", "is_granted": "false", "recorded_at": moment(day)}
    deliver(shop.folder, "consents", "2", [refusal])
    ingest(shop, lake, LATER)
    again = download(shop, lake, "thank_you", "external_id", tmp_path / "second", "Bob", LATER)
    assert numbers(again.path) == rest
    assert (again.rows, again.dropped, again.is_as_built) == (len(rest), 3, False)
    entries = Ledger(lake.root / "ledger.sqlite").entries()
    assert entries.select("who", "rows", "dropped", "sha256").rows() == [
        ("Ann", len(before), 0, made.sha256),
        ("Bob", len(rest), 3, again.sha256),
    ]
    assert entries["finished_at"].null_count() == 0
    # What was built for the snapshot is still what it was.
    assert all(made.is_as_built for made in rebuild(shop, lake, "thank_you", tmp_path / "third"))


def test_a_download_that_cannot_be_written_stays_open_in_the_ledger(
    published: Published, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(HandoutError, match=r"cannot be written: .* Name another folder with --to"):
        download(published.shop, published.lake, "thank_you", "reading", tmp_path / "file", "Ann", NIGHT)
    entries = Ledger(published.lake.root / "ledger.sqlite").entries()
    assert entries["finished_at"].to_list() == [None]
    assert (tmp_path / "file").read_text() == "not a folder"


def test_an_expired_list_is_not_handed_out(published: Published, tmp_path: Path) -> None:
    expired = NIGHT + timedelta(hours=72, seconds=1)
    with pytest.raises(HandoutError, match=r"expired on 2024-06-04 03:00 UTC.*retention run"):
        download(published.shop, published.lake, "thank_you", "external_id", tmp_path / "out", "Ann", expired)
    assert not (tmp_path / "out").exists()
    assert Ledger(published.lake.root / "ledger.sqlite").entries().is_empty()
    last_moment = NIGHT + timedelta(hours=72)
    download(published.shop, published.lake, "thank_you", "external_id", tmp_path / "out", "Ann", last_moment)


def test_unknown_lists_and_platforms_are_told_with_the_known_ones(
    published: Published, tmp_path: Path
) -> None:
    day = published.snapshot.as_of
    with pytest.raises(HandoutError, match=f"no list 'thanks'. Known: thank_you-{day}, worth_most-{day}"):
        rebuild(published.shop, published.lake, "thanks", tmp_path)
    with pytest.raises(HandoutError, match=r"no platform 'klaviyo'. Known platforms: external_id, reading"):
        download(published.shop, published.lake, "thank_you", "klaviyo", tmp_path, "Ann", NIGHT)


def test_a_list_made_by_a_run_that_broke_off_is_not_handed_out(published: Published) -> None:
    lake, day = published.lake, published.snapshot.as_of
    made = lake.scan("campaign_lists", as_of=day).collect()
    spoilt = made.with_columns(pl.lit(999, pl.Int64).alias("deliverable"))
    lake.replace("campaign_lists", spoilt.lazy(), fingerprint="of a run that broke off", as_of=day)
    next_day = spoilt.with_columns(
        pl.lit(day + timedelta(days=1)).alias("as_of"), (pl.col("list_id") + "x").alias("list_id")
    )
    lake.replace("campaign_lists", next_day.lazy(), fingerprint="the same", as_of=day + timedelta(days=1))
    snapshot, campaign = find_list(lake, "thank_you")
    assert snapshot.snapshot_id == published.snapshot.snapshot_id
    assert campaign["list_id"] == f"thank_you-{day}"
    assert campaign["deliverable"] != 999


def test_rows_that_were_cleaned_up_are_told_plainly(published: Published, tmp_path: Path) -> None:
    snapshots = published.lake.scan("snapshots").collect()
    without = {k: v for k, v in json.loads(snapshots["versions"].item()).items() if k != "list_members"}
    changed = snapshots.with_columns(pl.lit(json.dumps(without)).alias("versions"))
    published.lake.replace("snapshots", changed.lazy(), fingerprint="changed")
    with pytest.raises(LakeError, match="no longer has its version of list_members"):
        rebuild(published.shop, published.lake, "thank_you", tmp_path / "out")


def test_handing_out_changes_no_table(published: Published, tmp_path: Path) -> None:
    before = bytes_of(published.lake.root / "tables")
    rebuild(published.shop, published.lake, "thank_you", tmp_path / "out")
    download(
        published.shop,
        published.lake,
        "thank_you",
        "reading",
        tmp_path / "out",
        "Ann",
        datetime(2024, 6, 1, 4, tzinfo=UTC),
    )
    assert bytes_of(published.lake.root / "tables") == before
