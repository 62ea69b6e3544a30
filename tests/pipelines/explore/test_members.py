"""The people behind a number are as many as the number says, each once."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from pipelines.errors import AsOfError, LabError
from pipelines.lab import Lab
from tests.pipelines.published_shops import Published

pytestmark = pytest.mark.xdist_group("published_small_shop")


@pytest.fixture
def lab(published_small_shop: Published) -> Lab:
    return Lab.open(published_small_shop.shop.folder, published_small_shop.lake.root)


def _keys(people: pl.LazyFrame) -> list[str]:
    keys = people.collect()["customer_key"]
    assert keys.is_unique().all()
    return keys.to_list()


def test_every_cell_of_the_cohort_table_has_as_many_people_as_it_counts(lab: Lab) -> None:
    cells = lab.read("cohort_retention").filter("is_complete", break_down="all").collect()
    assert cells.height > 20
    for cell in cells.iter_rows(named=True):
        asked = {name: cell[name] for name in ("cohort", "k", "measure", "period_unit")}
        assert len(_keys(lab.members(**asked))) == cell["customers"], asked


def test_a_cohort_without_a_cell_is_everybody_of_it(lab: Lab) -> None:
    cohorts = lab.read("cohort_retention").filter(
        period_unit="month", break_down="all", measure="active_rate", k=0
    )
    for cohort, n in cohorts.select("cohort", "n").collect().iter_rows():
        assert len(_keys(lab.members(cohort=cohort))) == n
        assert _keys(lab.members(cohort=cohort.strftime("%Y-%m"))) == _keys(lab.members(cohort=str(cohort)))


def test_every_segment_has_the_people_of_its_table(lab: Lab) -> None:
    rows = lab.read("segment_members").collect()
    for segment in rows["segment"].unique():
        assert sorted(_keys(lab.members(segment=segment))) == sorted(
            rows.filter(segment=segment)["customer_key"]
        )
    stage = lab.members(segment="stage:active").collect()
    assert stage["stage"].unique().to_list() == ["active"]
    assert stage.equals(lab.members(segment="active").collect())


def test_a_list_has_the_people_of_its_row_and_why_each_is_on_it(lab: Lab) -> None:
    row = lab.read("campaign_lists").filter(name="thank_you").collect().row(0, named=True)
    people = lab.members(list="thank_you").collect()
    assert people.filter(assignment="deliver").height == row["deliverable"] > 0
    assert people["reason"].null_count() == 0
    assert people.equals(lab.members(list=row["list_id"]).collect())
    assert {"valid_orders", "stage", "historic_clv"} <= set(people.columns)


@pytest.mark.parametrize(
    ("asked", "fault", "says"),
    [
        ({}, LabError, "Name one of cohort, segment and list"),
        ({"segment": "stage:new", "list": "thank_you"}, LabError, "Name one of"),
        ({"cohort": "2024-01", "k": 4}, AsOfError, "Period 4 of the cohort of 2024-01-01 was not over"),
        ({"cohort": date(2024, 1, 10), "k": 1}, LabError, "not the first day of a month: that is 2024-01-01"),
        ({"cohort": "2019-01"}, LabError, "no customer in the cohort of 2019-01-01"),
        ({"cohort": "January"}, LabError, "such as 2011-01-01 or 2011-01, not 'January'"),
        ({"cohort": "2024-01", "k": 1, "measure": "churn"}, LabError, "Unknown measure 'churn'"),
        ({"cohort": "2024-01", "period_unit": "year"}, LabError, "year"),
        (
            {"segment": "stage:activ"},
            LabError,
            "There is no segment 'stage:activ'. Did you mean stage:active",
        ),
        ({"list": "thanks"}, LabError, "There is no list 'thanks'. "),
    ],
)
def test_what_is_not_there_is_told_with_what_is(
    lab: Lab, asked: dict[str, Any], fault: type[Exception], says: str
) -> None:
    with pytest.raises(fault, match=says):
        lab.members(**asked)
