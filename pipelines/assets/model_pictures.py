"""Model pictures: tables that show what the purchase models think, and how their expectations kept up with a shop.

Worked out in `models`; fitted in `pipelines.assets.fitted_models`. No number here is used by another table.
"""

import warnings
from functools import partial

import polars as pl

from models.errors import ModelError
from models.frequency_recency import frequency_recency
from models.purchase_paths import typical_paths
from models.purchases import PurchaseModel
from models.summary import customer_summary
from models.tracking import tracking
from pipelines.assets.fit_nights import dated, empty, on_fit_nights
from pipelines.assets.fitted_models import PURCHASE_MODELS, purchase_models
from pipelines.assets.given import Given
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.shop import Shop

_Step = partial(Step, stage=Stage.PREDICTIONS, keeps=Keeps.OTHER_DAYS)


def steps(_: Shop) -> list[Step]:
    """Tracking curve, matrices of frequency and recency, paths of typical customers."""
    return [
        _Step(
            table="tracking",
            reads=("purchases", "backtest_predictions", "model_fits"),
            make=on_fit_nights("tracking", _tracking),
            picture="tracking_curve",
        ),
        _Step(
            table="frequency_recency",
            reads=("purchases", "purchase_models", "model_fits"),
            make=on_fit_nights("frequency_recency", _frequency_recency),
            picture="frequency_recency",
        ),
        _Step(
            table="purchase_paths",
            reads=("purchases", "purchase_models", "champions", "model_fits"),
            make=on_fit_nights("purchase_paths", _purchase_paths),
            settings=("predictions",),
            picture="purchase_paths",
        ),
    ]


def _tracking(given: Given) -> pl.LazyFrame:
    """Fit at the newest origin, and follow those known then up to the run's day."""
    purchases = given.table("purchases")
    cut = given.table("backtest_predictions").select(pl.col("cut").max()).collect().item()
    if cut is None:
        return empty("tracking")
    summary = customer_summary(purchases, cut).sort("customer_key").collect()
    fitted: dict[str, PurchaseModel] = {}
    # What these fits warn of stands in backtest_candidates, where the same models were fitted on the same day.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, kind in PURCHASE_MODELS.items():
            try:
                fitted[name] = kind().fit(summary)
            except ModelError:
                continue
    return dated(tracking(purchases, fitted, cut, given.as_of), given) if fitted else empty("tracking")


def _frequency_recency(given: Given) -> pl.LazyFrame:
    models = purchase_models(given)
    if not models:
        return empty("frequency_recency")
    return dated(frequency_recency(customer_summary(given.table("purchases"), given.as_of), models), given)


def _purchase_paths(given: Given) -> pl.LazyFrame:
    models = purchase_models(given)
    champions = given.table("champions").sort("quantity").collect()["model"].to_list()
    name = next((name for name in (*champions, *models) if name in models), None)
    if name is None:
        return empty("purchase_paths")
    paths = typical_paths(
        given.table("purchases"), models[name], given.as_of, seed=given.shop.predictions.seed
    )
    return dated(paths.with_columns(model=pl.lit(name)), given)
