"""Churn by boosted trees: the probability that a customer places no valid order in the days ahead.

The trees see everything that `models.features` tells, where the buy-till-you-die models see three numbers. That helps
where a shop knows more than order days, or where people do not buy at a steady pace, and not otherwise: the back-test
decides, and a simpler model that does as well wins.

What does not belong here: what they will spend (`models.future_value`), the training rows (`models.training_rows`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from models._boosting import Boosting, Grown, Loss, Rows, grow
from models._feature_matrix import FeatureColumns, features_to_learn_from
from models._importances import IMPORTANCES, importances
from models._model_json import number
from models._probability_calibration import Calibration, Method, calibrated
from models._stored_trees import Stored, read_stored, store
from models._time_split import require_both, split_by_time
from models.errors import NotFittedError
from models.metrics import ProbabilityAccuracy

__all__ = ["ChurnClassifier"]

FloatArray = npt.NDArray[np.float64]

_PURCHASE: Final = "purchase"
_LOSSES: Final[Mapping[str, Loss]] = {_PURCHASE: "log_loss"}


class ChurnClassifier:
    """P(no valid order in (as_of, as_of + horizon_days]), by scikit-learn's HistGradientBoostingClassifier.

    Trees are grown on the earlier cuts, their number is chosen on the last but one, and the latest cut, on which
    nothing was grown, calibrates the probabilities. The same rows and seed give the same numbers.

    `to_skops` keeps a fitted model: JSON text, and the trees in an archive from which nothing can run. A pickle would
    run code when it is read, and hundreds of trees are no readable parameters.

    Parameters
    ----------
    horizon_days
        The horizon that the training rows were made for.
    calibration
        "sigmoid" or "isotonic", see `models._probability_calibration`.
    max_iter, learning_rate, max_leaf_nodes, min_samples_leaf
        As in scikit-learn; max_iter is the most trees tried.
    importance_repeats
        How often each feature is shuffled for `importances_`; 0 leaves them out.
    seed

    Attributes
    ----------
    columns_ : FeatureColumns
        Features and their categories.
    left_out_ : tuple of str
        Features not learnt from: the date of the cut, where the cuts show no whole year, since trees would take a
        season for what was peculiar to one cut; and what is known of nobody at the earlier cuts.
    cuts_ : list of date
    n_rows_ : int
        Rows fitted.
    n_held_back_ : int
        Customers that the probabilities were calibrated on.
    trees_ : int
    calibration_ : Calibration
    held_back_ : DataFrame
        One row per customer held back: cut, customer_key, probability (of no order, before calibration: no row had a
        say in its own), bought. Not stored by `to_skops`, since it is about single people.
    held_back_metrics_ : dict
        Log-loss, Brier, AUC, ECE and bias of these.
    importances_ : DataFrame
        One row per feature, most important first: feature, importance, deviation: by how much shuffling it raises the
        log-loss of customers held back (permutation importance, Breiman 2001, Random Forests, section 10).
        Features that tell the same share their importance, and each may look useless.
    """

    columns_: FeatureColumns
    left_out_: tuple[str, ...]
    cuts_: list[date]
    n_rows_: int
    n_held_back_: int
    trees_: int
    calibration_: Calibration
    held_back_: pl.DataFrame
    held_back_metrics_: dict[str, float]
    importances_: pl.DataFrame

    def __init__(
        self,
        *,
        horizon_days: int = 90,
        calibration: Method = "sigmoid",
        max_iter: int = 400,
        learning_rate: float = 0.05,
        max_leaf_nodes: int = 15,
        min_samples_leaf: int = 50,
        importance_repeats: int = 3,
        seed: int = 0,
    ) -> None:
        if calibration not in ("sigmoid", "isotonic"):
            raise ValueError(f'calibration must be "sigmoid" or "isotonic", not {calibration!r}.')
        self.horizon_days = horizon_days
        self.calibration: Method = calibration
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.importance_repeats = importance_repeats
        self.seed = seed

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters of the constructor, as scikit-learn has them."""
        names = (
            "horizon_days",
            "calibration",
            "max_iter",
            "learning_rate",
            "max_leaf_nodes",
            "min_samples_leaf",
            "importance_repeats",
            "seed",
        )
        return {name: getattr(self, name) for name in names}

    def fit(self, rows: pl.DataFrame) -> Self:
        """Learn from training rows.

        Parameters
        ----------
        rows
            From `models.training_rows.training_rows`, for the same horizon; further columns of numbers, flags or text
            are features as well.

        Raises
        ------
        NotEnoughDataError
            Too few cuts, or too few customers who did or did not buy; the message has the numbers.
        ValueError
            Not training rows, or features that are neither numbers, flags nor text.

        Warns
        -----
        ApproximationWarning
            The model has no skill on the customers held back.
        """
        split = split_by_time(rows, self.horizon_days, self.seed)
        require_both(split)
        self.columns_, self.left_out_ = features_to_learn_from(split)
        early, stopping, fitting, held_back = (
            Rows(self.columns_.matrix(part), part["bought"].cast(pl.Float64).to_numpy())
            for part in (split.early, split.stopping, split.fitting, split.held_back)
        )
        self._grown = grow(
            "log_loss",
            self._boosting(),
            early=early,
            stopping=stopping,
            fitting=fitting,
            categorical=self.columns_.categorical,
        )
        predicted = self._grown.predict(held_back.X)
        self.calibration_ = calibrated(self.calibration, predicted, held_back.y, stacklevel=3)
        self.cuts_ = rows["cut"].unique().sort().to_list()
        self.n_rows_, self.n_held_back_ = len(fitting.y), len(held_back.y)
        self.trees_ = self._grown.trees
        self.held_back_ = split.held_back.select(
            "cut", "customer_key", probability=pl.Series(1 - predicted), bought="bought"
        )
        self.held_back_metrics_ = ProbabilityAccuracy(1 - held_back.y, 1 - predicted).measure()
        self.importances_ = importances(
            self._grown, held_back, self.columns_.names, repeats=self.importance_repeats, seed=self.seed
        )
        return self

    def predict(self, features: pl.DataFrame) -> FloatArray:
        """Probability of no valid order in the horizon; (rows,) array, in row order.

        Parameters
        ----------
        features
            From `models.features.features`, with the tables that the training rows were made of.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            Features are missing.
        """
        return 1 - self.probability_of_purchase(features)

    def probability_of_purchase(self, features: pl.DataFrame) -> FloatArray:
        """Probability of at least one valid order in the horizon; (rows,) array, in row order."""
        self._require_fitted()
        if features.is_empty():
            return np.empty(0)
        return self.calibration_.apply(self._grown.predict(self.columns_.matrix(features)))

    def to_skops(self) -> bytes:
        """Write the fitted model, without pickles; `from_skops` predicts the same to the last bit.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        return store(type(self).__name__, self.stored())

    @classmethod
    def from_skops(cls, data: bytes, *, horizon_days: int | None = None) -> Self:
        """Read a model written by `to_skops`; nothing in it runs.

        Parameters
        ----------
        data
        horizon_days
            The horizon wanted; None takes any.

        Raises
        ------
        UnreadableModelError
            Another model, horizon, format version or minor version of scikit-learn, or types that trees do not need.
        """
        return cls.from_stored(*read_stored(data, cls.__name__, _LOSSES, horizon_days=horizon_days))

    def stored(self) -> Stored:
        """What is kept of the fitted model: content for JSON, and trees."""
        self._require_fitted()
        content = {
            "params": self.get_params(),
            "columns": self.columns_.content(),
            "left_out": self.left_out_,
            "cuts": [cut.isoformat() for cut in self.cuts_],
            "n_rows": self.n_rows_,
            "n_held_back": self.n_held_back_,
            "calibration": self.calibration_.content(),
            "held_back_metrics": self.held_back_metrics_,
            "importances": self.importances_.rows(),
        }
        return Stored(content, {_PURCHASE: self._grown})

    @classmethod
    def from_stored(cls, content: Mapping[str, Any], trees: Mapping[str, Grown]) -> Self:
        """Build the model from what `stored` gave."""
        model = cls(**content["params"])
        model.columns_ = FeatureColumns.from_content(content["columns"])
        model.left_out_ = tuple(content["left_out"])
        model.cuts_ = [date.fromisoformat(cut) for cut in content["cuts"]]
        model.n_rows_, model.n_held_back_ = content["n_rows"], content["n_held_back"]
        model.calibration_ = Calibration.from_content(content["calibration"])
        model.held_back_metrics_ = {
            name: number(value) for name, value in content["held_back_metrics"].items()
        }
        model.importances_ = pl.DataFrame(content["importances"], schema=IMPORTANCES, orient="row")
        model._grown = trees[_PURCHASE]
        model.trees_ = model._grown.trees
        return model

    _grown: Grown

    def _require_fitted(self) -> None:
        if not hasattr(self, "_grown"):
            raise NotFittedError("This ChurnClassifier has no trees yet: call fit(training_rows) first.")

    def _boosting(self) -> Boosting:
        return Boosting(
            max_iter=self.max_iter,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            seed=self.seed,
        )
