"""Whatever a file is like: no traceback, every row accounted for, and what was there before stays as it was."""

import random
import shutil
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from data_contracts import ContractError
from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Moment, Stage, Verdict
from pipelines.errors import LabError
from pipelines.lake import Lake
from pipelines.shop import Shop
from tests.pipelines.faults.mutations import FORMATS, composed_orders, mutated, write, written
from tests.pipelines.small_shops import NOW, SETTINGS, ingest, ingest_steps, source, write_shop

COLUMNS = {
    name: name
    for name in (
        "order_id",
        "ordered_at",
        "customer_id",
        "email",
        "product_id",
        "product_name",
        "quantity",
        "unit_price",
    )
}
FEW, MANY, A_PIECE = 24, 2000, 50
FACTS_EVERY = 10
"""Facts are made of every tenth file: they take most of the time, and what is wrong with a file is over by then."""


@pytest.fixture(scope="module")
def base(great_expectations: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that has taken one good delivery in."""
    folder = tmp_path_factory.mktemp("base")
    shop = open_shop(folder, "csv")
    write(folder / "good" / "good.csv", written(composed_orders(random.Random(0)), "csv"))
    ingest(shop, Lake.make(folder / "lake", shop.name))
    return folder


def open_shop(folder: Path, file_format: str) -> Shop:
    name = file_format.removesuffix(".gz")
    sources = source("orders", "good", path="good/*.csv", columns=COLUMNS) + source(
        "orders",
        "odd",
        path="odd/*",
        file_format=name,
        columns=COLUMNS,
        more='order_numbers = "shop"\ncustomer_numbers = "shop"',
    )
    (folder / "odd").mkdir(parents=True, exist_ok=True)
    settings = SETTINGS.replace("block_share = 1.0", "block_share = 0.5")
    return write_shop(
        folder,
        [],
        settings=settings,
        more=sources if any((folder / "odd").iterdir()) else sources.split('\n[[sources]]\nname = "odd"')[0],
    )


def deliver_mutated(base: Path, folder: Path, seed: int) -> str:
    """Take one mutated file in, in a copy of the base; what became of it."""
    generator = random.Random(seed)
    file_format = generator.choices(FORMATS, weights=[8, 1, 2, 2, 3, 1])[0]
    content, happened = mutated(generator, composed_orders(generator), file_format)
    shutil.copytree(base, folder)
    write(folder / "odd" / f"file.{file_format}", content)
    shop = open_shop(folder, file_format)
    lake = Lake.open(folder / "lake")
    before = lake.scan("raw_orders").sort("delivery_id", "row_number").collect()
    orders_before = lake.scan("orders").select("order_id").collect()["order_id"]
    case = f"seed {seed}, {file_format}: {happened}"
    try:
        verdict = take_in(shop, lake, with_facts=seed % FACTS_EVERY == 0)
    except (LabError, ContractError) as error:
        assert 20 < len(str(error)) < 6000, case
        assert lake.scan("raw_orders").sort("delivery_id", "row_number").collect().equals(before), case
        return "refused"
    assert verdict.passed, f"{case}: {verdict.says}"
    raw = lake.scan("raw_orders").filter(
        pl.col("delivery_id").is_in(before["delivery_id"].unique().to_list())
    )
    assert raw.sort("delivery_id", "row_number").collect().equals(before), case
    orders = lake.scan("orders").select("order_id").collect()["order_id"]
    assert orders.is_unique().all(), case
    assert set(orders_before) <= set(orders), case
    taken = lake.scan("deliveries").filter(pl.col("source") == "odd").collect().row(0, named=True)
    assert taken["rows"] == taken["accepted"] + taken["quarantined"] + taken["replayed"], case
    return "blocked" if taken["is_blocked"] else "taken"


def take_in(shop: Shop, lake: Lake, *, with_facts: bool) -> Verdict:
    """Carry the steps up to the contract out, and those after it; the verdict on conservation."""
    steps = ingest_steps(shop)
    given = Given(shop, lake, Moment("composed run", NOW + timedelta(days=1), None), steps)
    verdicts: list[Verdict] = []
    for step in steps.values():
        if with_facts or step.stage is not Stage.FACTS:
            verdicts += carry_out(step, given).verdicts
    (verdict,) = [one for one in verdicts if one.check == "nothing_is_lost"]
    return verdict


def run_through(base: Path, folder: Path, seeds: range) -> dict[str, int]:
    found: dict[str, int] = {}
    for seed in seeds:
        place = folder / str(seed)
        outcome = deliver_mutated(base, place, seed)
        found[outcome] = found.get(outcome, 0) + 1
        shutil.rmtree(place)
    return found


@pytest.mark.parametrize("start", range(0, FEW, 8))
def test_a_mutated_file_is_taken_in_part_or_refused_in_plain_words(
    base: Path, tmp_path: Path, start: int
) -> None:
    assert sum(run_through(base, tmp_path, range(start, start + 8)).values()) == 8


@pytest.mark.soak
@pytest.mark.parametrize("start", range(0, MANY, A_PIECE))
def test_two_thousand_mutated_files(base: Path, tmp_path: Path, start: int) -> None:
    found = run_through(base, tmp_path, range(start, start + A_PIECE))
    print(f"seeds {start} to {start + A_PIECE - 1}: {found}")  # noqa: T201  # the count that a soak run reports
    assert sum(found.values()) == A_PIECE
