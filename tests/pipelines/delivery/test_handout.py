"""Handing out: the same bytes again, nobody who has gone since, every download in the ledger."""

import hashlib
import json
import shutil
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.delivery import departures, handout
from pipelines.delivery.handout import (
    ExpiredError,
    HandoutError,
    UnknownListError,
    download,
    find_list,
    prepare,
    rebuild,
)
from pipelines.errors import LakeError
from pipelines.records.ledger import Ledger
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
    entries = Ledger.of(lake.root).entries()
    assert entries.select("who", "via", "rows", "bytes", "dropped", "sha256").rows() == [
        ("Ann", "command", len(before), made.path.stat().st_size, 0, made.sha256),
        ("Bob", "command", len(rest), again.path.stat().st_size, 3, again.sha256),
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
    entries = Ledger.of(published.lake.root).entries()
    assert entries["finished_at"].to_list() == [None]
    assert (tmp_path / "file").read_text() == "not a folder"


def test_an_expired_list_is_not_handed_out(published: Published, tmp_path: Path) -> None:
    expired = NIGHT + timedelta(hours=72, seconds=1)
    shop = published.shop.model_copy(update={"max_age_days": 30})
    with pytest.raises(ExpiredError, match=r"expired on 2024-06-04 03:00 UTC.*retention run"):
        download(shop, published.lake, "thank_you", "external_id", tmp_path / "out", "Ann", expired)
    assert not (tmp_path / "out").exists()
    assert Ledger.of(published.lake.root).entries().is_empty()
    last_moment = NIGHT + timedelta(hours=72)
    download(shop, published.lake, "thank_you", "external_id", tmp_path / "out", "Ann", last_moment)


def test_nothing_is_handed_out_from_old_data_except_of_samples(published: Published, tmp_path: Path) -> None:
    # The newest order is of 29 May, and two days behind the day before are allowed.
    shop, lake = published.shop, published.lake
    fresh, stale = NIGHT + timedelta(hours=19), NIGHT + timedelta(hours=20)
    download(shop, lake, "thank_you", "external_id", tmp_path / "out", "Ann", fresh)
    with pytest.raises(
        HandoutError, match=r"newest order of Small shop is of 2024-05-29.*max_age_days = 2"
    ) as told:
        download(shop, lake, "thank_you", "external_id", tmp_path / "out", "Ann", stale)
    assert told.value.status == 409
    sample = shop.model_copy(update={"sample": True})
    download(sample, lake, "thank_you", "external_id", tmp_path / "out", "Ann", stale)


def test_unknown_lists_and_platforms_are_told_with_the_known_ones(
    published: Published, tmp_path: Path
) -> None:
    day = published.snapshot.as_of
    with pytest.raises(HandoutError, match=f"no list 'thanks'. Known: thank_you-{day}, worth_most-{day}"):
        rebuild(published.shop, published.lake, "thanks", tmp_path)
    with pytest.raises(UnknownListError, match=r"has no file for 'klaviyo'. Its files: external_id, reading"):
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
    found = find_list(lake, "thank_you")
    assert found.snapshot.snapshot_id == published.snapshot.snapshot_id
    assert found.campaign["list_id"] == f"thank_you-{day}"
    assert found.campaign["deliverable"] != 999


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


def ready(
    published: Published, ledger: Ledger, platform: str = "external_id", **changes: Any
) -> handout.Prepared:
    """A file of the list of regulars, ready to be handed out."""
    told = {"now": NIGHT, "via": "page"} | changes
    return prepare(published.shop, published.lake, ledger, "thank_you", platform, "Ann", **told)


def test_the_entry_is_open_from_the_first_chunk_to_the_last(published: Published) -> None:
    ledger = Ledger.of(published.lake.root)
    prepared = ready(published, ledger)
    assert ledger.entries().is_empty()
    first = next(prepared.chunks)
    (row,) = ledger.entries().rows(named=True)
    assert (row["started_at"], row["finished_at"], row["rows"], row["sha256"]) == (NIGHT, None, None, None)
    rest = b"".join(prepared.chunks)
    (row,) = ledger.entries().rows(named=True)
    assert row["finished_at"] is not None
    assert (row["rows"], row["bytes"]) == (prepared.rows_expected, len(first + rest))
    assert row["sha256"] == hashlib.sha256(first + rest).hexdigest()


def test_what_breaks_off_is_never_closed(published: Published) -> None:
    ledger = Ledger.of(published.lake.root)
    chunks = ready(published, ledger).chunks
    next(chunks)
    assert isinstance(chunks, Generator)
    chunks.close()
    assert ledger.entries()["finished_at"].to_list() == [None]


def test_people_who_were_erased_are_dropped_and_counted(published: Published) -> None:
    lake, ledger = published.lake, Ledger.of(published.lake.root)
    before = ready(published, ledger)
    rows_path = next((lake.root / "files").glob("thank_you*/*.external-id.csv.rows.parquet"))
    somebody = pl.read_parquet(rows_path)["customer_key"][0]
    customers = lake.scan("customers").filter(pl.col("customer_key") != somebody).collect()
    lake.replace("customers", customers.lazy(), fingerprint="one less")
    after = ready(published, ledger)
    assert (after.rows_expected, after.dropped) == (before.rows_expected - 1, 1)
    assert len(b"".join(after.chunks).split()) == after.rows_expected + 1


def test_orders_that_came_under_a_merged_persons_other_key_count(published: Published) -> None:
    lake, ledger = published.lake, Ledger.of(published.lake.root)
    rows_path = next((lake.root / "files").glob("thank_you*/*.external-id.csv.rows.parquet"))
    one, other = pl.read_parquet(rows_path)["customer_key"].to_list()[:2]
    # The first was found to be the second, who has ordered since under a key that the list does not hold.
    new = "f" * len(one)
    for name in ("customers", "orders", "identity_map"):
        renamed = pl.when(pl.col("customer_key") == one).then(pl.lit(new)).otherwise("customer_key")
        lake.replace(
            name,
            lake.scan(name).with_columns(renamed.alias("customer_key")).collect().lazy(),
            fingerprint="m",
        )
    assert ready(published, ledger).dropped == 0
    last = lake.scan("orders").filter(pl.col("customer_key") == new).head(1).collect()
    day = published.snapshot.as_of + timedelta(days=1)
    since = last.with_columns(pl.lit("new").alias("order_id"), pl.lit(day).alias("order_day"))
    lake.append("orders", since.lazy(), fingerprint="since")
    assert ready(published, ledger).dropped == 1
    assert other in pl.read_parquet(rows_path)["customer_key"]


def test_many_at_once_work_out_who_has_gone_only_once(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger.of(published.lake.root)
    worked_out: list[Path] = []
    really = departures._work_out

    def counted(*given: Any) -> pl.Series:
        worked_out.append(given[-1])
        return really(*given)

    monkeypatch.setattr(departures, "_work_out", counted)
    with ThreadPoolExecutor(8) as pool:
        files = list(pool.map(lambda _: b"".join(ready(published, ledger).chunks), range(24)))
    assert len(set(files)) == 1
    assert len(worked_out) == 1
    assert ledger.entries()["sha256"].n_unique() == 1


def test_a_file_that_somebody_changed_is_not_handed_out(published: Published) -> None:
    ledger = Ledger.of(published.lake.root)
    path = next((published.lake.root / "files").glob("thank_you*/*.external-id.csv"))
    path.write_bytes(path.read_bytes() + b"99999\r\n")
    with pytest.raises(HandoutError, match="checksum differs"):
        ready(published, ledger)
    path.unlink()
    again = ready(published, ledger)
    built = find_list(published.lake, "thank_you").files["external_id"]
    assert hashlib.sha256(b"".join(again.chunks)).hexdigest() == built["sha256"]


def test_files_that_are_no_longer_kept_are_told(published: Published) -> None:
    shutil.rmtree(published.lake.root / "files")
    with pytest.raises(ExpiredError, match="no longer kept"):
        ready(published, Ledger.of(published.lake.root))
