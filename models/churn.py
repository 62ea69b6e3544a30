"""Churn by boosted trees: the probability that a customer places no valid order in the days ahead.

The trees see everything that `models.features` tells, where the buy-till-you-die models see three numbers. That helps
where a shop knows more than order days, or where people do not buy at a steady pace, and not otherwise: the back-test
decides, and a simpler model that does as well wins.

What does not belong here: what they will spend (`models.future_value`), the training rows (`models.training_rows`).
"""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from models._boosting import Boosting, Grown, Rows, grow, permutation
from models._feature_matrix import FeatureColumns
from models._probability_calibration import Calibration, Method, calibrated
from models._time_split import Split, require_both, split_by_time
from models.errors import NotFittedError
from models.metrics import ProbabilityAccuracy
from models.training_rows import LABELS

__all__ = ["ChurnClassifier", "features_to_learn_from"]

FloatArray = npt.NDArray[np.float64]

_ROWS_TO_SHUFFLE: Final = 5_000
"""Held-back customers that importances are taken from at most: they are for reading, and shuffling is dear."""
_DATE_OF_CUT: Final = "as_of_"


class ChurnClassifier:
    """P(no valid order in (as_of, as_of + horizon_days]), by scikit-learn's HistGradientBoostingClassifier.

    Trees are grown on the earlier cuts, their number is chosen on the last but one, and the latest cut, on which
    nothing was grown, calibrates the probabilities. The same rows and seed give the same numbers.

    There is no `to_json`: hundreds of trees are no readable parameters, and a pickle would run code when it is read.
    A model is made again from its training rows and `get_params()`.

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
        season for what was peculiar to one cut.
    cuts_ : list of date
    n_rows_ : int
        Rows fitted.
    n_held_back_ : int
        Customers that the probabilities were calibrated on.
    trees_ : int
    calibration_ : Calibration
    held_back_ : DataFrame
        One row per customer held back: cut, customer_key, probability (of no order, before calibration: no row had a
        say in its own), bought.
    held_back_metrics_ : dict
        Log-loss, Brier, AUC, ECE and bias of these.
    importances_ : DataFrame
        One row per feature, most important first: feature, importance, deviation: by how much shuffling it raises the
        log-loss of customers held back (permutation importance, Breiman 2001, Random Forests, section 10).
        Features that tell the same share their importance, and each may look useless.
    """

    columns_: FeatureColumns
    left_out_: tuple[str, ...]
    cuts_: list[Any]
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
        self.importances_ = self._importances(held_back)
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
        if not hasattr(self, "_grown"):
            raise NotFittedError("This ChurnClassifier has no trees yet: call fit(training_rows) first.")
        if features.is_empty():
            return np.empty(0)
        return self.calibration_.apply(self._grown.predict(self.columns_.matrix(features)))

    _grown: Grown

    def _boosting(self) -> Boosting:
        return Boosting(
            max_iter=self.max_iter,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            seed=self.seed,
        )

    def _importances(self, held_back: Rows) -> pl.DataFrame:
        schema = {"feature": pl.String, "importance": pl.Float64, "deviation": pl.Float64}
        if not self.importance_repeats:
            return pl.DataFrame(schema=schema)
        chosen = np.random.default_rng(self.seed).permutation(len(held_back.y))[:_ROWS_TO_SHUFFLE]
        some = Rows(held_back.X[chosen], held_back.y[chosen])
        found = permutation(self._grown, some, repeats=self.importance_repeats, seed=self.seed)
        columns = {"feature": self.columns_.names, "importance": found.mean, "deviation": found.deviation}
        return pl.DataFrame(columns, schema=schema).sort("importance", "feature", descending=[True, False])


def features_to_learn_from(split: Split) -> tuple[FeatureColumns, tuple[str, ...]]:
    """Features of the rows fitted on, and those left out for telling the date of a cut."""
    dated = (
        () if split.spans_a_year else tuple(n for n in split.fitting.columns if n.startswith(_DATE_OF_CUT))
    )
    return FeatureColumns.learn(split.fitting, leave_out=(*LABELS, *dated)), dated
