"""What follows an order as the shop exports it: shipments, returns, tickets.

A parcel that was under way, or money that had not gone back, when a delivery was written comes again in the delivery
that knows better.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.simulate.baskets import OUTCOMES
from pipelines.simulate.block import Block, chosen, in_versions
from pipelines.simulate.catalogue import REASONS
from pipelines.simulate.parameters import PLACED, WEB
from pipelines.simulate.parcels import CARRIERS
from pipelines.simulate.people import is_named

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TOPICS = ("where_is_my_order", "product question", "invoice", "return")
WISMO, QUESTION, INVOICE, RETURN = range(4)
TICKET_CHANNELS = ("email", "chat", "phone")
UNNAMED_ORDER_SHARE = 0.03
"""Share of returns that do not say which order they belong to."""


def shipments(block: Block) -> pl.DataFrame:
    """Give the delivered versions of every shipment that left before the end."""
    orders, clock = block.histories.orders, block.clock
    rows = np.flatnonzero(orders.shipped_at < clock.end)
    shipped, arrived = orders.shipped_at[rows], orders.delivered_at[rows]
    columns = {
        "shipment_id": block.ids("SH", len(rows)),
        "order_id": block.order_ids.gather(rows),
        "shipped_at": clock.texts(shipped),
        "promised_day": clock.days_of(orders.promised_day[rows]).cast(pl.String),
        "delivered_at": clock.texts(arrived),
        "carrier": chosen(CARRIERS, orders.carrier[rows]),
        "status": pl.repeat("delivered", len(rows), eager=True),
    }
    columns["updated_at"] = columns["delivered_at"]
    pending = {
        "delivered_at": pl.lit(None, pl.String),
        "status": pl.lit("in transit"),
        "updated_at": pl.col("shipped_at"),
    }
    return in_versions(block, columns, shipped, arrived, pending)


def returns(block: Block) -> pl.DataFrame:
    """Give the delivered versions of every return that was registered before the end."""
    orders, lines, clock = block.histories.orders, block.histories.lines, block.clock
    rows = np.flatnonzero(lines.returned_at < clock.end)
    order = lines.order[rows]
    who, channel = orders.who[order], orders.channel[order]
    returned, refunded = lines.returned_at[rows], lines.refunded_at[rows]
    unnamed = (block.generator.random(len(rows)) < UNNAMED_ORDER_SHARE) & is_named(block.people, who, channel)
    order_ids = pl.select(pl.when(~pl.Series(unnamed)).then(block.order_ids.gather(order))).to_series()
    columns = {
        "return_id": block.ids("R", len(rows)),
        "order_id": order_ids,
        **block.cells(who, channel, orders.at[order]),
        "product_id": block.world.catalogue.ids.gather(lines.variant[rows]),
        "quantity": pl.Series(lines.pieces_back[rows]).cast(pl.String),
        "amount": (pl.Series(lines.paid_back[rows]) / 100).round(2).cast(pl.String),
        "currency": pl.repeat("EUR", len(rows), eager=True),
        "reason": chosen(REASONS, lines.reason[rows]),
        "outcome": chosen(OUTCOMES, lines.outcome[rows]),
        "returned_at": clock.texts(returned),
        "refunded_at": clock.texts(refunded),
    }
    columns["updated_at"] = columns["refunded_at"]
    pending = {"refunded_at": pl.lit(None, pl.String), "updated_at": pl.col("returned_at")}
    return in_versions(block, columns, returned, refunded, pending)


def tickets(block: Block) -> pl.DataFrame:
    """Give tickets about orders: late parcels bring most of those that ask where an order is.

    A ticket changes nothing in the model: what follows it follows from what it is about.
    """
    orders, clock, accidents = block.histories.orders, block.clock, block.numbers.accidents
    generator, size = block.generator, orders.size
    asks = generator.random(size) < np.where(orders.is_late, accidents.wismo_when_late, accidents.wismo_else)
    is_open = (orders.standing == PLACED) & is_named(block.people, orders.who, orders.channel)
    is_web = orders.channel == WEB
    complains = orders.has_bad_return & (generator.random(size) < accidents.ticket_on_return)
    other = generator.random(size) < accidents.other_ticket
    found = [
        (np.flatnonzero(is_open & asks & np.isfinite(orders.shipped_at)), WISMO),
        (np.flatnonzero(is_open & is_web & complains), RETURN),
        (np.flatnonzero(is_open & is_web & other), QUESTION),
    ]
    rows = np.concatenate([one for one, _ in found])
    topic = np.concatenate([np.full(len(one), about) for one, about in found])
    topic = np.where((topic == QUESTION) & (generator.random(len(rows)) < 0.4), INVOICE, topic)
    waits = np.where(orders.is_late[rows], orders.promised_day[rows] + 1.4, orders.at[rows] + 1.0)
    asked = np.where(
        topic == WISMO, np.minimum(waits, orders.delivered_at[rows]), orders.experienced_at[rows] + 1.0
    )
    opened = asked + generator.uniform(0.0, 0.3, len(rows))
    closed = opened + generator.exponential(1.2, len(rows)) + 0.02
    seen = opened < clock.end
    rows, topic, opened, closed = rows[seen], topic[seen], opened[seen], closed[seen]
    columns = {
        "ticket_id": block.ids("T", len(rows)),
        **block.cells(orders.who[rows], orders.channel[rows], opened),
        "order_id": block.order_ids.gather(rows),
        "channel": chosen(TICKET_CHANNELS, generator.integers(0, len(TICKET_CHANNELS), len(rows))),
        "topic": chosen(TOPICS, topic),
        "is_open": pl.repeat("false", len(rows), eager=True),
        "opened_at": clock.texts(opened),
        "closed_at": clock.texts(closed),
    }
    columns["updated_at"] = columns["closed_at"]
    pending = {
        "is_open": pl.lit("true"),
        "closed_at": pl.lit(None, pl.String),
        "updated_at": pl.col("opened_at"),
    }
    return in_versions(block, columns, opened, closed, pending)
