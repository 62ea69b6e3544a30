"""What the champions expect of each customer: values, probabilities of silence, days to the next order.

The published quantities of the glossary, "Predictions", side by side for every customer. Which model is champion is
decided in `models.champion`; fitting belongs to `models.purchases`, `models.spend` and `models.boosted_trees`.
"""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from models.candidates import Candidate
from models.clv import Intervals, customer_lifetime_value
from models.empirical_bounds import probability_bounds, value_bounds
from models.errors import ApproximationWarning, ModelError
from models.known import Known
from models.less_returns import LessReturns, before_returns, returned_share_of
from models.published import Champions
from models.purchase_bounds import purchase_probability_bounds
from models.summary import customer_summary

FloatArray = npt.NDArray[np.float64]

HORIZON_DAYS: Final = 365
NEAR_HORIZON_DAYS: Final = 90
BANDS: Final = {"low": 1 / 3, "medium": 2 / 3}
"""Upper ends of the churn bands (ours); above the last it is high."""


def predict_customers(
    known: Known,
    champions: Champions,
    *,
    intervals: Intervals,
    annual_discount: float,
) -> pl.DataFrame:
    """Predict every customer known.

    Parameters
    ----------
    known
        What was known of the shop.
    intervals
        How intervals are drawn.
    annual_discount
        Yearly rate of the discounted value.

    Returns
    -------
    pl.DataFrame
        One row per customer, sorted by customer_key: as_of, customer_key, value_model, probability_model,
        historic_clv, expected_returned_share, predicted_* and churn_* of the glossary. Values in shop currency,
        probabilities as shares,
        waits in days (null: never). Bounds come from the model's own parameters or, where it has none, from how like
        predictions turned out in the back-test. Without a purchase model as champion for value, its discounted value
        is discounted as the orders of the purchase model are.
    """
    summary = customer_summary(known.purchases, known.as_of).sort("customer_key").collect()
    model = champions.fitted[champions.orders]
    historic = known.purchases.group_by("customer_key").agg(
        pl.col("net").sum().cast(pl.Float64).alias("historic_clv")
    )
    told, champions = _of_others(known, champions)
    columns = {
        **_orders_and_value(known, summary, champions, told, intervals, annual_discount),
        **_churn(summary, champions, told, intervals),
        "expected_next_order_p50": _days(model.time_to_next_purchase(summary, 0.5)),
        "expected_next_order_p80": _days(model.time_to_next_purchase(summary, 0.8)),
    }
    return (
        summary.select("customer_key")
        .join(historic.collect(), on="customer_key", how="left", maintain_order="left")
        .with_columns(pl.Series(name, values, dtype=pl.Float64) for name, values in columns.items())
        .with_columns(
            pl.lit(known.as_of).alias("as_of"),
            pl.lit(champions.value).alias("value_model"),
            pl.lit(champions.probability).alias("probability_model"),
            *(
                (pl.col("historic_clv") + pl.col(f"predicted_clv_365d{bound}")).alias(f"total_clv{bound}")
                for bound in ("", "_low", "_high")
            ),
            _returned_share(summary, champions).alias("expected_returned_share"),
            churn_band(pl.col("churn_probability_365d")).alias("churn_band"),
        )
    )


def churn_band(probability: pl.Expr) -> pl.Expr:
    """Name the band of a churn probability: low, medium or high."""
    return (
        pl.when(probability < BANDS["low"])
        .then(pl.lit("low"))
        .when(probability <= BANDS["medium"])
        .then(pl.lit("medium"))
        .when(probability.is_not_null())
        .then(pl.lit("high"))
    )


_Told = Mapping[tuple[str, int], pl.DataFrame]
"""Predictions of candidates that are no purchase models, by name and horizon, sorted by customer_key."""


def _of_others(known: Known, champions: Champions) -> tuple[_Told, Champions]:
    """Let candidates that are no purchase models predict, and put a purchase model in the place of who refuses."""
    asked = {"value": (HORIZON_DAYS,), "probability": (NEAR_HORIZON_DAYS, HORIZON_DAYS)}
    fitted: dict[str, Candidate] = {}
    told: dict[tuple[str, int], pl.DataFrame] = {}
    stand_ins: dict[str, str] = {}
    for quantity, horizons in asked.items():
        name = champions.value if quantity == "value" else champions.probability
        if name in champions.fitted or name == LessReturns.name:
            continue
        try:
            fitted[name] = fitted[name] if name in fitted else champions.others[name].fit(known)
            for horizon in horizons:
                if (name, horizon) not in told:
                    told[name, horizon] = fitted[name].predict(horizon).sort("customer_key")
        except ModelError as error:
            stand_ins[quantity] = champions.orders
            warnings.warn(
                f"{champions.orders} stands in for {name}, the champion for {quantity}: {error}",
                ApproximationWarning,
                stacklevel=3,
            )
    return told, replace(champions, **stand_ins)


def _orders_and_value(
    known: Known,
    summary: pl.DataFrame,
    champions: Champions,
    told: _Told,
    intervals: Intervals,
    annual_discount: float,
) -> dict[str, pl.Series]:
    model, spend, kept = champions.fitted[champions.orders], champions.spend, 1.0
    if champions.value == LessReturns.name and champions.spend_before_returns is not None:
        shop = before_returns(known, champions.returned_shares)
        summary, spend, kept = shop.summary, champions.spend_before_returns, pl.Series(shop.kept_share)
    expected = customer_lifetime_value(summary, model, spend, horizon_days=HORIZON_DAYS, intervals=intervals)
    discounted = customer_lifetime_value(
        summary, model, spend, horizon_days=HORIZON_DAYS, annual_discount=annual_discount
    )
    orders = {
        f"predicted_orders_365d{bound}": expected[f"predicted_orders{bound}"]
        for bound in ("", "_low", "_high")
    }
    if champions.value in champions.fitted or champions.value == LessReturns.name:
        value = expected["predicted_clv"] * kept
        bounds = {
            "_low": expected["predicted_clv_low"] * kept,
            "_high": expected["predicted_clv_high"] * kept,
            "_discounted": discounted["predicted_clv"] * kept,
        }
    else:
        value = told[champions.value, HORIZON_DAYS]["predicted_value"]
        came = champions.turned_out()
        share = (discounted["predicted_clv"] / expected["predicted_clv"]).fill_nan(1.0)
        bounds = {"_discounted": value * share}
        bounds |= _bounds(None if came is None else value_bounds(value, came), value.len())
    return orders | {
        "predicted_clv_365d": value,
        **{f"predicted_clv_365d{bound}": series for bound, series in bounds.items()},
    }


def _churn(
    summary: pl.DataFrame, champions: Champions, told: _Told, intervals: Intervals
) -> dict[str, pl.Series]:
    horizons = (NEAR_HORIZON_DAYS, HORIZON_DAYS)
    name = champions.probability
    if name in champions.fitted:
        model = champions.fitted[name]
        buys = {h: pl.Series(model.purchase_probability(summary, h)) for h in horizons}
        own = {
            h: purchase_probability_bounds(summary, model, horizon_days=h, intervals=intervals)
            for h in horizons
        }
        bounds = {h: {"_low": pl.Series(own[h].low), "_high": pl.Series(own[h].high)} for h in horizons}
    else:
        buys = {h: told[name, h]["purchase_probability"] for h in horizons}
        # Two sets of trees, one a horizon, know nothing of each other: what happens in 90 days happens in a year.
        buys[HORIZON_DAYS] = pl.select(pl.max_horizontal(*buys.values())).to_series()
        calibration = champions.calibrated()
        bounds = {
            h: _bounds(
                None if calibration is None else probability_bounds(buys[h], calibration), summary.height
            )
            for h in horizons
        }
    columns: dict[str, pl.Series] = {}
    for h in horizons:
        # The more likely an order, the less likely silence: the bounds change places.
        silent = {"": buys[h], "_low": bounds[h]["_high"], "_high": bounds[h]["_low"]}
        columns |= {f"churn_probability_{h}d{bound}": 1 - series for bound, series in silent.items()}
    return columns


def _returned_share(summary: pl.DataFrame, champions: Champions) -> pl.Series:
    shares = champions.returned_shares
    if shares is None or shares.is_empty():
        return pl.repeat(None, summary.height, dtype=pl.Float64, eager=True)
    return returned_share_of(summary, shares)


def _bounds(found: pl.DataFrame | None, rows: int) -> dict[str, pl.Series]:
    if found is None:
        return dict.fromkeys(("_low", "_high"), pl.repeat(None, rows, dtype=pl.Float64, eager=True))
    return {"_low": found["low"], "_high": found["high"]}


def _days(waits: FloatArray) -> pl.Series:
    """Waiting times as a column: a wait without end is no number of days."""
    return pl.Series(np.where(np.isfinite(waits), waits, np.nan)).fill_nan(None)
