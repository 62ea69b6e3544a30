"""Erasing a person: nothing of them is left in any byte, nobody else is touched, and they stay out. Composed people."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from pipelines.ingest.customer_keys import customer_keys
from pipelines.keys import keys_of
from pipelines.lake import Lake
from pipelines.privacy.erasure import Erasure, erase, erased_since, prepare, unfinished
from pipelines.privacy.person import NobodyError
from pipelines.privacy.search import search
from pipelines.shop import Shop
from tests.pipelines.privacy.composed_people import (
    EMAIL,
    OTHERS,
    TOKENS,
    bytes_under,
    composed_shop,
    everything,
    later,
    plant,
    put,
    rows_of_others,
    taken_in,
)
from tests.pipelines.small_shops import NOW, deliver, ingest, order_line, source, write_shop

LONG_NUMBER = "100000012345"
"""Hers as a customer number, somebody else's as an order number."""
pytestmark = pytest.mark.xdist_group("composed_people")


@dataclass(frozen=True)
class Before:
    """A composed shop with Anna, before anything is erased; copy it."""

    folder: Path
    key: str
    other_key: str

    def copy(self, folder: Path) -> tuple[Shop, Lake]:
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Shop.open(folder / "shop"), Lake.open(folder / "lake")


@pytest.fixture(scope="module", autouse=True)
def _composed_key() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETENTION_KEY", "composed for tests")
        yield


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, great_expectations: None, _composed_key: None) -> Before:
    folder = tmp_path_factory.mktemp("anna")
    shop, lake = taken_in(folder)
    emails = pl.Series([EMAIL, "joanna@example.org"])
    keys = customer_keys(pl.Series(["email"] * 2), emails, keys_of(shop, lake.root).identity)
    plant(lake, *keys)
    return Before(folder, *keys)


@dataclass(frozen=True)
class After:
    shop: Shop
    lake: Lake
    counts: dict[str, int]
    done: Erasure


@pytest.fixture(scope="module")
def after(before: Before, tmp_path_factory: pytest.TempPathFactory) -> After:
    shop, lake = before.copy(tmp_path_factory.mktemp("erased"))
    counts = {name: lake.scan(name).collect().height for name in lake.names()}
    with lake.lock("test"):
        done = erase(lake, shop, prepare(lake, shop, EMAIL), later(3))
    return After(shop, lake, counts, done)


def test_she_stood_in_every_kind_of_place_before(before: Before) -> None:
    named = {
        path.split("/")[0]
        for path, data in bytes_under(before.folder / "lake").items()
        if EMAIL.encode() in data
    }
    assert named == {"tables", "landed", "files", "notebooks", ".dagster"}


def test_no_byte_of_the_lake_names_her_afterwards(before: Before, after: After) -> None:
    forms = [
        form
        for token in (*TOKENS, before.key)
        for form in (
            token.encode(),
            token.encode("latin-1"),
            token.encode("utf-16-le"),
            json.dumps(token)[1:-1].encode(),
        )
    ]
    for path, data in bytes_under(after.lake.root).items():
        for other in OTHERS:
            data = data.replace(other.encode(), b"")
        for form in forms:
            assert form.lower() not in data.lower(), (path, form)
    assert after.done.searched.places == ()
    assert after.done.searched.files > 100


def test_the_rows_that_were_counted_are_those_that_went(after: After) -> None:
    for name, height in after.counts.items():
        assert after.lake.scan(name).collect().height == height - after.done.rows.get(name, 0), name


def test_every_version_that_a_snapshot_names_can_be_read_and_lacks_her(before: Before, after: After) -> None:
    named = json.loads(after.lake.scan("snapshots").collect()["versions"].item())
    for name, version in named.items():
        rows = after.lake.scan(name, version=version).collect()
        if "customer_key" in rows.columns:
            assert before.key not in rows["customer_key"].to_list()
    assert after.lake.scan("list_members", version=named["list_members"]).collect().height == 1


def test_files_of_lists_keep_the_others_and_pages_their_aggregates(before: Before, after: After) -> None:
    files = after.lake.root / "files" / "all-2024-05-31"
    assert sorted(path.name for path in files.iterdir()) == [
        "all-2024-05-31.READ-ONLY.xlsx.rows.parquet",
        "all-2024-05-31.csv.rows.parquet",
    ]
    assert pl.read_parquet(files / "all-2024-05-31.csv.rows.parquet")["email"].to_list() == [
        "joanna@example.org"
    ]
    page = (after.lake.root / "notebooks" / "2024-05-31" / "1.html").read_text(encoding="utf-8")
    assert (
        page
        == f"<p>2 people</p><p>[erased]</p><table><tr><td>{before.other_key}</td><td>12.50</td></tr></table>"
    )
    assert erased_since(after.lake, NOW)
    assert not erased_since(after.lake, later(5))


def test_texts_of_others_that_name_her_are_blackened_and_stay(after: After) -> None:
    assert after.lake.scan("reviews").collect()["body"].to_list() == ["Ask [erased], not joanna@example.org."]


def test_what_is_recorded_of_an_erasure_is_counts(after: After) -> None:
    row = after.lake.scan("erasures").collect().row(0, named=True)
    assert (row["rows"], row["delivered_rows"]) == (sum(after.done.rows.values()), after.done.delivered_rows)
    assert row["lists"] == "all-2024-05-31"


def test_whoever_was_erased_is_nobody(after: After) -> None:
    with pytest.raises(NobodyError, match="holds nothing of that person"):
        prepare(after.lake, after.shop, EMAIL)


@pytest.fixture(scope="module")
def next_night(before: Before, after: After, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Lake]:
    """The erased shop with all files delivered again, a changed mapping, and new files in which she stands."""
    folder = tmp_path_factory.mktemp("next")
    shutil.copytree(after.lake.root, folder / "lake")
    shutil.copytree(after.shop.folder, folder / "shop")
    settings = folder / "shop" / "shop.toml"
    orders = source("orders", path="deliveries/orders/*")
    changed = orders.replace('tags = "tags"', 'tags = "product_name"')
    assert changed != orders
    settings.write_text(settings.read_text(encoding="utf-8").replace(orders, changed), encoding="utf-8")
    shop, lake = Shop.open(folder / "shop"), Lake.open(folder / "lake")
    put(
        shop.folder,
        "orders",
        "third",
        [
            order_line("A4", customer_id=None, email=" ANNA@example.org ", ordered_at="2024-05-01 12:00:00"),
            order_line("J4", customer_id="100", ordered_at="2024-05-01 12:00:00"),
            order_line(
                "A5", customer_id="200", email=EMAIL, phone="+447911123456", ordered_at="2024-05-02 12:00:00"
            ),
            order_line("A5", product_id="CUP", customer_id="200", ordered_at="2024-05-02 12:00:00"),
        ],
    )
    put(shop.folder, "shipments", "third", [
        {"shipment_id": "P3", "order_id": "A1", "shipped_at": "2024-05-03 10:00:00"},
        {"shipment_id": "P4", "order_id": "J4", "shipped_at": "2024-05-03 10:00:00"},
    ])  # fmt: skip
    ingest(shop, lake, later(4))
    return shop, lake


def test_the_next_delivery_counts_her_rows_and_keeps_none(
    before: Before, next_night: tuple[Shop, Lake]
) -> None:
    _, lake = next_night
    third = (
        lake.scan("deliveries").filter(pl.col("file_name").str.starts_with("third")).sort("table").collect()
    )
    columns = ["table", "rows", "accepted", "quarantined", "replayed", "erased"]
    assert third.select(columns).rows() == [("orders", 4, 1, 0, 0, 3), ("shipments", 2, 1, 0, 0, 1)]
    assert search(lake.root, (*TOKENS, before.key)).places == ()
    counted = lake.scan("deliveries").collect()
    went = counted.select(pl.sum_horizontal("accepted", "quarantined", "replayed", "erased")).to_series()
    assert went.equals(counted["rows"], check_names=False)


def test_totals_are_those_of_a_shop_that_never_knew_her(
    next_night: tuple[Shop, Lake], tmp_path_factory: pytest.TempPathFactory
) -> None:
    _, lake = next_night
    folder = tmp_path_factory.mktemp("never")
    shop = composed_shop(folder / "shop", everything(with_anna=False))
    put(
        shop.folder,
        "orders",
        "third",
        [order_line("J4", customer_id="100", ordered_at="2024-05-01 12:00:00")],
    )
    put(shop.folder, "shipments", "third", [
        {"shipment_id": "P4", "order_id": "J4", "shipped_at": "2024-05-03 10:00:00"}
    ])  # fmt: skip
    never = Lake.make(folder / "lake", shop.name)
    ingest(shop, never, later(4))
    ours, theirs = rows_of_others(lake), rows_of_others(never)
    blackened = pl.col("body").str.replace("Ask anna@example.org,", "Ask [erased],", literal=True)
    theirs["reviews"] = theirs["reviews"].with_columns(blackened)
    for name in set(theirs):
        assert ours[name].equals(theirs[name]), name


class DyingLake(Lake):
    """A lake whose process is killed while tables are written anew: after two of them."""

    written = 0

    def rewrite(self, name: str, frame: pl.LazyFrame, *, fingerprint: str) -> int:
        if self.written == 2:
            raise KeyboardInterrupt
        self.written += 1
        return super().rewrite(name, frame, fingerprint=fingerprint)


@pytest.fixture(scope="module")
def two_people(
    tmp_path_factory: pytest.TempPathFactory, great_expectations: None, _composed_key: None
) -> Path:
    """A shop of orders alone, with its lake."""
    folder = tmp_path_factory.mktemp("two people")
    shop = write_shop(folder / "shop")
    deliver(
        shop.folder,
        "orders",
        "1",
        [order_line("A1", customer_id=LONG_NUMBER, email=EMAIL), order_line(LONG_NUMBER)],
    )
    ingest(shop, Lake.make(folder / "lake", shop.name), NOW)
    return folder


@pytest.mark.parametrize("killed_at", ["Kept", "two tables", "Files"])
def test_a_killed_erasure_is_taken_to_its_end_by_the_next(
    two_people: Path, tmp_path: Path, killed_at: str
) -> None:
    shutil.copytree(two_people, tmp_path, dirs_exist_ok=True)
    shop, lake = Shop.open(tmp_path / "shop"), Lake.open(tmp_path / "lake")

    def die(step: str) -> None:
        if step.startswith(killed_at):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dying = DyingLake(lake.root) if killed_at == "two tables" else lake
        erase(dying, shop, prepare(lake, shop, EMAIL), later(3), die)
    journal = unfinished(lake)
    if journal is not None:  # killed before all was gone
        assert (lake.root / "erasing.json").stat().st_mode & 0o077 == 0
        assert erase(lake, shop, journal, later(3)).searched.places == ()
    assert unfinished(lake) is None
    assert lake.scan("erasures").collect().height == 1
    assert search(lake.root, TOKENS).places == ()
    assert lake.scan("orders").collect()["order_id"].to_list() == [LONG_NUMBER]
    ingest(shop, lake, later(4))
    counts = (
        lake.scan("deliveries")
        .select("accepted", "erased", "replayed", "is_repeat")
        .sort("is_repeat")
        .collect()
    )
    assert counts.rows() == [(1, 1, 0, False), (0, 0, 2, True)]
