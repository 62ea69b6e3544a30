"""Calibration: whether customers predicted to be worth 100 turn out to be worth 100, by decile and by cohort.

One shape for both quantities, to be read beside a picture of it. Single measures of accuracy are in `models.metrics`.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from models.intervals import normal_quantile, wilson_interval
from models.ranks import rank_score

__all__ = ["DECILES", "calibration_by_cohort", "calibration_by_decile", "outcomes"]

CONFIDENCE: Final = 0.95
DECILES: Final = 10
MOST_GROUPS: Final = 100
FEWEST_IN_GROUP: Final = 50
"""Customers of which a 5 % quantile says something (ours)."""
OUTCOME_LEVEL: Final = 0.90
"""Share of customers between `outcome_low` and `outcome_high`: the glossary's level of predictive intervals."""


def calibration_by_decile(predictions: pl.LazyFrame) -> pl.LazyFrame:
    """Mean predicted against mean actual, by model, quantity and decile of the prediction.

    Parameters
    ----------
    predictions
        One row per customer and model (and origin): model, predicted_value, purchase_probability (null = the model
        does not predict it), actual_value (Float64), has_bought (Boolean).

    Returns
    -------
    pl.LazyFrame
        One row per quantity ("value", "probability"), model and decile (Int8, 10 = highest predictions; equal
        predictions share a decile, so some may be missing), sorted: customers, predicted_mean, actual_mean, low, high.
        low and high bound the actual mean, 95 %: Wilson's for probabilities, normal for values (null for a single
        customer).
    """
    return _calibration(predictions, "decile", by_decile=True)


def calibration_by_cohort(predictions: pl.LazyFrame, first_days: pl.LazyFrame) -> pl.LazyFrame:
    """Mean predicted against mean actual, by model, quantity and quarter of the first order.

    Parameters
    ----------
    predictions
        As for `calibration_by_decile`, with customer_key.
    first_days
        One row per customer: customer_key, first_day.

    Returns
    -------
    pl.LazyFrame
        One row per quantity, model and cohort (Date, first day of the quarter), sorted; the other columns as in
        `calibration_by_decile`.
    """
    cohorts = first_days.select("customer_key", cohort=pl.col("first_day").dt.truncate("1q"))
    return _calibration(predictions.join(cohorts, on="customer_key", how="left"), "cohort", by_decile=False)


def outcomes(predictions: pl.LazyFrame) -> pl.LazyFrame:
    """Values that customers with like predictions came to, by up to a hundred groups of the prediction.

    Parameters
    ----------
    predictions
        As for `calibration_by_decile`.

    Returns
    -------
    pl.LazyFrame
        One row per model and place (Int32, the highest holds the highest predictions; equal predictions share one),
        sorted: groups (how many places there are: no more than leave 50 customers in each), customers, predicted_mean,
        outcome_low, outcome_high. Between the last two lie the values of 90 % of the customers: of the middle ones or,
        where the lowest are all 0, of all but the highest.
    """
    tail = (1 - OUTCOME_LEVEL) / 2
    actual, lowest = pl.col("actual_value"), pl.col("actual_value").quantile(tail, interpolation="lower")
    rows = predictions.filter(pl.col("predicted_value").is_not_null())
    customers = rows.group_by("model").agg(n=pl.len()).select(pl.col("n").max()).collect().item() or 0
    groups = max(1, min(MOST_GROUPS, customers // FEWEST_IN_GROUP))
    return (
        rows.with_columns(place=rank_score(pl.col("predicted_value"), groups).over("model").cast(pl.Int32))
        .group_by("model", "place")
        .agg(
            customers=pl.len().cast(pl.Int64),
            predicted_mean=pl.col("predicted_value").mean(),
            outcome_low=lowest,
            # Nobody is cut off below where the lowest are all 0: then all that is cut off is cut off above.
            outcome_high=pl.when(lowest == 0)
            .then(actual.quantile(OUTCOME_LEVEL, interpolation="higher"))
            .otherwise(actual.quantile(1 - tail, interpolation="higher")),
        )
        .select("model", "place", pl.lit(groups, pl.Int32).alias("groups"), pl.exclude("model", "place"))
        .sort("model", "place")
    )


def _calibration(predictions: pl.LazyFrame, group: str, *, by_decile: bool) -> pl.LazyFrame:
    value = _by_group(predictions, "value", "predicted_value", pl.col("actual_value"), group, by_decile)
    probability = _by_group(
        predictions,
        "probability",
        "purchase_probability",
        pl.col("has_bought").cast(pl.Float64),
        group,
        by_decile,
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
        .select(
            "quantity", "model", group, "customers", "predicted_mean", "actual_mean", "low", "high",
        )
        .sort("quantity", "model", group)
    )  # fmt: skip


def _by_group(
    predictions: pl.LazyFrame, quantity: str, predicted: str, actual: pl.Expr, group: str, by_decile: bool
) -> pl.LazyFrame:
    own = pl.lit(None) if by_decile else pl.col(group)
    rows = predictions.filter(pl.col(predicted).is_not_null()).select(
        "model", own.alias(group), predicted=predicted, actual=actual
    )
    if by_decile:
        rows = rows.with_columns(rank_score(pl.col("predicted"), DECILES).over("model").alias(group))
    return (
        rows.group_by("model", group)
        .agg(
            customers=pl.len().cast(pl.Int64),
            predicted_mean=pl.col("predicted").mean(),
            actual_mean=pl.col("actual").mean(),
            spread=pl.col("actual").std(),
        )
        .select(pl.lit(quantity).alias("quantity"), pl.all())
    )
