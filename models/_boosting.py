# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportArgumentType=false
"""The one door to scikit-learn's boosted trees, calibrators and permutation importances.

Type checks are relaxed here, and here only, because scikit-learn ships neither annotations nor stubs. It is imported
inside the functions: importing `models` must not cost its start-up.

Does not belong here: what is learnt from what (`models.churn`, `models.future_value`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Loss = Literal["log_loss", "poisson"]
Predict = Callable[[FloatArray], FloatArray]

_NO_BETTER_FOR = 20
"""Trees without a gain on the later cut after which no more are tried."""
_WORTH_SHARING = 100_000
"""Rows from which on several threads pay; the numbers are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosting:
    """How trees are grown; names and meaning are scikit-learn's."""

    max_iter: int
    learning_rate: float
    max_leaf_nodes: int
    min_samples_leaf: int
    seed: int


class Rows(NamedTuple):
    """Features (rows, columns) and what is to be predicted (rows,)."""

    X: FloatArray
    y: FloatArray


class Grown(NamedTuple):
    """Fitted trees: how they predict, how many there are, and scikit-learn's own object."""

    predict: Predict
    trees: int
    estimator: Any


class Importance(NamedTuple):
    """Loss of log-likelihood per row when a column is shuffled: mean and standard deviation of the shuffles."""

    mean: FloatArray
    deviation: FloatArray


def grow(
    loss: Loss,
    boosting: Boosting,
    *,
    early: Rows,
    stopping: Rows,
    fitting: Rows,
    categorical: Sequence[int],
) -> Grown:
    """Find on `stopping` how many trees grown on `early` are best, then grow as many on `fitting`.

    Returns
    -------
    Grown
        It predicts the probability of y = 1 (log_loss) or the mean of y.
    """
    first = _estimator(loss, boosting, categorical, boosting.max_iter, stops=True)
    with _threads(len(fitting.y)):
        first.fit(early.X, early.y, X_val=stopping.X, y_val=stopping.y)
        # the first score is that of no tree at all
        trees = max(1, int(np.argmax(first.validation_score_)))
        last = _estimator(loss, boosting, categorical, trees, stops=False).fit(fitting.X, fitting.y)
    return grown_from(last, loss)


def grown_from(estimator: Any, loss: Loss) -> Grown:
    """The same from scikit-learn's own object, as when it was stored."""
    return Grown(_prediction(estimator, loss), int(estimator.n_iter_), estimator)


def sigmoid(log_odds: FloatArray, happened: FloatArray) -> tuple[float, float]:
    """Slope and intercept of the logistic regression of what happened on predicted log-odds, without penalty."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=np.inf).fit(log_odds[:, None], happened)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def isotonic(probability: FloatArray, happened: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Corners of the rising step curve nearest to what happened: predicted and calibrated probabilities."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(probability, happened)
    return np.asarray(fitted.X_thresholds_, np.float64), np.asarray(fitted.y_thresholds_, np.float64)


def permutation(grown: Grown, rows: Rows, *, repeats: int, seed: int) -> Importance:
    """Shuffle one column at a time and see how much worse the probabilities get."""
    from sklearn.inspection import permutation_importance

    with _threads(len(rows.y)):
        found: Any = permutation_importance(
            grown.estimator, rows.X, rows.y, scoring="neg_log_loss", n_repeats=repeats, random_state=seed
        )
    return Importance(
        np.asarray(found.importances_mean, np.float64), np.asarray(found.importances_std, np.float64)
    )


def _threads(rows: int) -> AbstractContextManager[object]:
    """One thread for few rows: many would mostly wait for each other, for long on a busy machine."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1 if rows < _WORTH_SHARING else None, user_api="openmp")


def _estimator(loss: Loss, boosting: Boosting, categorical: Sequence[int], trees: int, *, stops: bool) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if loss == "log_loss" else HistGradientBoostingRegressor
    return kind(
        loss=loss,
        max_iter=trees,
        learning_rate=boosting.learning_rate,
        max_leaf_nodes=boosting.max_leaf_nodes,
        min_samples_leaf=boosting.min_samples_leaf,
        categorical_features=list(categorical),
        early_stopping=stops,
        n_iter_no_change=_NO_BETTER_FOR,
        random_state=boosting.seed,
    )


def _prediction(estimator: Any, loss: Loss) -> Predict:
    if loss == "log_loss":
        return lambda X: np.asarray(estimator.predict_proba(X)[:, 1], np.float64)
    return lambda X: np.asarray(estimator.predict(X), np.float64)
