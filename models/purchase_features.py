"""What the purchase and spend models expect of each customer, as features for trees.

MBG/NBD and Gamma-Gamma know how (frequency, recency, T) bend into a probability; trees would need many splits, and
many customers, to find that. They are fitted on what was known at `as_of` alone, so a training row of an earlier cut
holds what the models would have said on that day.

What does not belong here: predictions that are published (`models.candidates`, `models.clv`), the rest of the matrix
(`models.features`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from models.errors import ApproximationWarning, ModelError, NotEnoughDataError
from models.purchases import ModifiedBetaGeo
from models.spend import GammaGamma
from models.summary import customer_summary

__all__ = ["purchase_feature_names", "purchase_features"]

FloatArray = npt.NDArray[np.float64]

_PRIOR_PRECISION: Final = 1.0
"""Steadies parameters that a young shop hardly determines; from some hundred customers on it moves nothing (ours)."""
_FEWEST_RETURNED: Final = 10
"""Returning customers below which estimates are an anecdote (ours)."""


def purchase_feature_names(horizon_days: int) -> tuple[str, str, str, str]:
    """Name the features: the model, what it says, and the horizon where there is one."""
    return (
        f"mbg_purchase_probability_{horizon_days}d",
        f"mbg_expected_orders_{horizon_days}d",
        "mbg_probability_alive",
        "gamma_gamma_expected_spend",
    )


def purchase_features(purchases: pl.LazyFrame, as_of: date, horizon_days: int) -> pl.DataFrame:
    """Fit MBG/NBD and Gamma-Gamma at `as_of` and say what they expect of each customer.

    Parameters
    ----------
    purchases
        As known at `as_of` (`models.summary.purchases_at`): customer_key, order_day, net, orders.
    as_of
        Last day included.
    horizon_days
        Days ahead.

    Returns
    -------
    DataFrame
        One row per customer, sorted by customer_key, then `purchase_feature_names` (Float64): probability of an order
        in (as_of, as_of + horizon_days], expected order days in it, probability of still being a customer, expected
        net per order day (shop currency). Null throughout where the model could not be fitted.

    Warns
    -----
    ApproximationWarning
        A model could not be fitted, or fell back to the pooled mean: which, why, and what is null for it. Collect it
        with `warnings.catch_warnings(record=True)` to report it; nothing is raised.
    """
    summary = customer_summary(purchases, as_of).sort("customer_key").collect(engine="streaming")
    *orders, spend = purchase_feature_names(horizon_days)
    return summary.select(
        "customer_key",
        *_if_fitted("MBG/NBD", lambda: _orders_expected(summary, horizon_days), orders, as_of),
        *_if_fitted("Gamma-Gamma", lambda: [_spend_expected(summary)], [spend], as_of),
    )


def _if_fitted(
    model: str, predict: Callable[[], list[FloatArray]], names: Sequence[str], as_of: date
) -> list[pl.Series | pl.Expr]:
    """Predictions by name; nulls and a warning where the model cannot be fitted."""
    try:
        with warnings.catch_warnings():
            # What is loose is steadied by the prior, and what a model falls back to is no feature.
            warnings.simplefilter("ignore", ApproximationWarning)
            return [pl.Series(name, values) for name, values in zip(names, predict(), strict=True)]
    except ModelError as error:
        warnings.warn(
            f"{model} could not be fitted on what was known at {as_of}, so {', '.join(names)} "
            f"{'is' if len(names) == 1 else 'are'} null there: {error}",
            ApproximationWarning,
            stacklevel=3,
        )
        return [pl.lit(None, pl.Float64).alias(name) for name in names]


def _require_returned(summary: pl.DataFrame) -> None:
    returned = int((summary["frequency"] > 0).sum())
    if returned < _FEWEST_RETURNED:
        raise NotEnoughDataError(
            f"{returned:,} of {summary.height:,} customers had come back, and {_FEWEST_RETURNED} are needed."
        )


def _orders_expected(summary: pl.DataFrame, horizon_days: int) -> list[FloatArray]:
    _require_returned(summary)
    model = ModifiedBetaGeo(prior_precision=_PRIOR_PRECISION).fit(summary)
    return [
        model.purchase_probability(summary, horizon_days),
        model.expected_purchases(summary, horizon_days),
        model.probability_alive(summary),
    ]


def _spend_expected(summary: pl.DataFrame) -> FloatArray:
    _require_returned(summary)
    model = GammaGamma().fit(summary)
    if model.fallback_:
        raise NotEnoughDataError(model.fallback_)
    return model.expected_spend(summary)
