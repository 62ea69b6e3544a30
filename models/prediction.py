"""What the champions expect of each customer: values, probabilities of silence, days to the next order.

The published quantities of the glossary, "Predictions", side by side for every customer. Which model is champion is
decided in `models.champion`; fitting belongs to `models.purchases` and `models.spend`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from models.baselines import GlobalMean, LastTwelveMonths, RfmCellMean
from models.clv import Intervals, customer_lifetime_value
from models.purchase_bounds import purchase_probability_bounds
from models.purchases import PurchaseModel
from models.spend import GammaGamma
from models.summary import customer_summary

FloatArray = npt.NDArray[np.float64]

HORIZON_DAYS: Final = 365
NEAR_HORIZON_DAYS: Final = 90
BANDS: Final = {"low": 1 / 3, "medium": 2 / 3}
"""Upper ends of the churn bands (ours); above the last it is high."""

BASELINES: Final = {baseline.name: baseline for baseline in (GlobalMean, LastTwelveMonths, RfmCellMean)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Champions:
    """The models to publish: names of the back-test, and the models by those names, fitted in days."""

    value: str
    probability: str
    fitted: Mapping[str, PurchaseModel]
    spend: GammaGamma

    @property
    def orders(self) -> str:
        """The purchase model that order counts and waiting times come from."""
        return next(name for name in (self.value, self.probability, *self.fitted) if name in self.fitted)


def predict_customers(
    purchases: pl.LazyFrame,
    as_of: date,
    champions: Champions,
    *,
    intervals: Intervals,
    annual_discount: float,
) -> pl.DataFrame:
    """Predict every customer known at ``as_of``.

    Parameters
    ----------
    purchases
        As of `models.summary.purchases_at`.
    intervals
        How intervals are drawn.
    annual_discount
        Yearly rate of the discounted value.

    Returns
    -------
    pl.DataFrame
        One row per customer, sorted by customer_key: as_of, customer_key, value_model, probability_model,
        historic_clv, predicted_* and churn_* of the glossary. Values in shop currency, probabilities as shares,
        waits in days (null: never). A baseline gives no interval and no discounted value: null.
    """
    summary = customer_summary(purchases, as_of).sort("customer_key").collect()
    model = champions.fitted[champions.orders]
    historic = purchases.group_by("customer_key").agg(
        pl.col("net").sum().cast(pl.Float64).alias("historic_clv")
    )
    columns = {
        **_orders_and_value(summary, purchases, as_of, champions, intervals, annual_discount),
        **_churn(summary, purchases, as_of, champions, intervals),
        "expected_next_order_p50": _days(model.time_to_next_purchase(summary, 0.5)),
        "expected_next_order_p80": _days(model.time_to_next_purchase(summary, 0.8)),
    }
    return (
        summary.select("customer_key")
        .join(historic.collect(), on="customer_key", how="left", maintain_order="left")
        .with_columns(pl.Series(name, values, dtype=pl.Float64) for name, values in columns.items())
        .with_columns(
            pl.lit(as_of).alias("as_of"),
            pl.lit(champions.value).alias("value_model"),
            pl.lit(champions.probability).alias("probability_model"),
            (pl.col("historic_clv") + pl.col("predicted_clv_365d")).alias("total_clv"),
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


def _orders_and_value(
    summary: pl.DataFrame,
    purchases: pl.LazyFrame,
    as_of: date,
    champions: Champions,
    intervals: Intervals,
    annual_discount: float,
) -> dict[str, pl.Series]:
    model = champions.fitted[champions.orders]
    expected = customer_lifetime_value(
        summary, model, champions.spend, horizon_days=HORIZON_DAYS, intervals=intervals
    )
    orders = {
        f"predicted_orders_365d{bound}": expected[f"predicted_orders{bound}"]
        for bound in ("", "_low", "_high")
    }
    unknown = _unknown(summary)
    if champions.value not in champions.fitted:
        baseline = BASELINES[champions.value]().fit(purchases, as_of).predict(HORIZON_DAYS)
        value = _aligned(summary, baseline, "predicted_value")
        bounds = dict.fromkeys(("_low", "_high", "_discounted"), unknown)
    else:
        value = expected["predicted_clv"]
        discounted = customer_lifetime_value(
            summary, model, champions.spend, horizon_days=HORIZON_DAYS, annual_discount=annual_discount
        )
        bounds = {
            "_low": expected["predicted_clv_low"],
            "_high": expected["predicted_clv_high"],
            "_discounted": discounted["predicted_clv"],
        }
    return orders | {
        "predicted_clv_365d": value,
        **{f"predicted_clv_365d{bound}": series for bound, series in bounds.items()},
    }


def _churn(
    summary: pl.DataFrame, purchases: pl.LazyFrame, as_of: date, champions: Champions, intervals: Intervals
) -> dict[str, pl.Series]:
    horizons = (NEAR_HORIZON_DAYS, HORIZON_DAYS)
    if champions.probability in champions.fitted:
        model = champions.fitted[champions.probability]
        silent = {h: pl.Series(1 - model.purchase_probability(summary, h)) for h in horizons}
        bounds = purchase_probability_bounds(summary, model, horizon_days=HORIZON_DAYS, intervals=intervals)
        # The more likely an order, the less likely silence: the bounds change places.
        low, high = pl.Series(1 - bounds.high), pl.Series(1 - bounds.low)
    else:
        baseline = BASELINES[champions.probability]().fit(purchases, as_of)
        silent = {h: 1 - _aligned(summary, baseline.predict(h), "purchase_probability") for h in horizons}
        low = high = _unknown(summary)
    return {f"churn_probability_{h}d": series for h, series in silent.items()} | {
        f"churn_probability_{HORIZON_DAYS}d_low": low,
        f"churn_probability_{HORIZON_DAYS}d_high": high,
    }


def _aligned(summary: pl.DataFrame, predicted: pl.DataFrame, column: str) -> pl.Series:
    return summary.select("customer_key").join(
        predicted, on="customer_key", how="left", maintain_order="left"
    )[column]


def _unknown(summary: pl.DataFrame) -> pl.Series:
    return pl.repeat(None, summary.height, dtype=pl.Float64, eager=True)


def _days(waits: FloatArray) -> pl.Series:
    """Waiting times as a column: a wait without end is no number of days."""
    return pl.Series(np.where(np.isfinite(waits), waits, np.nan)).fill_nan(None)
