"""Claim 5: it takes at least three purchases to make a loyal customer.

Counted is the chance of another order within a year, after the first, the second, the third ... If three purchases make
somebody loyal, the chance rises most with the third and little after it, and only from then on is another order more
likely than not.

Two things make any such curve rise without anybody changing. Only those who came back have a third order, so regulars
gather at the high numbers. And within the time observed only the quick reach them. So a step shows *where* customers
differ, not that an order *makes* them loyal.

What does not belong here: the time until the next order (`models.latency`).
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from math import sqrt
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.claims._estimate import Estimate
from models.claims._finding import Claimed, Facts, Finding, Sense, Unit
from models.claims._first_month import NOT_LOOKING_NEW, looks_new_until
from models.claims._orders import order_days, single_orders
from models.claims._part import Part, points
from models.claims._words import signed
from models.intervals import SMALL_GROUP, normal_quantile, wilson_interval
from models.order_days import in_sequence

__all__ = ["FLAT", "HORIZON_DAYS", "chance_of_another", "findings"]

HORIZON_DAYS: Final = 365
FLAT: Final = 0.02
"""A rise up to which the curve is called flat (ours)."""

_UP_TO = 10
_HALF = 0.5
_COUNTED = (
    f"Share of a customer's first, second, third ... order days that were followed by another within {HORIZON_DAYS} "
    f"days, of those whose {HORIZON_DAYS} days are over; orders of one day are taken as one. {NOT_LOOKING_NEW}Regulars "
    "gather at the high numbers, so part of every rise is who gets that far, not what the order did. "
)
_LINEAR = "95 % interval from the same customers' orders taken together (linearised)."
_STEP = Part(
    claim=5,
    part="the step lies at the third",
    definition=f"{_COUNTED}Rise from the second to the third less rise from the first to the second: not below 0 if "
    f"the third is where the step lies. {_LINEAR}",
    claimed=Claimed(low=0.0, high=0.0, sense=Sense.AT_LEAST, unit=Unit.POINTS),
    n_of=f"third order days whose {HORIZON_DAYS} days are over",
)
_BEYOND = Part(
    claim=5,
    part="flat beyond the third",
    definition=f"{_COUNTED}Rise from the third to the fourth: at most {100 * FLAT:.0f} points (ours) if a customer of "
    f"three purchases is as loyal as one of four. {_LINEAR}",
    claimed=Claimed(low=FLAT, high=FLAT, sense=Sense.AT_MOST, unit=Unit.POINTS),
    n_of=f"fourth order days whose {HORIZON_DAYS} days are over",
)
_LIKELY = Part(
    claim=5,
    part="purchases until another is more likely than not",
    definition=f"{_COUNTED}The first number from which another order within {HORIZON_DAYS} days is more likely than "
    "not; its interval reaches from the first number whose 95 % Wilson interval reaches above one half to the first "
    "that lies above it. The claim: at least three.",
    claimed=Claimed(low=3.0, high=3.0, sense=Sense.AT_LEAST, unit=Unit.COUNT),
    n_of=f"first order days whose {HORIZON_DAYS} days are over",
)


def findings(facts: Facts, as_of: date) -> list[Finding]:
    """Look for the step in the chance of another order, and for where it passes one half."""
    looks_new = looks_new_until(single_orders(facts, as_of), as_of)
    histories = _histories(order_days(facts, as_of), as_of, HORIZON_DAYS, _UP_TO, looks_new)
    curve = _curve(histories, _UP_TO)
    reached = [row for row in curve.to_dicts() if row["n"] >= SMALL_GROUP]
    sizes: list[int] = curve["n"].to_list()
    says = _curve_in_words(reached)
    if len(reached) < 3:
        few = f"{says}{sizes[2]:,} third order days are old enough; there must be {SMALL_GROUP}.".strip()
        step = _STEP.cannot_tell(sizes[2], few)
    else:
        found = _contrast(histories, curve, {1: 1.0, 2: -2.0, 3: 1.0})
        rises = {after["order_number"]: after["rate"] - before["rate"] for before, after in pairwise(reached)}
        largest = max(rises, key=lambda number: rises[number])
        says_step = (
            f"{says}The largest rise is the one to the {_ordinal(largest)} ({signed(100 * rises[largest], 2)} points). "
            f"The third order's rise is {signed(100 * rises[3], 2)} points, the second's {signed(100 * rises[2], 2)}: "
            f"a difference of {points(found, 2)}, where the claim needs 0 or more. Regulars gather at the high "
            "numbers, so a rise need not be an order's doing."
        )
        step = _STEP.tested(found, sizes[2], says_step)
    if len(reached) < 4:
        few = f"{sizes[3]:,} fourth order days are old enough; there must be {SMALL_GROUP}."
        beyond = _BEYOND.cannot_tell(sizes[3], few)
    else:
        found = _contrast(histories, curve, {3: -1.0, 4: 1.0})
        beyond = _BEYOND.tested(
            found,
            sizes[3],
            f"From the third order to the fourth the chance of another changes by {points(found)}, where up to "
            f"{100 * FLAT:.0f} points count as flat (our limit).",
        )
    return [step, beyond, _likely(reached, sizes[0])]


def chance_of_another(
    purchases: pl.LazyFrame,
    as_of: date,
    *,
    horizon_days: int = HORIZON_DAYS,
    up_to: int = _UP_TO,
    history_start: date | None = None,
) -> pl.DataFrame:
    """Share of first, second, third ... order days that were followed by another within some days.

    Customers of a left-truncated first month (as `models.cohorts` marks it) are left out: what looks like their first
    order may be their tenth.

    Parameters
    ----------
    purchases
        One row per customer and order day: customer_key, order_day, orders.
    as_of
        Last day included; later purchases change nothing.
    horizon_days
        Days after an order day by which the next counts; only order days whose horizon is over count.
    up_to
        Highest order number, 3 to 15.
    history_start
        First day of the loaded history; None takes the first order day, and then the first month always looks cut off.

    Returns
    -------
    DataFrame
        One row per order number from 1 to `up_to`: order_number, n, count (Int64), rate, low, high (95 % Wilson; null
        where n is 0).

    Raises
    ------
    ValueError
        If `up_to` is not between 3 and 15, or the horizon not positive.
    """
    looks_new = looks_new_until(purchases, as_of, history_start)
    return _curve(_histories(purchases, as_of, horizon_days, up_to, looks_new), up_to)


def _histories(
    purchases: pl.LazyFrame, as_of: date, horizon_days: int, up_to: int, looks_new: date | None
) -> pl.DataFrame:
    """Count customers by which of their first order days are old enough, and which of these another followed.

    pattern (Int64, in which two bits stand for each order number: old enough, followed), customers (Int64); few rows,
    sorted. Whoever first ordered up to the day `looks_new` is left out.
    """
    if not 3 <= up_to <= 15 or horizon_days <= 0:
        raise ValueError(
            f"Count up to 3 to 15 order days over a positive number of days, not {up_to} over {horizon_days}."
        )
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    wait = (pl.col("next_day") - pl.col("order_day")).dt.total_days()
    # Patterns have at most 30 bits.
    place = pl.lit(1, pl.Int64) * 4 ** (pl.col("number") - 1)
    return (
        in_sequence(purchases, as_of)
        .select(
            "customer",
            "order_day",
            "first_day",
            number=row - pl.when("is_first").then(row).forward_fill() + 1,
            followed=(wait <= horizon_days).fill_null(False).cast(pl.Int64),
        )
        .filter((pl.col("number") <= up_to) & (pl.col("order_day") <= as_of - timedelta(horizon_days)))
        .filter(pl.col("first_day") > (looks_new or date.min))
        .group_by("customer")
        .agg(pattern=(place * (1 + 2 * pl.col("followed"))).sum())
        .group_by("pattern")
        .agg(customers=pl.len().cast(pl.Int64))
        .sort("pattern")
        .collect(engine="streaming")
    )


def _unfolded(histories: pl.DataFrame, up_to: int) -> tuple[NDArray[np.int64], ...]:
    """Customers of each pattern, and by pattern and order number whether it is old enough, and followed."""
    patterns = histories["pattern"].to_numpy()[:, None] >> (2 * np.arange(up_to))
    return histories["customers"].to_numpy(), patterns & 1, (patterns >> 1) & 1


def _curve(histories: pl.DataFrame, up_to: int) -> pl.DataFrame:
    customers, seen, followed = _unfolded(histories, up_to)
    interval = wilson_interval(pl.col("count"), pl.col("n"))
    return pl.DataFrame(
        {
            "order_number": np.arange(1, up_to + 1),
            "n": customers @ seen,
            "count": customers @ followed,
        },
        schema=dict.fromkeys(("order_number", "n", "count"), pl.Int64),
    ).with_columns(
        rate=pl.when(pl.col("n") > 0).then(pl.col("count") / pl.col("n")),
        low=interval.low,
        high=interval.high,
    )


def _contrast(histories: pl.DataFrame, curve: pl.DataFrame, weights: dict[int, float]) -> Estimate:
    """Give a weighted sum of rates; the rates are of the same customers, so these are taken together."""
    customers, seen, followed = _unfolded(histories, curve.height)
    value, influence = 0.0, np.zeros(len(customers))
    for number, weight in weights.items():
        row = curve.row(number - 1, named=True)
        value += weight * row["rate"]
        at = number - 1
        influence += weight * seen[:, at] * (followed[:, at] - row["rate"]) / row["n"]
    half = normal_quantile(0.95) * sqrt(float(customers @ influence**2))
    return Estimate(value, value - half, value + half)


def _likely(reached: list[dict[str, float]], n: int) -> Finding:
    if not reached:
        return _LIKELY.cannot_tell(n, f"{n:,} first order days are old enough; there must be {SMALL_GROUP}.")
    firsts = [
        next((row["order_number"] for row in reached if row[bound] > _HALF), None)
        for bound in ("rate", "high", "low")
    ]
    number, low, high = firsts
    if number is None:
        return _LIKELY.cannot_tell(
            n,
            f"Up to the {_ordinal(int(reached[-1]['order_number']))} order, the last with {SMALL_GROUP} to count, "
            "another within a year is never more likely than not.",
        )
    rate = reached[int(number) - 1]["rate"]
    says = (
        f"After the {_ordinal(int(number))} order another within {HORIZON_DAYS} days is more likely than not "
        f"({100 * rate:.1f} %)"
    )
    says += "; it does not take more." if number == 1 else f", after the {_ordinal(int(number) - 1)} not yet."
    return _LIKELY.tested(Estimate(number, low, high), n, says)


def _curve_in_words(reached: list[dict[str, float]]) -> str:
    if not reached:
        return ""
    said = ", ".join(
        f"{100 * row['rate']:.0f} % after the {_ordinal(int(row['order_number']))}" for row in reached[:6]
    )
    return f"Another order within {HORIZON_DAYS} days follows {said}. "


def _ordinal(number: int) -> str:
    words = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
    return words[number - 1]
