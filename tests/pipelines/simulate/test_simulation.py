"""The files of a simulated shop: the same for the same seed, whole, and with nothing from after the end."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from data_contracts.dictionary import delivered_columns
from data_contracts.suites import rules
from pipelines.errors import ShopError
from pipelines.shop import Shop
from pipelines.simulate import simulation
from pipelines.simulate.dirt import WAYS
from pipelines.simulate.simulation import simulate
from pipelines.sources.arrivals import arrivals
from tests.pipelines.published_shops import bytes_of

END = datetime(2025, 1, 1)  # noqa: DTZ001  # the wall clock of the shop
NUMBERS = {
    "orders": "order_id",
    "returns": "return_id",
    "survey_invitations": "survey_id",
    "survey_answers": "survey_id",
    "shipments": "shipment_id",
    "tickets": "ticket_id",
    "messages": "message_id",
    "loyalty_ledger": "entry_id",
    "referrals": "referral_id",
    "costs": "cost_id",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "shop"
    simulate(900, 500, 7, folder)
    return folder


def _clean(shop: Path, table: str) -> pl.DataFrame:
    """Delivered rows of one table without the broken ones."""
    dirty = pl.read_parquet(shop / "truth" / "dirty_rows.parquet").filter(table=table)
    parts = [
        pl.read_parquet(path)
        .with_row_index("row_number", offset=1)
        .with_columns(pl.col("row_number").cast(pl.Int64), pl.lit(path.name).alias("file"))
        .join(dirty, on=["file", "row_number"], how="anti")
        for path in sorted((shop / "deliveries" / table).glob("*.parquet"))
    ]
    return pl.concat(parts)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(shop: Path, tmp_path: Path) -> None:
    simulate(900, 500, 7, tmp_path / "again")
    simulate(900, 500, 8, tmp_path / "other")
    assert bytes_of(tmp_path / "again") == bytes_of(shop)
    orders = "deliveries/orders/2024-12-31.parquet"
    assert bytes_of(tmp_path / "other")[orders] != bytes_of(shop)[orders]


def test_every_table_is_delivered_in_columns_of_the_dictionary(shop: Path) -> None:
    opened = Shop.open(shop)
    assert {source.table for source in opened.sources} == set(WAYS)
    for source in opened.sources:
        known = [column.name for column in delivered_columns(source.table)]
        assert list(source.columns) == [name for name in source.columns if name in known]
    assert len(arrivals(opened)) == sum(1 for _ in (shop / "deliveries").rglob("*.parquet"))
    assert opened.lists[0].name == "detractor_recovery"
    assert opened.sample
    assert opened.consent.when_not_delivered == "deny"


def test_nothing_from_after_the_end_is_delivered(shop: Path) -> None:
    told = 0
    for table in WAYS:
        rows = _clean(shop, table)
        for column in delivered_columns(table):
            if column.kind == "moment" and column.name in rows.columns:
                times = rows[column.name].drop_nulls().str.to_datetime("%Y-%m-%d %H:%M:%S")
                told += len(times)
                assert times.is_empty() or max(times) < END, (table, column.name)
    assert told > 10_000
    future = pl.read_parquet(shop / "truth" / "future.parquet")
    assert future["ordered_at"].min() >= END  # type: ignore[operator]
    assert not set(future["order_id"]) & set(_clean(shop, "orders")["order_id"])


def test_a_delivery_knows_nothing_of_what_came_after_it(shop: Path) -> None:
    for table in WAYS:
        rows = _clean(shop, table)
        for column in delivered_columns(table):
            if column.kind == "moment" and column.name in rows.columns:
                day = pl.col(column.name).str.slice(0, 10)
                late = rows.filter(day > pl.col("file").str.slice(0, 10))
                assert late.is_empty() or column.name == "referred_at", (table, column.name)


def test_everything_true_is_delivered_and_nothing_else(shop: Path) -> None:
    orders = _clean(shop, "orders")
    truth = pl.read_parquet(shop / "truth" / "orders.parquet")
    own = orders.filter(~pl.col("order_id").str.contains("-X"))
    assert set(own["order_id"]) == set(truth["order_id"])
    assert set(orders.filter(pl.col("order_id").str.contains("-X"))["tags"]) == {"exchange replacement"}
    told = own.with_columns(pl.col("ordered_at").str.to_datetime("%Y-%m-%d %H:%M:%S")).join(
        truth, on="order_id"
    )
    assert told.filter(pl.col("ordered_at") != pl.col("ordered_at_right")).is_empty()
    shipped = _clean(shop, "shipments")
    assert set(shipped["order_id"]) <= set(truth.filter(standing="placed")["order_id"])
    answered, asked = _clean(shop, "survey_answers"), _clean(shop, "survey_invitations")
    assert set(answered["survey_id"]) <= set(asked["survey_id"])
    written, assigned = _clean(shop, "messages"), _clean(shop, "campaign_assignments")
    delivered = assigned.filter(assignment="deliver").select("campaign", "email")
    assert sorted(written.select("campaign", "email").rows()) == sorted(delivered.rows())


def test_future_purchases_belong_to_people_who_are_customers_at_the_end(shop: Path) -> None:
    people = pl.read_parquet(shop / "truth" / "customers.parquet")
    future = pl.read_parquet(shop / "truth" / "future.parquet")
    counted = future.group_by("person").len("seen")
    told = people.join(counted, on="person", how="left").with_columns(pl.col("seen").fill_null(0))
    assert told.filter(pl.col("seen") != pl.col("future_orders")).is_empty()
    assert told.filter(~pl.col("is_customer_at_end") & (pl.col("seen") > 0)).is_empty()
    assert people["person"].is_unique().all()
    assert people.height == 900


def test_satisfied_people_score_higher_and_answer_more(shop: Path) -> None:
    truth = pl.read_parquet(shop / "truth" / "orders.parquet").select("order_id", "satisfaction")
    asked = _clean(shop, "survey_invitations").join(truth, on="order_id")
    answers = (
        _clean(shop, "survey_answers").join(truth, on="order_id").with_columns(pl.col("score").cast(pl.Int64))
    )
    silent = asked.join(answers, on="survey_id", how="anti")
    assert answers["satisfaction"].mean() > silent["satisfaction"].mean() + 0.2  # type: ignore[operator]
    nps = answers.filter(kind="nps")
    assert nps.select(pl.corr("score", "satisfaction")).item() > 0.7
    assert nps["score"].is_between(0, 10).all()


def test_blocks_of_people_do_not_share_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "BLOCK_PEOPLE", 100)
    simulate(250, 400, 3, tmp_path)
    people = pl.read_parquet(tmp_path / "truth" / "customers.parquet")
    assert people["person"].to_list() == list(range(1, 251))
    for name in ("email", "account", "phone", "marketplace_number"):
        assert people[name].drop_nulls().is_unique().all()
    for table, number in NUMBERS.items():
        rows = _clean(tmp_path, table)
        if "updated_at" not in rows.columns:
            assert rows[number].is_unique().all(), table
    truth = pl.read_parquet(tmp_path / "truth" / "orders.parquet")
    assert truth["order_id"].is_unique().all()
    assert truth["person"].max() == 250
    # The broken rows of later blocks stand behind those of earlier ones in the same file.
    broken = pl.read_parquet(tmp_path / "truth" / "dirty_rows.parquet")
    for file, numbers in broken.filter(table="orders").group_by("file").agg("row_number").iter_rows():
        rows = pl.read_parquet(tmp_path / "deliveries" / "orders" / file)
        assert max(numbers) <= rows.height


@pytest.mark.parametrize(("customers", "days"), [(1, 1), (1, 730), (3, 30), (40, 7), (60, 1_500)])
def test_shops_of_any_size_can_be_read(customers: int, days: int, tmp_path: Path) -> None:
    made = simulate(customers, days, 5, tmp_path / "shop")
    opened = Shop.open(tmp_path / "shop")
    assert arrivals(opened)
    assert sum(made.rows.values()) > 0
    assert pl.read_parquet(tmp_path / "shop" / "truth" / "customers.parquet").height == customers


def test_a_spoilt_row_breaks_critical_rules_of_its_table() -> None:
    for table, ways in WAYS.items():
        critical = {rule.name for rule in rules(table) if rule.severity == "critical"}
        for way in ways:
            assert set(way.rules) <= critical, (table, way)


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ShopError, match="is not empty"):
        simulate(3, 30, 1, tmp_path)
    with pytest.raises(ShopError, match="no simulation wrote it"):
        simulate(3, 30, 1, tmp_path, force=True)
    assert bytes_of(tmp_path).keys() == {"notes.txt"}
    with pytest.raises(ShopError, match="is a file"):
        simulate(3, 30, 1, tmp_path / "notes.txt")


def test_force_writes_over_its_own_and_over_nothing_that_was_changed(tmp_path: Path) -> None:
    simulate(3, 30, 1, tmp_path)
    first = bytes_of(tmp_path)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ShopError, match="is not empty"):
        simulate(3, 30, 1, tmp_path)
    simulate(30, 30, 2, tmp_path, force=True)
    simulate(3, 30, 1, tmp_path, force=True)
    assert bytes_of(tmp_path).items() >= first.items()
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"
    with (tmp_path / "shop.toml").open("a", encoding="utf-8") as file:
        file.write("# mine\n")
    with pytest.raises(ShopError, match=r"shop\.toml, which was added or changed"):
        simulate(3, 30, 1, tmp_path, force=True)


def test_a_simulation_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupted(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(30, 30, 1, tmp_path / "shop", hears=interrupted)
    assert not list((tmp_path / "shop").iterdir())
