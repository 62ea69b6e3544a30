"""The summary of a run: conservation and every figure of the tables, for people and for scripts."""

import json

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
