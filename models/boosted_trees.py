"""Boosted trees as a candidate: trained on the shop's own past, one set of trees a horizon.

The trees stand in `models.churn` and `models.future_value`, what they learn from in `models.training_rows`. They are
grown when a horizon is asked for, since what happens in 90 days is another question than what happens in a year.

What does not belong here: keeping fitted trees from night to night (who publishes them does).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import polars as pl

from models.errors import NotEnoughDataError
from models.features import features
from models.future_value import FutureValue
from models.known import CUSTOMERS_AT_ONCE, Known, parts_of
from models.purchase_features import purchase_features
from models.training_rows import training_rows

__all__ = ["BoostedTrees"]


class BoostedTrees:
    """Trees for whether somebody buys, and for how much if they do; see `Candidate`.

    Parameters
    ----------
    seed
        Of the sample of customers and of the trees.
    grown
        Trees grown before, by horizon in days; others are grown when asked for.
    at_once
        Customers scored at once, about: memory does not grow with the shop.

    Attributes
    ----------
    values_ : dict
        `FutureValue` by horizon in days.
    """

    name = "boosted_trees"
    values_: dict[int, FutureValue]

    def __init__(
        self,
        *,
        seed: int = 0,
        grown: Mapping[int, FutureValue] | None = None,
        at_once: int = CUSTOMERS_AT_ONCE,
    ) -> None:
        self.seed = seed
        self.at_once = at_once
        self.grown = grown or {}

    def fit(self, known: Known) -> Self:
        """Keep what was known; trees are grown by `predict`."""
        self._known = known
        self.values_ = dict(self.grown)
        return self

    def predict(self, horizon_days: int) -> pl.DataFrame:
        """Grow trees for this horizon and score everybody; see `Candidate.predict`.

        Raises
        ------
        NotEnoughDataError
            Only purchases are known, the history has no room for three cuts, or too few bought or did not.
        """
        as_of, tables = self._known.as_of, self._known.tables
        if tables is None:
            raise NotEnoughDataError("Trees learn from orders; of this shop only its purchases are known.")
        if horizon_days not in self.values_:
            rows = training_rows(as_of, horizon_days=horizon_days, seed=self.seed, **tables)
            self.values_[horizon_days] = FutureValue(horizon_days=horizon_days, seed=self.seed).fit(rows)
        model = self.values_[horizon_days]
        # Fitted once on everybody: each part would else have purchase models of its own.
        expected = purchase_features(self._known.purchases, as_of, horizon_days)
        return pl.concat(
            _scored(
                model, features(as_of, **part).collect(engine="streaming").join(expected, on="customer_key")
            )
            for part in parts_of(tables, expected.height, at_once=self.at_once)
        ).sort("customer_key")


def _scored(model: FutureValue, matrix: pl.DataFrame) -> pl.DataFrame:
    buys = model.probability_of_purchase(matrix)
    return matrix.select(
        "customer_key",
        predicted_value=pl.Series(buys * model.net_if_buying(matrix), dtype=pl.Float64),
        purchase_probability=pl.Series(buys, dtype=pl.Float64),
        model=pl.lit(BoostedTrees.name),
    )
