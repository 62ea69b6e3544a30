"""Typical customers: three stories that every shop knows, told with the medians of those who live them.

A story is a group of customers chosen by rule from the gaps between their own order days, and one typical
history made of the group's medians. So it is nobody's history, holds no one's data, and needs nothing erased.

What does not belong here: what a model thinks of a history (`models.purchase_paths`), lifecycle stages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from models.intervals import SMALL_GROUP
from models.order_days import in_sequence

__all__ = ["STORIES", "TypicalCustomer", "typical_customers"]

STORIES: Final = ("regular", "overdue", "came_back")

_FEWEST_GAPS: Final = 4
# Rules in multiples of a customer's usual gap, all ours. Of five random gaps of one rate the longest is mostly
# below four times the mean of the others, so a steady buyer is not taken for one who paused.
_STEADY, _OVERDUE, _SILENT = 4.0, 3.0, 6.0
_SHORTEST_SILENCE: Final = 90


@dataclass(frozen=True, slots=True)
class TypicalCustomer:
    """A typical history of one story.

    Attributes
    ----------
    story
        "regular": a steady buyer whose last order is no older than the usual gap. "overdue": as steady, but
        silent for three times that gap or longer. "came_back": silent once for six times the usual gap
        (and 90 days) or longer, with three order days or more before, and back for two or more.
    customers
        How many customers of the sample live it; the numbers are their medians.
    days
        Days from the first order to each order day, the first 0.
    age_days
        Days from the first order to the last day included.
    """

    story: str
    customers: int
    days: tuple[int, ...]
    age_days: int


def typical_customers(
    purchases: pl.LazyFrame, as_of: date, *, seed: int = 0, max_customers: int = 100_000
) -> list[TypicalCustomer]:
    """Find the typical history of each story.

    Parameters
    ----------
    purchases
        customer_key, order_day, orders; one row per customer and order day.
    as_of
        Last day included; later purchases change nothing.
    seed, max_customers
        Of more customers with five or more order days than that a sample is drawn by a hash of the key; it
        repeats on the same version of Polars.

    Returns
    -------
    list of TypicalCustomer
        In the order of `STORIES`; stories lived by fewer than 30 customers are left out.
    """
    medians = {
        row["story"]: row
        for row in _told(_steadiness(purchases, as_of, seed, max_customers)).iter_rows(named=True)
    }
    return [
        _composed(medians[story])
        for story in STORIES
        if story in medians and medians[story]["customers"] >= SMALL_GROUP
    ]


def _steadiness(purchases: pl.LazyFrame, as_of: date, seed: int, max_customers: int) -> pl.DataFrame:
    """One row per customer with five or more order days: gaps, the longest of them and where it lies, quiet."""
    known = purchases.filter(pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of))
    chosen = (
        known.group_by("customer_key")
        .len("order_days")
        .filter(pl.col("order_days") > _FEWEST_GAPS)
        .select("customer_key", lot=pl.col("customer_key").hash(seed))
        .bottom_k(max_customers, by="lot")
        .select("customer_key")
        .collect(engine="streaming")
        .lazy()
    )
    gap = (pl.col("next_day") - pl.col("order_day")).dt.total_days()
    return (
        in_sequence(known.join(chosen, on="customer_key", how="semi"))
        .select("customer", "order_day", gap=gap)
        .group_by("customer")
        .agg(
            gaps=pl.col("gap").count().cast(pl.Int64),
            span=pl.col("gap").sum(),
            longest=pl.col("gap").max(),
            # rows of a customer stand by day, so this is the number of order days before the longest gap
            before=pl.col("gap").arg_max().cast(pl.Int64) + 1,
            quiet=(pl.lit(as_of) - pl.col("order_day").max()).dt.total_days(),
        )
        .collect()
    )


def _told(customers: pl.DataFrame) -> pl.DataFrame:
    """One row per story: customers, and medians of what makes up their histories."""
    gaps, span, longest, quiet = (pl.col(name) for name in ("gaps", "span", "longest", "quiet"))
    mean, others = span / gaps, (span - longest) / (gaps - 1)
    is_steady = longest <= _STEADY * others
    was_silent = (longest >= _SILENT * others) & (longest >= _SHORTEST_SILENCE)
    around = (pl.col("before") > 2) & (gaps + 1 - pl.col("before") > 1)
    story = (
        pl.when(is_steady & (quiet <= mean))
        .then(pl.lit("regular"))
        .when(is_steady & (quiet >= _OVERDUE * mean))
        .then(pl.lit("overdue"))
        .when(was_silent & around & (quiet < longest))
        .then(pl.lit("came_back"))
    )
    return (
        customers.with_columns(story=story)
        .filter(pl.col("story").is_not_null())
        .with_columns(
            usual=pl.when(pl.col("story") == "came_back").then(others).otherwise(mean),
            after=gaps + 1 - pl.col("before"),
        )
        .group_by("story")
        .agg(
            pl.len().alias("customers"),
            pl.col("gaps", "usual", "longest", "before", "after", "quiet").median(),
        )
    )


def _composed(medians: Mapping[str, Any]) -> TypicalCustomer:
    story, customers = medians["story"], medians["customers"]
    usual = max(1, round(medians["usual"]))
    if story == "came_back":
        days = [usual * at for at in range(round(medians["before"]))]
        back = days[-1] + round(medians["longest"])
        days += [back + usual * at for at in range(round(medians["after"]))]
    else:
        days = [usual * at for at in range(round(medians["gaps"]) + 1)]
    return TypicalCustomer(story, customers, tuple(days), days[-1] + round(medians["quiet"]))
