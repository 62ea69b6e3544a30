"""Arrivals: what lies ready is found, and what is wrong with it is said with file, column and remedy."""

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.errors import DeliveryError, ShopError
from pipelines.sources.arrivals import arrivals, source_name
from pipelines.sources.reader import FAULT
from tests.pipelines.small_shops import as_text, deliver, order_line, source, write_shop

NEEDED = {
    "order_id": "Invoice",
    "ordered_at": "Date",
    "product_id": "Code",
    "quantity": "Qty",
    "unit_price": "Price",
}


def mapped_shop(folder: Path, columns: dict[str, str] = NEEDED, **more: str):
    return write_shop(folder, [], more=source("orders", "till", path="till.csv", columns=columns, **more))


def write(folder: Path, **changes: list[str]) -> Path:
    columns = {
        "Invoice": ["1"],
        "Date": ["2024-01-01"],
        "Code": ["X"],
        "Qty": ["1"],
        "Price": ["2"],
    } | changes
    pl.DataFrame(columns).write_csv(folder / "till.csv")
    return folder / "till.csv"


def test_rows_come_under_our_names_and_what_is_not_brought_is_null(tmp_path: Path) -> None:
    shop = mapped_shop(tmp_path)
    write(tmp_path, Note=["hello"], Colour=["red"])
    (arrival,) = arrivals(shop)
    row = arrival.rows().collect().row(0, named=True)
    assert {name: value for name, value in row.items() if value is not None} == {
        "order_id": "1", "ordered_at": "2024-01-01", "product_id": "X", "quantity": "1", "unit_price": "2"
    }  # fmt: skip
    assert arrival.unknown_columns == ("Note", "Colour")
    assert source_name(arrival.delivery_id) == "till"


def test_the_same_bytes_are_the_same_delivery_and_other_bytes_another(tmp_path: Path) -> None:
    shop = mapped_shop(tmp_path)
    write(tmp_path)
    first = arrivals(shop)[0].delivery_id
    assert arrivals(shop)[0].delivery_id == first
    write(tmp_path, Qty=["2"])
    assert arrivals(shop)[0].delivery_id != first


def test_files_come_in_the_order_of_their_names_whatever_is_in_them(tmp_path: Path) -> None:
    shop = write_shop(tmp_path)
    for name in ("2024-01-02", "2024-01-01 [copy]", "2024-01-03"):
        deliver(tmp_path, "orders", name, [order_line(name)])
    found = arrivals(shop, "orders")
    assert [arrival.path.stem for arrival in found] == ["2024-01-01 [copy]", "2024-01-02", "2024-01-03"]
    assert [a.rows().collect()["order_id"].item() for a in found] == [a.path.stem for a in found]


def test_a_missing_file_is_named_with_its_source(tmp_path: Path) -> None:
    with pytest.raises(
        DeliveryError, match=r"Source till: there is no file .*till\.csv\. Put .* or correct `path`"
    ):
        arrivals(mapped_shop(tmp_path))


def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path) -> None:
    write(tmp_path)
    shop = mapped_shop(tmp_path, NEEDED | {"unit_price": "Unit price"})
    with pytest.raises(
        DeliveryError, match=r"till\.csv has no column 'Unit price' .*It has: Invoice, Date.*Correct"
    ):
        arrivals(shop)


def test_a_needed_column_that_no_setting_maps_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    shop = mapped_shop(tmp_path, {"order_id": "Invoice", "ordered_at": "Date", "product_id": "Code"})
    with pytest.raises(ShopError, match="Source till does not say which column holds quantity, unit_price"):
        arrivals(shop)


def test_a_column_that_the_table_does_not_have_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(
        ShopError, match=r"Source till maps colour, which table orders does not have\. It has: .*status"
    ):
        arrivals(mapped_shop(tmp_path, NEEDED | {"colour": "Code"}))


def test_an_unknown_format_lists_the_known_ones(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(ShopError, match=r"no format 'xml'\. Known formats: .*csv, .*parquet"):
        arrivals(mapped_shop(tmp_path, file_format="xml"))


@pytest.mark.parametrize("content", [b"", b"Invoice,Date,Code,Qty,Price\n"])
def test_an_empty_delivery_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "till.csv").write_bytes(content)
    with pytest.raises(DeliveryError, match=r"till\.csv (is empty|cannot be read as CSV)"):
        arrivals(mapped_shop(tmp_path))


def test_a_row_without_its_part_is_named(tmp_path: Path) -> None:
    write(tmp_path, Sheet=[""])
    with pytest.raises(DeliveryError, match=r"till\.csv, column Sheet: some rows have no value"):
        arrivals(mapped_shop(tmp_path, more='split_by = "Sheet"'))


def parquet_shop(folder: Path):
    columns = {**NEEDED, "customer_id": "Customer", "updated_at": "Changed"}
    return write_shop(
        folder, [], more=source("orders", "till", path="till.parquet", file_format="parquet", columns=columns)
    )


def parquet_rows() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "Invoice": [536365],
            "Date": [datetime.fromisoformat("2024-01-01 08:26")],
            "Code": ["X"],
            "Qty": [6],
            "Price": [2.55],
            "Customer": [17850.0],
            "Changed": [date(2024, 1, 2)],
        }
    )


def test_parquet_values_become_the_text_that_stands_for_them(tmp_path: Path) -> None:
    shop = parquet_shop(tmp_path)
    parquet_rows().write_parquet(tmp_path / "till.parquet")
    row = arrivals(shop)[0].rows().select(list(shop.sources[0].columns)).collect().row(0)
    # A customer number that became a float because one was missing is still that number.
    assert row == ("536365", "2024-01-01 08:26:00.000000", "X", "6", "2.55", "17850", "2024-01-02")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_parquet_that_is_cut_short_is_named(tmp_path: Path, share: float) -> None:
    shop = parquet_shop(tmp_path)
    path = tmp_path / "till.parquet"
    parquet_rows().write_parquet(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(DeliveryError, match=r"till\.parquet is not a whole Parquet file .*fetch it again"):
        arrivals(shop)


def test_csv_values_stay_the_text_they_are(tmp_path: Path) -> None:
    shop = write_shop(tmp_path)
    values = order_line(
        "007", product_name='A "big", red\nmug', unit_price="1e3", email="=1+1", phone="+44 20"
    )
    deliver(tmp_path, "orders", "1", [values])
    assert arrivals(shop)[0].rows().drop(FAULT).collect().equals(as_text("orders", [values]))


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert arrivals(mapped_shop(tmp_path))[0].rows().collect()["order_id"].item() == "1"
