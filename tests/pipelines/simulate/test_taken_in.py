"""What the lab makes of a simulated shop, against what is true of it."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.simulate.dirt import WAYS
from pipelines.simulate.simulation import simulate
from tests.pipelines.small_shops import ingest

pytestmark = pytest.mark.xdist_group("gx")

NOW = datetime(2025, 6, 1, 3, 0, tzinfo=UTC)
ROW = ["table", "file", "row_number", "rules"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "shop"
    simulate(700, 360, 11, folder)
    return folder


@pytest.fixture(scope="module")
def lake(shop: Path, great_expectations: None) -> Lake:
    made = Lake.make(shop.parent / "lake", "simulated_shop")
    ingest(Shop.open(shop), made, NOW)
    return made


def _truth(shop: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(shop / "truth" / f"{name}.parquet")


def test_the_contracts_catch_exactly_the_broken_rows(shop: Path, lake: Lake) -> None:
    files = (
        lake.scan("deliveries").select("delivery_id", "table", pl.col("file_name").alias("file")).collect()
    )
    caught = pl.concat(
        lake.scan(f"{name}_quarantine").collect().join(files.filter(table=name), on="delivery_id").select(ROW)
        for name in WAYS
    )
    broken = _truth(shop, "dirty_rows").select(ROW)
    assert sorted(caught.rows()) == sorted(broken.rows())
    assert broken.height > 50
    assert broken["table"].n_unique() > 8


def test_every_delivered_row_is_accounted_for(lake: Lake) -> None:
    deliveries = lake.scan("deliveries").collect()
    counted = deliveries.select(
        pl.sum_horizontal("accepted", "quarantined", "replayed", "erased")
    ).to_series()
    assert counted.to_list() == deliveries["rows"].to_list()
    assert deliveries["replayed"].sum() > 0
    assert not deliveries["is_blocked"].any()


def test_orders_count_where_they_were_placed(shop: Path, lake: Lake) -> None:
    orders, truth = lake.scan("orders").collect(), _truth(shop, "orders")
    both = truth.join(orders, on="order_id", how="left")
    assert both.filter((pl.col("standing") == "placed") & ~pl.col("is_valid").fill_null(False)).is_empty()
    counted = both.filter((pl.col("standing") != "placed") & pl.col("is_valid"))
    # An order that is called off after the end was not yet known to be.
    assert set(counted["standing"]) <= {"cancelled"}
    assert counted.filter(pl.col("order_day") < pl.date(2024, 12, 26)).is_empty()
    assert (both["order_day"] == both["order_day_right"]).all()
    free = orders.join(truth, on="order_id", how="anti")
    assert set(free["excluded_because"]) == {"exchange replacement"}


def test_net_is_true_where_everything_has_come_back(shop: Path, lake: Lake) -> None:
    orders, truth = lake.scan("orders").collect(), _truth(shop, "orders").filter(standing="placed")
    unmatched = lake.scan("returns").filter(pl.col("order_id").is_null()).collect().height
    settled = truth.filter(pl.col("order_day") < pl.date(2024, 10, 1)).join(orders, on="order_id")
    differs = settled.filter(pl.col("net") != pl.col("net_right")).height
    guessed = lake.scan("returns").filter(pl.col("match_rule") == "latest_purchase").collect().height
    assert differs <= 2 * (unmatched + guessed)
    assert differs < 0.02 * settled.height


def test_people_are_one_customer_where_identifiers_connect_them(shop: Path, lake: Lake) -> None:
    orders = lake.scan("orders").filter(pl.col("customer_key").is_not_null()).collect()
    both = _truth(shop, "orders").select("order_id", "person").join(orders, on="order_id")
    assert both.group_by("customer_key").agg(pl.col("person").n_unique())["person"].max() == 1
    people = _truth(shop, "customers")
    keys = (
        both.group_by("person").agg(pl.col("customer_key").n_unique().alias("keys")).join(people, on="person")
    )
    by_phone = keys.filter("phone_on_web")
    assert by_phone.height > 100
    assert by_phone["keys"].max() == 1, "the phone number connects all channels, and old with new addresses"
    apart = keys.filter(
        ~pl.col("phone_on_web") & pl.col("email").is_not_null() & pl.col("marketplace_number").is_not_null()
    ).filter(pl.col("new_email").is_null())
    assert apart.height > 5
    assert (apart["keys"] == 2).all(), "nothing connects an address with a marketplace"


def test_orders_without_a_customer_are_those_of_the_store(shop: Path, lake: Lake) -> None:
    nobody = lake.scan("orders").filter(pl.col("customer_key").is_null()).collect()
    assert nobody.height > 10
    assert set(nobody["channel"]) == {"store"}


def test_assignments_and_messages_find_their_customers(lake: Lake) -> None:
    assigned = lake.scan("campaign_assignments").collect()
    sent = lake.scan("messages").collect()
    assert assigned.height > 50
    assert sent["customer_key"].null_count() == 0
    treated = assigned.filter(assignment="deliver").select("campaign", "customer_key")
    assert (
        sent.select("campaign", "customer_key")
        .sort("campaign", "customer_key")
        .equals(treated.sort("campaign", "customer_key"))
    )


def test_clothes_and_shoes_come_back_most(lake: Lake) -> None:
    lines = lake.scan("order_lines").filter(pl.col("kind") == "merchandise")
    back = (
        lake.scan("returns").filter(pl.col("order_id").is_not_null()).select("order_id", "line_no").unique()
    )
    rate = (
        lines.join(back.with_columns(pl.lit(True).alias("back")), on=["order_id", "line_no"], how="left")
        .group_by("category")
        .agg(pl.col("back").is_not_null().mean().alias("rate"))
        .sort("rate", descending=True)
        .collect()
    )
    assert set(rate["category"].head(2)) == {"Clothing", "Shoes"}
