"""Who only looks new: customers of the first loaded month, whose earlier orders nobody loaded.

Whoever counts first, second, third orders counts them wrong there: the first order that is known is not the first. They
are left out by the very rule by which `models.cohorts` marks their cohort, which is asked here and not written again.

What does not belong here: that rule, and claims that do not ask who is new.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import polars as pl

from models.cohorts import cohort_retention
from models.periods import index_of, start_of

__all__ = ["NOT_LOOKING_NEW", "looks_new_until"]

NOT_LOOKING_NEW: Final = (
    "Customers of a first month that looks cut off are left out: their earlier orders were not loaded, so they only "
    "look new. "
)


def looks_new_until(purchases: pl.LazyFrame, as_of: date, history_start: date | None = None) -> date | None:
    """Give the last day on which a customer's first known order may be none.

    Parameters
    ----------
    purchases
        One row per customer and order day, or per order: customer_key, order_day, orders.
    as_of
        Last day included; later purchases change nothing.
    history_start
        As of `models.cohorts.cohort_retention`.

    Returns
    -------
    date or None
        Last day of the last monthly cohort marked `is_left_truncated`; None where none is.
    """
    begin = history_start or _first_day(purchases, as_of)
    if begin is None:
        return None
    end = start_of(index_of(begin, "month") + 1, "month") - timedelta(1)
    # The mark depends on nothing after that month, so there is no need to sort all order days for it.
    cohorts = cohort_retention(purchases, min(as_of, end), history_start=history_start)
    return None if cohorts.filter("is_left_truncated").collect().is_empty() else end


def _first_day(purchases: pl.LazyFrame, as_of: date) -> date | None:
    known = purchases.filter(pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of))
    return known.select(pl.col("order_day").min()).collect(engine="streaming").item()
