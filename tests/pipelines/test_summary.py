"""The summary of a run: conservation and every figure of the tables, for people and for scripts."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.settings import OwnModel
from pipelines.summary import summarise
from tests.pipelines.published_shops import Published, copy_of, rows_of


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


@pytest.mark.xdist_group("published_small_shop")
def test_models_of_the_shops_own_that_took_no_part_are_told(
    published_small_shop: Published, tmp_path: Path
) -> None:
    copy = copy_of(published_small_shop, tmp_path)
    day = copy.snapshot.as_of
    why = "Model cheat is out: it reads with open (cheat.py, line 3). " + "Mend it. " * 40
    rows = [
        {"as_of": day, "cut": day - timedelta(90), "horizon_days": 90} | told
        for told in (
            {"model": "cheat", "took_part": False, "notes": why},
            {"model": "fair", "took_part": True, "notes": ""},
            {"model": "boosted_trees", "took_part": False, "notes": "Too few."},
        )
    ]
    copy.lake.append(
        "backtest_candidates", rows_of("backtest_candidates", rows).lazy(), fingerprint="composed"
    )
    versions = copy.snapshot.versions | {"backtest_candidates": copy.lake.versions()["backtest_candidates"]}
    own = tuple(
        OwnModel.model_validate({"name": name, "file": f"{name}.py", "class": "Model"})
        for name in ("cheat", "fair")
    )
    shop, snapshot = copy.shop.model_copy(update={"models": own}), replace(copy.snapshot, versions=versions)
    summary = summarise(shop, copy.lake, snapshot, 1.0)
    says = f"Model cheat took no part: {why[:200].rstrip()} ..."
    assert summary.facts["left_out"] == [{"model": "cheat", "says": says}]
    assert [line for line in summary.text.splitlines() if "took no part" in line] == [
        f"Own models     {says}"
    ]
    # Without models of its own a shop is not told of the program's.
    assert summarise(copy.shop, copy.lake, snapshot, 1.0).facts["left_out"] == []
