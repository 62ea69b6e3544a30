"""Measured: the tables of how well each model foretold what happened, from predictions beside outcomes.

Joins measures (`models.metrics`) with intervals (`models.bootstrap`). Fitting and splitting time belong to
`models.backtest`, the choice to `models.champion`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from models.bootstrap import Accuracy, Estimate, Resampled, resample
from models.metrics import ProbabilityAccuracy, ValueAccuracy

_SPLIT = ("as_of", "cut", "horizon_days")


@dataclass(frozen=True)
class Measured:
    """Accuracy of every model, alone and against the others; columns as in `BacktestResult`.

    Attributes
    ----------
    metrics
        One row per quantity, model and metric.
    comparisons
        One row per quantity, metric and ordered pair of models.
    """

    metrics: pl.DataFrame
    comparisons: pl.DataFrame


def measure(predictions: pl.DataFrame, *, seed: int, draws: int = 200) -> Measured:
    """Measure every model's predictions of one back-test.

    Parameters
    ----------
    predictions
        One row per customer and model, in any order: as_of, cut, horizon_days (the same on every row),
        customer_key, model, predicted_value, purchase_probability (either null throughout for a
        model that does not predict it), actual_value, has_bought.
    seed
        Of the bootstrap intervals; the order of rows changes nothing.
    draws
        Resamples for the intervals.

    Returns
    -------
    Measured

    Raises
    ------
    ValueError
        If rows are missing or belong to several back-tests, or models differ in their customers.
    """
    splits = predictions.select(_SPLIT).unique().rows()
    if len(splits) != 1:
        raise ValueError(f"Measure one back-test at a time; these predictions hold {len(splits)}.")
    as_of, cut, horizon_days = splits[0]
    customers = predictions["customer_key"].n_unique()
    rng = np.random.default_rng(seed)
    resampled = {
        quantity: resample(accuracies, customers, rng, draws=draws)
        for quantity, accuracies in _accuracies(predictions).items()
        if accuracies
    }
    metrics = _metrics(resampled, customers).select(
        pl.lit(as_of).alias("as_of"),
        pl.lit(cut).alias("cut"),
        pl.lit(horizon_days, pl.Int32).alias("horizon_days"),
        pl.all(),
    )
    return Measured(metrics=metrics, comparisons=_comparisons(resampled))


def _accuracies(predictions: pl.DataFrame) -> dict[str, dict[str, Accuracy]]:
    """Predictions and outcomes by quantity and model, in one order of customers."""
    result: dict[str, dict[str, Accuracy]] = {"value": {}, "probability": {}}
    customers: pl.Series | None = None
    for (name,), rows in predictions.sort("model", "customer_key").group_by("model", maintain_order=True):
        customers = rows["customer_key"] if customers is None else customers
        if not rows["customer_key"].equals(customers):
            raise ValueError(f"{name} has predictions for other customers than the models before it.")
        if rows["predicted_value"].count():
            result["value"][str(name)] = ValueAccuracy(
                rows["actual_value"].to_numpy(), rows["predicted_value"].to_numpy()
            )
        if rows["purchase_probability"].count():
            result["probability"][str(name)] = ProbabilityAccuracy(
                rows["has_bought"].cast(pl.Float64).to_numpy(), rows["purchase_probability"].to_numpy()
            )
    return result


def _metrics(resampled: dict[str, Resampled], customers: int) -> pl.DataFrame:
    rows = [
        (quantity, model, metric, *_bounds(result.estimate(model, metric)), customers)
        for quantity, result in resampled.items()
        for model, values in result.values.items()
        for metric in values
    ]
    schema = {"quantity": pl.String, "model": pl.String, "metric": pl.String}
    numbers = {"value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "n": pl.Int64}
    return pl.DataFrame(rows, schema={**schema, **numbers}, orient="row").fill_nan(None)


def _comparisons(resampled: dict[str, Resampled]) -> pl.DataFrame:
    rows = [
        (quantity, metric, model, versus, *_bounds(result.difference(model, versus, metric)))
        for quantity, result in resampled.items()
        for model, values in result.values.items()
        for versus in result.values
        if model != versus
        for metric in values
    ]
    schema = {"quantity": pl.String, "metric": pl.String, "model": pl.String, "versus": pl.String}
    numbers = {"difference": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(rows, schema={**schema, **numbers}, orient="row").fill_nan(None)


def _bounds(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high
