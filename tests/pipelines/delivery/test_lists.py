"""Lists: the reason in words, the receipt as data, and a list's own row."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from data_contracts import table
from pipelines.delivery.causes import STEPS
from pipelines.delivery.gate import Gated
from pipelines.delivery.lists import (
    campaign_list,
    check_lists,
    list_members,
    list_overlaps,
    list_stops,
)
from pipelines.delivery.receipts import Background, reason
from pipelines.errors import ShopError
from pipelines.settings import SegmentList
from pipelines.shop import Shop
from tests.pipelines.published_shops import AS_OF, entry, permitted, profile, rows_of, through_the_gates
from tests.pipelines.small_shops import write_shop

MADE_AT = datetime(2024, 6, 1, 3, tzinfo=UTC)
PEOPLE = profile(
    [
        {
            "customer_key": "a",
            "valid_orders": 3,
            "historic_clv": 1234.5,
            "stage": "at_risk",
            "stage_since": date(2024, 5, 1),
            "previous_stage": "active",
            "churn_probability_90d": 0.8,
            "predicted_clv_365d": 50.0,
        },
        {"customer_key": "b", "valid_orders": 2, "historic_clv": 0.126, "churn_probability_90d": 0.6},
        {"customer_key": "c", "valid_orders": 1, "historic_clv": 7.0},
    ]
)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return write_shop(tmp_path, more='[consent]\nwhen_not_delivered = "allow"\n')


def gated(shop: Shop, one: SegmentList) -> Gated:
    numbers = [
        {"customer_key": key, "kind": "external_id", "address": key, "last_seen_at": MADE_AT} for key in "abc"
    ]
    permissions = permitted(contacts=rows_of("contacts", numbers))
    return through_the_gates(PEOPLE, [one], shop, permissions)[one.name]


def members_of(shop: Shop, one: SegmentList, background: Background | None = None) -> pl.DataFrame:
    made = list_members(gated(shop, one), PEOPLE.lazy(), one, AS_OF, background or Background())
    return made.collect().sort("position")


def campaign(shop: Shop, one: SegmentList) -> dict[str, object]:
    result = gated(shop, one)
    chosen = result.members.select("customer_key", "is_held_out").join(PEOPLE, on="customer_key")
    row = campaign_list(
        stops=list_stops(result, one, AS_OF),
        chosen=chosen,
        entry=one,
        shop=shop,
        as_of=AS_OF,
        made_at=MADE_AT,
        salt_id="salt",
        has_consents=False,
    )
    return row.row(0, named=True)


def words(template: str) -> list[str]:
    return PEOPLE.with_columns(reason(entry(reason=template)).alias("reason"))["reason"].to_list()


def test_a_reason_fills_in_each_persons_values_and_says_unknown_for_none() -> None:
    assert words("{{{stage}}}: {valid_orders} orders, {historic_clv} since {stage_since}") == [
        "{at risk}: 3 orders, 1234.50 since 2024-05-01",
        "{unknown}: 2 orders, 0.13 since unknown",
        "{unknown}: 1 orders, 7.00 since unknown",
    ]
    assert words("") == ["", "", ""]


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{valid_order}", "no column 'valid_order'. Did you mean one of valid_orders"),
        ("{}", "no column ''"),
        ("{historic_clv.real}", "no column 'historic_clv.real'"),
        ("{historic_clv:.2f}", "write {historic_clv} alone"),
        ("{stage!r}", "write {stage} alone"),
        ("50 % off }", "Single '}' encountered"),
        ("{stage", "expected '}'"),
    ],
)
def test_a_reason_that_is_no_template_is_refused_before_anything_runs(
    tmp_path: Path, template: str, told: str
) -> None:
    more = f'[[lists]]\nname = "l"\ntitle = "L"\npurpose = "p"\nwhere = "true"\nreason = "{template}"\n'
    with pytest.raises(ShopError) as error:
        check_lists(write_shop(tmp_path, more=more))
    assert str(error.value).startswith("List l in shop.toml, reason = ")
    assert told in str(error.value)


def test_receipts_are_json_with_the_rule_and_every_value_it_looked_at(shop: Shop) -> None:
    one = entry(
        where="VALID_ORDERS >= 2 and coalesce(historic_clv, 0) >= 0",
        order_by="historic_clv",
        reason="{stage}",
    )
    members = members_of(shop, one)
    assert members["customer_key"].to_list() == ["b", "a"]
    assert members["position"].to_list() == [1, 2]
    first, second = (json.loads(text) for text in members["receipt"])
    assert second == {
        "rule": one.where,
        "values": {"stage": "at_risk", "valid_orders": 3, "historic_clv": 1234.5},
        "decided_by_null": False,
        "null_means": "out",
        "cuts": {"stage_days": {}},
        "models": {},
        "previous_stage": "active",
        "stage_since": "2024-05-01",
    }
    assert first["values"] == {"stage": None, "valid_orders": 2, "historic_clv": 0.126}


def test_receipts_have_the_cuts_and_the_models_behind_the_values_that_were_looked_at(shop: Shop) -> None:
    behind = Background(
        stage_cuts={"p75": 40.0},
        rfm_cuts={"klaviyo net 3": [50.0, 900.0], "klaviyo orders 1": [1, 1], "shopify net 5": [60.0, 900.0]},
        models={"value": "bg_nbd"},
    )
    one = entry(where="m = 3 OR m IS NULL", order_by="predicted_clv_365d")
    receipt = json.loads(members_of(shop, one, behind)["receipt"][0])
    assert receipt["cuts"] == {"klaviyo net 3": [50.0, 900.0]}
    assert receipt["models"] == {"value": "bg_nbd"}
    plain = json.loads(members_of(shop, entry(where="stage = 'at_risk'"), behind)["receipt"][0])
    assert plain["cuts"] == {"stage_days": {"p75": 40.0}}
    assert plain["models"] == {}


def test_overlaps_count_every_pair_of_lists_once(shop: Shop) -> None:
    lists = [
        entry(name="all"),
        entry(name="twice", where="valid_orders >= 2"),
        entry(name="none", where="false"),
    ]
    made = list_overlaps(pl.concat(members_of(shop, one).lazy() for one in lists)).collect()
    assert made.select("list_id", "other_list_id", "customers").rows() == [
        (f"all-{AS_OF}", f"twice-{AS_OF}", 2)
    ]
    assert dict(made.schema) == dict(table("list_overlaps").schema)


def test_a_list_of_everybody_looks_at_no_value_and_still_has_receipts(shop: Shop) -> None:
    members = members_of(shop, entry())
    assert [json.loads(text)["rule"] for text in members["receipt"]] == ["true"] * 3
    assert not any("values" in json.loads(text) for text in members["receipt"])
    assert dict(members.schema) == dict(table("list_members").schema)


def test_a_lists_row_has_its_base_rate_from_the_predictions_of_who_was_chosen(shop: Shop) -> None:
    row = campaign(shop, entry(where="valid_orders >= 2"))
    assert row["base_rate"] == pytest.approx(0.3)
    assert row["base_rate_source"] == "mean predicted probability of an order in 90 days"
    assert row["predicted_value"] == 50.0
    assert row["detectable_lift"] is None  # nobody is held out
    assert (row["everyone"], row["not_eligible"], row["deliverable"]) == (3, 1, 2)
    assert sum(int(str(row[step])) for step in (*STEPS, "deliverable")) == row["everyone"]
    assert row["expires_at"] == datetime(2024, 6, 4, 3, tzinfo=UTC)


def test_without_predictions_a_lists_value_and_lift_are_unknown_unless_a_rate_is_set(shop: Shop) -> None:
    row = campaign(shop, entry(where="valid_orders = 1"))
    assert (row["base_rate"], row["predicted_value"], row["detectable_lift"]) == (None, None, None)
    assert str(row["base_rate_source"]).startswith("unknown: no predictions")
    row = campaign(shop, entry(where="valid_orders = 1", expected_rate=0.05))
    assert (row["base_rate"], row["base_rate_source"]) == (0.05, "expected_rate in shop.toml")


def test_a_list_of_nobody_has_zeros_and_nulls(shop: Shop) -> None:
    row = campaign(shop, entry(where="false", hold_out=0.5))
    assert (row["deliverable"], row["held_out"], row["not_eligible"]) == (0, 0, 3)
    assert (row["predicted_value"], row["base_rate"], row["detectable_lift"]) == (None, None, None)


def test_a_samples_list_does_not_expire(tmp_path: Path) -> None:
    shop = write_shop(tmp_path, settings=SAMPLE, more='[consent]\nwhen_not_delivered = "allow"\n')
    assert campaign(shop, entry())["expires_at"] is None
    assert (
        pl.Series([campaign(shop, entry())["consent_basis"]])
        .str.contains("allowed by the shop's setting")
        .all()
    )


SAMPLE = """
name = "sample_shop"
title = "Sample shop"
sample = true
public_salt = "a public salt of the sample"
currency = "GBP"
history_start = 2024-01-01
"""
