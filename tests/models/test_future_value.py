"""Future value in two parts: true values found again, totals kept, zeros and refunds counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from models.churn import ChurnClassifier
from models.errors import NotEnoughDataError, NotFittedError
from models.future_value import FutureValue
from tests.models.composed_training_rows import (
    HORIZON,
    composed_features,
    composed_rows,
    true_net,
    true_probability,
)

SMALL: dict[str, Any] = {"horizon_days": HORIZON, "max_iter": 80, "learning_rate": 0.1}


def _fresh(n: int = 4000) -> pl.DataFrame:
    return composed_features(np.random.default_rng(99), n)


def test_known_values_are_found_again() -> None:
    model = FutureValue(**SMALL).fit(composed_rows(3000))
    new = _fresh()
    true = true_probability(new) * true_net(new)
    predicted = model.predict(new)
    assert predicted.sum() == pytest.approx(true.sum(), rel=0.08)
    assert np.corrcoef(predicted, true)[0, 1] > 0.9
    rich = new["country_last_order"].to_numpy() == "CH"
    assert model.net_if_buying(new)[rich].mean() == pytest.approx(200, rel=0.15)
    assert model.net_if_buying(new)[~rich].mean() == pytest.approx(40, rel=0.1)


def test_the_value_is_the_product_of_its_parts() -> None:
    model, new = FutureValue(**SMALL).fit(composed_rows()), _fresh(100)
    parts = model.probability_of_purchase(new) * model.net_if_buying(new)
    assert (model.predict(new) == parts).all()
    assert (model.probability_of_purchase(new) == model.purchase_.probability_of_purchase(new)).all()


def test_zero_and_negative_nets_are_counted_and_keep_the_total() -> None:
    lot = pl.int_range(pl.len()) % 5
    net = pl.when(pl.col("bought") & (lot == 0)).then(0.0).when(pl.col("bought") & (lot == 1)).then(-5.0)
    rows = composed_rows(3000).with_columns(net=net.otherwise("net"))
    model = FutureValue(**SMALL).fit(rows)
    fitted = rows.filter(pl.col("bought") & (pl.col("cut") < pl.col("cut").max()))
    assert model.n_buyers_ == fitted.height
    assert model.n_zero_ == fitted.filter(pl.col("net") == 0).height > 0
    assert model.n_negative_ == fitted.filter(pl.col("net") < 0).height > 0
    held_back = rows.filter(pl.col("cut") == pl.col("cut").max())
    assert model.predict(held_back).sum() == pytest.approx(held_back["net"].sum())
    assert model.level_ == pytest.approx(model.held_back_totals_[0] / model.held_back_totals_[1])
    new = _fresh()
    keeps = 0.6 * true_net(new) - 0.2 * 5
    assert model.predict(new).sum() == pytest.approx((true_probability(new) * keeps).sum(), rel=0.12)


def test_the_same_rows_and_seed_give_the_same_numbers_in_any_order() -> None:
    rows, new = composed_rows(), _fresh(300)
    one = FutureValue(**SMALL).fit(rows)
    other = FutureValue(**SMALL).fit(rows.sample(fraction=1, shuffle=True, seed=3))
    assert (one.predict(new) == other.predict(new)).all()
    assert one.predict(new.clear()).shape == (0,)


def test_a_first_part_fitted_before_is_used_as_it_is() -> None:
    rows, new = composed_rows(), _fresh(300)
    purchase = ChurnClassifier(importance_repeats=0, **SMALL).fit(rows)
    model = FutureValue(**SMALL).fit(rows, purchase=purchase)
    assert model.purchase_ is purchase
    assert (model.predict(new) == FutureValue(**SMALL).fit(rows).predict(new)).all()
    with pytest.raises(ValueError, match="365 days with seed 0: they must hold back the same customers"):
        FutureValue(**SMALL | {"horizon_days": 365}).fit(rows, purchase=purchase)
    with pytest.raises(NotFittedError, match="call fit"):
        FutureValue(**SMALL).fit(rows, purchase=ChurnClassifier(horizon_days=HORIZON))


def test_too_few_buyers_with_a_positive_net_are_refused_with_the_numbers() -> None:
    with pytest.raises(NotEnoughDataError, match="with a positive net in each part; there are 0 to fit"):
        FutureValue(**SMALL).fit(composed_rows().with_columns(net=pl.lit(0.0)))
    with pytest.raises(NotEnoughDataError, match="bought"):
        FutureValue(**SMALL).fit(composed_rows(40))


def test_wrong_use_is_refused_in_plain_words() -> None:
    with pytest.raises(NotFittedError, match="call fit"):
        FutureValue().predict(_fresh(1))
    model = FutureValue(**SMALL).fit(composed_rows())
    with pytest.raises(ValueError, match="missing here: noise"):
        model.predict(_fresh(1).drop("noise"))


def test_parameters_make_the_same_estimator() -> None:
    model = FutureValue(seed=4, max_iter=7)
    assert FutureValue(**model.get_params()).get_params() == model.get_params()
