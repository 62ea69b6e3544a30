"""Predictions: what the published models expect of each customer; made every night.

Models are fitted in `pipelines.assets.fitted_models` and chosen in `pipelines.assets.champions`. A shop that is not
ready gets no rows, never made-up numbers.
"""

from collections.abc import Mapping
from functools import partial

import polars as pl

from models.backtest import default_candidates
from models.boosted_trees import BoostedTrees
from models.candidates import Candidate
from models.clv import Intervals
from models.less_returns import LessReturns
from models.prediction import predict_customers
from models.published import Champions
from models.spend import GammaGamma
from pipelines.assets.backtesting import own_models
from pipelines.assets.fit_nights import empty, fitted_as_of
from pipelines.assets.fitted_models import (
    SPEND_BEFORE_RETURNS,
    SPEND_MODEL,
    grown_trees,
    purchase_models,
    stored_parameters,
)
from pipelines.assets.given import Given
from pipelines.assets.known import feature_tables, known_now
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.delivery.profile import without_objectors
from pipelines.own_models.hidden_model import HiddenModel
from pipelines.own_models.model_files import model_files
from pipelines.shop import Shop

PREDICTED = {"value": "predicted_value", "probability": "purchase_probability"}
"""Column of a candidate's predictions by the quantity that it is champion for."""

_Step = partial(Step, stage=Stage.PREDICTIONS, keeps=Keeps.OTHER_DAYS)


def steps(shop: Shop) -> list[Step]:
    """Score every customer."""
    return [
        _Step(
            table="customer_predictions",
            reads=(
                "purchases",
                *feature_tables(shop),
                "purchase_models",
                "boosted_models",
                "returned_shares",
                "champions",
                "backtest_calibration",
                "backtest_outcomes",
                "suppressions",
            ),
            make=_predictions,
            settings=("predictions", "models"),
            identity=own_models,
        ),
    ]


def _predictions(given: Given) -> pl.LazyFrame:
    champions = _published(given)
    if champions is None:
        return empty("customer_predictions")
    settings = given.shop.predictions
    predicted = predict_customers(
        known_now(given),
        champions,
        intervals=Intervals(draws=settings.interval_draws, seed=settings.seed),
        annual_discount=settings.annual_discount,
    )
    return without_objectors(predicted.lazy(), given.table("suppressions"))


def _published(given: Given) -> Champions | None:
    """The champions with the models that they need, read back only if they were fitted on such data."""
    stored, fitted = stored_parameters(given), purchase_models(given)
    champion = dict(given.table("champions").select("quantity", "model").collect().rows())
    if not fitted or SPEND_MODEL not in stored or set(champion) != {"value", "probability"}:
        return None
    return Champions(
        value=champion["value"],
        probability=champion["probability"],
        fitted=fitted,
        spend=GammaGamma.from_json(stored[SPEND_MODEL]),
        spend_before_returns=(
            GammaGamma.from_json(stored[SPEND_BEFORE_RETURNS]) if SPEND_BEFORE_RETURNS in stored else None
        ),
        returned_shares=_returned_shares(given),
        others={
            name: _other(name, champion, given)
            for name in set(champion.values()) - {*fitted, LessReturns.name}
        },
        calibration=given.table("backtest_calibration").collect(),
        outcomes=given.table("backtest_outcomes").collect(),
    )


def _returned_shares(given: Given) -> pl.DataFrame | None:
    """What was learnt of returns on the fit night; the table is not carried over."""
    shares = given.lake.scan("returned_shares", as_of=fitted_as_of(given)).collect()
    return None if shares.is_empty() else shares


def _other(name: str, champion: Mapping[str, str], given: Given) -> Candidate:
    seed = given.shop.predictions.seed
    if name == BoostedTrees.name:
        return BoostedTrees(seed=seed, grown=grown_trees(given))
    needs = tuple(PREDICTED[quantity] for quantity, model in champion.items() if model == name)
    own = [HiddenModel(one, seed=seed, needs=needs) for one in model_files(given.shop)]
    return next(candidate for candidate in (*own, *default_candidates()) if candidate.name == name)
