"""Loyalty tiers: who was in which tier on which days, by what they bought in the twelve months before.

On each day a customer stands in the highest tier whose threshold is reached by the valid orders, or the net
spend, of the days up to and including that one. An order counts on its day and on the `window_days` - 1
days after it; then it falls out, and the tier with it where nothing else holds it. So a tier has a day of
entry and, at any time, a day on which it will run out if nothing more is bought.

By orders the past never changes. By spend it is told as known at `as_of`: a refund lowers the order it
belongs to, and so can undo a tier that had been reached with it.

What does not belong here: what a tier is worth to its members (points and vouchers stand in
`loyalty_ledger`), and lifecycle stages (`models.lifecycle`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

import polars as pl

from models.order_days import identity_of, packed, unpacked

__all__ = ["BASES", "LEVELS", "WINDOW_DAYS", "TierBasis", "loyalty_tiers"]

TierBasis = Literal["orders", "net"]
BASES: tuple[TierBasis, ...] = get_args(TierBasis)
WINDOW_DAYS = 365
LEVELS: Mapping[str, int] = {"loyal": 3}
"""Three valid orders in twelve months make a loyal customer."""

_UNITS = {"orders": 1, "net": 10_000}
_NONE = 0
_DAY_ONE = (date.min - date(1970, 1, 1)).days


def loyalty_tiers(
    purchases: pl.LazyFrame,
    as_of: date,
    *,
    basis: TierBasis = "orders",
    levels: Mapping[str, int | Decimal] = LEVELS,
    window_days: int = WINDOW_DAYS,
) -> pl.LazyFrame:
    """Every customer's tiers up to `as_of`, as intervals of days.

    Parameters
    ----------
    purchases
        One row per customer and order day: customer_key, order_day, orders, net (as known by `as_of`).
    as_of
        Last day included; later purchases change nothing.
    basis
        What is added up: valid orders, or net spend in shop currency.
    levels
        Name of each tier and what it takes to be in it.
    window_days
        For how many days, its own included, an order counts.

    Returns
    -------
    LazyFrame
        One row per customer and interval in a tier, sorted: customer_key, tier, from_day, to_day (both days
        included; null = holds at `as_of`), expires_on (Date; for a tier that holds: its last day if nothing
        more is bought; null otherwise). Days in no tier have no row, nor have customers who were in none.

    Raises
    ------
    ValueError
        For no levels, thresholds that are not positive or equal, an unknown basis, or a window that is not
        positive.
    """
    _check(basis, levels, window_days)
    ranked = sorted((int(level * _UNITS[basis]), name) for name, level in levels.items())
    weight = pl.col("orders").cast(pl.Int64) if basis == "orders" else _in_units(pl.col("net"))
    known = purchases.filter(pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of)).select(
        "customer_key", identity=identity_of(pl.col("customer_key")), day=_number("order_day"), weight=weight
    )
    # Most customers never come near a tier; without them the sort below has little to do.
    near = (
        known.group_by("customer_key")
        .agg(pl.col("identity").max(), most=pl.col("weight").clip(lower_bound=0).sum())
        .filter(pl.col("most") >= ranked[0][0])
    )
    counting = known.join(near.select("identity"), on="identity", how="semi").select(
        "identity", "day", "weight"
    )
    running_out = counting.with_columns(day=pl.col("day") + window_days, weight=-pl.col("weight"))
    names = {number: name for number, (_, name) in enumerate(ranked, start=1)}
    last_day = pl.col("last_day")
    return (
        _changes(pl.concat([counting, running_out]), [least for least, _ in ranked])
        .with_columns(from_day=_date("day"), last_day=_date("day", -1).shift(-1))
        .filter((pl.col("rank") != _NONE) & (pl.col("from_day") <= as_of))
        .join(near.select("identity", "customer_key"), on="identity")
        .select(
            "customer_key",
            tier=pl.col("rank").replace_strict(names, return_dtype=pl.String),
            from_day="from_day",
            to_day=pl.when(last_day < as_of).then(last_day),
            expires_on=pl.when(last_day >= as_of).then(last_day),
        )
        .sort("customer_key", "from_day")
    )


def _changes(events: pl.LazyFrame, thresholds: list[int]) -> pl.LazyFrame:
    """Give the days on which customers change tier (0 is none), each customer's in order."""
    rank = pl.lit(_NONE, pl.Int32)
    for number, least in enumerate(thresholds, start=1):
        rank = pl.when(pl.col("level") >= least).then(pl.lit(number, pl.Int32)).otherwise(rank)
    place = pl.col("place")
    identity, day = unpacked(place)
    return (
        events.select("weight", place=packed(pl.col("identity"), pl.col("day")))
        .sort("place")
        # All that a customer adds runs out again: the sum is back at 0 where the next customer begins.
        .with_columns(level=pl.col("weight").cum_sum())
        # Of a day on which something is added and something runs out, only its end counts.
        .filter((place != place.shift(-1)).fill_null(True))
        .with_columns(rank=rank)
        .filter(pl.col("rank") != pl.col("rank").shift(1).fill_null(_NONE))
        .select("rank", identity=identity, day=day)
    )


def _number(day: str) -> pl.Expr:
    """Days from the first day of all, so that none is negative."""
    return pl.col(day).cast(pl.Int32) - _DAY_ONE


def _date(day: str, shift: int = 0) -> pl.Expr:
    return (pl.col(day) + _DAY_ONE + shift).cast(pl.Date)


def _in_units(net: pl.Expr) -> pl.Expr:
    """Money as whole ten-thousandths: sums of integers are exact and cheap."""
    return (net.cast(pl.Decimal(38, 4)) * _UNITS["net"]).cast(pl.Int64)


def _check(basis: str, levels: Mapping[str, int | Decimal], window_days: int) -> None:
    if basis not in BASES:
        raise ValueError(f"Unknown basis {basis!r}: use one of {', '.join(BASES)}.")
    if not levels or min(levels.values()) <= 0 or len(set(levels.values())) < len(levels):
        raise ValueError(f"Tiers need thresholds above 0, each another: {dict(levels)}.")
    if window_days <= 0:
        raise ValueError(f"The window must be a positive number of days, not {window_days}.")
