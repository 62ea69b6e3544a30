"""A list tried out, as people see it: steps in words that are true, and what chose the first people. Composed."""

from typing import Any

import polars as pl
import pytest

from pipelines.delivery.causes import CAUSE_WORDS
from pipelines.delivery.preview import MOST_COLUMNS, MOST_PEOPLE, Preview
from pipelines.lab import Lab
from tests.pipelines.published_shops import Published

pytestmark = pytest.mark.xdist_group("published_small_shop")

CAPPED = {"where": "true", "cap": {"times": 1, "days": 7}, "ignores_open_cases": True}


@pytest.fixture
def lab(published_small_shop: Published) -> Lab:
    return Lab.open(published_small_shop.shop.folder, published_small_shop.lake.root)


def tried(lab: Lab, **settings: Any) -> Preview:
    return lab.preview({"where": "true", "hold_out": 0.0} | settings)


def test_steps_are_told_in_words_and_add_up_to_everybody(lab: Lab) -> None:
    preview = tried(lab, where="last_nps >= 9")
    steps = preview.steps
    assert steps["customers"].sum() == preview.campaign["everyone"] == 12
    assert steps["customers"].equals(preview.stops["customers"])
    assert steps.columns == ["what_becomes_of_them", "customers"], "no gaps, codes or positions"
    assert set(steps["what_becomes_of_them"]) <= set(CAUSE_WORDS.values()) | set(preview.stops["in_words"])
    counted_in = tried(lab, where="last_nps >= 9", null_means="in").steps
    decided = dict(counted_in.select("what_becomes_of_them", "of_them_by_a_missing_value").iter_rows())
    assert decided[CAUSE_WORDS["passes"]] == counted_in.row(-1)[1] - 2, "two people answered 9 or 10"


def test_the_cap_says_that_lists_of_the_night_count_and_nothing_need_have_been_sent(lab: Lab) -> None:
    capped = tried(lab, **CAPPED).stops.filter(because="written_to")
    others = lab.read("list_members").filter(assignment="deliver").select("customer_key").unique()
    assert capped["customers"].to_list() == [others.collect().height], "all of them for a list of this night"
    assert capped["in_words"].to_list() == [
        "written to often enough, other lists of this night included (at most 1 in 7 days)"
    ]


def test_people_are_shown_with_what_chose_them_and_without_names(lab: Lab) -> None:
    preview = tried(lab, where="valid_orders >= 1", order_by="historic_clv DESC", columns=["stage"])
    people = preview.first_people
    assert people.columns == ["position", "group", "valid_orders", "historic_clv", "stage"]
    assert people.height == min(MOST_PEOPLE, preview.members.height)
    profile = lab.read("customer_profile").collect()
    in_order = preview.members.join(profile, on="customer_key", how="left", maintain_order="left")
    assert people["historic_clv"].equals(in_order["historic_clv"].head(MOST_PEOPLE))
    for shown in (preview._repr_html_(), repr(preview)):
        assert not any(key in shown for key in preview.members["customer_key"])
        assert "receipt" not in shown
        assert f"of {preview.members.height} chosen people" in shown
    held = tried(lab, hold_out=0.5, reason="placed {valid_orders} orders").first_people
    assert set(held["group"]) == {"in the file", "held out"}
    assert held["reason"].str.starts_with("placed ").all()


def test_many_columns_are_capped_and_html_is_escaped(lab: Lab) -> None:
    names = lab.read("customer_profile").collect_schema().names()
    preview = tried(lab, columns=[name for name in names if name not in ("customer_key", "as_of")][:20])
    assert preview.first_people.width == 2 + MOST_COLUMNS
    assert "<script>" not in tried(lab, title="<script>", reason="<script>")._repr_html_()


def test_nobody_chosen_is_told_without_an_empty_table(lab: Lab) -> None:
    nobody = tried(lab, where="false")
    assert nobody._repr_html_().count("<table") == 1
    assert isinstance(nobody.steps, pl.DataFrame)
    assert "chosen people" not in repr(nobody)
