"""Contact pressure: how often customers were written to lately, and how many of those then unsubscribed.

Time order: contacts are counted up to a day, and only who had not unsubscribed by then is watched, for 30 days more.
Counting contacts up to the unsubscription itself would be circular: nobody unsubscribes from a message that did not
come, and whoever unsubscribed gets no more of them. It is no experiment all the same: shops write more to whom they
expect more of.

What does not belong here: what is a contact and which lists were used (`pipelines.delivery.contact_cap`), and messages
by month (`models.service`, measure contact_pressure: how many the shop sends, not who gets how many).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from models.intervals import SMALL_GROUP, wilson_interval

__all__ = ["BUCKETS", "FOLLOW_UP_DAYS", "WINDOWS", "Contacts", "contact_pressure", "landmark"]

WINDOWS: Final = (30, 90)
"""Days in which contacts are counted."""
FOLLOW_UP_DAYS: Final = 30
"""Days after the landmark in which unsubscriptions are counted (ours)."""
BUCKETS: Final[Mapping[str, int]] = {"0": 0, "1": 1, "2": 2, "3-4": 3, "5-9": 5, "10+": 10}
"""Numbers of contacts that are told together, each with its least."""


@dataclass(frozen=True, slots=True)
class Contacts:
    """Who had how many contacts in one window: customer_key, contacts; who had none may be left out.

    Attributes
    ----------
    up_to_as_of, up_to_landmark
        In the window that ends with as_of, and in the one that ends with the landmark.
    """

    up_to_as_of: pl.LazyFrame
    up_to_landmark: pl.LazyFrame


def landmark(as_of: date) -> date:
    """Day up to which contacts are counted for what followed; what followed is over on `as_of`."""
    return as_of - timedelta(days=FOLLOW_UP_DAYS)


def contact_pressure(
    customers: pl.LazyFrame,
    contacts: Mapping[int, Contacts],
    as_of: date,
    *,
    unsubscribed: pl.LazyFrame | None = None,
) -> pl.LazyFrame:
    """Count customers by number of contacts, and how many of them unsubscribed afterwards.

    Parameters
    ----------
    customers
        customer_key (once), first_order_day; only who had ordered by the day counts.
    contacts
        Days of the window -> contacts in it; all by `as_of`.
    as_of
        Last day included; later facts change nothing.
    unsubscribed
        customer_key, unsubscribed_day: who unsubscribed from any channel or objected; None where nobody can know.

    Returns
    -------
    LazyFrame
        One row per window and bucket (`BUCKETS`), sorted: as_of, window_days, contacts, position, customers, share
        (both up to as_of), n, unsubscribed, rate, low, high (Wilson, 95 %), is_small.
    """
    cells = _cells(_first_days(customers, unsubscribed, as_of), contacts)
    made = [
        _by_bucket(cells, window, is_told=unsubscribed is not None).with_columns(
            window_days=pl.lit(window, pl.Int32)
        )
        for window in contacts
    ]
    rows = pl.concat(made) if made else pl.LazyFrame(schema=_SCHEMA)
    limits = wilson_interval(pl.col("unsubscribed"), pl.col("n"))
    everybody = pl.col("customers").sum().over("window_days")
    return rows.select(
        pl.lit(as_of).alias("as_of"),
        "window_days",
        "contacts",
        "position",
        "customers",
        share=pl.when(everybody > 0).then(pl.col("customers") / everybody),
        n="n",
        unsubscribed="unsubscribed",
        rate=pl.when(pl.col("n") > 0).then(pl.col("unsubscribed") / pl.col("n")),
        low=limits.low,
        high=limits.high,
        is_small=pl.col("n") < SMALL_GROUP,
    ).sort("window_days", "position")


_SCHEMA = {
    "contacts": pl.String,
    "position": pl.Int32,
    "customers": pl.Int64,
    "n": pl.Int64,
    "unsubscribed": pl.Int64,
    "window_days": pl.Int32,
}


def _first_days(customers: pl.LazyFrame, unsubscribed: pl.LazyFrame | None, as_of: date) -> pl.LazyFrame:
    """Customers by as_of, with whether they are watched from the landmark on, and whether they then left."""
    own = customers.filter(pl.col("first_order_day") <= as_of).select("customer_key", "first_order_day")
    if unsubscribed is None:
        own = own.with_columns(gone=pl.lit(None, pl.Date))
    else:
        first = (
            unsubscribed.filter(pl.col("unsubscribed_day") <= as_of)
            .group_by("customer_key")
            .agg(gone=pl.col("unsubscribed_day").min())
        )
        own = own.join(first, on="customer_key", how="left")
    since = landmark(as_of)
    is_there = (pl.col("first_order_day") <= since) & ~(pl.col("gone") <= since).fill_null(False)
    return own.select("customer_key", is_watched=is_there, has_left=is_there & pl.col("gone").is_not_null())


def _cells(told: pl.LazyFrame, contacts: Mapping[int, Contacts]) -> pl.LazyFrame:
    """Count by the buckets of every window at once: all customers once, and some 1,000 rows are left."""
    buckets: list[pl.Expr] = []
    for window, found in contacts.items():
        for column, frame in (
            (f"now {window}", found.up_to_as_of),
            (f"before {window}", found.up_to_landmark),
        ):
            counted = frame.select("customer_key", pl.col("contacts").alias(column))
            told = told.join(counted, on="customer_key", how="left")
            buckets.append(_bucket(pl.col(column)).alias(column))
    counts = told.group_by(buckets).agg(
        customers=pl.len().cast(pl.Int64),
        n=pl.col("is_watched").sum().cast(pl.Int64),
        unsubscribed=pl.col("has_left").sum().cast(pl.Int64),
    )
    return counts.collect(engine="streaming").lazy()


def _by_bucket(cells: pl.LazyFrame, window: int, *, is_told: bool) -> pl.LazyFrame:
    buckets = pl.LazyFrame(
        {"contacts": list(BUCKETS), "position": range(1, len(BUCKETS) + 1)},
        schema_overrides={"position": pl.Int32},
    )
    counts = {f"now {window}": ["customers"], f"before {window}": ["n", "unsubscribed"]}
    for name, columns in counts.items():
        of_bucket = cells.group_by(contacts=name).agg(pl.col(columns).sum())
        buckets = buckets.join(of_bucket, on="contacts", how="left")
    filled = buckets.with_columns(pl.col("customers", "n", "unsubscribed").fill_null(0))
    return filled if is_told else filled.with_columns(unsubscribed=pl.lit(None, pl.Int64))


def _bucket(count: pl.Expr) -> pl.Expr:
    named = pl.lit(next(iter(BUCKETS)))
    for name, least in BUCKETS.items():
        named = pl.when(count >= least).then(pl.lit(name)).otherwise(named)
    return named
