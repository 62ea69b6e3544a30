"""Tracking curve: repeat purchases week by week, as models expect them beside as they happened.

The plot of Fader, Hardie & Lee (2005), figures 2 and 3: what a model expects of *new* customers, added up
over all customers since their own first day, before the cut (fitted) and after it (not seen). It uses nothing
of a customer but the first day, so it shows whether the model has understood how buying fades, not whether
it knows who buys: that is `models.calibration` and `models.decile_lift`.

What does not belong here: fitting, and predictions for customers with a history.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from models.purchases import PurchaseModel
from models.purchases._histories import DAYS_PER_UNIT

__all__ = ["TRACKING", "tracking"]

TRACKING: Final = {
    "model": pl.String(),
    "week_ending": pl.Date(),
    "is_held_out": pl.Boolean(),
    "customers": pl.Int64(),
    "actual": pl.Int64(),
    "expected": pl.Float64(),
    "cumulative_actual": pl.Int64(),
    "cumulative_expected": pl.Float64(),
}
"""Columns of a tracking curve."""

WEEK: Final = 7

_Counts = npt.NDArray[np.int64]


def tracking(
    purchases: pl.LazyFrame, models: Mapping[str, PurchaseModel], cut: date, as_of: date
) -> pl.DataFrame:
    """Track expected against actual repeat order days of the customers known at the cut.

    Parameters
    ----------
    purchases
        customer_key, order_day; one row per customer and order day (`models.summary.purchases_at`).
    models
        Fitted at the cut, by name; any unit of time.
    cut, as_of
        Last day the models knew, and last day included; later purchases change nothing.

    Returns
    -------
    DataFrame
        One row per model and week, sorted: model; week_ending (weeks of seven days, one of which ends on the
        cut; a last week that is not over by `as_of` is left out); is_held_out (after the cut); customers
        (first order day by then); actual (repeat order days of that week); expected (of that week, Float64);
        cumulative_actual, cumulative_expected (since the first order). Customers whose first order came after
        the cut are in no row: no model knew them. No rows without a purchase up to the cut.

    Raises
    ------
    ValueError
        If the cut is after `as_of`.

    References
    ----------
    Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way: An Alternative to the Pareto/NBD
    Model", Marketing Science 24 (2), section 4: weekly and cumulative tracking plots.
    """
    if cut > as_of:
        raise ValueError(f"The cut {cut} lies after as_of {as_of}: there is nothing to track.")
    start, new, repeated = _by_day(purchases, cut, as_of)
    if start is None:
        return pl.DataFrame(schema=TRACKING)
    known_days = (cut - start).days
    ends = np.arange(known_days % WEEK, (as_of - start).days + 1, WEEK)
    total = repeated.cumsum()[ends]
    shared = {
        "week_ending": [start + timedelta(int(end)) for end in ends],
        "is_held_out": ends > known_days,
        "customers": new.cumsum()[ends],
        "actual": np.diff(total, prepend=0),
        "cumulative_actual": total,
    }
    tracked = [pl.DataFrame(schema=TRACKING)]
    for name in sorted(models):
        expected = _expected(models[name], new)[ends]
        columns = {"expected": np.diff(expected, prepend=0.0), "cumulative_expected": expected}
        frame = pl.DataFrame({"model": [name] * len(ends), **shared, **columns})
        tracked.append(frame.select(pl.col(column).cast(dtype) for column, dtype in TRACKING.items()))
    return pl.concat(tracked)


def _by_day(purchases: pl.LazyFrame, cut: date, as_of: date) -> tuple[date | None, _Counts, _Counts]:
    """First day of all, and per day since: first order days, repeat order days of customers known at the cut."""
    known = purchases.filter(pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of))
    before, after = known.filter(pl.col("order_day") <= cut), known.filter(pl.col("order_day") > cut)
    first_days = before.group_by("customer_key").agg(first_day=pl.col("order_day").min())
    starts, early, late = pl.collect_all(
        [
            first_days.group_by(day="first_day").len(),
            before.group_by(day="order_day").len(),
            after.join(first_days, on="customer_key", how="semi").group_by(day="order_day").len(),
        ],
        engine="streaming",
    )
    start = starts["day"].min()
    if not isinstance(start, date):
        return None, np.zeros(0, np.int64), np.zeros(0, np.int64)
    days = (as_of - start).days + 1
    new = _counted(starts, start, days)
    return start, new, _counted(early, start, days) + _counted(late, start, days) - new


def _counted(counts: pl.DataFrame, start: date, days: int) -> _Counts:
    """Counts per day as an array over all days since the start."""
    at = (counts["day"] - start).dt.total_days().to_numpy()
    return np.bincount(at, counts["len"].to_numpy(), days).astype(np.int64)


def _expected(model: PurchaseModel, new: _Counts) -> npt.NDArray[np.float64]:
    """Expected repeat purchases up to each day: everybody's own curve, begun on their first day."""
    ages = np.arange(len(new)) / DAYS_PER_UNIT[model.time_unit]
    return np.convolve(new.astype(np.float64), model.expected_purchases_new(ages))[: len(new)]
