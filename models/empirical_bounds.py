"""Bounds of predictions from how like predictions turned out in the back-test, for models that know none themselves.

The customers of a back-test are grouped by the rank of their prediction; what happened to a group bounds what is
expected of the same ranks now: split conformal prediction within groups (Vovk, Gammerman & Shafer 2005, Algorithmic
Learning in a Random World, section 4.5). Where the back-test's horizon is shorter than the published one, values are
taken in proportion to the prediction, which makes the bounds rather too wide: chance evens out over a longer time.

What does not belong here: bounds that follow from a model's own parameters (`models.clv`, `models.purchase_bounds`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from models.calibration import DECILES
from models.ranks import rank_score

__all__ = ["probability_bounds", "value_bounds"]

_NOTHING: Final = 1e-9


def value_bounds(predicted: pl.Series, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Bound each customer's value by what came of like predictions in the back-test.

    Parameters
    ----------
    predicted
        Expected value, one a customer.
    outcomes
        Rows of one model (`models.calibration.outcomes`).

    Returns
    -------
    pl.DataFrame
        low, high in row order: 90 % of outcomes lie between; null without outcomes. Where a group was
        predicted nothing, its outcomes are the bounds as they stand.
    """
    share = {
        bound: pl.when(pl.col("predicted_mean").abs() > _NOTHING)
        .then(pl.col(f"outcome_{bound}") / pl.col("predicted_mean") * pl.col("predicted"))
        .otherwise(f"outcome_{bound}")
        for bound in ("low", "high")
    }
    groups = outcomes["groups"][0] if outcomes.height else 1
    return _beside(predicted, outcomes.rename({"place": "group"}), groups).select(
        low=pl.min_horizontal(share["low"], share["high"]),
        high=pl.max_horizontal(share["low"], share["high"]),
    )


def probability_bounds(predicted: pl.Series, calibration: pl.DataFrame) -> pl.DataFrame:
    """Bound each customer's probability by how well the share of buyers of the same tenth is known.

    Parameters
    ----------
    predicted
        Probabilities, one a customer.
    calibration
        Rows of one model and the quantity "probability".

    Returns
    -------
    pl.DataFrame
        low, high in row order, within 0 and 1; null without calibration. The interval of the tenth's share (Wilson,
        95 %), moved to the customer's own probability.
    """
    return _beside(predicted, calibration.rename({"decile": "group"}), DECILES).select(
        low=(pl.col("predicted") + pl.col("low") - pl.col("actual_mean")).clip(0, 1),
        high=(pl.col("predicted") + pl.col("high") - pl.col("actual_mean")).clip(0, 1),
    )


def _beside(predicted: pl.Series, found: pl.DataFrame, groups: int) -> pl.DataFrame:
    """Each prediction beside its group in the back-test, or the nearest that is there."""
    all_groups = pl.DataFrame({"group": range(1, groups + 1)}, schema={"group": pl.Int32})
    nearest = all_groups.join_asof(
        found.with_columns(pl.col("group").cast(pl.Int32)).sort("group"), on="group", strategy="nearest"
    )
    own = pl.DataFrame({"predicted": predicted.cast(pl.Float64)})
    ranked = own.with_columns(group=rank_score(pl.col("predicted"), groups).cast(pl.Int32))
    return ranked.join(nearest, on="group", how="left", maintain_order="left")
