"""Landing: every delivered row is accounted for, whatever comes twice, in parts, or after a crash."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.errors import DeliveryError
from pipelines.ingest.landing import land
from pipelines.ingest.receipts import receipts
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.sources.arrivals import arrivals
from tests.pipelines.small_shops import NOW, deliver, order_line, return_row, source, write_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return write_shop(tmp_path / "shop", ["orders", "returns"])


@pytest.fixture
def lake(tmp_path: Path, shop: Shop) -> Lake:
    return Lake.make(tmp_path / "lake", shop.name)


def take_in(shop: Shop, lake: Lake, now: datetime = NOW, table: str = "orders") -> int:
    """Land what lies ready and commit it, as a run does; rows added."""
    landed = land(lake, shop, arrivals(shop, table), table, now)
    if landed is None:
        return 0
    write = lake.replace if landed.is_anew else lake.append
    write(f"raw_{table}", landed.rows, fingerprint=landed.landing_id)
    return landed.rows.collect().height


def totals(lake: Lake) -> tuple[int, int, int]:
    """Rows delivered, rows replayed, and unmarked rows in raw."""
    raw = lake.scan("raw_orders").filter(~pl.col("is_replay")).collect().height
    return sum(r.rows for r in receipts(lake)), sum(r.replayed for r in receipts(lake)), raw


def test_rows_land_as_delivered_numbered_and_receipted(shop: Shop, lake: Lake) -> None:
    path = deliver(shop.folder, "orders", "first", [order_line("1", email=" A@B.c "), order_line("2")])
    assert take_in(shop, lake) == 2
    raw = lake.scan("raw_orders").sort("row_number").collect()
    assert raw["row_number"].to_list() == [1, 2]
    assert raw["email"].to_list() == [" A@B.c ", None]
    assert raw["received_at"].unique().to_list() == [NOW]
    assert raw["delivered_through"].unique().to_list() == [datetime(2024, 3, 1, 12, tzinfo=UTC)]
    (receipt,) = receipts(lake)
    assert (receipt.delivery_id, receipt.file_name, receipt.rows, receipt.replayed, receipt.is_repeat) == (
        raw["delivery_id"][0], "first.csv", 2, 0, False
    )  # fmt: skip
    assert (lake.root / "landed" / f"{receipt.sha256}.csv").read_bytes() == path.read_bytes()


def test_a_file_that_lies_there_again_adds_one_receipt_and_no_row(shop: Shop, lake: Lake) -> None:
    deliver(shop.folder, "orders", "first", [order_line("1"), order_line("2")])
    take_in(shop, lake)
    assert take_in(shop, lake, NOW + timedelta(days=1)) == 0
    assert take_in(shop, lake, NOW + timedelta(days=2)) == 0
    assert [r.is_repeat for r in receipts(lake)].count(True) == 2
    assert totals(lake) == (6, 4, 2)


def test_two_files_of_the_same_bytes_are_one_delivery_and_a_repeat(shop: Shop, lake: Lake) -> None:
    for name in ("first", "second", "third"):
        deliver(shop.folder, "orders", name, [order_line("1"), order_line("2")])
    assert take_in(shop, lake) == 2
    assert sorted(r.is_repeat for r in receipts(lake)) == [False, True, True]
    assert totals(lake) == (6, 4, 2)


def test_overlapping_files_replay_what_they_share(shop: Shop, lake: Lake) -> None:
    deliver(shop.folder, "orders", "1", [order_line("1"), order_line("2")])
    deliver(shop.folder, "orders", "2", [order_line("2"), order_line("3")])
    assert take_in(shop, lake) == 3
    assert totals(lake) == (4, 1, 3)


def test_a_file_of_replays_only_is_receipted_and_known_from_then_on(shop: Shop, lake: Lake) -> None:
    deliver(shop.folder, "orders", "1", [order_line("1"), order_line("2")])
    take_in(shop, lake)
    deliver(shop.folder, "orders", "2", [order_line("2")])
    assert take_in(shop, lake, NOW + timedelta(days=1)) == 0
    assert take_in(shop, lake, NOW + timedelta(days=2)) == 0
    assert totals(lake) == (2 + (2 + 1) + (2 + 1), 6, 2)


def test_a_changed_order_and_a_changed_return_come_whole(shop: Shop, lake: Lake) -> None:
    for table, row in (("orders", order_line), ("returns", return_row)):
        lines = [row("1"), row("1", product_id="CUP"), row("2")]
        deliver(shop.folder, table, "1", lines)
        take_in(shop, lake, table=table)
        deliver(shop.folder, table, "2", [lines[0], row("1", product_id="CUP", quantity="3"), lines[2]])
        assert take_in(shop, lake, NOW + timedelta(days=1), table) == 2
        added = lake.scan(f"raw_{table}").filter(pl.col("received_at") > NOW).sort("row_number").collect()
        assert added["is_replay"].to_list() == [True, False]


def test_a_run_that_died_before_its_commit_is_landed_again_as_if_it_had_not_been(
    shop: Shop, lake: Lake
) -> None:
    deliver(shop.folder, "orders", "1", [order_line("1"), order_line("2")])
    deliver(shop.folder, "orders", "2", [order_line("2")])
    assert land(lake, shop, arrivals(shop, "orders"), "orders", NOW) is not None  # and never committed
    assert receipts(lake) == []
    assert take_in(shop, lake, NOW + timedelta(hours=1)) == 2
    assert totals(lake) == (3, 1, 2)


def test_after_a_crash_a_file_that_is_gone_takes_nobodys_rows_with_it(shop: Shop, lake: Lake) -> None:
    gone = deliver(shop.folder, "orders", "1", [order_line("1"), order_line("2")])
    deliver(shop.folder, "orders", "2", [order_line("2")])
    land(lake, shop, arrivals(shop, "orders"), "orders", NOW)
    gone.unlink()
    assert take_in(shop, lake, NOW + timedelta(hours=1)) == 1
    assert totals(lake) == (1, 0, 1)


def test_a_crash_after_replays_that_complete_an_order_loses_none_of_it(shop: Shop, lake: Lake) -> None:
    lines = [order_line("1"), order_line("1", product_id="CUP")]
    for day, rows in enumerate([lines[:1], lines[1:]]):
        deliver(shop.folder, "orders", f"{day}", rows)
        take_in(shop, lake, NOW + timedelta(days=day))
    deliver(shop.folder, "orders", "whole", lines)
    land(lake, shop, arrivals(shop, "orders"), "orders", NOW + timedelta(days=3))
    assert take_in(shop, lake, NOW + timedelta(days=4)) == 2
    assert [(r.rows, r.replayed) for r in receipts(lake) if r.kept == 2] == [(2, 2)]


def test_a_crash_of_one_table_leaves_the_receipts_of_another(shop: Shop, lake: Lake) -> None:
    deliver(shop.folder, "orders", "1", [order_line("1")])
    deliver(shop.folder, "returns", "1", [return_row()])
    take_in(shop, lake)
    land(lake, shop, arrivals(shop, "returns"), "returns", NOW)
    take_in(shop, lake, NOW + timedelta(hours=1), "returns")
    assert sorted(r.delivery_id.split("-")[0] for r in receipts(lake)) == ["orders", "returns"]


def test_parts_of_one_file_are_deliveries_in_the_order_they_appear(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop", [], more=source("orders", more='split_by = "sheet"', path="all.csv"))
    lake = Lake.make(tmp_path / "lake", shop.name)
    rows = [
        order_line("9") | {"sheet": "late"},
        order_line("1") | {"sheet": "early"},
        order_line("9") | {"sheet": "early"},
    ]
    names = list(shop.sources[0].columns)
    pl.DataFrame([{n: r.get(n) for n in [*names, "sheet"]} for r in rows]).write_csv(shop.folder / "all.csv")
    assert take_in(shop, lake) == 2
    assert [(r.part, r.rows, r.replayed) for r in receipts(lake)] == [("late", 1, 0), ("early", 2, 1)]
    assert take_in(shop, lake, NOW + timedelta(days=1)) == 0
    assert [(r.rows, r.replayed, r.part) for r in receipts(lake) if r.is_repeat] == [(3, 3, None)]


@pytest.mark.parametrize("ending", [b'"1,2\n3', b"\xff\xfe,1\n"])
def test_a_line_that_is_nonsense_lands_with_its_text_and_takes_no_other_with_it(
    shop: Shop, lake: Lake, ending: bytes
) -> None:
    path = deliver(shop.folder, "orders", "1", [order_line("1")])
    path.write_bytes(path.read_bytes() + ending)
    assert take_in(shop, lake) == 2
    told = lake.scan("raw_orders").sort("row_number").select("order_id", "reading_fault").collect().rows()
    assert told[0] == ("1", None)
    assert told[1][0] is None and told[1][1]


def mapped(folder: Path, price: str, source_name: str = "till") -> Shop:
    columns = {
        "order_id": "No",
        "ordered_at": "At",
        "product_id": "Code",
        "quantity": "Qty",
        "unit_price": price,
    }
    return write_shop(folder, [], more=source("orders", source_name, path="*.csv", columns=columns))


def till_file(folder: Path, name: str, *numbers: int) -> Path:
    frame = pl.DataFrame(
        {"No": numbers, "At": "2024-03-01", "Code": "MUG", "Qty": 1, "Price": "10.00", "Price paid": "8.00"}
    )
    frame.write_csv(folder / name)
    return folder / name


def prices(lake: Lake) -> list[tuple[str, str, bool]]:
    columns = ["order_id", "unit_price", "is_replay"]
    return sorted(lake.scan("raw_orders").select(columns).collect().rows())


def test_a_corrected_mapping_is_read_from_the_kept_files_in_the_order_they_came(tmp_path: Path) -> None:
    shop = mapped(tmp_path / "shop", "Price")
    lake = Lake.make(tmp_path / "lake", shop.name)
    first = till_file(shop.folder, "1.csv", 1, 2)
    take_in(shop, lake)
    till_file(shop.folder, "2.csv", 2, 3)
    take_in(shop, lake, NOW + timedelta(days=1))
    assert prices(lake) == [("1", "10.00", False), ("2", "10.00", False), ("3", "10.00", False)]
    landed = [(r.delivery_id, r.received_at, r.rows, r.replayed) for r in receipts(lake) if not r.is_repeat]
    first.unlink()  # the copy in the lake is enough
    corrected = mapped(tmp_path / "shop", "Price paid")
    take_in(corrected, lake, NOW + timedelta(days=2))
    assert prices(lake) == [("1", "8.00", False), ("2", "8.00", False), ("3", "8.00", False)]
    again = [(r.delivery_id, r.received_at, r.rows, r.replayed) for r in receipts(lake) if not r.is_repeat]
    assert again == landed
    assert sum(r.rows - r.replayed for r in receipts(lake)) == 3
    version = lake.version("raw_orders")
    take_in(corrected, lake, NOW + timedelta(days=3))
    assert lake.version("raw_orders") == version


def test_a_run_that_died_while_reading_anew_leaves_the_old_reading(tmp_path: Path) -> None:
    shop = mapped(tmp_path / "shop", "Price")
    lake = Lake.make(tmp_path / "lake", shop.name)
    till_file(shop.folder, "1.csv", 1, 2)
    take_in(shop, lake)
    before = receipts(lake)
    corrected = mapped(tmp_path / "shop", "Price paid")
    assert land(lake, corrected, arrivals(corrected), "orders", NOW + timedelta(days=1)) is not None
    assert receipts(lake) == before
    take_in(corrected, lake, NOW + timedelta(days=2))
    assert prices(lake) == [("1", "8.00", False), ("2", "8.00", False)]


def test_a_new_mapping_without_the_kept_file_says_what_to_restore(tmp_path: Path) -> None:
    shop = mapped(tmp_path / "shop", "Price")
    lake = Lake.make(tmp_path / "lake", shop.name)
    till_file(shop.folder, "1.csv", 1)
    take_in(shop, lake)
    for kept in (lake.root / "landed").glob("*.csv"):
        kept.unlink()
    corrected = mapped(tmp_path / "shop", "Price paid")
    with pytest.raises(DeliveryError, match=r"source till have changed, and .* copy of 1\.csv, is gone"):
        take_in(corrected, lake)
    assert prices(lake) == [("1", "10.00", False)]


def test_a_source_that_is_gone_keeps_its_rows_when_another_is_read_anew(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    columns = {
        "order_id": "No",
        "ordered_at": "At",
        "product_id": "Code",
        "quantity": "Qty",
        "unit_price": "Price",
    }
    both = source("orders", "till", path="t*.csv", columns=columns) + source(
        "orders",
        "web",
        path="w*.csv",
        columns=columns,
        more='order_numbers = "shop"\ncustomer_numbers = "shop"',
    )
    shop = write_shop(folder, [], more=both)
    lake = Lake.make(tmp_path / "lake", shop.name)
    till_file(folder, "t.csv", 1)
    web = till_file(folder, "w.csv", 2)
    take_in(shop, lake)
    web.unlink()
    take_in(mapped(folder, "Price paid", "till"), lake, NOW + timedelta(days=1))
    assert prices(lake) == [("1", "8.00", False), ("2", "10.00", False)]


def test_equal_rows_of_sources_with_numbers_of_their_own_are_no_replays(tmp_path: Path) -> None:
    columns = {
        "order_id": "No",
        "ordered_at": "At",
        "product_id": "Code",
        "quantity": "Qty",
        "unit_price": "Price",
    }
    for number, (more, replayed) in enumerate(
        [("", 0), ('order_numbers = "shop"\ncustomer_numbers = "shop"', 1)]
    ):
        folder = tmp_path / str(number)
        sources = source("orders", "till", path="t.csv", columns=columns) + source(
            "orders", "web", path="w.csv", columns=columns, more=more
        )
        shop = write_shop(folder / "shop", [], more=sources)
        lake = Lake.make(folder / "lake", shop.name)
        till_file(shop.folder, "t.csv", 1)
        till_file(shop.folder, "w.csv", 1).write_text((shop.folder / "t.csv").read_text() + "\n")
        take_in(shop, lake)
        assert sum(r.replayed for r in receipts(lake)) == replayed
