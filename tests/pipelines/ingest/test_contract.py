"""Contract and quarantine: every row is valid or set aside, every broken rule is told."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from data_contracts import ContractError
from data_contracts.suites import rules, suite
from pipelines.ingest import contract
from pipelines.ingest.contract import find_faults
from pipelines.ingest.quarantine import BLOCKED, blocked_deliveries, quarantined_rows, rule_counts, valid_rows
from pipelines.shop import Shop
from tests.pipelines.small_shops import order_line, raw_rows, write_shop

pytestmark = [pytest.mark.xdist_group("gx"), pytest.mark.usefixtures("great_expectations")]

BROKEN: dict[str, dict[str, Any]] = {
    "order_id_is_given": {"order_id": " "},
    "ordered_at_is_given": {"ordered_at": None},
    "ordered_at_is_readable": {"ordered_at": "01/02/2024"},
    "ordered_at_is_past": {"ordered_at": "2024-06-02 04:00:01"},
    "updated_at_is_readable": {"updated_at": "now"},
    "updated_at_is_past": {"updated_at": "2024-06-02 04:00:01"},
    "cancelled_at_is_readable": {"cancelled_at": "yes"},
    "cancelled_at_is_past": {"cancelled_at": "2024-06-02 04:00:01"},
    "is_test_is_readable": {"is_test": "perhaps"},
    "product_id_is_given": {"product_id": ""},
    "quantity_is_given": {"quantity": None},
    "quantity_is_readable": {"quantity": "1.5"},
    "unit_price_is_given": {"unit_price": None},
    "unit_price_is_readable": {"unit_price": "ten"},
    "discount_is_readable": {"discount": "10%"},
    "return_takes_back": {"order_id": "C1"},
    "price_is_not_negative": {"unit_price": "-1"},
    "value_fits": {"quantity": "1000000000000000000"},
    "currency_is_known": {"currency": "EUR"},
    "kind_is_known": {"kind": "thing"},
    "status_is_known": {"status": "strange"},
    "discount_fits_its_line": {"discount": "10.01"},
    "customer_is_named": {"customer_id": None},
    "product_name_is_given": {"product_name": None},
    "price_is_above_zero": {"unit_price": "0"},
    "only_returns_take_back": {"quantity": "-1"},
    "ordered_at_exists_on_the_clock": {"ordered_at": "2024-03-31 01:30:00"},
    "ordered_at_is_single_on_the_clock": {"ordered_at": "2023-10-29 01:30:00"},
}
ALSO = {
    "ordered_at_is_readable": {"ordered_at_is_given"},
    "quantity_is_readable": {"quantity_is_given"},
    "unit_price_is_readable": {"unit_price_is_given"},
    "price_is_not_negative": {"price_is_above_zero"},
}
"""What cannot be read is not given either, and what is below 0 is not above."""


def broken_rows() -> list[dict[str, Any]]:
    """One row per rule that breaks it, each in an order of its own unless the rule says otherwise."""
    return [
        order_line(**({"order_id": str(number)} | change)) for number, change in enumerate(BROKEN.values())
    ]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return write_shop(tmp_path)


def faults_of(rows: list[dict[str, Any]], shop: Shop, table: str = "orders") -> dict[int, set[str]]:
    found = find_faults(raw_rows(table, rows), table, shop).collect()
    return {
        int(number): set(group["rule"])
        for (number,), group in found.sort("row_number").group_by("row_number", maintain_order=True)
    }


def test_every_rule_of_the_orders_suite_finds_the_row_that_breaks_it_and_no_other(shop: Shop) -> None:
    rows = broken_rows()
    rows += [order_line("good"), order_line("twice"), order_line("twice")]
    expected = {number: {name} | ALSO.get(name, set()) for number, name in enumerate(BROKEN, start=1)}
    assert faults_of(rows, shop) == expected | {len(rows): {"line_is_single"}}
    assert set(BROKEN) | {"line_is_single", "row_is_whole"} == {rule.name for rule in rules("orders")}


def test_a_row_that_was_not_whole_is_set_aside(shop: Shop) -> None:
    torn = raw_rows("orders", [order_line()]).with_columns(pl.lit("too many cells").alias("reading_fault"))
    assert find_faults(torn, "orders", shop).collect()["rule"].to_list() == ["row_is_whole"]


def test_returns_and_adjustments_may_have_what_orders_may_not(shop: Shop) -> None:
    assert faults_of([order_line("C1", quantity="-1"), order_line("A1", unit_price="-5")], shop) == {}


@pytest.mark.parametrize(
    ("kind", "score", "fits"),
    [("nps", 0, True), ("nps", 11, False), ("csat", 0, False), ("product", 5, True)],
)
def test_a_score_must_be_on_its_surveys_scale(shop: Shop, kind: str, score: int, fits: bool) -> None:
    answer = {
        "survey_id": "1",
        "email": "a@b.c",
        "kind": kind,
        "score": str(score),
        "answered_at": "2024-01-01",
    }
    assert faults_of([answer], shop, "survey_answers") == ({} if fits else {1: {"score_is_on_the_scale"}})


def test_suppressions_of_a_channel_nobody_knows_are_told_and_kept(shop: Shop) -> None:
    row = {"email": "a@b.c", "kind": "unsubscribed", "channel": "pigeon", "recorded_at": "2024-01-01"}
    assert faults_of([row], shop, "suppressions") == {1: {"channel_is_known"}}
    assert find_faults(raw_rows("suppressions", [row]), "suppressions", shop).collect()[
        "severity"
    ].to_list() == ["warning"]


@pytest.mark.parametrize("batch_rows", [9, 1000])
def test_batches_find_what_one_pass_finds(shop: Shop, batch_rows: int) -> None:
    rows = broken_rows() + [order_line("2")] * 3
    raw, order = raw_rows("orders", rows), ["row_number", "rule"]
    whole = find_faults(raw, "orders", shop).sort(order).collect()
    assert_frame_equal(find_faults(raw, "orders", shop, batch_rows=batch_rows).sort(order).collect(), whole)


def test_no_rows_have_no_faults(shop: Shop) -> None:
    assert find_faults(raw_rows("orders", []), "orders", shop).collect().is_empty()


def test_a_rule_that_cannot_run_is_an_error_of_the_rule(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = suite("orders")
    broken["expectations"] = [
        json.loads(json.dumps(broken["expectations"][0])) | {"kwargs": {"column": "no_such_column"}}
    ]
    monkeypatch.setattr(contract, "suite", lambda _: broken)
    with pytest.raises(ContractError, match=r"Rule row_is_whole could not be run: .*no_such_column"):
        find_faults(raw_rows("orders", [order_line()]), "orders", shop).collect()


def parts(
    rows: list[dict[str, Any]], shop: Shop, block_share: float
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    raw = pl.concat(
        [
            raw_rows("orders", rows, "orders-aaaaaaaaaaaa-1"),
            raw_rows("orders", [order_line("z")], "orders-bbbbbbbbbbbb-1"),
        ]
    )
    faults = find_faults(raw, "orders", shop).collect()
    aside = quarantined_rows(raw, faults.lazy(), "orders", block_share).collect()
    return faults, aside, valid_rows(raw, aside.lazy(), "orders", shop).collect()


@pytest.mark.parametrize("block_share", [1.0, 0.99, 0.1])
def test_quarantine_and_valid_rows_part_what_was_delivered(shop: Shop, block_share: float) -> None:
    rows = broken_rows()
    _, aside, valid = parts(rows, shop, block_share)
    where = ["delivery_id", "row_number"]
    together = pl.concat([aside.select(where), valid.select(where)])
    assert together.height == together.unique().height == len(rows) + 1
    assert valid.filter(pl.col("delivery_id").str.contains("bbbb")).height == 1


def test_a_row_is_set_aside_with_its_rules_and_as_it_was_delivered(shop: Shop) -> None:
    bad = order_line("5", unit_price="ten", quantity=" 1.5", email=" A@B.c ")
    _, aside, valid = parts([bad, order_line("6", product_name=None)], shop, 1.0)
    assert aside["rules"].to_list() == [
        "quantity_is_given,quantity_is_readable,unit_price_is_given,unit_price_is_readable"
    ]
    assert {k: v for k, v in json.loads(aside["row_as_delivered"][0]).items() if v is not None} == bad
    assert sorted(valid["order_id"]) == ["6", "z"]


def test_a_warning_alone_sets_nothing_aside(shop: Shop) -> None:
    faults, aside, valid = parts([order_line(customer_id=None)] * 3, shop, 0.1)
    assert set(faults["severity"]) == {"warning"}
    assert aside.is_empty()
    assert valid.height == 4


def test_a_delivery_of_which_most_rows_break_one_rule_is_set_aside_as_a_whole(shop: Shop) -> None:
    rows = [order_line("1", unit_price="?"), order_line("2"), order_line("3")]
    faults, aside, valid = parts(rows, shop, 0.3)
    assert [BLOCKED in rules for rules in aside["rules"].str.split(",")] == [True] * 3
    assert valid["order_id"].to_list() == ["z"]
    blocked = blocked_deliveries(
        raw_rows("orders", rows, "orders-aaaaaaaaaaaa-1"), faults.lazy(), 0.3
    ).collect()
    assert set(blocked["rule"]) == {"unit_price_is_given", "unit_price_is_readable"}
    assert blocked.select("failed", "rows").unique().rows() == [(1, 3)]


def test_exactly_the_block_share_does_not_block(shop: Shop) -> None:
    _, aside, _ = parts([order_line("1", unit_price="?"), order_line("2")], shop, 0.5)
    assert aside.height == 1


def test_every_rule_is_counted_in_the_suites_order_broken_or_not(shop: Shop) -> None:
    raw = raw_rows(
        "orders", [order_line("1", unit_price="0"), order_line("2", unit_price="0"), order_line("3")]
    )
    counts = rule_counts(raw, find_faults(raw, "orders", shop), "orders").collect()
    assert counts["rule"].to_list() == [rule.name for rule in rules("orders")]
    assert dict(counts.select("rule", "failed").rows())["price_is_above_zero"] == 2
    assert counts["failed"].sum() == 2
    assert set(counts["checked"]) == {3}
