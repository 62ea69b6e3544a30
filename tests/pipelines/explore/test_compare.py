"""Two runs side by side: each with its own numbers, and a gap where a version is gone."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.errors import LakeError
from pipelines.lab import Lab
from tests.pipelines.published_shops import Published, copy_of

pytestmark = pytest.mark.xdist_group("published_small_shop")


PAST = timedelta(days=30)


@pytest.fixture
def twice(two_nights: Published) -> Lab:
    return Lab.open(two_nights.shop.folder, two_nights.lake.root)


def test_one_run_cannot_be_compared(published_small_shop: Published) -> None:
    lab = Lab.open(published_small_shop.shop.folder, published_small_shop.lake.root)
    assert lab.snapshots()["snapshot_id"].to_list() == [lab.snapshot.snapshot_id]
    assert lab.snapshots()["tables"].item() == len(lab.snapshot.versions)
    with pytest.raises(LakeError, match="has one finished run so far"):
        lab.compare(lab.as_of)


def test_each_run_is_told_with_its_own_numbers(twice: Lab) -> None:
    past = twice.as_of - PAST
    assert twice.snapshots()["as_of"].to_list() == [past, twice.as_of]
    found = {row["what"]: row for row in twice.compare(past).iter_rows(named=True)}
    for day, column in ((past, "a"), (twice.as_of, "b")):
        known = twice.read("orders").filter("is_valid", pl.col("order_day") <= day).collect()
        people = known.group_by("customer_key").len()
        assert found["valid orders"][column] == known.height
        assert found["customers"][column] == people.height
        assert found["repeat purchase rate"][column] == pytest.approx((people["len"] >= 2).mean())
    assert found["valid orders"]["difference"] == found["valid orders"]["b"] - found["valid orders"]["a"] > 0
    on_list = twice.members(list="thank_you").collect().filter(assignment="deliver").height
    assert found["list thank_you: in the file"]["b"] == on_list
    assert "rows of table rfm" in found
    assert "rows of table orders" not in found, "no run between them changed it"


def test_a_run_beside_itself_differs_in_nothing(twice: Lab) -> None:
    same = twice.compare(twice.as_of, twice.snapshot.snapshot_id)
    assert same["difference"].drop_nulls().unique().to_list() == [0.0]
    assert not same["what"].str.starts_with("rows of table").any()
    ids = twice.snapshots()["snapshot_id"]
    assert twice.compare(ids[0]).equals(twice.compare(ids[0], ids[1]))


def test_versions_that_are_gone_leave_a_gap(two_nights: Published, tmp_path: Path) -> None:
    copy = copy_of(two_nights, tmp_path)
    past = Lab.open(copy.shop.folder, copy.lake.root, as_of=two_nights.snapshot.as_of - PAST)
    found = Lab.open(copy.shop.folder, copy.lake.root).compare(past.as_of)
    assert found.filter(what="list thank_you: in the file")["a"].null_count() == 0
    # As `retention run` forgets versions: the files go, and what the log says of them stays.
    for file in past.lake.path("campaign_lists").rglob("*.parquet"):
        file.unlink()
    gone = Lab.open(copy.shop.folder, copy.lake.root).compare(past.as_of)
    assert gone.filter(what="lists")["in_words"].to_list() == ["not kept any more"]
    assert gone.filter(what="rows of table campaign_lists")["a"].to_list() == [None]
    assert gone.filter(what="customers").equals(found.filter(what="customers"))


def test_a_run_that_never_was_is_told_with_the_last_ones(twice: Lab) -> None:
    with pytest.raises(LakeError, match=f"no finished run '2020-01-01'. The last ones: .*{twice.as_of}"):
        twice.compare("2020-01-01")
