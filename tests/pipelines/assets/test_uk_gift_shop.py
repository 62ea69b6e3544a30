"""The bundled real shop, taken in: its published facts come out, and a second ingest changes nothing."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.lake import Lake
from tests.pipelines.conftest import Ingested
from tests.pipelines.small_shops import NOW, ingest

pytestmark = pytest.mark.xdist_group("uk_gift_shop")


def failed(shop: Ingested) -> dict[str, int]:
    return dict(shop.lake.scan("contract_results").select("rule", "failed").collect().rows())


def test_every_delivered_line_is_accounted_for(uk_gift_shop: Ingested) -> None:
    verdict = next(v for v in uk_gift_shop.outcomes["deliveries"].verdicts if v.check == "nothing_is_lost")
    assert verdict.passed
    assert (
        verdict.says
        == "1,067,370 delivered = 1,044,846 accepted + 1 quarantined + 22,523 replayed + 0 erased"
    )
    parts = uk_gift_shop.lake.scan("deliveries").sort("delivery_id").select("rows", "replayed").collect()
    assert parts.rows() == [(525_461, 0), (541_909, 22_523)]


def test_the_contract_finds_what_is_known_of_the_data(uk_gift_shop: Ingested) -> None:
    found = failed(uk_gift_shop)
    assert found["line_is_single"] == 11_812
    assert found["customer_is_named"] == 235_287
    assert found["return_takes_back"] == 1
    critical = uk_gift_shop.lake.scan("contract_results").filter(severity="critical").collect()
    assert critical["failed"].sum() == 1


def test_the_file_itself_has_the_counts_that_replays_explain(uk_gift_shop: Ingested) -> None:
    file = pl.scan_parquet(uk_gift_shop.shop.folder / "uk_gift_shop.parquet")
    nobody = file.filter(pl.col("Customer ID").is_null())
    assert nobody.select(pl.len()).collect().item() == 243_007
    raw = uk_gift_shop.lake.scan("raw_orders").filter(pl.col("customer_id").is_null())
    assert raw.select(pl.len()).collect().item() == 235_287
    assert file.filter(pl.col("Invoice").str.starts_with("A")).select(pl.len()).collect().item() == 6


def test_what_is_set_aside_is_the_one_return_of_goods_that_went_out(uk_gift_shop: Ingested) -> None:
    aside = uk_gift_shop.lake.scan("orders_quarantine").collect()
    assert aside["rules"].to_list() == ["return_takes_back"]
    assert '"order_id":"C496350"' in aside["row_as_delivered"].item()


def test_5942_identities_and_those_who_ordered_among_them(uk_gift_shop: Ingested) -> None:
    lake = uk_gift_shop.lake
    assert lake.scan("identity_map").select(pl.col("customer_key").n_unique()).collect().item() == 5_942
    ordered = lake.scan("orders").select(pl.col("customer_key").drop_nulls().unique()).collect().to_series()
    assert set(lake.scan("customers").collect()["customer_key"]) == set(ordered)
    valid = lake.scan("customers").filter(pl.col("valid_orders") > 0).collect().height
    assert (
        valid
        == lake.scan("orders")
        .filter("is_valid")
        .select(pl.col("customer_key").drop_nulls().n_unique())
        .collect()
        .item()
    )


def test_the_bad_debt_invoices_are_adjustments_and_count_as_nothing(uk_gift_shop: Ingested) -> None:
    lake = uk_gift_shop.lake
    assert lake.scan("current_orders").filter(record="adjustment").select(pl.len()).collect().item() == 6
    excluded = lake.scan("orders").filter(pl.col("order_id").str.starts_with("A")).collect()
    assert set(excluded["excluded_because"]) == {"bookkeeping adjustment"}


def test_cancellations_are_returns_and_never_orders(uk_gift_shop: Ingested) -> None:
    lake = uk_gift_shop.lake
    assert lake.scan("orders").filter(pl.col("order_id").str.starts_with("C")).collect().is_empty()
    cancelled = (
        lake.scan("current_orders")
        .filter(record="return")
        .select(pl.col("order_id").n_unique())
        .collect()
        .item()
    )
    assert cancelled == 8_292 - 1  # the one whose only line is set aside


def test_the_80995_pieces_that_came_back_within_minutes_are_matched(uk_gift_shop: Ingested) -> None:
    row = (
        uk_gift_shop.lake.scan("returns")
        .filter(pl.col("return_id").str.starts_with("C581484-"))
        .collect()
        .row(0, named=True)
    )
    assert (row["order_id"], row["line_no"], row["quantity"], row["match_rule"]) == (
        "581483",
        1,
        80_995,
        "same_quantity",
    )
    order = uk_gift_shop.lake.scan("orders").filter(order_id="581483").collect().row(0, named=True)
    assert (order["is_valid"], order["fully_returned"], order["net"]) == (True, True, 0)
    assert order["order_day"] == date(2011, 12, 9)


def test_matched_returns_look_back_and_stay_within_what_was_paid(uk_gift_shop: Ingested) -> None:
    lake = uk_gift_shop.lake
    back = lake.scan("returns").filter(pl.col("order_id").is_not_null())
    joined = back.join(lake.scan("orders"), on="order_id").collect()
    assert (joined["ordered_at"] <= joined["returned_at"]).all()
    assert (joined["customer_key"] == joined["customer_key_right"]).all()
    taken = back.group_by("order_id", "line_no").agg(pl.col("quantity", "amount").sum())
    lines = taken.join(lake.scan("order_lines"), on=["order_id", "line_no"]).collect()
    assert lines.height == taken.collect().height
    assert (lines["quantity"] <= lines["quantity_right"]).all()
    assert (lines["amount"] <= lines["net"]).all()
    named = lake.scan("returns").filter(
        pl.col("customer_key").is_not_null() & (pl.col("kind") == "merchandise")
    )
    share = named.select(pl.col("order_id").is_not_null().mean()).collect().item()
    assert 0.83 < share < 0.913  # at most the lines that have an earlier purchase at all


def test_money_adds_up_to_the_last_digit(uk_gift_shop: Ingested) -> None:
    lake = uk_gift_shop.lake
    orders = lake.scan("orders").collect()
    assert (orders["gross"] - orders["discount"] - orders["refunded"] == orders["net"]).all()
    goods = lake.scan("order_lines").filter(kind="merchandise").select(pl.col("net").sum()).collect().item()
    assert goods == (orders["gross"] - orders["discount"]).sum()


def test_a_second_ingest_adds_one_receipt_and_no_other_version(
    uk_gift_shop: Ingested, tmp_path: Path
) -> None:
    lake = Lake(Path(shutil.copytree(uk_gift_shop.lake.root, tmp_path / "lake")))
    before = lake.versions()
    outcomes = ingest(uk_gift_shop.shop, lake, NOW + timedelta(days=1))
    assert outcomes["deliveries"].rows == uk_gift_shop.outcomes["deliveries"].rows + 1
    assert {name for name, version in lake.versions().items() if version != before[name]} == {"deliveries"}
    assert next(v for v in outcomes["deliveries"].verdicts if v.check == "nothing_is_lost").passed
