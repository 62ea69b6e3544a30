"""Aftermath: what a late parcel, a ticket, a return or a slow refund does to the next order.

Orders with the event are compared to orders without it, by who ordered again. Two things make the plain comparison
lie, and are dealt with here:

*Time.* An order can only meet with an event while its customer waits for the next one, and who takes long to order
again leaves more time for a return or a ticket. Counting from the order itself, "with" would gather those who took
long (immortal-time bias). Hence a landmark: for every order alike the clock starts 30 days after it. What was known of
it by then decides with or without; only orders after that count as next; what happens later changes nothing. The price:
next orders within the 30 days count for neither, and a later event counts as none, which makes differences smaller.

*Who.* Events strike people unevenly: who orders often sees more of them. So the rates are standardised over strata of
earlier order days, channel and month (`models.standardised`); for tickets, which follow from late parcels and returns,
also of these. Whatever else tells these people apart stays in the difference: it is a comparison of alike orders, not
an experiment.

What does not belong here: how often the events happen (`models.service`, `models.returns`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.intervals import SMALL_GROUP, wilson
from models.landmark import order_days, sequenced
from models.order_events import (
    BAD_REASONS,
    EVENTS,
    Event,
    of_refunds,
    of_returns,
    of_shipments,
    of_tickets,
)
from models.refund_speed import refunds_due
from models.standardised import standardised_difference

__all__ = ["HORIZONS", "LANDMARK_DAYS", "NO_OVERLAP", "aftermath"]

HORIZONS = (90, 180, 365)
LANDMARK_DAYS = 30
NO_OVERLAP = "no alike orders without the event"

_EPOCH = date(1970, 1, 1)
_SCHEMA = {
    "as_of": pl.Date,
    "event": pl.String,
    "horizon_days": pl.Int32,
    "landmark_days": pl.Int32,
    **{
        f"{side}_{name}": kind
        for side in ("with", "without")
        for name, kind in {
            "n": pl.Int64,
            "count": pl.Int64,
            "rate": pl.Float64,
            "low": pl.Float64,
            "high": pl.Float64,
        }.items()
    },
    **dict.fromkeys(
        ("overlap", "alike_with_rate", "alike_without_rate", "difference", "low", "high"), pl.Float64
    ),
    "is_small": pl.Boolean,
    "note": pl.String,
}


def aftermath(
    orders: pl.LazyFrame,
    returns: pl.LazyFrame,
    as_of: date,
    *,
    shipments: pl.LazyFrame | None = None,
    tickets: pl.LazyFrame | None = None,
    horizons: Sequence[int] = HORIZONS,
    landmark_days: int = LANDMARK_DAYS,
    bad_reasons: str = BAD_REASONS,
) -> pl.LazyFrame:
    """Share of orders with another one after them, with each event and without.

    Valid orders of known customers count, all of one day as one.

    Parameters
    ----------
    orders
        order_id, customer_key, order_day, channel, is_valid.
    returns
        See `models.order_events.of_returns`.
    as_of
        Last day included; later facts change nothing.
    shipments, tickets
        See `models.order_events`; None where the shop has none: their events are left out.
    horizons
        Days after the order by which the next counts.
    landmark_days
        Days after the order by which an event must be known, and after which the next order counts.
    bad_reasons
        Regular expression of reasons that blame the shop.

    Returns
    -------
    LazyFrame
        One row per event (`EVENTS`) that struck an order whose horizon is over, and horizon: as_of, event,
        horizon_days, landmark_days (Int32); with_n and without_n (orders whose horizon is over), _count (of n, with a
        next order), _rate, _low, _high (95 % Wilson, which takes orders as independent); overlap (share of the orders
        with the event that have alike ones without), alike_with_rate and alike_without_rate (over these, at their mix
        of strata), difference, low, high (95 %; orders of one customer are taken together); is_small (fewer than 30
        orders with the event), note (`NO_OVERLAP` where nothing can be compared).

    Raises
    ------
    ValueError
        If a horizon is not longer than the landmark.
    """
    if any(days <= landmark_days for days in horizons) or landmark_days < 0:
        raise ValueError(
            f"Horizons {list(horizons)} must be longer than the {landmark_days} days of the landmark."
        )
    known = [of_returns(returns, bad_reasons=bad_reasons), of_refunds(refunds_due(returns, as_of))]
    known += [of_shipments(shipments)] if shipments is not None else []
    known += [of_tickets(tickets)] if tickets is not None else []
    known_days = [name for days in known for name in days.collect_schema().names() if name != "order_id"]
    frame = order_days(orders, known, known_days, as_of, landmark_days).collect(engine="streaming")
    rows = sequenced(frame, landmark_days)
    told = {name for name in known_days if rows[name].any()}
    made = [
        _compared(rows, name, days, landmark_days, as_of)
        for name, event in EVENTS.items()
        # Where no refund was ever quick the source tells no refund days, and nothing is slow.
        if event.struck in told and (name != "slow_refund" or event.spared in told)
        for days in horizons
    ]
    return pl.DataFrame([row for row in made if row], schema=_SCHEMA, orient="row").lazy()


def _compared(
    rows: pl.DataFrame, name: str, horizon: int, landmark_days: int, as_of: date
) -> dict[str, Any] | None:
    """One row of the result; None where the event struck nobody yet."""
    event = EVENTS[name]
    is_struck = pl.col(event.struck)
    spared = pl.lit(True) if event.spared is None else pl.col(event.spared)
    if event.unless is not None:
        spared &= ~pl.col(event.unless)
    over = rows.filter((pl.col("day") <= (as_of - _EPOCH).days - horizon) & (is_struck | spared)).select(
        "person",
        stratum=_with_besides(event, rows.columns),
        struck=is_struck,
        again=(pl.col("wait") <= horizon).fill_null(False),
    )
    struck, again = (over[column].to_numpy() for column in ("struck", "again"))
    if not struck.any():
        return None
    found = standardised_difference(_whole(over["stratum"]), struck, again, _whole(over["person"]))
    numbers = dict(
        zip(
            ("overlap", "alike_with_rate", "alike_without_rate", "difference", "low", "high"),
            (None if np.isnan(value) else value for value in found),
            strict=True,
        )
    )
    return {
        "as_of": as_of,
        "event": name,
        "horizon_days": horizon,
        "landmark_days": landmark_days,
        **_plain("with", again[struck]),
        **_plain("without", again[~struck]),
        **numbers,
        "is_small": int(struck.sum()) < SMALL_GROUP,
        "note": None if found.overlap > 0 else NO_OVERLAP,
    }


def _with_besides(event: Event, known: list[str]) -> pl.Expr:
    """Part the strata further by the other events that this one follows from."""
    stratum = pl.col("stratum")
    for name in event.besides:
        if name in known:
            stratum = 2 * stratum + pl.col(name).cast(pl.Int64)
    return stratum


def _plain(side: str, again: NDArray[np.bool_]) -> dict[str, Any]:
    n, count = int(again.size), int(again.sum())
    low, high = wilson(count, n) if n else (None, None)
    numbers = {"n": n, "count": count, "rate": count / n if n else None, "low": low, "high": high}
    return {f"{side}_{name}": number for name, number in numbers.items()}


def _whole(numbers: pl.Series) -> NDArray[np.int64]:
    return numbers.cast(pl.Int64).to_numpy()
