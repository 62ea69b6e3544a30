"""The churn classifier: true probabilities found again, nothing left to chance, refusals in plain words."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from models._time_split import split_by_time
from models.churn import ChurnClassifier
from models.errors import ApproximationWarning, NotEnoughDataError, NotFittedError
from models.features import features
from models.training_rows import training_rows
from tests.models.composed_training_rows import HORIZON, composed_features, composed_rows, true_probability

SMALL: dict[str, Any] = {"max_iter": 80, "learning_rate": 0.1, "importance_repeats": 0}


def _fresh(n: int = 4000) -> pl.DataFrame:
    return composed_features(np.random.default_rng(99), n)


@pytest.mark.parametrize("calibration", ["sigmoid", "isotonic"])
def test_known_probabilities_are_found_again(calibration: Any) -> None:
    model = ChurnClassifier(calibration=calibration, **SMALL).fit(composed_rows(3000))
    new = _fresh()
    predicted, true = model.predict(new), 1 - true_probability(new)
    assert predicted.shape == true.shape
    assert np.abs(predicted - true).mean() < 0.03
    for decile in np.array_split(np.argsort(predicted), 10):
        assert predicted[decile].mean() == pytest.approx(true[decile].mean(), abs=0.05)
    assert predicted.min() > 0
    assert predicted.max() < 1


def test_the_latest_cut_sets_the_level() -> None:
    new = _fresh()
    odds = 2 * true_probability(new) / (1 - true_probability(new))
    model = ChurnClassifier(**SMALL).fit(composed_rows(3000, lift=2.0))
    assert model.probability_of_purchase(new).mean() == pytest.approx((odds / (1 + odds)).mean(), abs=0.025)


def test_exponential_buyers_stay_away_as_their_rate_says() -> None:
    """From orders to probabilities: composed Poisson buyers of two rates, told apart by their country."""
    rng = np.random.default_rng(7)
    rates = {"DE": 1 / 50, "AT": 1 / 250}
    opened, days = date(2022, 1, 1), 470
    rows = [
        (f"c{number}", opened + timedelta(int(day)), country)
        for number in range(1200)
        for country in [("DE", "AT")[number % 2]]
        for day in np.unique(np.cumsum(rng.exponential(1 / rates[country], 60)).astype(int))
        if day < days
    ]
    orders = pl.LazyFrame(rows, schema=["customer_key", "order_day", "country"], orient="row").with_columns(
        order_id=pl.int_range(pl.len()).cast(pl.String),
        channel=pl.lit("web"),
        is_valid=pl.lit(True),
        gross=pl.lit(Decimal(10), pl.Decimal(18, 4)),
        discount=pl.lit(Decimal(0), pl.Decimal(18, 4)),
    )
    as_of = opened + timedelta(days - 1)
    # Everybody pays the same here, so spend is no feature.
    with pytest.warns(ApproximationWarning, match="the same mean spend"):
        rows_to_learn = training_rows(as_of, horizon_days=HORIZON, orders=orders)
        now = features(as_of, horizon_days=HORIZON, orders=orders).collect()
    assert rows_to_learn["cut"].n_unique() == 4
    model = ChurnClassifier(**SMALL).fit(rows_to_learn)
    predicted = now.select("country_last_order", churn=pl.Series(model.predict(now)))
    for country, rate in rates.items():
        mean = predicted.filter(pl.col("country_last_order") == country)["churn"].mean()
        assert mean == pytest.approx(np.exp(-rate * HORIZON), abs=0.06)


def test_the_same_rows_and_seed_give_the_same_numbers_in_any_order() -> None:
    rows, new = composed_rows(), _fresh(300)
    options: dict[str, Any] = SMALL | {"importance_repeats": 1}
    one = ChurnClassifier(**options).fit(rows)
    other = ChurnClassifier(**options).fit(rows.sample(fraction=1, shuffle=True, seed=3))
    assert (one.predict(new) == other.predict(new)).all()
    assert one.importances_.equals(other.importances_)
    assert (one.predict(new.reverse()) == one.predict(new)[::-1]).all()


def test_importances_put_what_decides_first_and_noise_last() -> None:
    options: dict[str, Any] = SMALL | {"importance_repeats": 2}
    found = ChurnClassifier(**options).fit(composed_rows()).importances_
    order = found["feature"].to_list()
    assert set(order[:2]) == {"country_last_order", "days_since_last_order"}
    by_name = dict(found.select("feature", "importance").iter_rows())
    assert by_name["country_last_order"] > 0.01 > abs(by_name["noise"])


def test_nothing_is_fitted_on_the_customers_that_calibrate() -> None:
    apart = split_by_time(composed_rows(step=HORIZON), HORIZON, seed=0)
    assert apart.held_back.height == 1500
    assert apart.held_back["cut"].min() > apart.fitting["cut"].max()  # type: ignore[operator]
    near = split_by_time(composed_rows(step=30), HORIZON, seed=0)
    assert near.held_back["cut"].min() > near.fitting["cut"].max()  # type: ignore[operator]
    for part in (near.held_back, near.stopping):
        assert not set(part["customer_key"]) & set(near.fitting["customer_key"])
        assert 300 < part.height < 450


def test_the_date_of_a_cut_is_learnt_from_only_where_the_cuts_show_a_year() -> None:
    def left_out(cuts: int) -> tuple[str, ...]:
        rows = composed_rows(400, cuts=cuts).with_columns(as_of_season_sin=pl.col("cut").dt.month())
        return ChurnClassifier(**SMALL).fit(rows).left_out_

    assert left_out(4) == ("as_of_season_sin",)
    assert left_out(6) == ()


def test_held_back_predictions_are_kept_and_measured() -> None:
    rows = composed_rows()
    model = ChurnClassifier(**SMALL).fit(rows)
    assert model.held_back_["customer_key"].to_list() == sorted(
        rows.filter(pl.col("cut") == pl.col("cut").max())["customer_key"]
    )
    assert model.n_held_back_ == 1500
    assert model.n_rows_ == 4500
    assert model.held_back_metrics_["auc"] > 0.7
    assert model.cuts_ == rows["cut"].unique().sort().to_list()


def test_unknown_categories_and_missing_values_get_a_probability() -> None:
    model = ChurnClassifier(**SMALL).fit(composed_rows())
    new = _fresh(3).with_columns(
        country_last_order=pl.Series(["XX", None, "DE"]),
        days_since_last_order=pl.Series([None, 5.0, None], dtype=pl.Float64),
        noise=pl.lit(None, pl.Float64),
    )
    assert np.isfinite(model.predict(new)).all()
    assert model.predict(new.clear()).shape == (0,)


def test_further_columns_are_features_too() -> None:
    rows = composed_rows().with_columns(probability_alive=pl.col("noise") * 2, is_member=pl.col("noise") > 0)
    model = ChurnClassifier(**SMALL).fit(rows)
    assert {"probability_alive", "is_member"} <= set(model.columns_.names)
    with pytest.raises(ValueError, match="must be numbers, flags or text"):
        ChurnClassifier(**SMALL).fit(rows.with_columns(first_day=pl.col("cut")))


def test_what_is_known_of_nobody_at_the_earlier_cuts_is_left_out() -> None:
    early = pl.col("cut") < pl.col("cut").unique().sort().last()
    rows = composed_rows().with_columns(
        late=pl.when(~early).then("noise"),
        late_name=pl.when(~early).then("country_last_order"),
        never=pl.lit(None, pl.Float64),
    )
    model = ChurnClassifier(**SMALL).fit(rows)
    assert model.left_out_ == ("late", "late_name", "never")
    assert np.isfinite(model.predict(rows)).all()


def test_without_any_skill_everybody_gets_the_share() -> None:
    rows = composed_rows().select("cut", "customer_key", "bought", "net", nothing=pl.lit(1.0))
    with pytest.warns(ApproximationWarning, match="no skill"):
        model = ChurnClassifier(**SMALL).fit(rows)
    share = rows.filter(pl.col("cut") == pl.col("cut").max())["bought"].mean()
    assert model.probability_of_purchase(pl.DataFrame({"nothing": [1.0]}))[0] == pytest.approx(share)


def test_too_little_is_refused_with_the_numbers() -> None:
    with pytest.raises(NotEnoughDataError, match=r"to fit \d+ of 120 bought; to stop \d+ of 60 bought"):
        ChurnClassifier(**SMALL).fit(composed_rows(60))
    with pytest.raises(NotEnoughDataError, match="2 cuts"):
        ChurnClassifier(**SMALL).fit(composed_rows(cuts=2))
    with pytest.raises(NotEnoughDataError, match="0 cuts"):
        ChurnClassifier(**SMALL).fit(composed_rows(60).clear())


def test_wrong_use_is_refused_in_plain_words() -> None:
    with pytest.raises(NotFittedError, match="call fit"):
        ChurnClassifier().predict(_fresh(1))
    with pytest.raises(ValueError, match="lack cut, customer_key, bought, net"):
        ChurnClassifier().fit(_fresh(1))
    with pytest.raises(ValueError, match="sigmoid"):
        ChurnClassifier(calibration="platt")  # type: ignore[arg-type]
    model = ChurnClassifier(**SMALL).fit(composed_rows())
    with pytest.raises(ValueError, match="missing here: noise"):
        model.predict(_fresh(1).drop("noise"))


def test_parameters_make_the_same_estimator() -> None:
    model = ChurnClassifier(horizon_days=365, seed=4, max_iter=7)
    assert ChurnClassifier(**model.get_params()).get_params() == model.get_params()
    assert model.get_params()["max_iter"] == 7
