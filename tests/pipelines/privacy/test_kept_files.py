"""Kept files without a person: in every format, for every source of a file, read again by changed settings."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from pipelines.assets import landing
from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Moment
from pipelines.errors import DeliveryError
from pipelines.ingest.receipts import receipts
from pipelines.lake import Lake
from pipelines.privacy.erasure import erase, prepare
from pipelines.privacy.search import search
from pipelines.shop import Shop
from pipelines.sources import kept_rows
from tests.pipelines.small_shops import NOW, as_text, order_line, source, write_shop

EMAIL = "anna@example.org"
EXPORT = (
    "Name,Email,Financial Status,Currency,Subtotal,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,"
    "Lineitem sku,Billing Name,Notes,Refunded Amount,Id"
)


@pytest.fixture(autouse=True)
def _composed_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_KEY", "composed for tests")


def land_all(shop: Shop, lake: Lake, day: int) -> None:
    """Carry out the raw tables' steps alone."""
    steps = {step.table: step for step in landing.steps(shop) if step.table.startswith("raw_")}
    given = Given(shop, lake, Moment("composed run", NOW.replace(day=day), None), steps)
    for step in steps.values():
        carry_out(step, given)


def export(orders: Sequence[tuple[str, str]]) -> str:
    """A shop platform's export: two lines an order, of which only the first says whose it is."""
    lines = [EXPORT]
    for number, email in orders:
        name = "Änne Quendelbäcker" if email == EMAIL else "Jo"
        head = f"#{number},{email},partially_refunded,GBP,20.00,20.00,2024-03-0{number} 10:00:00 +0000"
        lines += [
            f"{head},1,Mug,10.00,MUG,{name},Zwiebelgasse,5.00,{number}",
            f"#{number},,,,,,,1,Cup,10.00,CUP,,,,",
        ]
    return "\n".join(lines).replace("Jo,Zwiebelgasse", "Jo,") + "\n"


@pytest.fixture
def two_sources(tmp_path: Path) -> tuple[Shop, Lake]:
    """One export that feeds orders and returns."""
    sources = "".join(
        f'\n[[sources]]\nname = "{table}"\ntable = "{table}"\nformat = "shopify_orders"\npath = "deliveries/*.csv"\n'
        for table in ("orders", "returns")
    )
    shop = write_shop(tmp_path / "shop", (), more=sources)
    (shop.folder / "deliveries").mkdir()
    first = export([("1", EMAIL), ("2", "joanna@example.org"), ("3", EMAIL)])
    (shop.folder / "deliveries" / "a.csv").write_text(first, encoding="utf-8")
    lake = Lake.make(tmp_path / "lake", shop.name)
    land_all(shop, lake, 1)
    return shop, lake


def counts(lake: Lake) -> list[tuple[str, str, int, int, int]]:
    told = [one for one in receipts(lake) if not one.is_repeat]
    return sorted((one.file_name, one.table, one.rows, one.kept, one.erased) for one in told)


def test_every_source_of_a_file_loses_the_person_and_reads_the_rest_again(
    two_sources: tuple[Shop, Lake],
) -> None:
    shop, lake = two_sources
    done = erase(lake, shop, prepare(lake, shop, EMAIL), NOW)
    assert done.searched.places == ()
    assert done.delivered_rows == 6
    assert [path.suffixes for path in sorted((lake.root / "landed").glob("*.*"))] == [
        [".rows", ".parquet"]
    ] * 2
    settings = shop.folder / "shop.toml"
    timed = settings.read_text(encoding="utf-8").replace("\npath", '\ntimezone = "UTC"\npath')
    settings.write_text(timed, encoding="utf-8")
    second = export([("4", EMAIL), ("5", "joanna@example.org")])
    (shop.folder / "deliveries" / "b.csv").write_text(second, encoding="utf-8")
    shop = Shop.open(shop.folder)
    land_all(shop, lake, 2)
    assert search(lake.root, [EMAIL, "Änne Quendelbäcker", "Zwiebelgasse"]).places == ()
    orders = lake.scan("raw_orders").collect()
    assert sorted(orders["order_id"]) == ["#2", "#2", "#5", "#5"]
    assert set(orders["email"]) == {"joanna@example.org"}
    assert sorted(lake.scan("raw_returns").collect()["order_id"]) == ["#2", "#5"]
    assert counts(lake) == [
        ("a.csv", "orders", 6, 2, 4),
        ("a.csv", "returns", 3, 1, 2),
        ("b.csv", "orders", 4, 2, 2),
        ("b.csv", "returns", 2, 1, 1),
    ]
    again = {(one.table, one.file_name): one.rows for one in receipts(lake) if one.is_repeat}
    assert again == {("orders", "a.csv"): 6, ("returns", "a.csv"): 3}


def test_another_layout_cannot_read_a_file_of_which_rows_were_erased_and_says_so(
    two_sources: tuple[Shop, Lake],
) -> None:
    shop, lake = two_sources
    erase(lake, shop, prepare(lake, shop, EMAIL), NOW)
    settings = shop.folder / "shop.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8") + "\n[sources.layout]\nskip_rows = 0\n", encoding="utf-8"
    )
    with pytest.raises(DeliveryError, match=r"People were erased from a\.csv.*another format or layout"):
        land_all(Shop.open(shop.folder), lake, 2)


@pytest.mark.parametrize("split", [False, True])
def test_a_file_of_one_person_alone_is_an_empty_one_afterwards_and_still_counted(
    tmp_path: Path, split: bool
) -> None:
    more = 'split_by = "channel"\n' if split else ""
    shop = write_shop(tmp_path / "shop", (), more=source("orders", more=more))
    lines = [order_line("1", email=EMAIL, channel="web"), order_line("2", email=EMAIL, channel="till")]
    path = shop.folder / "deliveries" / "orders" / "1.csv"
    path.parent.mkdir(parents=True)
    as_text("orders", lines).write_csv(path)
    lake = Lake.make(tmp_path / "lake", shop.name)
    land_all(shop, lake, 1)
    assert erase(lake, shop, prepare(lake, shop, EMAIL), NOW).searched.places == ()
    land_all(shop, lake, 2)
    assert lake.scan("raw_orders").collect().is_empty()
    assert sum(one.erased for one in receipts(lake) if not one.is_repeat) == 2
    as_text("orders", [*lines, order_line("3", channel="web")]).write_csv(path.with_name("2.csv"))
    land_all(shop, lake, 3)
    assert lake.scan("raw_orders").collect()["order_id"].to_list() == ["3"]
    assert sum(one.erased for one in receipts(lake) if not one.is_repeat) == 4


def test_a_file_of_rows_says_for_which_delivery_and_source_it_stands(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop")
    place = kept_rows.rows_file(tmp_path, "a" * 64, shop.sources[0])
    assert (kept_rows.delivered_sha256(place), kept_rows.source_of(place)) == ("a" * 64, "orders")
    assert kept_rows.delivered_sha256(tmp_path / f"{'a' * 64}.parquet") is None
    rows = pl.LazyFrame(
        {"a": ["1"], "_fault": [None], "_record": [1]}, schema_overrides={"_fault": pl.String}
    )
    kept_rows.write(rows, place, tmp_path / "nothing.csv")
    assert kept_rows.columns(place) == ["a"]
    assert kept_rows.rows_files(tmp_path, "a" * 64) == [place]
