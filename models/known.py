"""Known: a shop's facts as they stood at the end of a day; all that a candidate gets to see.

The back-test hides the future here, once, so that no model has to be trusted to look away. What is told of an order
later than the day (status, refunds, net) is left out, and later rows vanish. Whether an order counts is told as it is
known now: a cancellation has no day of its own in what shops deliver.

What does not belong here: what candidates make of it (`models.candidates`), the features (`models.features`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Self, Unpack, cast

import polars as pl

from models._behaviour_features import known_orders, known_purchases
from models.features import COLUMNS, Tables

__all__ = ["CUSTOMERS_AT_ONCE", "Known", "known_at", "parts_of", "sample_of"]

CUSTOMERS_AT_ONCE: Final = 1_000_000
"""Customers whose facts are worked on at once: some forty numbers each, and what they are made of (ours)."""
_BY_ORDER: Final = ("order_lines", "returns", "shipments")


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of a shop at the end of a day.

    Attributes
    ----------
    as_of
        Last day included.
    purchases
        One row per customer and order day (`models.summary.purchases_at`).
    tables
        The facts that features are made of, by the names of `models.features.features`; None where only purchases
        are known.
    """

    as_of: date
    purchases: pl.LazyFrame
    tables: Tables | None

    @classmethod
    def of_purchases(cls, purchases: pl.LazyFrame, as_of: date) -> Self:
        """A shop of which only its purchases are known; later ones vanish."""
        return cls(as_of, purchases.filter(pl.col("order_day") <= as_of), None)


def known_at(as_of: date, **tables: Unpack[Tables]) -> Known:
    """Put a shop back to the end of a day.

    A return that was on its way at `as_of` keeps its row, with the day it was finished moved to the day after: that it
    was not finished was known, when it would be was not. So is a ticket that was still open.

    Parameters
    ----------
    as_of
        Last day included.
    tables
        The facts, see `models.features.features`; those that are None are not there.

    Returns
    -------
    Known
    """
    given = {
        name: table.select(COLUMNS[name])
        for name, table in cast(Mapping[str, pl.LazyFrame | None], tables).items()
        if table is not None
    }
    hidden = {name: _HIDE[name](table, as_of) for name, table in given.items()}
    if "order_lines" in hidden:
        own = hidden["orders"].select("order_id")
        hidden["order_lines"] = hidden["order_lines"].join(own, on="order_id", how="semi")
    return Known(as_of, known_purchases(given["orders"], given.get("returns"), as_of), cast(Tables, hidden))


def sample_of(tables: Tables, as_of: date, *, seed: int, max_customers: int) -> Tables:
    """Load the facts of at most so many customers, chosen by a hash of their keys; the same at every day put back to.

    Parameters
    ----------
    tables
        The facts; None where the shop has none.
    as_of
        Customers with a valid order by then are chosen from.

    Returns
    -------
    Tables
        In memory; the facts of all customers if there are no more.
    """
    customers = known_orders(tables["orders"], as_of).select("customer_key").unique()
    chosen = (
        customers.with_columns(lot=pl.col("customer_key").hash(seed))
        .bottom_k(max_customers, by="lot")
        .select("customer_key")
        .collect(engine="streaming")
        .lazy()
    )
    orders = tables["orders"].select(COLUMNS["orders"]).join(chosen, on="customer_key", how="semi")
    loaded = {"orders": orders.collect(engine="streaming").lazy()}
    for name, table in cast(Mapping[str, pl.LazyFrame | None], tables).items():
        if table is not None and name != "orders":
            of, by = (loaded["orders"], "order_id") if name in _BY_ORDER else (chosen, "customer_key")
            own = table.select(COLUMNS[name]).join(of.select(by), on=by, how="semi")
            loaded[name] = own.collect(engine="streaming").lazy()
    return cast(Tables, loaded)


def parts_of(tables: Tables, customers: int, *, at_once: int = CUSTOMERS_AT_ONCE) -> Iterator[Tables]:
    """Split the facts by customer, so that what is made of them fits in memory; every customer is in one part.

    Parameters
    ----------
    tables
        The facts; None where the shop has none.
    customers
        How many there are.
    at_once
        How many may be in a part, about: they are split by a hash of their keys.
    """
    parts = max(1, round(customers / at_once))
    for part in range(parts):
        chosen = pl.col("customer_key").hash(parts) % parts == part
        orders = tables["orders"].filter(chosen)
        own = {"orders": orders}
        for name, table in cast(Mapping[str, pl.LazyFrame | None], tables).items():
            if table is not None and name != "orders":
                is_of_order = name in _BY_ORDER
                own[name] = (
                    table.join(orders.select("order_id"), on="order_id", how="semi")
                    if is_of_order
                    else table.filter(chosen)
                )
        yield cast(Tables, own)


def _by_day(column: str) -> Callable[[pl.LazyFrame, date], pl.LazyFrame]:
    return lambda table, as_of: table.filter(pl.col(column) <= as_of)


def _returns(table: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    days = ("returned_day", "refunded_day")
    is_told = pl.any_horizontal(pl.col(day) <= as_of for day in days)
    return table.filter(is_told).with_columns(_not_yet(day, as_of) for day in days)


def _tickets(table: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    return table.filter(pl.col("opened_day") <= as_of).with_columns(_not_yet("closed_day", as_of))


def _not_yet(column: str, as_of: date) -> pl.Expr:
    tomorrow = pl.lit(as_of + timedelta(days=1))
    return pl.when(pl.col(column) > as_of).then(tomorrow).otherwise(column).alias(column)


_HIDE: Final[Mapping[str, Callable[[pl.LazyFrame, date], pl.LazyFrame]]] = {
    "orders": _by_day("order_day"),
    # Lines have no day of their own: they go with their orders.
    "order_lines": lambda table, _: table,
    "returns": _returns,
    "survey_answers": _by_day("answered_day"),
    "survey_invitations": _by_day("sent_day"),
    "shipments": _by_day("delivered_day"),
    "tickets": _tickets,
}
