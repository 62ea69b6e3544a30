"""Composed shops with referrals, points, messages, parcels, tickets and costs. No person stands behind any row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import strategies as st

from models.claims import Facts
from tests.models.shops import INSTANT, MONEY, OPENED, ORDERS, RETURNS, shops

Row = dict[str, Any]

SCHEMAS: dict[str, dict[str, Any]] = {
    "orders": ORDERS,
    "returns": RETURNS,
    "referrals": {
        "referral_id": pl.String,
        "customer_key": pl.String,
        "friend_key": pl.String,
        "order_id": pl.String,
        "referred_day": pl.Date,
    },
    "loyalty_ledger": {
        "entry_id": pl.String,
        "customer_key": pl.String,
        "points": pl.Int64,
        "order_id": pl.String,
        "booked_day": pl.Date,
    },
    "messages": {
        "message_id": pl.String,
        "customer_key": pl.String,
        "channel": pl.String,
        "campaign": pl.String,
        "kind": pl.String,
        "sent_at": INSTANT,
        "sent_day": pl.Date,
        "opened_at": INSTANT,
    },
    "shipments": {
        "shipment_id": pl.String,
        "order_id": pl.String,
        "shipped_at": INSTANT,
        "shipped_day": pl.Date,
        "delivered_day": pl.Date,
        "is_late": pl.Boolean,
    },
    "tickets": {
        "ticket_id": pl.String,
        "order_id": pl.String,
        "is_wismo": pl.Boolean,
        "opened_day": pl.Date,
    },
    "costs": {
        "day": pl.Date,
        "kind": pl.String,
        "amount": MONEY,
        "campaign": pl.String,
    },
    "campaign_assignments": {
        "campaign": pl.String,
        "customer_key": pl.String,
        "assigned_day": pl.Date,
    },
}
DAY_OF = {
    "orders": "order_day",
    "referrals": "referred_day",
    "loyalty_ledger": "booked_day",
    "messages": "sent_day",
    "shipments": "shipped_day",
    "tickets": "opened_day",
    "costs": "day",
    "campaign_assignments": "assigned_day",
}


def day(offset: int) -> date:
    """The day so many days after the shop opened."""
    return OPENED + timedelta(offset)


def noon(offset: int) -> datetime:
    """Its noon."""
    return datetime.combine(day(offset), time(12), UTC)


def order(order_id: str, customer: str | None, offset: int, *, channel: str = "web", net: int = 50) -> Row:
    """One valid order."""
    return {
        "order_id": order_id,
        "channel": channel,
        "customer_key": customer,
        "order_day": day(offset),
        "gross": Decimal(net),
        "discount": Decimal(0),
        "is_valid": True,
    }


def facts_of(options: dict[str, Any] | None = None, /, **rows: Sequence[Row]) -> Facts:
    """Facts with the tables given; a table without rows is not delivered, except orders."""
    tables = {
        name: pl.LazyFrame(list(given), schema=SCHEMAS[name])
        for name, given in rows.items()
        if given or name == "orders"
    }
    return Facts(tables, options or {})


def known_by(facts: Facts, as_of: date) -> Facts:
    """What a delivery at the end of `as_of` could have held: nothing dated later."""
    known: dict[str, pl.LazyFrame] = {}
    for name, table in facts.tables.items():
        if name == "returns":
            known[name] = table.filter(pl.coalesce("refunded_day", "returned_day") <= as_of)
        else:
            known[name] = table.filter(pl.col(DAY_OF[name]) <= as_of)
        if name == "shipments":
            arrived = pl.col("delivered_day") <= as_of
            known[name] = known[name].with_columns(
                pl.when(arrived).then(column).alias(column) for column in ("delivered_day", "is_late")
            )
        if name == "messages":
            opened = pl.col("opened_at").dt.date() <= as_of
            known[name] = known[name].with_columns(opened_at=pl.when(opened).then("opened_at"))
    kept = {
        name: table for name, table in known.items() if name == "orders" or not table.collect().is_empty()
    }
    return Facts(kept, facts.options)


@st.composite
def related_shops(draw: st.DrawFn, *, days: int = 800) -> Facts:
    """Tiny shops with any of the tables."""
    shop = draw(shops(days=days, max_orders=20))
    offsets = st.integers(0, days)
    customers = st.sampled_from(["c0", "c1", "c2", "c3", None])
    orders = [*(row["order_id"] for row in shop.order_rows), None]
    order_ids = st.sampled_from(orders)
    rows: dict[str, list[Row]] = {name: [] for name in SCHEMAS}
    rows["orders"], rows["returns"] = list(shop.order_rows), list(shop.return_rows)

    def some(name: str, **columns: st.SearchStrategy[Any]) -> None:
        rows[name] = draw(st.lists(st.fixed_dictionaries(columns), max_size=8))

    some("referrals", friend_key=customers, order_id=order_ids, referred_day=offsets.map(day))
    some("loyalty_ledger", customer_key=customers, booked_day=offsets.map(day))
    some(
        "tickets",
        order_id=order_ids,
        is_wismo=st.sampled_from([True, False, None]),
        opened_day=offsets.map(day),
    )
    names = st.sampled_from(["welcome", "advertising", None])
    some(
        "costs",
        day=offsets.map(day),
        kind=st.sampled_from(["cogs", "campaign", "other", "shipping"]),
        amount=st.integers(1, 90).map(Decimal),
        campaign=names,
    )
    some("campaign_assignments", campaign=names, customer_key=customers, assigned_day=offsets.map(day))
    for number in range(draw(st.integers(0, 10))):
        sent, waited = draw(offsets), draw(st.sampled_from([None, 0, 3, 7, 20]))
        rows["messages"].append(
            {
                "message_id": f"m{number}",
                "customer_key": draw(customers),
                "channel": draw(st.sampled_from(["email", "sms"])),
                "campaign": draw(names),
                "kind": draw(st.sampled_from(["marketing", "transactional", None])),
                "sent_at": noon(sent),
                "sent_day": day(sent),
                "opened_at": None if waited is None else noon(sent + waited),
            }
        )
    for number, row in enumerate(shop.order_rows):
        sent = (row["order_day"] - OPENED).days + draw(st.integers(0, 5))
        rows["shipments"].append(
            {
                "shipment_id": f"s{number}",
                "order_id": row["order_id"],
                "shipped_at": noon(sent),
                "shipped_day": day(sent),
                "delivered_day": day(sent + draw(st.integers(0, 30))),
                "is_late": draw(st.booleans()),
            }
        )
    return facts_of(None, **rows)
