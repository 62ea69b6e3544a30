"""Deliveries that overlap may come in any order, at once or night by night: the facts are the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Moment
from pipelines.lake import Lake
from pipelines.shop import SAMPLES, Shop
from tests.pipelines.small_shops import NOW, ingest_steps

WINDOWS = [
    ("2010-11-29", "2010-12-02 12:00"),
    ("2010-12-01", "2010-12-04"),
    ("2010-12-02", "2010-12-06 14:00"),
    ("2010-12-05", "2010-12-08"),
    ("2010-12-01", "2010-12-09 13:00"),
]
"""Five extracts of the bundled shop, cut so that each shares days with others and some invoices are cut in two."""
FACTS = ["current_orders", "identity_map", "returns", "order_lines", "orders", "customers", "contacts"]
ORDERS = list(permutations(range(len(WINDOWS))))


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The five deliveries as files."""
    folder = tmp_path_factory.mktemp("cuts")
    everything = pl.scan_parquet(SAMPLES / "uk_gift_shop" / "uk_gift_shop.parquet")
    some = everything.filter(pl.col("Invoice").cast(pl.String).str.ends_with("7"))
    for number, window in enumerate(WINDOWS):
        start, end = map(datetime.fromisoformat, window)
        rows = some.filter(pl.col("InvoiceDate").is_between(start, end)).drop("sheet").collect()
        # What the two published sheets both bring stands once in an extract, or the extract would hold it twice.
        rows.unique(maintain_order=True).write_parquet(folder / f"{number}.parquet")
    return folder


def shop_at(folder: Path) -> Shop:
    settings = (SAMPLES / "uk_gift_shop" / "shop.toml").read_text(encoding="utf-8")
    split = next(line for line in settings.splitlines() if line.startswith("split_by"))
    folder.mkdir(parents=True)
    (folder / "shop.toml").write_text(
        settings.replace(split, "").replace('path = "uk_gift_shop.parquet"', 'path = "in/*.parquet"')
    )
    (folder / "in").mkdir()
    return Shop.open(folder)


def facts_after(folder: Path, cuts: Path, order: Sequence[int], *, at_once: bool) -> dict[str, pl.DataFrame]:
    shop = shop_at(folder / "shop")
    lake = Lake.make(folder / "lake", shop.name)
    for place, number in enumerate(order):
        (shop.folder / "in" / f"{place}.parquet").symlink_to(cuts / f"{number}.parquet")
        if not at_once or place == len(order) - 1:
            run_facts(shop, lake, place)
    return {name: lake.scan(name).collect().pipe(lambda f: f.sort(f.columns)) for name in FACTS}


def run_facts(shop: Shop, lake: Lake, night: int) -> None:
    steps = {
        name: step
        for name, step in ingest_steps(shop).items()
        if name not in ("contract_results", "deliveries")
    }
    given = Given(shop, lake, Moment("composed run", NOW + timedelta(days=night), None), steps)
    for step in steps.values():
        carry_out(step, given)


@pytest.fixture(scope="module")
def expected(
    great_expectations: object, cuts: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, pl.DataFrame]:
    found = facts_after(tmp_path_factory.mktemp("expected"), cuts, ORDERS[0], at_once=True)
    assert found["orders"].height > 40
    return found


@pytest.mark.parametrize("first", range(len(ORDERS)), ids=lambda n: "".join(map(str, ORDERS[n])))
def test_all_orders_of_five_deliveries_give_the_same_facts(
    cuts: Path, expected: dict[str, pl.DataFrame], tmp_path: Path, first: int
) -> None:
    found = facts_after(tmp_path, cuts, ORDERS[first], at_once=True)
    for name, frame in expected.items():
        assert found[name].equals(frame), name


@pytest.mark.parametrize("order", ORDERS[5::40], ids=lambda order: "".join(map(str, order)))
def test_night_by_night_too(
    cuts: Path, expected: dict[str, pl.DataFrame], tmp_path: Path, order: tuple[int, ...]
) -> None:
    found = facts_after(tmp_path, cuts, order, at_once=False)
    for name, frame in expected.items():
        assert found[name].equals(frame), name
