"""The summary of a run: conservation and every figure of the tables, for people and for scripts."""

import json

import polars as pl
import pytest

from pipelines.summary import summarise
from tests.pipelines.published_shops import Published


@pytest.mark.xdist_group("published_small_shop")
def test_a_small_shops_summary_tells_why_there_is_no_prediction(published_small_shop: Published) -> None:
    published = published_small_shop
    summary = summarise(published.shop, published.lake, published.snapshot, 1.23)
    assert summary.facts["orders"]["valid"] == 65
    assert summary.facts["customers"] == 12
    assert sum(summary.facts["stages"].values()) == 12
    assert "Predictions    not ready because 12 customers have a valid order" in summary.text
    assert "no lift can be shown" in summary.text
    kept = summary.facts["conservation"]
    assert kept["rows"] == kept["accepted"] + kept["quarantined"] + kept["replayed"] + kept["erased"] == 79
    assert json.loads(json.dumps(summary.facts, default=str))["seconds"] == 1.2


@pytest.mark.xdist_group("uk_gift_shop")
def test_the_real_shops_figures_are_those_of_its_file(published_uk_gift_shop: Published) -> None:
    published = published_uk_gift_shop
    facts = summarise(published.shop, published.lake, published.snapshot, 1.0).facts
    kept = facts["conservation"]
    assert kept["rows"] == 1_067_370
    assert kept["rows"] == kept["accepted"] + kept["quarantined"] + kept["replayed"] + kept["erased"]
    assert (facts["orders"]["valid"], facts["orders"]["valid_without_customer"]) == (39_516, 2_922)
    assert facts["customers"] == sum(facts["stages"].values()) == 5_852
    assert str(facts["as_of"]) == "2011-12-09"
    assert {row["quantity"] for row in facts["champions"]} == {"value", "probability"}
    assert all(row["reason"] for row in facts["champions"])
    assert len(facts["lists"]) == 3
    for row in facts["lists"]:
        assert row["deliverable"] > 0
        assert row["held_out"] > 0
        assert 0 < row["detectable_lift"] < 1


@pytest.mark.xdist_group("uk_gift_shop")
def test_the_real_shops_predictions_are_possible(published_uk_gift_shop: Published) -> None:
    lake = published_uk_gift_shop.lake
    made = lake.scan("customer_predictions").collect()
    assert made.height == 5_852
    for name in ("churn_probability_90d", "churn_probability_365d"):
        assert made[name].is_between(0, 1).all()
    assert (made["churn_probability_365d"] <= made["churn_probability_90d"]).all()
    low, high = made["churn_probability_365d_low"], made["churn_probability_365d_high"]
    assert (low <= high).all()
    assert (made["predicted_orders_365d_low"] <= made["predicted_orders_365d_high"]).all()
    profile = lake.scan("customer_profile").collect()
    assert profile["churn_band"].null_count() == 0
    stages = profile.group_by("stage").agg(pl.len())
    assert stages["len"].sum() == 5_852
