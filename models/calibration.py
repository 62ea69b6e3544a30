"""Calibration by decile: whether customers predicted to be worth 100 turn out to be worth 100.

One table for both quantities, to be read beside a picture of it. Single measures of accuracy are in
`models.metrics`.
"""

from __future__ import annotations

import polars as pl

from models.intervals import normal_quantile, wilson_interval
from models.ranks import rank_score

CONFIDENCE = 0.95


def calibration_by_decile(predictions: pl.LazyFrame) -> pl.LazyFrame:
    """Mean predicted against mean actual, by model, quantity and decile of the prediction.

    Parameters
    ----------
    predictions
        One row per customer and model: model, predicted_value, purchase_probability (null = the model does
        not predict it), actual_value (Float64), has_bought (Boolean).

    Returns
    -------
    pl.LazyFrame
        One row per quantity ("value", "probability"), model and decile (Int8, 10 = highest predictions; equal
        predictions share a decile, so some may be missing), sorted: customers, predicted_mean,
        actual_mean, low, high. The interval is of the actual mean, 95 %: Wilson's for probabilities, normal
        for values (null for a single customer).
    """
    value = _deciles(predictions, "value", "predicted_value", pl.col("actual_value"))
    probability = _deciles(
        predictions, "probability", "purchase_probability", pl.col("has_bought").cast(pl.Float64)
    )
    half = normal_quantile(CONFIDENCE) * pl.col("spread") / pl.col("customers").sqrt()
    bounds = wilson_interval(
        (pl.col("actual_mean") * pl.col("customers")).round(), pl.col("customers"), confidence=CONFIDENCE
    )
    return (
        pl.concat(
            [
                value.with_columns(low=pl.col("actual_mean") - half, high=pl.col("actual_mean") + half),
                probability.with_columns(low=bounds.low, high=bounds.high),
            ]
        )
        .drop("spread")
        .sort("quantity", "model", "decile")
    )


def _deciles(predictions: pl.LazyFrame, quantity: str, predicted: str, actual: pl.Expr) -> pl.LazyFrame:
    return (
        predictions.filter(pl.col(predicted).is_not_null())
        .select("model", predicted=predicted, actual=actual)
        .with_columns(decile=rank_score(pl.col("predicted"), 10).over("model"))
        .group_by("model", "decile")
        .agg(
            customers=pl.len().cast(pl.Int64),
            predicted_mean=pl.col("predicted").mean(),
            actual_mean=pl.col("actual").mean(),
            spread=pl.col("actual").std(),
        )
        .select(pl.lit(quantity).alias("quantity"), pl.all())
    )
