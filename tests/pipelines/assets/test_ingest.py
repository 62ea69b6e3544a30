"""The job ingest on small composed shops: nothing is lost or made twice, what changed is made again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from data_contracts import ContractError
from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Keeps, Moment, Outcome, Stage, Step
from pipelines.ingest.receipts import receipts
from pipelines.lake import Lake
from pipelines.shop import Shop
from tests.pipelines.small_shops import (
    NOW,
    SETTINGS,
    deliver,
    ingest,
    ingest_steps,
    order_line,
    return_row,
    source,
    write_shop,
)

pytestmark = [pytest.mark.xdist_group("gx"), pytest.mark.usefixtures("great_expectations")]

GOOD = [
    order_line("1"),
    order_line("2", customer_id="8"),
    order_line("C3", quantity="-1", ordered_at="2024-03-09"),
]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return write_shop(tmp_path / "shop")


@pytest.fixture
def lake(tmp_path: Path, shop: Shop) -> Lake:
    return Lake.make(tmp_path / "lake", shop.name)


def remade(outcomes: dict[str, Outcome]) -> set[str]:
    return {name for name, outcome in outcomes.items() if not outcome.was_unchanged}


def conservation(outcomes: dict[str, Outcome]) -> str:
    verdict = next(v for v in outcomes["deliveries"].verdicts if v.check == "nothing_is_lost")
    assert verdict.passed, verdict.says
    return verdict.says


def test_every_row_is_accounted_for_run_after_run(shop: Shop, lake: Lake) -> None:
    deliver(shop.folder, "orders", "1", [*GOOD, order_line("4", unit_price="?"), order_line("1")])
    assert (
        conservation(ingest(shop, lake)) == "5 delivered = 4 accepted + 1 quarantined + 0 replayed + 0 erased"
    )
    deliver(
        shop.folder, "orders", "2", [*GOOD, order_line("4", unit_price="?"), order_line("5", quantity="x")]
    )
    later = ingest(shop, lake, NOW + timedelta(days=1))
    assert conservation(later) == "15 delivered = 4 accepted + 2 quarantined + 9 replayed + 0 erased"
    assert sorted(lake.scan("orders").collect()["order_id"]) == ["1", "2"]
    assert lake.scan("orders").filter(order_id="1").collect()["gross"].item() == 20


def test_a_second_run_changes_only_the_record_of_deliveries(shop: Shop, lake: Lake) -> None:
    deliver(shop.folder, "orders", "1", GOOD)
    first = ingest(shop, lake)
    before = lake.versions()
    second = ingest(shop, lake, NOW + timedelta(days=1))
    assert remade(first) == set(first)
    assert remade(second) == {"deliveries"}
    assert {name for name, version in lake.versions().items() if version != before[name]} == {"deliveries"}
    assert lake.fingerprint("deliveries") == first_fingerprint(lake, before["deliveries"])
    assert second["deliveries"].rows == first["deliveries"].rows + 1


def first_fingerprint(lake: Lake, version: int) -> str:
    commits = lake._delta("deliveries").history()
    return next(commit["fingerprint"] for commit in commits if commit["version"] == version)


@pytest.mark.parametrize(
    ("old", "new", "made_again", "left_alone"),
    [
        ("block_share = 1.0", "block_share = 0.9", {"orders_quarantine"}, {"orders_faults", "raw_orders"}),
        (
            "[contracts]",
            "[returns]\nmatch_window_days = 3\n[contracts]",
            {"returns", "orders"},
            {"current_orders", "identity_map", "order_lines"},
        ),
        ('"^A"', '"^B"', {"orders_faults", "current_orders"}, {"raw_orders"}),
        (
            'title = "Small shop"',
            'title = "Other"',
            {"deliveries"},
            {"raw_orders", "orders_faults", "current_orders", "orders", "contacts"},
        ),
    ],
)
def test_changed_settings_make_again_what_depends_on_them_and_nothing_else(
    shop: Shop, lake: Lake, old: str, new: str, made_again: set[str], left_alone: set[str]
) -> None:
    deliver(shop.folder, "orders", "1", GOOD)
    ingest(shop, lake)
    changed = write_shop(shop.folder, settings=SETTINGS.replace(old, new))
    again = remade(ingest(changed, lake))
    assert made_again <= again
    assert not left_alone & again


def test_a_new_delivery_makes_everything_again_that_it_reaches(shop: Shop, lake: Lake) -> None:
    deliver(shop.folder, "orders", "1", GOOD)
    ingest(shop, lake)
    deliver(shop.folder, "orders", "2", [order_line("9")])
    assert {"raw_orders", "valid_orders", "current_orders", "orders"} <= remade(
        ingest(shop, lake, NOW + timedelta(days=1))
    )


def test_a_delivery_set_aside_as_a_whole_is_told_and_its_correction_released(tmp_path: Path) -> None:
    settings = SETTINGS.replace("block_share = 1.0", "block_share = 0.2")
    shop = write_shop(tmp_path / "shop", settings=settings)
    lake = Lake.make(tmp_path / "lake", shop.name)
    broken = deliver(
        shop.folder, "orders", "1", [order_line("1"), order_line("2"), order_line("3", unit_price="?")]
    )
    outcomes = ingest(shop, lake)
    told = next(v for v in outcomes["deliveries"].verdicts if v.check == "no_delivery_is_blocked")
    assert not told.passed
    assert lake.scan("deliveries").filter("is_blocked").collect()["delivery_id"].item() in told.says
    assert conservation(outcomes) == "3 delivered = 0 accepted + 3 quarantined + 0 replayed + 0 erased"
    assert lake.scan("orders").collect().is_empty()
    broken.unlink()
    deliver(shop.folder, "orders", "1", [order_line("1"), order_line("2"), order_line("3", unit_price="7")])
    outcomes = ingest(shop, lake, NOW + timedelta(days=1))
    assert sorted(lake.scan("orders").collect()["order_id"]) == ["1", "2", "3"]
    assert conservation(outcomes) == "6 delivered = 3 accepted + 3 quarantined + 0 replayed + 0 erased"


def test_what_no_setting_maps_is_on_the_record(tmp_path: Path) -> None:
    columns = {
        "order_id": "order_id",
        "ordered_at": "ordered_at",
        "product_id": "product_id",
        "quantity": "quantity",
        "unit_price": "unit_price",
    }
    shop = write_shop(tmp_path / "shop", [], more=source("orders", columns=columns))
    lake = Lake.make(tmp_path / "lake", shop.name)
    deliver(shop.folder, "orders", "1", [order_line("1")])
    ingest(shop, lake)
    assert "customer_id" in lake.scan("deliveries").collect()["unknown_columns"].item().split(",")


def test_two_shop_systems_keep_their_customers_apart_unless_an_address_joins_them(tmp_path: Path) -> None:
    more = source("orders", "web", path="web.csv", more='customer_numbers = "web"') + source(
        "orders", "till", path="till.csv"
    )
    shop = write_shop(tmp_path / "shop", [], more=more)
    lake = Lake.make(tmp_path / "lake", shop.name)
    for name, first in (("web", "1"), ("till", "2")):
        rows = [order_line(first), order_line(first * 2, customer_id=f"{name}9", email="anna@example.com")]
        deliver(shop.folder, "orders", name, rows).replace(shop.folder / f"{name}.csv")
    ingest(shop, lake)
    found = {row["order_id"]: row for row in lake.scan("orders").collect().iter_rows(named=True)}
    assert found["1"]["customer_key"] != found["till:2"]["customer_key"]
    assert found["11"]["customer_key"] == found["till:22"]["customer_key"]
    assert {found["1"]["source"], found["till:2"]["source"]} == {"web", "till"}


def test_returns_in_files_of_their_own_never_raise_order_counts(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop", ["orders", "returns"])
    lake = Lake.make(tmp_path / "lake", shop.name)
    deliver(shop.folder, "orders", "1", [order_line("1"), order_line("2", ordered_at="2024-03-10 09:00:00")])
    deliver(shop.folder, "returns", "1", [return_row("R1", order_id="1"), return_row("R2", customer_id="99")])
    ingest(shop, lake)
    assert lake.scan("customers").collect()["valid_orders"].to_list() == [2]
    assert lake.scan("returns").sort("return_id").collect()["match_rule"].to_list() == [
        "by_order_id",
        "no_earlier_purchase",
    ]
    assert dict(lake.scan("orders").select("order_id", "net").collect().rows())["1"] == 0


def test_a_run_that_died_before_the_commit_is_made_up_for(shop: Shop, lake: Lake) -> None:
    deliver(shop.folder, "orders", "1", GOOD)
    given = Given(shop, lake, Moment("died", NOW, None), ingest_steps(shop))
    assert ingest_steps(shop)["raw_orders"].make(given) is not None
    assert receipts(lake) == []
    assert conservation(ingest(shop, lake, NOW + timedelta(hours=1))).startswith("3 delivered = 3 accepted")


def step_of(rows: Callable[[], pl.LazyFrame], keeps: Keeps = Keeps.NOTHING) -> Step:
    return Step("orders_faults", Stage.CONTRACT, keeps, (), lambda _: rows())


def faults(*numbers: int) -> pl.LazyFrame:
    return pl.LazyFrame({"delivery_id": "d", "row_number": list(numbers), "rule": "r", "severity": "warning"})


@pytest.mark.parametrize("keeps", [Keeps.NOTHING, Keeps.EVERYTHING])
def test_rows_that_share_a_key_are_refused_and_the_table_is_as_before(
    shop: Shop, lake: Lake, keeps: Keeps
) -> None:
    given = Given(shop, lake, Moment("run", NOW, None), {})
    good = step_of(lambda: faults(1, 2), keeps)
    carry_out(good, given)
    fingerprint = lake.fingerprint("orders_faults")
    bad = replace(step_of(lambda: faults(7, 7), keeps), identity=lambda _: "changed")
    for _ in range(2):
        with pytest.raises(ContractError, match=r"orders_faults: 1 of \d rows share a key \(delivery_id,"):
            carry_out(bad, given)
        assert sorted(lake.scan("orders_faults").collect()["row_number"]) == [1, 2]
        assert lake.fingerprint("orders_faults") == fingerprint


def test_a_first_table_with_a_shared_key_is_not_there_afterwards(shop: Shop, lake: Lake) -> None:
    with pytest.raises(ContractError):
        carry_out(step_of(lambda: faults(1, 1)), Given(shop, lake, Moment("run", NOW, None), {}))
    assert lake.names() == []


def test_a_past_days_rows_are_known_by_what_they_are_made_from_now(shop: Shop, lake: Lake) -> None:
    # A table that holds the newest day only gives an earlier day's rows made anew.
    source_step = Step(
        "orders_faults", Stage.CONTRACT, Keeps.NOTHING, (), lambda _: faults(1), identity=lambda _: state[0]
    )
    newest = Step(
        "purchases", Stage.RETENTION, Keeps.NEWEST_DAY, ("orders_faults",), lambda _: lake.scan("purchases")
    )
    steps = {step.table: step for step in (source_step, newest)}
    state = ["one"]
    days = [NOW.date() + timedelta(days=number) for number in (0, 1)]
    early, late = (Given(shop, lake, Moment("run", NOW, day), steps) for day in days)
    carry_out(source_step, early)
    carry_out(newest, early)
    known = early.fingerprint("purchases")
    assert known == lake.fingerprint("purchases", days[0])
    carry_out(newest, late)
    assert early.fingerprint("purchases") == known
    state[0] = "two"
    carry_out(source_step, late)
    assert early.fingerprint("purchases") != known
