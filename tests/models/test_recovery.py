"""Known shops are found again, and predictions and intervals hold. A small version; the large one is a benchmark.

Bounds are what ten shops can show: wide enough that a right program misses them once in thousands of seeds.
"""

from functools import cache

import pytest
from scipy.stats import binom

from tests.models.recovered_shops import STORIES, Recovered, recover

SHOPS, CUSTOMERS, SCORED = 10, 1_500, 300


@cache
def seen(story: str) -> Recovered:
    shops = (recover(story, CUSTOMERS, seed, scored=SCORED, draws=100) for seed in range(SHOPS))
    return sum(shops, Recovered())


@pytest.mark.parametrize("story", STORIES)
def test_true_parameters_lie_within_their_intervals(story: str) -> None:
    """Parameters of one shop are correlated: the bound takes each model of a shop as one observation."""
    found = seen(story)
    least = float(binom.ppf(1e-3, 2 * SHOPS, 0.95)) / (2 * SHOPS)
    assert found.inside / found.parameters >= least


@pytest.mark.parametrize("story", STORIES)
def test_predicted_totals_come_true(story: str) -> None:
    found = seen(story)
    assert found.predicted_orders == pytest.approx(found.orders, rel=0.05)
    assert found.predicted_value == pytest.approx(found.value, rel=0.07)


@pytest.mark.parametrize("story", STORIES)
def test_intervals_of_customers_cover_what_they_do(story: str) -> None:
    """Whole numbers of orders and the many who order nothing hold more than 90 % where no narrower interval can."""
    found = seen(story)
    least = (
        float(binom.ppf(1e-3, found.scored, 0.9)) / found.scored - 0.01
    )  # a fit's error is shared by a shop
    assert least < found.value_covered / found.scored < 0.95
    assert least < found.orders_covered / found.scored < 0.97
