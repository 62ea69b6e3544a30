"""A day read from its files alone is the day that a filter finds."""

from datetime import date, timedelta
from pathlib import Path

import deltalake
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from data_contracts import table
from pipelines.explore.table_files import rows_of_day, table_files
from pipelines.lab import Lab
from tests.pipelines.published_shops import Published, copy_of

pytestmark = pytest.mark.xdist_group("published_small_shop")


def test_every_table_is_read_as_a_filter_would(two_nights: Published) -> None:
    newest = two_nights.snapshot.as_of
    for day in (newest, newest - timedelta(days=30)):
        lab = Lab.open(two_nights.shop.folder, two_nights.lake.root, as_of=day)
        for name, version in lab.snapshot.versions.items():
            by_filter = lab.lake.scan(name, version=version)
            if table(name).is_kept_by_as_of:
                by_filter = by_filter.filter(pl.col("as_of") == day)
            read = lab.read(name).collect()
            assert read.schema == by_filter.collect_schema(), name
            assert_frame_equal(read, by_filter.collect(), check_row_order=False)


def test_a_day_is_whole_files_and_a_day_without_rows_is_none(two_nights: Published) -> None:
    lake, newest = two_nights.lake, two_nights.snapshot.as_of
    version = lake.version("rfm")
    assert version is not None
    days = [newest, newest - timedelta(days=30)]
    found = [table_files(lake, "rfm", version, day) or [] for day in days]
    assert all(found)
    assert sorted(found[0] + found[1]) == sorted(table_files(lake, "rfm", version) or [])
    assert table_files(lake, "rfm", version, date(2020, 1, 1)) == []
    assert table_files(lake, "orders", 0, newest) is None, "orders keep no days"
    assert table_files(lake, "rfm", version + 1) is None


def test_columns_learnt_later_are_null_on_the_days_before(two_nights: Published, tmp_path: Path) -> None:
    lake = copy_of(two_nights, tmp_path).lake
    early = date(2020, 1, 1)
    # As an older program left it: a day's rows without a column that the dictionary has today.
    rows = lake.scan("rfm").head(3).with_columns(as_of=pl.lit(early)).drop("net").collect()
    deltalake.write_deltalake(str(lake.path("rfm")), rows.to_arrow(), mode="append", schema_mode="merge")
    version = lake.version("rfm")
    assert version is not None
    whole = lake.scan("rfm", version=version)
    read = rows_of_day(whole, lake, "rfm", version, early).collect()
    assert read["net"].null_count() == read.height == 3
    assert_frame_equal(read, whole.filter(as_of=early).collect(), check_row_order=False)
