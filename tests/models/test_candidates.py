"""The purchase models as candidates: their own numbers, multiplied, for everybody, from the past alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from models.candidates import PREDICTION_COLUMNS, bg_nbd_gamma_gamma, mbg_nbd_gamma_gamma
from models.known import Known
from models.purchases import BetaGeo, ModifiedBetaGeo, PurchaseModel
from models.spend import GammaGamma
from models.summary import customer_summary, purchases_at
from tests.models.composed_purchases import day, returns, simulated_orders


@pytest.fixture(scope="module")
def simulated() -> pl.LazyFrame:
    return purchases_at(simulated_orders(3), returns(), day(700)).collect().lazy()


@pytest.mark.parametrize(
    ("make", "model"), [(bg_nbd_gamma_gamma, BetaGeo), (mbg_nbd_gamma_gamma, ModifiedBetaGeo)]
)
def test_predictions_are_orders_times_spend(
    make: type, model: type[PurchaseModel], simulated: pl.LazyFrame
) -> None:
    candidate = make()
    predicted = candidate.fit(Known.of_purchases(simulated, day(500))).predict(90)
    summary = customer_summary(simulated, day(500)).sort("customer_key").collect()
    purchases, spend = model().fit(summary), GammaGamma().fit(summary)
    assert tuple(predicted.columns) == PREDICTION_COLUMNS
    assert predicted["customer_key"].to_list() == summary["customer_key"].to_list()
    value = purchases.expected_purchases(summary, 90) * spend.expected_spend(summary)
    np.testing.assert_allclose(predicted["predicted_value"].to_numpy(), value)
    probability = purchases.purchase_probability(summary, 90)
    np.testing.assert_allclose(predicted["purchase_probability"].to_numpy(), probability)
    assert set(predicted["model"]) == {candidate.name}


def test_later_orders_change_nothing(simulated: pl.LazyFrame) -> None:
    known = simulated.filter(pl.col("order_day") <= day(400))
    assert_frame_equal(
        bg_nbd_gamma_gamma().fit(Known.of_purchases(simulated, day(400))).predict(90),
        bg_nbd_gamma_gamma().fit(Known.of_purchases(known, day(400))).predict(90),
    )
