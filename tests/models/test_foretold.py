"""Who breaks the rules at one origin is out at all of them, and everybody else stays as they were."""

from typing import Self

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from models.baselines import GlobalMean
from models.errors import DisqualifiedError, NotEnoughDataError
from models.foretold import predict_candidates
from models.known import Known
from tests.models.composed_purchases import day, returns, simulated_orders


class Caught(GlobalMean):
    """Like everybody, until it is asked about an earlier day."""

    name = "caught"

    def __init__(self, error: type[Exception]) -> None:
        self.error = error
        self.asked = 0

    def fit(self, known: Known) -> Self:
        self.asked += 1
        if self.asked > 1:
            raise self.error("it is out: it opens answers.csv")
        return super().fit(known)


@pytest.fixture(scope="module")
def orders() -> pl.LazyFrame:
    return simulated_orders(3, customers=80).collect().lazy()


def test_a_disqualified_model_is_out_at_every_origin_with_the_reason(orders: pl.LazyFrame) -> None:
    caught = Caught(DisqualifiedError)
    both = predict_candidates(
        orders, returns(), as_of=day(700), horizon_days=100, candidates=[GlobalMean(), caught]
    )
    alone = predict_candidates(orders, returns(), as_of=day(700), horizon_days=100, candidates=[GlobalMean()])
    assert_frame_equal(both.predictions, alone.predictions)
    told = both.candidates.filter(model="caught")
    assert told.select("took_part", "notes").unique().rows() == [(False, "it is out: it opens answers.csv")]
    assert told.height == 3
    assert caught.asked == 2, "who is out is not asked again"


def test_a_model_that_refuses_one_origin_stays_at_the_others(orders: pl.LazyFrame) -> None:
    refuses = Caught(NotEnoughDataError)
    both = predict_candidates(
        orders, returns(), as_of=day(700), horizon_days=100, candidates=[GlobalMean(), refuses]
    )
    assert both.candidates.filter(model="caught")["took_part"].to_list() == [True, False, False]
    assert both.predictions.filter(model="caught")["cut"].n_unique() == 1
