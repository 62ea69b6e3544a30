"""Bounds of the purchase probability hold it, and agree with the delta method."""

import numpy as np
import pytest

from models.clv import Intervals
from models.purchase_bounds import purchase_probability_bounds
from models.purchases import BetaGeo
from tests.models.cdnow import published_summary


def test_probability_bounds_hold_the_probability_in_row_order() -> None:
    purchases = BetaGeo(time_unit="weeks").fit(published_summary())
    probability = purchases.purchase_probability(published_summary(), 90 / 7)
    low, high = purchase_probability_bounds(
        published_summary(), purchases, horizon_days=90, intervals=Intervals(draws=200)
    )
    assert np.all((low < probability) & (probability < high))
    # the delta method agrees for a customer in the middle
    row = published_summary()[[0]]
    theta, gradient = np.log(purchases.estimates()), np.empty(4)
    for j in range(4):
        shift = np.zeros(4)
        shift[j] = 1e-5
        up, down = (
            BetaGeo.from_parameters(
                dict(zip(BetaGeo.parameter_names, np.exp(theta + sign * shift), strict=True)),
                time_unit="weeks",
            ).purchase_probability(row, 90 / 7)[0]
            for sign in (1, -1)
        )
        gradient[j] = (up - down) / 2e-5
    error = float(np.sqrt(gradient @ purchases.log_covariance_ @ gradient))
    assert high[0] - low[0] == pytest.approx(2 * 1.645 * error, rel=0.15)
