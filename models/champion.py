"""Champion: which model is published for a quantity, and why, in words with the numbers.

The rule: the total must be right within 10 % first; then the best normalised Gini index (value) or log-loss
(probability) leads; and a simpler model that the back-test cannot tell from the leader wins over it. If that
is a baseline, the baseline is published and named. Measuring belongs to `models.backtest`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

Quantity = Literal["value", "probability"]
QUANTITIES: tuple[Quantity, ...] = ("value", "probability")

BASELINES = ("global_mean", "last_12_months", "rfm_cell_mean")
# Simplest first; a model that is not listed counts as less simple than all that are.
SIMPLICITY = (
    *BASELINES,
    "bg_nbd_gamma_gamma",
    "mbg_nbd_gamma_gamma",
    "pareto_nbd_gamma_gamma",
    "mbg_nbd_less_returns",
    "mbg_nbd_season",
    "season_mean",
    "boosted_trees",
)

LARGEST_BIAS = 0.10


@dataclass(frozen=True)
class Champion:
    """The model to publish.

    Attributes
    ----------
    name
        Its name in the back-test.
    is_baseline
        True if it is one of the baselines.
    reason
        Why, in one or two sentences with the numbers.
    """

    name: str
    is_baseline: bool
    reason: str


@dataclass(frozen=True)
class _Score:
    model: str
    bias: float
    value: float
    low: float | None
    high: float | None


def choose_champion(
    metrics: pl.DataFrame, quantity: Quantity, comparisons: pl.DataFrame | None = None
) -> Champion:
    """Choose the model to publish for a quantity.

    Parameters
    ----------
    metrics
        Of one back-test (`BacktestResult.metrics`): quantity, model, metric, value, low, high.
    quantity
        "value" (judged by normalised_gini) or "probability" (log_loss).
    comparisons
        Of the same back-test (`BacktestResult.comparisons`). With it, a simpler model is as good if the
        interval of its difference from the leader contains 0; without, if its value lies within the leader's
        interval, which is the wider and so the more forgiving rule.

    Returns
    -------
    Champion

    Raises
    ------
    ValueError
        If no model has both a bias and a score, as when nobody bought in the horizon.
    """
    metric, sign = ("normalised_gini", 1) if quantity == "value" else ("log_loss", -1)
    scores = _scores(metrics, quantity, metric)
    if not scores:
        raise ValueError(f"No model has a bias and a {metric} for {quantity}: nothing can be chosen.")
    # If nobody's total is right the first rule tells nobody apart, and the second decides among all.
    eligible = [score for score in scores if abs(score.bias) <= LARGEST_BIAS] or scores
    leader = max(eligible, key=lambda score: (sign * score.value, -_simplicity(score.model)))
    equals = [score for score in eligible if _is_as_good(score, leader, metric, quantity, comparisons)]
    champion = min(equals, key=lambda score: _simplicity(score.model))
    return Champion(champion.model, champion.model in BASELINES, _reason(champion, leader, scores, metric))


def _scores(metrics: pl.DataFrame, quantity: Quantity, metric: str) -> list[_Score]:
    rows = metrics.filter(pl.col("quantity") == quantity)
    bias = rows.filter(pl.col("metric") == "bias", pl.col("value").is_finite()).select("model", bias="value")
    scored = rows.filter(pl.col("metric") == metric, pl.col("value").is_finite())
    joined = scored.join(bias, on="model", maintain_order="left")
    return [
        _Score(**row) for row in joined.select("model", "bias", "value", "low", "high").iter_rows(named=True)
    ]


def _simplicity(model: str) -> int:
    return SIMPLICITY.index(model) if model in SIMPLICITY else len(SIMPLICITY)


def _is_as_good(
    score: _Score, leader: _Score, metric: str, quantity: Quantity, comparisons: pl.DataFrame | None
) -> bool:
    if score.model == leader.model:
        return True
    if comparisons is None:
        low, high, value = leader.low, leader.high, score.value
    else:
        pair = comparisons.filter(
            quantity=quantity, metric=metric, model=leader.model, versus=score.model
        ).row(0, named=True)
        low, high, value = pair["low"], pair["high"], 0.0
    return low is not None and high is not None and low <= value <= high


def _reason(champion: _Score, leader: _Score, scores: list[_Score], metric: str) -> str:
    total = f"its total is off by {champion.bias:+.1%}"
    if champion.model == leader.model:
        reason = f"{champion.model} has the best {metric} ({champion.value:.3f}) and {total}."
    else:
        reason = (
            f"{champion.model} ({metric} {champion.value:.3f}) is simpler than {leader.model} "
            f"({leader.value:.3f}), the back-test cannot tell them apart, and {total}."
        )
    biased = [f"{score.model} {score.bias:+.1%}" for score in scores if abs(score.bias) > LARGEST_BIAS]
    if len(biased) == len(scores):
        reason += (
            f" No model is within {LARGEST_BIAS:.0%} of the actual total: trust the order, not the amounts."
        )
    elif biased:
        reason += f" Out for a bias above {LARGEST_BIAS:.0%}: {', '.join(biased)}."
    if champion.model in BASELINES:
        reason += " It is a baseline and published as one."
    return reason
