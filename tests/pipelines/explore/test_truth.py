"""The practice shop's truth agrees with what its simulation wrote down, and only a simulated shop has one."""

import polars as pl
import pytest

from pipelines.errors import LabError
from pipelines.explore.truth import campaigns_in_truth, customers_in_truth, effects_in_truth
from pipelines.lab import Lab
from tests.pipelines.published_shops import Published


@pytest.fixture
def practice(published_practice_shop: Published) -> Lab:
    return Lab.open(published_practice_shop.shop.folder, published_practice_shop.lake.root)


@pytest.mark.xdist_group("practice_shop")
def test_every_customer_of_the_lab_is_one_of_the_people_who_were_drawn(practice: Lab) -> None:
    told = customers_in_truth(practice)
    known = practice.read("customer_summary").select("customer_key").sort("customer_key").collect()
    assert told.select("customer_key").equals(known)
    assert not told.select(pl.all().is_null().any()).row(0)[1]
    people = pl.read_parquet(practice.shop.folder / "truth" / "customers.parquet")
    # A few people look like two customers where nothing connects their channels; hardly anybody is left out.
    assert people.height * 0.9 < told.height < people.height * 1.2
    assert told["is_customer_at_end"].mean() == pytest.approx(people["is_customer_at_end"].mean(), abs=0.05)


@pytest.mark.xdist_group("practice_shop")
def test_campaigns_are_told_as_the_simulation_wrote_them_down(practice: Lab) -> None:
    told = campaigns_in_truth(practice)
    written = effects_in_truth(practice)["campaigns"]
    assert told["campaign"].to_list() == [row["campaign"] for row in written]
    assert told["true_difference"].to_list() == [row["difference_in_p_order"] for row in written]
    idle = told.filter(pl.col("rate_multiplier") == 1.0)
    assert idle["true_difference"].to_list() == [0.0] * idle.height


@pytest.mark.xdist_group("published_small_shop")
def test_a_real_shop_has_no_truth_and_the_error_says_where_one_is(published_small_shop: Published) -> None:
    lab = Lab.open(published_small_shop.shop.folder, published_small_shop.lake.root)
    for ask in (effects_in_truth, customers_in_truth, campaigns_in_truth):
        with pytest.raises(LabError, match=r"no simulated shop.*Lab\.practice\(\)"):
            ask(lab)
