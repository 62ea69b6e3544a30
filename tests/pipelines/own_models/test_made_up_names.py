"""What a model gives is one number for everybody known, or refused with the count."""

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings

from pipelines.own_models.made_up_names import OwnModelError, of_everybody, under_made_up_names
from tests.models.composed_purchases import Shop, purchases, shops

SHOP: Shop = {f"customer {n}": {n: 1} for n in range(1, 6)}


def given_by(shop: Shop) -> pl.DataFrame:
    """A prediction that tells people apart: their first order day."""
    named = under_made_up_names(purchases(shop), seed=5)
    first = pl.col("order_day").min().cast(pl.Int32).cast(pl.Float64)
    return named.group_by("customer_key").agg(predicted_value=first).collect()


@given(shops())
@settings(max_examples=25, deadline=None)
def test_predictions_come_back_to_the_people_they_are_of(shop: Shop) -> None:
    told = of_everybody(given_by(shop), "mine", purchases(shop), seed=5)
    first = purchases(shop).group_by("customer_key").agg(pl.col("order_day").min()).sort("customer_key")
    here = first.collect()
    assert told["customer_key"].to_list() == here["customer_key"].to_list()
    assert told["predicted_value"].to_list() == here["order_day"].cast(pl.Int32).cast(pl.Float64).to_list()
    assert told["purchase_probability"].null_count() == told.height
    assert set(told["model"]) == {"mine"}


def test_a_name_is_made_up_in_every_table_alike_and_nobody_stays_nobody() -> None:
    orders = pl.LazyFrame({"order_id": ["1", "2"], "customer_key": ["a", None], "net": [1, 2]})
    lines = pl.LazyFrame({"order_id": ["2", "1"], "product_id": ["MUG", "CUP"]})
    named, beside = (under_made_up_names(table, seed=1).collect() for table in (orders, lines))
    assert named["customer_key"].is_null().to_list() == [False, True]
    assert not {"a", "1", "2"} & {*named["customer_key"], *named["order_id"]}
    assert named["order_id"].to_list() == beside["order_id"].reverse().to_list()
    assert beside["product_id"].to_list() == ["MUG", "CUP"]
    other = under_made_up_names(orders, seed=2).collect()
    assert not set(other["order_id"]) & set(named["order_id"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda f: f.head(1), "gave 1 rows for 5 customers, 0 of them for nobody known"),
        (lambda f: pl.concat([f, f]), "gave 10 rows for 5 customers"),
        (lambda f: f.with_columns(customer_key=pl.lit("customer 1")), "5 of them for nobody known"),
        (lambda f: f.with_columns(purchase_probability=pl.lit(1.5)), "outside 0 to 1 for 5 customers"),
        (lambda f: f.with_columns(predicted_value=pl.lit("much")), "something else than numbers"),
        (lambda f: f.with_columns(predicted_value=pl.lit(float("nan"))), "not finite for 5 customers"),
        (lambda f: f.with_columns(predicted_value=_null_first(f)), "no predicted_value for 1 of 5 customers"),
        (lambda f: f.select("customer_key"), "at least one of predicted_value, purchase_probability"),
    ],
)
def test_what_is_no_prediction_of_everybody_is_refused(
    change: Callable[[pl.DataFrame], pl.DataFrame], told: str
) -> None:
    with pytest.raises(OwnModelError, match=f"Model mine: predict .*{told}"):
        of_everybody(change(given_by(SHOP)), "mine", purchases(SHOP), seed=5)


def _null_first(frame: pl.DataFrame) -> pl.Series:
    return pl.Series([None, *frame["predicted_value"][1:]], dtype=pl.Float64)
