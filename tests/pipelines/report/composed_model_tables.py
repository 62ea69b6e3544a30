"""Tables behind "Can the models be trusted?" of a composed shop: models with made-up parameters, made-up outcomes."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from data_contracts import table
from models.decile_lift import decile_lift
from models.frequency_recency import frequency_recency
from models.purchase_paths import typical_paths
from models.purchases import BetaGeo, ModifiedBetaGeo, PurchaseModel
from models.summary import customer_summary
from models.tracking import tracking
from tests.models.composed_purchases import day
from tests.models.composed_purchases import purchases as composed_purchases
from tests.models.composed_stories import TODAY, story_shop

PARAMETERS = {"r": 0.6, "alpha": 50.0, "a": 0.7, "b": 2.5}
MODELS: dict[str, PurchaseModel] = {
    "bg_nbd_gamma_gamma": BetaGeo.from_parameters(PARAMETERS),
    "mbg_nbd_gamma_gamma": ModifiedBetaGeo.from_parameters(PARAMETERS),
}


def predictions(key_mark: str) -> pl.DataFrame:
    """Outcomes of 54 customers, foretold by a value model and a probability model."""
    customers = range(54)
    rows = {
        "cut": [day(TODAY)] * 54,
        "customer_key": [f"{key_mark}{number}" for number in customers],
        "actual_value": [float(number % 9) * number for number in customers],
        "has_bought": [number % 9 > 0 for number in customers],
    }
    value = {"model": "last_12_months", "predicted_value": [float(number) for number in customers]}
    chance = {"model": "bg_nbd_gamma_gamma", "purchase_probability": [number / 54 for number in customers]}
    return pl.concat([pl.DataFrame(rows | value), pl.DataFrame(rows | chance)], how="diagonal")


def model_tables(as_of: date, key_mark: str) -> dict[str, pl.LazyFrame]:
    """Tables decile_lift, tracking, frequency_recency, purchase_paths and churn_importances, of ``as_of``."""
    purchases, today = composed_purchases(story_shop(31)), day(TODAY)
    made = {
        "decile_lift": decile_lift(predictions(key_mark), seed=1, draws=20),
        "tracking": tracking(purchases, MODELS, today - timedelta(days=100), today),
        "frequency_recency": frequency_recency(customer_summary(purchases, today), MODELS),
        "purchase_paths": typical_paths(purchases, MODELS["bg_nbd_gamma_gamma"], today).with_columns(
            model=pl.lit("bg_nbd_gamma_gamma")
        ),
    }
    made["churn_importances"] = pl.DataFrame(
        [
            (365, "T", 0.01), (365, "days_since_last", 0.02), (365, "frequency", 0.03), (365, "country", -0.01),
            (90, "country", 0.5),
        ],
        schema={"horizon_days": pl.Int32, "feature": pl.String, "importance": pl.Float64}, orient="row",
    ).with_columns(deviation=pl.lit(0.005))  # fmt: skip
    return {
        name: made[name].with_columns(as_of=pl.lit(as_of)).select(list(table(name).schema)).lazy()
        for name in made
    }
