"""Faults at the command line: one plain message that names what is wrong, and the lake as it was."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.lake import Lake
from tests.pipelines.command import assert_plain, retention
from tests.pipelines.published_shops import LISTS, bytes_of, small_shop
from tests.pipelines.small_shops import deliver, order_line, source, write_shop


def missing_file(folder: Path) -> tuple[list[str], list[str]]:
    (folder / "deliveries" / "orders" / "1.csv").unlink()
    return [], ["Source orders", "there is no file", "Put the delivery there"]


def truncated_file(folder: Path) -> tuple[list[str], list[str]]:
    path = folder / "deliveries" / "orders" / "1.parquet"
    rows = pl.read_csv(path.with_suffix(".csv"), infer_schema=False)
    path.with_suffix(".csv").unlink()
    rows.write_parquet(path)
    path.write_bytes(path.read_bytes()[:-200])
    write_shop(folder, [], more=source("orders", file_format="parquet"))
    return [], [str(path)]


def no_such_column(folder: Path) -> tuple[list[str], list[str]]:
    path = folder / "deliveries" / "orders" / "1.parquet"
    rows = pl.read_csv(path.with_suffix(".csv"), infer_schema=False)
    rows.drop("unit_price").write_parquet(path)
    write_shop(folder, [], more=source("orders", file_format="parquet"))
    return [], [str(path), "has no column 'unit_price'", "Correct the mapping"]


def empty_delivery(folder: Path) -> tuple[list[str], list[str]]:
    path = folder / "deliveries" / "orders" / "2.csv"
    path.write_text((folder / "deliveries" / "orders" / "1.csv").read_text().splitlines()[0] + "\n")
    return [], [str(path), "no rows", "Remove it or deliver it again"]


def bad_rule(folder: Path) -> tuple[list[str], list[str]]:
    text = (folder / "shop.toml").read_text().replace("valid_orders >= 2", "valid_order >= 2")
    (folder / "shop.toml").write_text(text)
    return [], ["List thank_you in shop.toml, where = ", "Did you mean valid_orders"]


def not_toml(folder: Path) -> tuple[list[str], list[str]]:
    (folder / "shop.toml").write_text("name = ")
    return [], ["shop.toml is not valid TOML", "Mend the line"]


def before_the_first_order(_: Path) -> tuple[list[str], list[str]]:
    return ["--as-of", "2024-01-09"], [
        "--as-of 2024-01-09 lies before the first order (2024-01-10)",
        "Give a later day",
    ]


def in_the_future(_: Path) -> tuple[list[str], list[str]]:
    day = (datetime.now(UTC) + timedelta(days=3)).date()
    return ["--as-of", str(day)], [f"--as-of {day} lies in the future", "Give a past day"]


def from_nothing(_: Path) -> tuple[list[str], list[str]]:
    return ["--from", "lists", "--lake", "new"], ["does not exist. Run `retention run`"]


Fault = Callable[[Path], tuple[list[str], list[str]]]
FAULTS = [missing_file, truncated_file, no_such_column, empty_delivery, bad_rule, not_toml]
FAULTS += [before_the_first_order, in_the_future, from_nothing]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_told_plainly_and_the_lake_stays_as_it_was(fault: Fault, tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop", ["orders"], more=LISTS)
    deliver(shop.folder, "orders", "1", [order_line("1", ordered_at="2024-01-10 12:00:00"), order_line("2")])
    lake = tmp_path / "lake" / shop.name
    Lake.make(lake, shop.name)
    before = bytes_of(lake)
    words, told = fault(shop.folder)
    finished = retention("run", "--shop", shop.folder, *words, folder=tmp_path)
    assert_plain(finished, *told)
    assert bytes_of(lake) == before
    assert {path.name for path in tmp_path.iterdir()} == {"shop", "lake"}


def test_nothing_is_made_for_an_unknown_shop_or_in_a_folder_that_is_no_lake(tmp_path: Path) -> None:
    assert_plain(
        retention("run", "--shop", "nobody", folder=tmp_path), "There is no shop 'nobody'", "uk_gift_shop"
    )
    assert list(tmp_path.iterdir()) == []
    shop = small_shop(tmp_path / "shop")
    (tmp_path / "holidays").mkdir()
    (tmp_path / "holidays" / "photo.jpg").write_bytes(b"a photo")
    finished = retention("run", "--shop", shop.folder, "--lake", tmp_path / "holidays", folder=tmp_path)
    assert_plain(finished, "is not a lake (it has no lake.json)", "name another with --lake")
    assert bytes_of(tmp_path / "holidays").keys() == {"photo.jpg"}


@pytest.mark.parametrize(
    "words",
    [
        ["bogus"],
        ["run", "--as-of", "2024-13-45"],
        ["run", "--from", "nowhere"],
        ["download"],
        ["run", "--shop"],
        [],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(words: list[str], tmp_path: Path) -> None:
    finished = retention(*words, folder=tmp_path)
    assert finished.returncode == 2
    assert "Traceback" not in finished.stderr
    assert list(tmp_path.iterdir()) == []
