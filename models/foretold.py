"""Foretold: what every candidate says at each origin of days it has not seen, beside what then happened.

At each origin (`models.origins`) candidates see the shop as it was known then (`models.known`): later orders do not
exist, and neither do refunds made later of earlier orders. The truth is what customers known at the origin did in the
horizon after it: whether they placed a valid order, and the net of those orders by order date with refunds known by
the horizon's end. Refunds in the horizon of orders from *before* it count nowhere: they are not the future's sales,
and no candidate predicts them.

What does not belong here: how well they did (`models.measure`), both together (`models.backtest`).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, cast

import polars as pl

from models._behaviour_features import known_orders
from models.baselines import GlobalMean, LastTwelveMonths, RfmCellMean
from models.boosted_trees import BoostedTrees
from models.candidates import (
    Candidate,
    bg_nbd_gamma_gamma,
    mbg_nbd_gamma_gamma,
    pareto_nbd_gamma_gamma,
)
from models.errors import ApproximationWarning, DisqualifiedError, ModelError, UnitWarning
from models.features import Tables
from models.known import Known, known_at, sample_of
from models.less_returns import LessReturns
from models.origins import MOST_ORIGINS, default_horizon, origins
from models.season_level import mbg_nbd_season, season_mean
from models.summary import purchases_at

__all__ = ["MOST_CUSTOMERS", "Predicted", "default_candidates", "predict_candidates"]

MOST_CUSTOMERS: Final = 300_000
"""Customers that a back-test looks at; of more, a sample: its intervals are narrow enough by far (ours)."""


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """What the candidates foretold.

    Attributes
    ----------
    predictions
        One row per origin, model and customer: as_of, cut, horizon_days, customer_key, model, predicted_value,
        purchase_probability, actual_value, has_bought.
    candidates
        One row per origin and model: as_of, cut, horizon_days, model, took_part, notes (why not, or what the model
        warned of; empty where nothing).
    """

    predictions: pl.DataFrame
    candidates: pl.DataFrame


def default_candidates() -> list[Candidate]:
    """Return the three baselines, the purchase models, those that know the season, and the trees, simplest first."""
    return [
        GlobalMean(),
        LastTwelveMonths(),
        RfmCellMean(),
        bg_nbd_gamma_gamma(),
        mbg_nbd_gamma_gamma(),
        pareto_nbd_gamma_gamma(),
        LessReturns(),
        mbg_nbd_season(),
        season_mean(),
        BoostedTrees(),
    ]


def predict_candidates(
    orders: pl.LazyFrame,
    returns: pl.LazyFrame,
    *,
    as_of: date,
    seed: int = 0,
    horizon_days: int | None = None,
    candidates: Sequence[Candidate] | None = None,
    tables: Mapping[str, pl.LazyFrame] | None = None,
    most_origins: int = MOST_ORIGINS,
    max_customers: int = MOST_CUSTOMERS,
) -> Predicted:
    """Fit every candidate at each origin, and put its predictions beside what happened.

    A candidate that refuses an origin (too little history, no convergence) has no predictions there, and says why. One
    that is disqualified at any origin has none at all.

    Parameters
    ----------
    orders, returns, as_of, seed, horizon_days, candidates, tables, most_origins
        See `models.backtest.backtest`.
    max_customers
        Of more customers a sample of this size is looked at.

    Raises
    ------
    ValueError
        See `models.backtest.backtest`.
    """
    candidates = default_candidates() if candidates is None else candidates
    _check_names(candidates)
    given = cast(Tables, {**(tables or {}), "orders": orders, "returns": returns})
    sample = sample_of(given, as_of, seed=seed, max_customers=max_customers)
    first_day = _first_day(sample["orders"], as_of)
    horizon_days = default_horizon(first_day, as_of) if horizon_days is None else horizon_days
    predictions: list[pl.DataFrame] = []
    told: list[dict[str, object]] = []
    out: dict[str, str] = {}
    for cut in origins(first_day, as_of, horizon_days, most=most_origins):
        known = known_at(cut, **sample)
        known = Known(cut, known.purchases.collect().lazy(), known.tables)
        outcomes = _outcomes(known, sample, horizon_days)
        for candidate in candidates:
            predicted, notes = None, out.get(candidate.name, "")
            if candidate.name not in out:
                try:
                    predicted, notes = _predict(candidate, known, horizon_days, outcomes)
                except DisqualifiedError as error:
                    out[candidate.name] = notes = str(error)
            told.append(
                {"cut": cut, "model": candidate.name, "took_part": predicted is not None, "notes": notes}
            )
            if predicted is not None:
                predictions.append(predicted.select(pl.lit(cut).alias("cut"), pl.all()))
    predictions = [rows for rows in predictions if rows["model"][0] not in out]
    if not predictions:
        reasons = "; ".join(f"{row['model']}: {row['notes']}" for row in told)
        raise ValueError(f"No candidate could be back-tested. {reasons}")
    said = pl.DataFrame(
        [row | _if_out(row, out) for row in told],
        schema={"cut": pl.Date, "model": pl.String, "took_part": pl.Boolean, "notes": pl.String},
    )
    split = [
        pl.lit(as_of).alias("as_of"),
        pl.col("cut"),
        pl.lit(horizon_days, pl.Int32).alias("horizon_days"),
    ]
    return Predicted(
        predictions=pl.concat(predictions).select(*split, pl.exclude("cut")),
        candidates=said.select(*split, pl.exclude("cut")),
    )


def _if_out(row: Mapping[str, object], out: Mapping[str, str]) -> dict[str, object]:
    """What changes in the row of a model that was disqualified, perhaps at another origin."""
    name = str(row["model"])
    return {"took_part": False, "notes": out[name]} if name in out else {}


def _check_names(candidates: Sequence[Candidate]) -> None:
    names = [candidate.name for candidate in candidates]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"Candidates need distinct names, at least one: {names}.")


def _first_day(orders: pl.LazyFrame, as_of: date) -> date:
    first_day = known_orders(orders, as_of).select(pl.col("order_day").min()).collect().item()
    if not isinstance(first_day, date):
        raise ValueError(f"There is no valid order of a known customer up to {as_of}: nothing to back-test.")
    return first_day


def _outcomes(known: Known, tables: Tables, horizon_days: int) -> pl.DataFrame:
    """Return what customers known at the origin did in the horizon, by customer_key."""
    end = known.as_of + timedelta(horizon_days)
    returns = tables.get("returns")
    assert returns is not None, "a back-test is given returns"
    after = (
        purchases_at(tables["orders"], returns, end)
        .filter(pl.col("order_day") > known.as_of)
        .group_by("customer_key")
        .agg(net=pl.col("net").sum())
    )
    return (
        known.purchases.select("customer_key")
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


def _told(said: list[warnings.WarningMessage]) -> Iterator[str]:
    """What models warned of; warnings of anything else go on their way."""
    for warning in said:
        if issubclass(warning.category, ApproximationWarning | UnitWarning):
            yield str(warning.message)
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def _predict(
    candidate: Candidate, known: Known, horizon_days: int, outcomes: pl.DataFrame
) -> tuple[pl.DataFrame | None, str]:
    """One candidate's predictions beside the outcomes, in the order of the outcomes; and what it said."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            predicted = candidate.fit(known).predict(horizon_days)
        except DisqualifiedError:
            raise
        except ModelError as error:
            return None, str(error)
    notes = "; ".join(dict.fromkeys(_told(said)))
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
    ), notes
