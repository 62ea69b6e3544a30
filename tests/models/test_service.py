"""Service measures against a plain recomputation, exact limits, and as known at as_of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from statistics import mean, stdev
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal
from scipy.stats import chi2

from models.intervals import normal_quantile, wilson
from models.service import MEASURES, UNKNOWN, service_rates
from tests.models.composed_experience import MESSAGES, SHIPMENTS, TICKETS, Experience, experiences
from tests.models.shops import OPENED, ORDERS, as_of_days

FEW = settings(max_examples=20, deadline=None)
Row = dict[str, Any]
Cells = dict[Any, tuple[int, int]]


def _table(found: Experience, as_of: date) -> pl.DataFrame:
    return service_rates(
        found.shop.orders,
        as_of,
        shipments=found.shipments,
        tickets=found.tickets,
        messages=found.messages,
    ).collect()


def _tally(rows: Iterable[Row], day: str, **values: Callable[[Row], str | None]) -> Counter[Any]:
    counts: Counter[Any] = Counter()
    for row in rows:
        month = row[day].replace(day=1)
        counts[month, "all", "all"] += 1
        counts.update((month, name, value(row) or UNKNOWN) for name, value in values.items())
    return counts


def _slow(found: Experience, as_of: date) -> Cells:
    """Cell and measure -> (count, n)."""
    orders = {
        row["order_id"]: row for row in found.shop.order_rows if row["is_valid"] and row["order_day"] <= as_of
    }
    parcels = [
        row for row in found.shipment_rows if row["is_late"] is not None and row["delivered_day"] <= as_of
    ]
    tickets = [row for row in found.ticket_rows if row["opened_day"] <= as_of]
    named = [row for row in tickets if row["order_id"] in orders]
    wismo = [row for row in tickets if row["is_wismo"]]

    def channel(row: Row) -> str | None:
        return orders.get(row["order_id"], {}).get("channel")

    def carrier(row: Row) -> str | None:
        return row["carrier"]

    placed = _tally(orders.values(), "order_day", channel=channel)
    with_parcel = {row["order_id"] for row in parcels}
    told = _tally((row for key, row in orders.items() if key in with_parcel), "order_day", channel=channel)
    arrived = _tally(parcels, "delivered_day", carrier=carrier, channel=channel)
    late = _tally(
        (row for row in parcels if row["is_late"]), "delivered_day", carrier=carrier, channel=channel
    )
    cells: Cells = {(*cell, "late_rate"): (late[cell], n) for cell, n in arrived.items()}
    cells |= {(*cell, "delivery_known"): (told[cell], n) for cell, n in placed.items()}
    for name, rows in (("contact_rate", tickets), ("wismo_contact_rate", wismo)):
        both = _tally(rows, "opened_day")
        both += Counter(
            (row["opened_day"].replace(day=1), "channel", channel(row) or UNKNOWN)
            for row in rows
            if row in named
        )
        # Months with tickets but without orders have a row, too.
        keys = placed.keys() | _tally(tickets, "opened_day").keys() | {
            (row["opened_day"].replace(day=1), "channel", channel(row) or UNKNOWN) for row in named
        }  # fmt: skip
        cells |= {(*cell, name): (both[cell], placed[cell]) for cell in keys}
    topics = Counter((row["opened_day"].replace(day=1), row["topic"] or UNKNOWN) for row in tickets)
    cells |= {
        (month, "topic", topic, "contact_rate"): (count, placed[month, "all", "all"])
        for (month, topic), count in topics.items()
    }
    asks = _tally(wismo, "opened_day")
    with_topic = _tally((row for row in tickets if row["is_wismo"] is not None), "opened_day")
    return cells | {(*cell, "wismo_share"): (asks[cell], n) for cell, n in with_topic.items()}


def _cells(table: pl.DataFrame) -> dict[Any, Row]:
    return {
        (row["month"], row["break_down"], row["break_down_value"], row["measure"]): row
        for row in table.to_dicts()
    }


@FEW
@given(experiences(), as_of_days(300))
def test_rates_equal_the_recomputation_row_by_row(found: Experience, as_of: date) -> None:
    table = _cells(_table(found, as_of))
    rates = {key: row for key, row in table.items() if not key[3].startswith(("days", "contact_pressure"))}
    expected = _slow(found, as_of)
    assert rates.keys() == expected.keys()
    for key, (count, n) in expected.items():
        row = rates[key]
        assert (row["count"], row["n"]) == (count, n)
        assert row["value"] == (pytest.approx(count / n) if n else None)
        if row["unit"] == "share":
            assert (row["low"], row["high"]) == pytest.approx(wilson(count, n))
        assert row["is_complete"] == ((key[0] + timedelta(31)).replace(day=1) <= as_of + timedelta(1))


@FEW
@given(experiences(), as_of_days(300))
def test_pressure_and_days_to_close_equal_the_recomputation(found: Experience, as_of: date) -> None:
    table = _cells(_table(found, as_of))
    sent = [
        row
        for row in found.message_rows
        if row["kind"] == "marketing" and row["customer_key"] and row["sent_day"] <= as_of
    ]
    for month in {row["sent_day"].replace(day=1) for row in sent}:
        for channel in ("all", "email", "sms"):
            own = Counter(
                row["customer_key"]
                for row in sent
                if row["sent_day"].replace(day=1) == month and channel in ("all", row["channel"])
            )
            name = "all" if channel == "all" else "message_channel"
            row = table.get((month, name, channel, "contact_pressure"))
            if not own:
                assert row is None
                continue
            assert row is not None
            assert (row["count"], row["n"], row["value"]) == (own.total(), len(own), mean(own.values()))
            if len(own) > 1:
                half = normal_quantile(0.95) * stdev(own.values()) / len(own) ** 0.5
                assert row["high"] == pytest.approx(mean(own.values()) + half)
    closing = [row for key, row in table.items() if key[3] == "days_to_close_p50" and key[1] == "all"]
    known = [
        row
        for row in found.ticket_rows
        if row["opened_day"] <= as_of and (row["closed_day"] or row["is_open"])
    ]
    over = [row for row in known if row["closed_day"] and row["closed_day"] <= as_of]
    assert sum(row["n"] for row in closing) == (len(known) if over else 0)
    assert sum(row["count"] for row in closing) == len(over)


@FEW
@given(experiences(), as_of_days(300))
def test_later_facts_change_nothing(found: Experience, as_of: date) -> None:
    assert_frame_equal(_table(found, as_of), _table(found.known_by(as_of), as_of))


def test_open_tickets_lengthen_the_days_to_close() -> None:
    waits = [1, 1, 2, None, None]
    rows = [
        {"opened_day": OPENED, "is_open": wait is None}
        | {"closed_day": None if wait is None else OPENED + timedelta(wait)}
        for wait in waits
    ]
    orders = pl.LazyFrame([], schema=ORDERS)
    table = service_rates(orders, OPENED + timedelta(9), tickets=pl.LazyFrame(rows, schema=TICKETS)).collect()
    row = table.filter(break_down="all", measure="days_to_close_p50").row(0, named=True)
    assert (row["count"], row["n"], row["value"], row["high"]) == (3, 5, 2, None)


def test_a_help_desk_that_tells_no_closing_day_has_no_days_to_close() -> None:
    rows = [{"opened_day": OPENED, "is_open": False, "topic": "refund", "is_wismo": False}] * 3
    orders = pl.LazyFrame([], schema=ORDERS)
    table = service_rates(orders, OPENED, tickets=pl.LazyFrame(rows, schema=TICKETS)).collect()
    assert set(table["measure"]) == {"contact_rate", "wismo_contact_rate", "wismo_share"}
    # Tickets without a single order are counted, and have no rate.
    assert table.filter(break_down="all", measure="contact_rate").select("count", "n", "value").row(0) == (
        3,
        0,
        None,
    )


@pytest.mark.parametrize("tickets", [1, 4, 12, 90])
def test_limits_per_order_are_near_the_exact_poisson_ones(tickets: int) -> None:
    orders = pl.LazyFrame(
        [{"order_id": str(n), "order_day": OPENED, "is_valid": True} for n in range(50)], schema=ORDERS
    )
    asked = pl.LazyFrame([{"opened_day": OPENED, "is_open": True}] * tickets, schema=TICKETS)
    table = service_rates(orders, OPENED, tickets=asked).collect()
    row = table.filter(break_down="all", measure="contact_rate").row(0, named=True)
    exact = chi2.ppf(0.025, 2 * tickets) / 2, chi2.ppf(0.975, 2 * tickets + 2) / 2
    assert (row["low"] * 50, row["high"] * 50) == pytest.approx(exact, rel=0.03, abs=0.02)


def test_measures_of_tables_that_are_not_there_are_left_out() -> None:
    orders = pl.LazyFrame([{"order_id": "a", "order_day": OPENED, "is_valid": True}], schema=ORDERS)
    assert service_rates(orders, OPENED).collect().is_empty()
    parcels = service_rates(orders, OPENED, shipments=pl.LazyFrame([], schema=SHIPMENTS)).collect()
    # The order is not on time: of no order is anything known.
    assert set(parcels["measure"]) == {"delivery_known"}
    assert parcels.filter(break_down="all").select("count", "n", "value").row(0) == (0, 1, 0)
    messages = service_rates(orders, OPENED, messages=pl.LazyFrame([], schema=MESSAGES)).collect()
    assert messages.is_empty()
    assert set(MEASURES) >= set(parcels["measure"])
