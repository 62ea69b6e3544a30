"""Customer lifetime value over a horizon: expected orders times expected spend, with intervals on request.

Belongs here: the product, its discounting, the table that comes out. Does not belong here: either model
(`models.purchases`, `models.spend`), how intervals are drawn (`models._clv_intervals`), money already earned
(historic CLV is a sum over orders).
"""

import math
import warnings
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from models._clv_intervals import draw_bounds
from models._parameter_draws import Intervals
from models.errors import ApproximationWarning
from models.purchases import PurchaseModel
from models.purchases._histories import DAYS_PER_UNIT, read_histories
from models.spend import GammaGamma

__all__ = ["Intervals", "customer_lifetime_value"]

FloatArray = npt.NDArray[np.float64]

_DAYS_PER_YEAR: Final = 365.0
_DAYS_PER_STEP: Final = _DAYS_PER_YEAR / 12


def customer_lifetime_value(
    summary: pl.DataFrame | pl.LazyFrame,
    purchases: PurchaseModel,
    spend: GammaGamma,
    *,
    horizon_days: float = 365,
    annual_discount: float = 0.0,
    margin: float = 1.0,
    intervals: Intervals | None = None,
) -> pl.DataFrame:
    """Predict orders and their value for each customer in (as_of, as_of + horizon].

    Parameters
    ----------
    summary
        One row per customer: customer_key (optional), frequency, recency, T (in the purchase model's unit of
        time), monetary_value.
    purchases, spend
        Fitted models.
    horizon_days
        Days ahead, whatever unit the purchase model counts in.
    annual_discount
        Yearly rate; 0 for the undiscounted value. Orders are paid, so to speak, at the end of each month of
        365/12 days, as lifetimes does for weekly data; 1 % a month is 1.01**12 - 1.
    margin
        Share of net revenue that stays with the shop, above 0 and at most 1; 1 values customers by their net
        revenue. It scales predicted_clv and its bounds, not orders.
    intervals
        Settings of the intervals; None for none.

    Returns
    -------
    pl.DataFrame
        One row per customer, in row order: customer_key (if given), predicted_orders, predicted_clv (currency
        of monetary_value); with intervals also predicted_orders_low, predicted_orders_high,
        predicted_clv_low, predicted_clv_high. Where nothing at all is likelier than the lower tail, an interval
        runs from 0 to the quantile of its level (90 %, not 95 %): nobody can fall below. Of a customer who most
        likely orders nothing more it may be 0 to 0, and the expectation above it: a mean of many zeros and a few
        large values.

    Raises
    ------
    InvalidSummaryError
        Values that cannot be a purchase history.
    ValueError
        A negative horizon, a discount of -100 % or less, or a margin that is no share.
    """
    if not (math.isfinite(annual_discount) and annual_discount > -1):
        raise ValueError("annual_discount is a yearly rate above -1, e.g. 0.1 for 10 %.")
    if not 0 < margin <= 1:
        raise ValueError("margin is a share of net revenue above 0 and at most 1, e.g. 0.4 for 40 %.")
    frame = summary.lazy().collect()
    histories = read_histories(frame)
    days_per_unit = DAYS_PER_UNIT[purchases.time_unit]
    orders = purchases.expected_purchases(histories, horizon_days / days_per_unit)
    discounted = (
        _discounted_orders(histories, purchases, horizon_days, annual_discount) if annual_discount else orders
    )
    keys = [frame["customer_key"]] if "customer_key" in frame.columns else []
    columns = {"predicted_orders": orders, "predicted_clv": discounted * margin * spend.expected_spend(frame)}
    if intervals is not None:
        if spend.fallback_:
            warnings.warn(
                "The intervals of predicted_clv hold the uncertainty of orders only, because spend fell back "
                f"to the pooled mean: {spend.fallback_}.",
                ApproximationWarning,
                stacklevel=2,
            )
        share = np.divide(discounted, orders, out=np.ones_like(orders), where=orders > 0)
        bounds = draw_bounds(
            histories.with_columns(frame["monetary_value"].cast(pl.Float64)),
            share * margin,
            purchases,
            spend,
            horizon_days / days_per_unit,
            intervals,
        )
        columns |= bounds
    order = [name for name in _COLUMNS if name in columns]
    return pl.DataFrame([*keys, *(pl.Series(name, columns[name]) for name in order)])


_COLUMNS: Final = tuple(
    f"predicted_{quantity}{bound}" for quantity in ("orders", "clv") for bound in ("", "_low", "_high")
)


def _discounted_orders(
    histories: pl.DataFrame, purchases: PurchaseModel, horizon_days: float, annual_discount: float
) -> FloatArray:
    """Sum the expected orders of each step, discounted from the step's end."""
    steps = max(1, math.ceil(horizon_days / _DAYS_PER_STEP - 1e-9))
    ends = np.minimum(np.arange(1, steps + 1) * _DAYS_PER_STEP, horizon_days)
    factors = (1 + annual_discount) ** (-ends / _DAYS_PER_YEAR)
    # what came by a step's end counts with its factor, less what the next step's factor takes up again
    weights = factors - np.append(factors[1:], 0.0)
    units = ends / DAYS_PER_UNIT[purchases.time_unit]
    return purchases.weighted_expected_purchases(histories, units.tolist(), weights.tolist())
