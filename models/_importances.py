"""Which features a fitted model leans on: by how much worse it gets when one is shuffled.

Breiman (2001), Random Forests, Machine Learning 45, section 10. Taken on customers that the trees were not grown on,
since trees lean on noise where they have seen it.

What does not belong here: the shuffling itself, which is scikit-learn's (`models._boosting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from models._boosting import Grown, Rows, permutation

__all__ = ["IMPORTANCES", "importances"]

IMPORTANCES: Final = {"feature": pl.String, "importance": pl.Float64, "deviation": pl.Float64}

_ROWS_TO_SHUFFLE: Final = 5_000
"""Customers that importances are taken from at most: they are for reading, and shuffling is dear (ours)."""


def importances(
    grown: Grown, held_back: Rows, names: Sequence[str], *, repeats: int, seed: int
) -> pl.DataFrame:
    """One row per feature, most important first; without repeats none."""
    if not repeats:
        return pl.DataFrame(schema=IMPORTANCES)
    chosen = np.random.default_rng(seed).permutation(len(held_back.y))[:_ROWS_TO_SHUFFLE]
    found = permutation(grown, Rows(held_back.X[chosen], held_back.y[chosen]), repeats=repeats, seed=seed)
    columns = {"feature": names, "importance": found.mean, "deviation": found.deviation}
    return pl.DataFrame(columns, schema=IMPORTANCES).sort("importance", "feature", descending=[True, False])
