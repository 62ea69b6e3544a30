"""Purchase paths: what a model would have said of one customer on every day since the first order.

The chance of an order rises with each order and fades with silence, the faster the shorter the customer's
usual gaps. A path shows that better than any number.

What does not belong here: whose path is worth showing (`models.typical_customers`), fitting.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from models.purchases import PurchaseModel
from models.purchases._histories import DAYS_PER_UNIT, check_horizon
from models.typical_customers import typical_customers

__all__ = ["purchase_path", "typical_paths"]

NEAR_HORIZON_DAYS: Final = 90
MOST_DAYS: Final = 400

_Days = npt.NDArray[np.int64]


def purchase_path(
    order_days: Sequence[date] | pl.Series,
    model: PurchaseModel,
    *,
    until: date,
    horizon_days: int = NEAR_HORIZON_DAYS,
) -> pl.DataFrame:
    """Follow one customer's chance of another order.

    The customer's history is the one known on each day. The model's parameters are those given: a model
    fitted on later days knows how the shop went on, though nothing of this customer's future.

    Parameters
    ----------
    order_days
        The customer's order days, in any order; several orders on one day count once. Days after `until`
        change nothing.
    model
        Fitted purchase model.
    until
        Last day included.
    horizon_days
        Days after each day in which an order is waited for.

    Returns
    -------
    DataFrame
        One row per day from the first order to `until`, sorted: day (Date), horizon_days, age_days (days since
        the first order), is_order_day, order_days (by the end of that day), purchase_probability (of an order in the
        `horizon_days` after it), probability_alive. A path of more than 400 days is thinned to 400 evenly
        spaced ones, to which every order day and the day before it are added, so that jumps stay upright.

    Raises
    ------
    ValueError
        If there is no order up to `until`.
    """
    known = sorted({day for day in order_days if day <= until})
    if not known:
        raise ValueError(f"There is no order up to {until}: the path begins with the first one.")
    first = known[0]
    bought = np.array([(day - first).days for day in known], dtype=np.int64)
    path = _path(bought, (until - first).days, model, horizon_days)
    days = pl.Series("day", [first + timedelta(age) for age in path["age_days"]], dtype=pl.Date)
    return path.insert_column(0, days)


def typical_paths(
    purchases: pl.LazyFrame,
    model: PurchaseModel,
    as_of: date,
    *,
    horizon_days: int = NEAR_HORIZON_DAYS,
    seed: int = 0,
) -> pl.DataFrame:
    """Follow the typical customers of `models.typical_customers`.

    Parameters
    ----------
    purchases, as_of, seed
        See `models.typical_customers.typical_customers`.
    model, horizon_days
        See `purchase_path`.

    Returns
    -------
    DataFrame
        One row per story and day: story, customers (whose medians the history is made of), and the columns of
        `purchase_path` but for the date, which nobody's history has. No rows where no story
        is lived by 30 customers.
    """
    paths = [pl.DataFrame(schema=_TYPICAL)]
    for typical in typical_customers(purchases, as_of, seed=seed):
        path = _path(np.array(typical.days, dtype=np.int64), typical.age_days, model, horizon_days)
        told = path.with_columns(
            story=pl.lit(typical.story),
            customers=pl.lit(typical.customers),
            horizon_days=pl.lit(horizon_days),
        )
        paths.append(told.select(pl.col(column).cast(dtype) for column, dtype in _TYPICAL.items()))
    return pl.concat(paths)


_TYPICAL: Final = {
    "story": pl.String(),
    "customers": pl.Int64(),
    "horizon_days": pl.Int32(),
    "age_days": pl.Int32(),
    "is_order_day": pl.Boolean(),
    "order_days": pl.Int32(),
    "purchase_probability": pl.Float64(),
    "probability_alive": pl.Float64(),
}


def _path(bought: _Days, age: int, model: PurchaseModel, horizon_days: int) -> pl.DataFrame:
    """The path of a history given as sorted days since the first order."""
    unit = DAYS_PER_UNIT[model.time_unit]
    days = _shown(bought, age)
    seen = np.searchsorted(bought, days, side="right")
    summary = pl.DataFrame(
        {
            "frequency": (seen - 1).astype(np.float64),
            "recency": bought[seen - 1] / unit,
            "T": days / unit,
        }
    )
    return pl.DataFrame(
        {
            "horizon_days": pl.repeat(horizon_days, len(days), dtype=pl.Int32, eager=True),
            "age_days": pl.Series(days, dtype=pl.Int32),
            "is_order_day": np.isin(days, bought),
            "order_days": pl.Series(seen, dtype=pl.Int32),
            "purchase_probability": model.purchase_probability(summary, check_horizon(horizon_days) / unit),
            "probability_alive": model.probability_alive(summary),
        }
    )


def _shown(bought: _Days, age: int) -> _Days:
    """Days of the path: all of them, or some with every jump."""
    if age < MOST_DAYS:
        return np.arange(age + 1)
    spread = np.linspace(0, age, MOST_DAYS).round().astype(np.int64)
    return np.unique(np.concatenate([spread, bought, np.maximum(bought - 1, 0)]))
