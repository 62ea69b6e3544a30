"""Against nothing: forecasts of value beside the one that expects nothing of anybody, by three measures of error.

The mean absolute error rewards each customer's median. Of whoever orders with less than an even chance that is zero, so
in most shops "nobody buys anything" beats models that are useful, and foretells no revenue at all. That is why the
back-test does not go by it; here it is, for whoever wants to see.

What does not belong here: the measures that models are chosen by (`models.metrics`, `models.champion`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

__all__ = ["NOTHING", "against_nothing"]

NOTHING: Final = "nothing"
"""Name of the forecast that expects nothing of anybody."""


def against_nothing(predictions: pl.LazyFrame) -> pl.DataFrame:
    """Measure how far forecasts were off, and the forecast of nothing among them.

    Parameters
    ----------
    predictions
        One row per customer and model: model, predicted_value, actual_value, as in ``backtest_predictions``; of one
        cut, since errors over horizons of different seasons do not compare.

    Returns
    -------
    DataFrame
        One row per model and one of `NOTHING`, by mae, then name: model, n (customers), mae and rmse (mean absolute and
        root mean squared error, shop currency), mae_of_nothing (mae over that of `NOTHING`: below 1 is better than
        nothing; null where nobody brought anything), total_off_by ((predicted - actual) / actual total; null where that
        is 0), buyers (share of customers with value above 0).
    """
    one = predictions.select("model", "predicted_value", "actual_value")
    # Every model foretells the same customers, so any one of them tells what these brought.
    nothing = one.filter(pl.col("model") == pl.col("model").min()).with_columns(
        model=pl.lit(NOTHING), predicted_value=pl.lit(0.0)
    )
    actual = pl.col("actual_value")
    error = pl.col("predicted_value") - actual
    return (
        pl.concat([one, nothing])
        .group_by("model")
        .agg(
            n=pl.len().cast(pl.Int64),
            mae=error.abs().mean(),
            rmse=(error**2).mean().sqrt(),
            mae_of_nothing=_ratio(error.abs().sum(), actual.abs().sum()),
            total_off_by=_ratio(error.sum(), actual.sum()),
            buyers=(actual > 0).mean(),
        )
        .sort("mae", "model")
        .collect(engine="streaming")
    )


def _ratio(above: pl.Expr, below: pl.Expr) -> pl.Expr:
    return pl.when(below != 0).then(above / below)
