"""Boosted trees as a candidate: everybody once, the past alone, the same with trees grown before and in parts."""

from __future__ import annotations

import numpy as np
import pytest
from polars.testing import assert_frame_equal

from models.boosted_trees import BoostedTrees
from models.candidates import PREDICTION_COLUMNS
from models.errors import NotEnoughDataError
from models.future_value import FutureValue
from models.known import Known, known_at
from tests.models.composed_purchases import day, returns, simulated_orders

AS_OF = day(600)


@pytest.fixture(scope="module")
def known() -> Known:
    return known_at(AS_OF, orders=simulated_orders(3, customers=1500), returns=returns())


@pytest.fixture(scope="module")
def fitted(known: Known) -> BoostedTrees:
    trees = BoostedTrees(seed=1).fit(known)
    trees.predict(90)
    return trees


def test_everybody_is_predicted_once(fitted: BoostedTrees, known: Known) -> None:
    made = fitted.predict(90)
    everybody = known.purchases.select("customer_key").unique().sort("customer_key").collect()
    assert tuple(made.columns) == PREDICTION_COLUMNS
    assert made["customer_key"].equals(everybody["customer_key"])
    assert made["purchase_probability"].is_between(0, 1).all()
    assert (made["predicted_value"] >= 0).all()


def test_trees_grown_before_predict_the_same_without_growing(fitted: BoostedTrees, known: Known) -> None:
    stored = {90: FutureValue.from_skops(fitted.values_[90].to_skops(), horizon_days=90)}
    again = BoostedTrees(grown=stored).fit(known)
    assert_frame_equal(again.predict(90), fitted.predict(90))
    assert again.values_[90] is stored[90]


def test_scoring_in_parts_changes_nothing(fitted: BoostedTrees, known: Known) -> None:
    whole = fitted.predict(90)
    in_parts = BoostedTrees(grown=fitted.values_, at_once=200).fit(known).predict(90)
    assert in_parts["customer_key"].equals(whole["customer_key"])
    for name in ("predicted_value", "purchase_probability"):
        np.testing.assert_array_equal(in_parts[name].to_numpy(), whole[name].to_numpy())


def test_purchases_alone_are_not_enough(known: Known) -> None:
    with pytest.raises(NotEnoughDataError, match="only its purchases are known"):
        BoostedTrees().fit(Known.of_purchases(known.purchases, AS_OF)).predict(90)
