"""Facts of composed shops for the claims on buying again; no person stands behind any row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import polars as pl

from models.claims import Facts
from pipelines.simulate.block import Block
from pipelines.simulate.truth import tables
from tests.models.composed_experience import SHIPMENTS, Experience
from tests.models.shops import OPENED, ORDERS, RETURNS, Shop
from tests.pipelines.simulate.blocks import block

Row = dict[str, Any]

SIMULATED_UNTIL = date(2024, 12, 31)


def bought(orders: Iterable[tuple[str, int, int | Decimal]]) -> Facts:
    """A shop of orders alone: customer, days since the shop opened, net."""
    rows = [
        {
            "order_id": f"o{number}",
            "customer_key": customer,
            "order_day": OPENED + timedelta(offset),
            "channel": "web",
            "gross": Decimal(net),
            "discount": Decimal(0),
            "is_valid": True,
        }
        for number, (customer, offset, net) in enumerate(orders)
    ]
    return Facts({"orders": pl.LazyFrame(rows, schema=ORDERS)})


def after_first_month(
    orders: Iterable[tuple[str, int, int | Decimal]],
) -> Iterable[tuple[str, int, int | Decimal]]:
    """The same orders, beginning in the month after the shop's first, in which somebody else bought."""
    yield "somebody else", 0, 10
    next_month = (OPENED.replace(day=28) + timedelta(4)).replace(day=1)
    for customer, offset, net in orders:
        yield customer, offset + (next_month - OPENED).days, net


def facts_of(found: Experience) -> Facts:
    """Every table that claims on buying again read, with rows or without."""
    return Facts(
        {
            "orders": found.shop.orders,
            "order_lines": found.shop.order_lines,
            "returns": found.shop.returns,
            "survey_answers": found.answers,
            "survey_invitations": found.invitations,
            "shipments": found.shipments,
            "tickets": found.tickets,
        }
    )


def crowd(found: Experience, times: int) -> Experience:
    """The same shop with everybody so many times over: small enough to draw, large enough to tell."""

    def copies(rows: tuple[Row, ...]) -> tuple[Row, ...]:
        named = ("order_id", "customer_key", "survey_id", "return_id", "shipment_id", "ticket_id")
        return tuple(
            row | {name: f"{row[name]}-{copy}" for name in named if row.get(name) is not None}
            for copy in range(times)
            for row in rows
        )

    shop = Shop(
        *(copies(rows) for rows in (found.shop.order_rows, found.shop.line_rows, found.shop.return_rows))
    )
    return replace(
        found,
        shop=shop,
        answer_rows=copies(found.answer_rows),
        invitation_rows=copies(found.invitation_rows),
        shipment_rows=copies(found.shipment_rows),
        ticket_rows=copies(found.ticket_rows),
    )


@cache
def simulated_block(people: int, seed: int) -> Block:
    """Simulated people whose true numbers are known."""
    return block(people, seed=seed)


def simulated(people: int = 12_000, seed: int = 1) -> tuple[Facts, pl.DataFrame]:
    """A simulated shop that knows who is who, and its true orders; parcels take 3 days, bad returns come after 9."""
    truth = tables(simulated_block(people, seed))["orders"]
    orders = truth.select(
        "order_id",
        "order_day",
        pl.col("person").cast(pl.String).alias("customer_key"),
        "channel",
        (pl.col("standing") == "placed").alias("is_valid"),
        pl.col("net").alias("gross"),
        pl.lit(0).cast(ORDERS["discount"]).alias("discount"),
    )
    shipped = truth.filter(pl.col("channel") != "store").select(
        pl.concat_str(pl.lit("p"), "order_id").alias("shipment_id"),
        "order_id",
        "is_late",
        delivered_day=pl.col("order_day") + timedelta(3),
        promised_day=pl.col("order_day") + timedelta(2),
        carrier=pl.lit("van"),
    )
    back = truth.filter("has_bad_return").select(
        pl.concat_str(pl.lit("r"), "order_id").alias("return_id"),
        "order_id",
        kind=pl.lit("merchandise"),
        amount=pl.lit(0).cast(RETURNS["amount"]),
        reason=pl.lit("damaged"),
        outcome=pl.lit("refund"),
        returned_day=pl.col("order_day") + timedelta(9),
        refunded_day=pl.col("order_day") + timedelta(12),
    )
    facts = {"orders": orders, "shipments": shipped.select(list(SHIPMENTS)), "returns": back}
    return Facts({name: frame.lazy() for name, frame in facts.items()}), truth.filter(
        pl.col("standing") == "placed"
    )
