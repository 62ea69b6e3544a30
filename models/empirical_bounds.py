"""Bounds of predictions from how like predictions turned out in the back-test, for models that know none themselves.

The customers of a back-test are split by tenths of their prediction; what happened to a tenth bounds what is expected
of the same tenth now: split conformal prediction within groups (Vovk, Gammerman & Shafer 2005, Algorithmic Learning in
a Random World, section 4.5). Where the back-test's horizon is shorter than the published one, values are taken in
proportion to the prediction, which makes the bounds rather too wide, since chance evens out over a longer time.

What does not belong here: bounds that follow from a model's own parameters (`models.clv`, `models.purchase_bounds`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from models.calibration import DECILES
from models.ranks import rank_score

__all__ = ["probability_bounds", "value_bounds"]

_NOTHING: Final = 1e-9


def value_bounds(predicted: pl.Series, calibration: pl.DataFrame) -> pl.DataFrame:
    """Bound each customer's value by what came of the same tenth in the back-test.

    Parameters
    ----------
    predicted
        Expected value, one a customer.
    calibration
        Rows of one model and the quantity "value" (`models.calibration.calibration_by_decile`).

    Returns
    -------
    pl.DataFrame
        low, high in row order: 90 % of outcomes lie between; null without calibration. Where a tenth was predicted
        nothing, its outcomes are the bounds as they stand.
    """
    share = {
        bound: pl.when(pl.col("predicted_mean").abs() > _NOTHING)
        .then(pl.col(f"outcome_{bound}") / pl.col("predicted_mean") * pl.col("predicted"))
        .otherwise(f"outcome_{bound}")
        for bound in ("low", "high")
    }
    return _beside(predicted, calibration).select(
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
    return _beside(predicted, calibration).select(
        low=(pl.col("predicted") + pl.col("low") - pl.col("actual_mean")).clip(0, 1),
        high=(pl.col("predicted") + pl.col("high") - pl.col("actual_mean")).clip(0, 1),
    )


def _beside(predicted: pl.Series, calibration: pl.DataFrame) -> pl.DataFrame:
    """Each prediction beside its tenth in the back-test, or the nearest that is there."""
    tenths = pl.DataFrame({"tenth": range(1, DECILES + 1)}, schema={"tenth": pl.Int8})
    nearest = tenths.join_asof(
        calibration.sort("decile").with_columns(tenth=pl.col("decile").cast(pl.Int8)),
        on="tenth",
        strategy="nearest",
    )
    own = pl.DataFrame({"predicted": predicted.cast(pl.Float64)})
    ranked = own.with_columns(tenth=rank_score(pl.col("predicted"), DECILES))
    return ranked.join(nearest, on="tenth", how="left", maintain_order="left")
