"""The orders that the export tells of: those of the history, and the free ones that replace exchanged goods.

Lines lead to their order by position; beside merchandise there are postage and gift cards. Which state of an order a
delivery knows is `order_export`'s business.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.simulate.baskets import EXCHANGE
from pipelines.simulate.block import Block
from pipelines.simulate.catalogue import FREE_FROM_CENTS, GIFT_CARD_CENTS
from pipelines.simulate.parameters import CANCELLED, GIFT_ONLY, PLACED, STORE, TEST

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

REFUNDED_STATUS_SHARE = 0.1
"""Share of orders with money gone back whose status says so."""
LONGEST_CANCELLING = 5.0


@dataclass(frozen=True, slots=True)
class Placed:
    """Orders of the history as the export tells them, in arrays of equal length; lines lead here by position."""

    ids: pl.Series
    who: Ints
    at: Floats
    channel: Ints
    standing: Ints
    is_replacement: Flags
    completed_at: Floats
    cancelled_at: Floats
    refunded_at: Floats

    def taken(self, which: Ints) -> Self:
        """Take orders by position."""
        parts = (getattr(self, f.name)[which] for f in fields(self) if f.name != "ids")
        return type(self)(self.ids.gather(which), *parts)


@dataclass(frozen=True, slots=True)
class LineCells:
    """Lines as the export tells them; ``item`` is a product and level, then postage, then gift cards."""

    order: Ints
    item: Ints
    pieces: Ints
    discount: Ints


def placed_orders(block: Block) -> tuple[Placed, LineCells]:
    """Give all orders of the history with their lines; those that replace exchanged goods come last."""
    orders, lines = block.histories.orders, block.histories.lines
    count = int(np.searchsorted(orders.at, block.clock.end))
    kept = int(np.searchsorted(lines.order, count))
    sent_at = np.where((lines.outcome == EXCHANGE) & lines.is_returned, lines.returned_at + 1.0, np.inf)
    swapped = np.flatnonzero(sent_at[:kept] < block.clock.end)
    own = _own(block, count, kept)
    replacements = _replacements(block, swapped, sent_at[swapped])
    parts = (np.concatenate([getattr(own, f.name), getattr(replacements, f.name)]) for f in fields(own)[1:])
    return Placed(pl.concat([own.ids, replacements.ids]), *parts), _cells(block, count, kept, swapped)


def _own(block: Block, count: int, kept: int) -> Placed:
    """Orders that people placed themselves."""
    orders = block.histories.orders
    standing, at = orders.standing[:count], orders.at[:count]
    called_off = at + block.generator.uniform(0.1, LONGEST_CANCELLING, count)
    is_done_at_once = np.isin(standing, (GIFT_ONLY, TEST))
    return Placed(
        ids=block.order_ids.head(count),
        who=orders.who[:count],
        at=at,
        channel=orders.channel[:count],
        standing=standing,
        is_replacement=np.zeros(count, np.bool_),
        completed_at=np.where(is_done_at_once, at, orders.delivered_at[:count]),
        cancelled_at=np.where(standing == CANCELLED, called_off, np.inf),
        refunded_at=_refunded_at(block, count, kept),
    )


def _replacements(block: Block, swapped: Ints, sent_at: Floats) -> Placed:
    """One free order for each exchanged line, numbered after the order that it belongs to."""
    orders, lines, size = block.histories.orders, block.histories.lines, len(swapped)
    original = lines.order[swapped]
    place = pl.Series(swapped - np.searchsorted(lines.order, original) + 1).cast(pl.String)
    return Placed(
        ids=pl.select(pl.concat_str(block.order_ids.gather(original), pl.lit("-X"), place)).to_series(),
        who=orders.who[original],
        at=sent_at,
        channel=orders.channel[original],
        standing=np.full(size, PLACED),
        is_replacement=np.ones(size, np.bool_),
        completed_at=sent_at + 3.0,
        cancelled_at=np.full(size, np.inf),
        refunded_at=np.full(size, np.inf),
    )


def _cells(block: Block, count: int, kept: int, swapped: Ints) -> LineCells:
    """Lines of all orders by order: goods, postage, gift cards, and replacements at full price less the same."""
    orders, lines, generator = block.histories.orders, block.histories.lines, block.generator
    prices = block.world.catalogue.price_cents
    has_goods = orders.standing[:count] != GIFT_ONLY
    worth = np.bincount(lines.order[:kept], lines.net[:kept], count)
    in_store = orders.channel[:count] == STORE
    postage = np.flatnonzero(has_goods & (worth < FREE_FROM_CENTS) & ~in_store)
    gifts = np.flatnonzero(~has_goods | (generator.random(count) < block.numbers.accidents.gift_card_share))
    cards = len(prices) + 1 + generator.integers(0, len(GIFT_CARD_CENTS), len(gifts))
    back, variant = lines.pieces_back[swapped], lines.variant[swapped]
    one, free = np.ones(len(postage) + len(gifts), np.int64), back * prices[variant]
    order = np.concatenate([lines.order[:kept], postage, gifts, count + np.arange(len(swapped))])
    item = np.concatenate([lines.variant[:kept], np.full(len(postage), len(prices)), cards, variant])
    pieces = np.concatenate([lines.pieces[:kept], one, back])
    discount = np.concatenate([lines.discount[:kept], 0 * one, free])
    by_order = np.argsort(order, kind="stable")
    return LineCells(order[by_order], item[by_order], pieces[by_order], discount[by_order])


def _refunded_at(block: Block, count: int, kept: int) -> Floats:
    """When the export began to call some orders refunded; infinite for most."""
    lines, found = block.histories.lines, np.full(count, -np.inf)
    back = np.flatnonzero(np.isfinite(lines.refunded_at[:kept]))
    np.maximum.at(found, lines.order[back], lines.refunded_at[back])
    is_told = block.generator.random(count) < REFUNDED_STATUS_SHARE
    return np.where(is_told & (found > 0) & (found < block.clock.end), found, np.inf)
