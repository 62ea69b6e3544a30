"""Training rows: what was known of customers on earlier days, beside what they did next.

The shop is put back to several cuts. At each, every customer known then is one row: features as of the cut, and what
happened in the horizon after it. The last horizon ends at `as_of`, so all labels are known then, and nothing later is.

What does not belong here: features (`models.features`), and which rows are fitted, stopped or calibrated on
(`models._time_split`).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, Unpack

import polars as pl

from models._behaviour_features import known_purchases
from models.errors import NotEnoughDataError
from models.features import Tables, features
from models.known import sample_of

__all__ = ["LABELS", "training_cuts", "training_rows"]

LABELS: Final = ("cut", "customer_key", "bought", "net")
"""Columns of a training row that are no features."""

_LEAD_DAYS: Final = 90
"""History before the first cut, so that its customers have something to be known by (ours)."""
_REACH_DAYS: Final = 730
"""Cuts reach back two years: each season twice, and no further, since shops change (ours)."""
_MOST_CUSTOMERS: Final = 100_000
"""Enough for trees of this size (ours): on a composed shop of 300,000 the log-loss of customers to come was .3970 from
50,000 of them and .3966 from 100,000, for twice the time."""
_FEWEST_CUTS: Final = 3
_SHORTEST_STEP: Final = 14


def training_cuts(first_day: date, as_of: date, horizon_days: int, *, max_cuts: int = 6) -> list[date]:
    """Days to put the shop back to, earliest first; the horizon of the last ends at `as_of`.

    Horizons don't overlap where the history has room for three that don't; else cuts lie closer.

    Raises
    ------
    NotEnoughDataError
        No room for three cuts.
    ValueError
        A horizon below one day, or fewer than three cuts asked for.
    """
    if horizon_days < 1 or max_cuts < _FEWEST_CUTS:
        raise ValueError(
            f"Need a horizon of at least 1 day and at least {_FEWEST_CUTS} cuts, got {horizon_days} and {max_cuts}."
        )
    span = (as_of - first_day).days - horizon_days - _LEAD_DAYS
    fewest = (_FEWEST_CUTS - 1) * _SHORTEST_STEP
    if span < fewest:
        raise NotEnoughDataError(
            f"Learning what customers do in {horizon_days} days takes {horizon_days + _LEAD_DAYS + fewest} days of "
            f"orders; from {first_day} to {as_of} there are {(as_of - first_day).days}. "
            "Wait, or take a shorter horizon."
        )
    step = max(min(span, _REACH_DAYS) // (max_cuts - 1), min(horizon_days, span // (_FEWEST_CUTS - 1)))
    last = as_of - timedelta(horizon_days)
    return [last - timedelta(step * back) for back in reversed(range(min(max_cuts, span // step + 1)))]


def training_rows(
    as_of: date,
    *,
    horizon_days: int,
    seed: int = 0,
    max_customers: int = _MOST_CUSTOMERS,
    max_cuts: int = 6,
    **tables: Unpack[Tables],
) -> pl.DataFrame:
    """Features at earlier cuts beside what happened in the `horizon_days` after each.

    Parameters
    ----------
    as_of
        Last day included; later facts change nothing.
    horizon_days
        Length of what is to be learnt.
    seed, max_customers
        Of more customers than that a sample is drawn by a hash of the key, the same at every cut. It repeats on the
        same version of Polars.
    max_cuts
        See `training_cuts`.
    tables
        See `models.features.features`.

    Returns
    -------
    DataFrame
        One row per cut and customer with a valid order by then, sorted: cut (Date), customer_key, bought (a valid order
        in (cut, cut + horizon]), net (Float64; of these orders, less refunds known by the end of the horizon; 0 without
        orders), and the features for this horizon: `features(as_of, horizon_days=horizon_days, **tables)` gives the
        same columns for scoring. The purchase models in them are fitted anew at each cut, on the sample.

    Raises
    ------
    NotEnoughDataError
        No orders, or a history without room for three cuts.

    Warns
    -----
    ApproximationWarning
        A purchase model could not be fitted at a cut, see `models.purchase_features`.
    """
    sample = sample_of(tables, as_of, seed=seed, max_customers=max_customers)
    first_day = sample["orders"].filter("is_valid").select(pl.col("order_day").min()).collect().item()
    if first_day is None:
        raise NotEnoughDataError(f"There is no valid order of a known customer up to {as_of} to learn from.")
    cuts = training_cuts(first_day, as_of, horizon_days, max_cuts=max_cuts)
    return pl.concat(_labelled(sample, cut, horizon_days) for cut in cuts)


def _labelled(sample: Tables, cut: date, horizon_days: int) -> pl.DataFrame:
    end = cut + timedelta(horizon_days)
    purchases = known_purchases(sample["orders"], sample.get("returns"), end)
    after = purchases.filter(pl.col("order_day") > cut).group_by("customer_key").agg(pl.col("net").sum())
    return (
        features(cut, horizon_days=horizon_days, **sample)
        .join(after, on="customer_key", how="left")
        .select(
            pl.lit(cut).alias("cut"),
            "customer_key",
            pl.col("net").is_not_null().alias("bought"),
            pl.col("net").cast(pl.Float64).fill_null(0.0),
            pl.exclude("customer_key", "net"),
        )
        .sort("customer_key")
        .collect(engine="streaming")
    )
