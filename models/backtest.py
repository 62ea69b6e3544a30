"""Back-test: put the shop back in time, predict, and compare with what then happened.

The cut lies one horizon before `as_of`. Candidates see the purchases as they were known at the cut: later
orders do not exist, and neither do refunds made later of earlier orders. The truth is what customers known at
the cut did in (cut, as_of]: whether they placed a valid order, and the net of those orders by order date
with refunds known by `as_of`. Refunds in the horizon of orders from *before* the cut count nowhere:
they are not the future's sales, and no candidate predicts them.

Measures are taken in `models.measure`; which model wins is decided in `models.champion`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from models.baselines import GlobalMean, LastTwelveMonths, RfmCellMean
from models.calibration import calibration_by_decile
from models.candidates import Candidate, bg_nbd_gamma_gamma, mbg_nbd_gamma_gamma
from models.measure import Measured, measure
from models.summary import purchases_at

__all__ = [
    "BacktestResult",
    "Measured",
    "backtest",
    "default_candidates",
    "measure",
    "predict_candidates",
]

LONGEST_DEFAULT_HORIZON = 365


@dataclass(frozen=True, kw_only=True)
class BacktestResult:
    """How each candidate did.

    Attributes
    ----------
    as_of, cut, horizon_days
        The split: fitted on days up to `cut`, measured on (cut, as_of].
    metrics
        One row per quantity ("value", "probability"), model and metric: as_of, cut, horizon_days, quantity,
        model, metric, value, low, high (95 % bootstrap interval; null where undefined), n (customers).
    comparisons
        One row per quantity, metric and ordered pair of models: quantity, metric, model, versus, difference
        (model minus versus), low, high. Both are measured on the same resamples.
    calibration
        By decile of prediction (`models.calibration`), with as_of, cut, horizon_days.
    predictions
        One row per customer and model: as_of, cut, horizon_days, customer_key, model, predicted_value,
        purchase_probability, actual_value, has_bought.
    """

    as_of: date
    cut: date
    horizon_days: int
    metrics: pl.DataFrame
    comparisons: pl.DataFrame
    calibration: pl.DataFrame
    predictions: pl.DataFrame


def default_candidates() -> list[Candidate]:
    """Return the three baselines and the purchase models, simplest first."""
    return [GlobalMean(), LastTwelveMonths(), RfmCellMean(), bg_nbd_gamma_gamma(), mbg_nbd_gamma_gamma()]


def backtest(
    orders: pl.LazyFrame,
    returns: pl.LazyFrame,
    *,
    as_of: date,
    seed: int,
    horizon_days: int | None = None,
    candidates: Sequence[Candidate] | None = None,
    draws: int = 200,
) -> BacktestResult:
    """Fit every candidate one horizon before `as_of` and measure it on the horizon.

    Parameters
    ----------
    orders, returns
        Facts tables; rows after `as_of` change nothing.
    as_of
        Last day included.
    seed
        Of the bootstrap intervals.
    horizon_days
        Length of the horizon. Default: a quarter of the history, at most 365 days, so that before the cut
        lies a window of the same length for the baselines and as much again to know customers by.
    candidates
        What to measure, names distinct; they are fitted anew. Default: `default_candidates`.
    draws
        Resamples for the intervals.

    Returns
    -------
    BacktestResult

    Raises
    ------
    ValueError
        If there are no orders, the horizon leaves no history or is not positive, names repeat, or a candidate
        leaves a customer without prediction.
    """
    predictions = predict_candidates(
        orders, returns, as_of=as_of, horizon_days=horizon_days, candidates=candidates
    )
    measured = measure(predictions, seed=seed, draws=draws)
    cut, tested_days = predictions.select("cut", "horizon_days").row(0)
    return BacktestResult(
        as_of=as_of,
        cut=cut,
        horizon_days=tested_days,
        metrics=measured.metrics,
        comparisons=measured.comparisons,
        calibration=calibration_by_decile(predictions.lazy())
        .collect()
        .select(
            pl.lit(as_of).alias("as_of"),
            pl.lit(cut).alias("cut"),
            pl.lit(tested_days, pl.Int32).alias("horizon_days"),
            pl.all(),
        ),
        predictions=predictions,
    )


def predict_candidates(
    orders: pl.LazyFrame,
    returns: pl.LazyFrame,
    *,
    as_of: date,
    horizon_days: int | None = None,
    candidates: Sequence[Candidate] | None = None,
) -> pl.DataFrame:
    """Fit every candidate one horizon before `as_of`, and put its predictions beside what happened.

    The first half of `backtest`, for those who keep the predictions; `measure` is the second.

    Parameters
    ----------
    orders, returns, as_of, horizon_days, candidates
        See `backtest`.

    Returns
    -------
    pl.DataFrame
        `BacktestResult.predictions`, by candidate and customer_key.

    Raises
    ------
    ValueError
        See `backtest`.
    """
    candidates = default_candidates() if candidates is None else candidates
    _check_names(candidates)
    known_now = purchases_at(orders, returns, as_of).collect()
    horizon_days, cut = _split(known_now, as_of, horizon_days)
    known_at_cut = purchases_at(orders, returns, cut).collect().lazy()
    outcomes = _outcomes(known_at_cut, known_now.lazy(), cut)
    return pl.concat(
        _predict(candidate, known_at_cut, cut, horizon_days, outcomes) for candidate in candidates
    ).select(
        pl.lit(as_of).alias("as_of"),
        pl.lit(cut).alias("cut"),
        pl.lit(horizon_days, pl.Int32).alias("horizon_days"),
        pl.all(),
    )


def _check_names(candidates: Sequence[Candidate]) -> None:
    names = [candidate.name for candidate in candidates]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"Candidates need distinct names, at least one: {names}.")


def _split(purchases: pl.DataFrame, as_of: date, horizon_days: int | None) -> tuple[int, date]:
    first_day = purchases["order_day"].min()
    if not isinstance(first_day, date):
        raise ValueError(f"There is no valid order of a known customer up to {as_of}: nothing to back-test.")
    history_days = (as_of - first_day).days
    if horizon_days is None:
        horizon_days = min(LONGEST_DEFAULT_HORIZON, history_days // 4)
    if not 1 <= horizon_days < history_days:
        raise ValueError(
            f"A horizon of {horizon_days} days cannot be tested on a history of {history_days} days: "
            "it must be at least 1 and leave some history before the cut."
        )
    return horizon_days, as_of - timedelta(days=horizon_days)


def _outcomes(known_at_cut: pl.LazyFrame, known_now: pl.LazyFrame, cut: date) -> pl.DataFrame:
    """Return what customers known at the cut did after it, by customer_key."""
    after = known_now.filter(pl.col("order_day") > cut).group_by("customer_key").agg(net=pl.col("net").sum())
    return (
        known_at_cut.select("customer_key")
        .unique()
        .join(after, on="customer_key", how="left")
        .select(
            "customer_key",
            actual_value=pl.col("net").cast(pl.Float64).fill_null(0.0),
            has_bought=pl.col("net").is_not_null(),
        )
        .sort("customer_key")
        .collect()
    )


def _predict(
    candidate: Candidate, purchases: pl.LazyFrame, cut: date, horizon_days: int, outcomes: pl.DataFrame
) -> pl.DataFrame:
    """One candidate's predictions beside the outcomes, in the order of the outcomes."""
    predicted = candidate.fit(purchases, cut).predict(horizon_days)
    if missing := outcomes.join(predicted, on="customer_key", how="anti").height:
        raise ValueError(f"{candidate.name} leaves {missing:,} of {outcomes.height:,} customers unpredicted.")
    joined = outcomes.join(
        predicted.select("customer_key", "predicted_value", "purchase_probability"),
        on="customer_key",
        how="left",
        validate="1:1",
        maintain_order="left",
    )
    return joined.select(
        "customer_key",
        pl.lit(candidate.name).alias("model"),
        "predicted_value",
        "purchase_probability",
        "actual_value",
        "has_bought",
    )
