"""Measured: the tables of how well each model foretold what happened, from predictions beside outcomes.

Models are compared over all origins at which all of them predicted, taken together: a season that one origin shows
alone would otherwise decide. A model that has no prediction at the newest origin is not compared.

Joins measures (`models.metrics`) with intervals (`models.bootstrap`). Fitting and splitting time belong to
`models.backtest`, the choice to `models.champion`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from models.bootstrap import Accuracy, Estimate, Resampled, resample
from models.metrics import ProbabilityAccuracy, ValueAccuracy

_SPLIT = ("as_of", "horizon_days")


@dataclass(frozen=True)
class Measured:
    """Accuracy of every model, alone and against the others; columns as in `BacktestResult`.

    Attributes
    ----------
    metrics
        One row per quantity ("value", "probability"), model and metric: as_of, cut (the newest), horizon_days, origins
        (how many are taken together), quantity, model, metric, value, low, high (95 % bootstrap interval; null where
        undefined), n (customers, each once an origin).
    origins
        One row per origin, quantity, model and metric, without intervals: as_of, cut, horizon_days, quantity, model,
        metric, value, n. Here also stand the origins at which only some models predicted.
    comparisons
        One row per quantity, metric and ordered pair of models: quantity, metric, model, versus, difference
        (model minus versus), low, high. Both are measured on the same resamples.
    """

    metrics: pl.DataFrame
    origins: pl.DataFrame
    comparisons: pl.DataFrame


def measure(predictions: pl.DataFrame, *, seed: int, draws: int = 200) -> Measured:
    """Measure every model's predictions of one back-test.

    Parameters
    ----------
    predictions
        One row per origin, model and customer, in any order: as_of, horizon_days (the same on every row), cut,
        customer_key, model, predicted_value, purchase_probability (either null throughout for a model that does not
        predict it), actual_value, has_bought.
    seed
        Of the bootstrap intervals; the order of rows changes nothing.
    draws
        Resamples of customers for the intervals; a customer stays whole, with all their origins.

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
    as_of, horizon_days = splits[0]
    newest = predictions["cut"].max()
    rng = np.random.default_rng(seed)
    rows = compared(predictions)
    table = _Table(rows)
    resampled = {
        quantity: resample(accuracies, table.rows, rng, draws=draws, people=table.people)
        for quantity, accuracies in table.accuracies.items()
        if accuracies
    }
    split = [
        pl.lit(as_of).alias("as_of"),
        pl.lit(newest).alias("cut"),
        pl.lit(horizon_days, pl.Int32).alias("horizon_days"),
    ]
    return Measured(
        metrics=_metrics(resampled, table.rows).select(
            *split, pl.lit(rows["cut"].n_unique(), pl.Int32).alias("origins"), pl.all()
        ),
        origins=_by_origin(predictions).select(split[0], "cut", split[2], pl.exclude("cut")),
        comparisons=_comparisons(resampled),
    )


def compared(predictions: pl.DataFrame) -> pl.DataFrame:
    """Keep what models are compared by: those of the newest origin, at the origins that have all of them."""
    newest = predictions.filter(pl.col("cut") == pl.col("cut").max())
    models = newest["model"].unique()
    kept = predictions.filter(pl.col("model").is_in(models.implode()))
    cuts = kept.group_by("cut").agg(pl.col("model").n_unique()).filter(pl.col("model") == len(models))["cut"]
    return kept.filter(pl.col("cut").is_in(cuts.implode()))


class _Table:
    """Predictions and outcomes by quantity and model, all in one order of origins and customers."""

    def __init__(self, predictions: pl.DataFrame) -> None:
        self.accuracies: dict[str, dict[str, Accuracy]] = {"value": {}, "probability": {}}
        customers: pl.DataFrame | None = None
        by_model = predictions.sort("model", "cut", "customer_key").group_by("model", maintain_order=True)
        for (name,), rows in by_model:
            own = rows.select("cut", "customer_key")
            customers = own if customers is None else customers
            if not own.equals(customers):
                raise ValueError(f"{name} has predictions for other customers than the models before it.")
            if rows["predicted_value"].count():
                self.accuracies["value"][str(name)] = ValueAccuracy(
                    rows["actual_value"].to_numpy(), rows["predicted_value"].to_numpy()
                )
            if rows["purchase_probability"].count():
                self.accuracies["probability"][str(name)] = ProbabilityAccuracy(
                    rows["has_bought"].cast(pl.Float64).to_numpy(), rows["purchase_probability"].to_numpy()
                )
        assert customers is not None, "there is a row"
        self.rows = customers.height
        # Numbers of people in the order of their keys: the order of rows must not move the resamples.
        self.people = customers["customer_key"].rank("dense").cast(pl.Int64).to_numpy() - 1


def _by_origin(predictions: pl.DataFrame) -> pl.DataFrame:
    rows = [
        (cut, quantity, model, metric, value, table.rows)
        for (cut,), part in predictions.sort("cut").group_by("cut", maintain_order=True)
        for table in [_Table(part)]
        for quantity, accuracies in table.accuracies.items()
        for model, accuracy in accuracies.items()
        for metric, value in accuracy.measure().items()
    ]
    names = {"cut": pl.Date, "quantity": pl.String, "model": pl.String, "metric": pl.String}
    schema = {**names, "value": pl.Float64, "n": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").fill_nan(None)


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
