"""A model that says something else when asked twice is out; one that is sure of itself is not."""

from pathlib import Path

import polars as pl
import pytest

from models.errors import DisqualifiedError
from models.known import Known, known_at
from pipelines.own_models import steadiness
from pipelines.own_models.hidden_model import ask
from pipelines.own_models.steadiness import check_steadiness
from tests.models.composed_purchases import day, returns, simulated_orders
from tests.pipelines.own_models.composed_models import written


@pytest.fixture(scope="module")
def known() -> Known:
    return known_at(day(400), orders=simulated_orders(3, customers=60), returns=returns())


def test_an_honest_model_says_the_same_of_turned_rows_also_of_a_sample(
    known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = written(tmp_path)
    monkeypatch.setattr(steadiness, "MOST_CUSTOMERS", 25)
    # What it said of everybody is no matter where only some are asked about.
    check_steadiness(model, known, 100, ask(model, known, 100).predictions, seed=0)


@pytest.mark.parametrize(
    "unsteady",
    [
        "import random; self.purchases = self.purchases.with_columns(net=pl.lit(random.random()))",
        # The first row of each customer decides, and rows come in any order.
        "self.purchases = self.purchases.unique('customer_key', keep='first', maintain_order=True)",
    ],
)
def test_chance_and_the_order_of_rows_are_found_out(known: Known, tmp_path: Path, unsteady: str) -> None:
    with pytest.raises(DisqualifiedError, match=r"another predicted_value for \d+ of \d+ customers.*Sort by"):
        check_steadiness(written(tmp_path, fit=unsteady), known, 100, None, seed=0)


def test_rounding_is_no_difference() -> None:
    first = pl.Series([100.0, 0.0, 5.0])
    assert steadiness.differing(first, first * (1 + 1e-6) + 1e-6) == 0
    assert steadiness.differing(first, pl.Series([101.0, 0.0, 5.0])) == 1
    assert steadiness.differing(first, pl.Series([100.0, 0.5, 5.0])) == 1
    nothing = pl.Series([None, None], dtype=pl.Float64)
    assert steadiness.differing(nothing, nothing) == 0
    assert steadiness.differing(nothing, pl.Series([0.0, 1.0])) == 2
