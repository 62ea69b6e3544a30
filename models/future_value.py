"""Future value by boosted trees, in two parts: whether somebody buys, and how much if they do.

predicted net value = P(buys) x E(net | buys). One model for both would have to tell a likely small buyer from an
unlikely large one out of a single number that is mostly 0.

What does not belong here: fitting whether they buy (`models.churn`), the formula-based value (`models.clv`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from models._boosting import Boosting, Grown, Loss, Rows, grow
from models._feature_matrix import FeatureColumns, features_to_learn_from
from models._model_json import number
from models._stored_trees import Stored, read_stored, store
from models._time_split import FEWEST, split_by_time
from models.churn import ChurnClassifier
from models.errors import NotEnoughDataError, NotFittedError

__all__ = ["FutureValue"]

FloatArray = npt.NDArray[np.float64]

_NET: Final = "net"
_LOSSES: Final[Mapping[str, Loss]] = {"purchase": "log_loss", _NET: "poisson"}


class FutureValue:
    """Net value of each customer in the days ahead: trees for buying times trees for the net of buyers.

    E(net | buys) is fitted by scikit-learn's HistGradientBoostingRegressor with a log link and the Poisson deviance.
    Of the losses for amounts it is the one whose optimum keeps totals: over the customers fitted, and over every group
    that a tree can tell apart, the predicted nets add up to the nets, whatever their distribution (a quasi-likelihood:
    Gourieroux, Monfort & Trognon 1984, Econometrica 52, 681-700); and a net of 0 (all of it came back) is just a small
    amount. Gamma cannot take zeros, and since only ratios count for it, totals may drift; a regression on log(1 + net)
    needs Duan's smearing, which supposes that the spread of logs is the same for everybody. What is left of a drift,
    from growing trees in small steps and from the season, is taken off by `level_`.

    `to_skops` keeps a fitted model as `models.churn.ChurnClassifier` does.

    Parameters
    ----------
    horizon_days
        The horizon that the training rows were made for.
    max_iter, learning_rate, max_leaf_nodes, min_samples_leaf
        Of both parts, as in scikit-learn.
    seed

    Attributes
    ----------
    purchase_ : ChurnClassifier
        The first part.
    columns_ : FeatureColumns
    trees_ : int
        Of the second part.
    n_buyers_ : int
        Rows of buyers that the second part was fitted on.
    n_zero_, n_negative_ : int
        Of these, buyers whose net was 0, and below 0 (more came back than was paid for); the latter are fitted as 0,
        and what that adds is taken off by `level_`.
    level_ : float
        Actual over predicted net of the customers held back; predictions are multiplied by it.
    held_back_totals_ : tuple of float
        These two: actual and predicted.
    """

    purchase_: ChurnClassifier
    columns_: FeatureColumns
    trees_: int
    n_buyers_: int
    n_zero_: int
    n_negative_: int
    level_: float
    held_back_totals_: tuple[float, float]

    def __init__(
        self,
        *,
        horizon_days: int = 365,
        max_iter: int = 400,
        learning_rate: float = 0.05,
        max_leaf_nodes: int = 15,
        min_samples_leaf: int = 50,
        seed: int = 0,
    ) -> None:
        self.horizon_days = horizon_days
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.seed = seed

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters of the constructor, as scikit-learn has them."""
        return {"horizon_days": self.horizon_days, "seed": self.seed, **self._trees()}

    def fit(self, rows: pl.DataFrame, *, purchase: ChurnClassifier | None = None) -> Self:
        """Learn both parts from training rows; see `models.churn.ChurnClassifier.fit`.

        Parameters
        ----------
        rows
            From `models.training_rows.training_rows`, for the same horizon.
        purchase
            The first part, where it was fitted on these rows already, with the same horizon and seed; None fits it.

        Raises
        ------
        NotEnoughDataError
            Too few cuts or customers, or too few buyers with a positive net; the message has the numbers.
        NotFittedError
            The first part is given and not fitted.
        ValueError
            Not training rows, or a first part with another horizon or seed.
        """
        self.purchase_ = self._first_part(rows) if purchase is None else self._checked(purchase)
        split = split_by_time(rows, self.horizon_days, self.seed)
        buyers = split.of_buyers()
        _require_positive([buyers.early, buyers.stopping])
        self.columns_, _ = features_to_learn_from(buyers)
        fitted = buyers.fitting["net"]
        self.n_buyers_ = fitted.len()
        self.n_zero_, self.n_negative_ = int((fitted == 0).sum()), int((fitted < 0).sum())
        early, stopping, fitting = (
            Rows(self.columns_.matrix(part), part["net"].clip(lower_bound=0.0).to_numpy())
            for part in (buyers.early, buyers.stopping, buyers.fitting)
        )
        boosting = Boosting(seed=self.seed, **self._trees())
        self._grown = grow(
            "poisson",
            boosting,
            early=early,
            stopping=stopping,
            fitting=fitting,
            categorical=self.columns_.categorical,
        )
        self.trees_ = self._grown.trees
        self.level_ = 1.0
        self.held_back_totals_ = (
            float(split.held_back["net"].sum()),
            float(self.predict(split.held_back).sum()),
        )
        actual, predicted = self.held_back_totals_
        self.level_ = actual / predicted if predicted > 0 and actual > 0 else 1.0
        return self

    def predict(self, features: pl.DataFrame) -> FloatArray:
        """Net value in the horizon, shop currency, undiscounted; (rows,) array, in row order.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            Features are missing.
        """
        return self.probability_of_purchase(features) * self.net_if_buying(features)

    def probability_of_purchase(self, features: pl.DataFrame) -> FloatArray:
        """The first part: probability of at least one valid order in the horizon; (rows,) array."""
        self._require_fitted()
        return self.purchase_.probability_of_purchase(features)

    def net_if_buying(self, features: pl.DataFrame) -> FloatArray:
        """The second part: expected net of those who buy, shop currency; (rows,) array."""
        self._require_fitted()
        if features.is_empty():
            return np.empty(0)
        return self.level_ * self._grown.predict(self.columns_.matrix(features))

    def to_skops(self) -> bytes:
        """Write both fitted parts; see `models.churn.ChurnClassifier.to_skops`."""
        self._require_fitted()
        purchase = self.purchase_.stored()
        content = {
            "params": self.get_params(),
            "purchase": purchase.content,
            "columns": self.columns_.content(),
            "n_buyers": self.n_buyers_,
            "n_zero": self.n_zero_,
            "n_negative": self.n_negative_,
            "level": self.level_,
            "held_back_totals": self.held_back_totals_,
        }
        return store(type(self).__name__, Stored(content, {**purchase.trees, _NET: self._grown}))

    @classmethod
    def from_skops(cls, data: bytes, *, horizon_days: int | None = None) -> Self:
        """Read a model written by `to_skops`; see `models.churn.ChurnClassifier.from_skops`."""
        content, trees = read_stored(data, cls.__name__, _LOSSES, horizon_days=horizon_days)
        model = cls(**content["params"])
        model.purchase_ = ChurnClassifier.from_stored(content["purchase"], trees)
        model.columns_ = FeatureColumns.from_content(content["columns"])
        model.n_buyers_, model.n_zero_ = content["n_buyers"], content["n_zero"]
        model.n_negative_, model.level_ = content["n_negative"], number(content["level"])
        actual, predicted = content["held_back_totals"]
        model.held_back_totals_ = number(actual), number(predicted)
        model._grown = trees[_NET]
        model.trees_ = model._grown.trees
        return model

    _grown: Grown

    def _first_part(self, rows: pl.DataFrame) -> ChurnClassifier:
        return ChurnClassifier(
            horizon_days=self.horizon_days, importance_repeats=0, seed=self.seed, **self._trees()
        ).fit(rows)

    def _checked(self, purchase: ChurnClassifier) -> ChurnClassifier:
        if (purchase.horizon_days, purchase.seed) != (self.horizon_days, self.seed):
            raise ValueError(
                f"The first part was made for {purchase.horizon_days} days with seed {purchase.seed}, this model is "
                f"for {self.horizon_days} days with seed {self.seed}: they must hold back the same customers."
            )
        purchase.stored()
        return purchase

    def _require_fitted(self) -> None:
        if not hasattr(self, "_grown"):
            raise NotFittedError("This FutureValue has no trees yet: call fit(training_rows) first.")

    def _trees(self) -> dict[str, Any]:
        return {
            "max_iter": self.max_iter,
            "learning_rate": self.learning_rate,
            "max_leaf_nodes": self.max_leaf_nodes,
            "min_samples_leaf": self.min_samples_leaf,
        }


def _require_positive(parts: list[pl.DataFrame]) -> None:
    counts = [int((part["net"] > 0).sum()) for part in parts]
    if min(counts) < FEWEST:
        raise NotEnoughDataError(
            f"Learning how much buyers spend takes at least {FEWEST} with a positive net in each part; there are "
            f"{counts[0]:,} to fit and {counts[1]:,} to stop. Wait for more orders."
        )
