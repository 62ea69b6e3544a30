"""Order lines as the shop exports them: each order as it stood at the end of its delivery, and corrections at the end.

An order that was under way when its delivery was written comes again in the corrections, with its newer state; so do
some whose money went back. Some orders come a second time unchanged. Postage, gift cards, test orders and replacements
for exchanged goods are lines and orders like others, told by kind, flag and tag.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.simulate.block import DELIVERY, Block, chosen, running
from pipelines.simulate.catalogue import GIFT_CARD_CENTS, POSTAGE_CENTS, Catalogue
from pipelines.simulate.parameters import PENDING, STORE, TEST
from pipelines.simulate.people import COUNTRIES
from pipelines.simulate.placed_orders import LineCells, Placed, placed_orders

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

REPLACEMENT = "exchange replacement"
CHANNEL_NAMES = ("web shop", "marketplace", "store")
ORDER_PREFIXES = ("W", "M", "S")
STATUSES = ("processing", "completed", "cancelled", "pending payment", "partially refunded")
PROCESSING, COMPLETED, CALLED_OFF, AWAITING, REFUNDED = range(5)


def order_ids(channel: Ints, first: int) -> pl.Series:
    """Number orders by time, with the letter of their channel."""
    return pl.select(
        pl.concat_str(chosen(ORDER_PREFIXES, channel), running("", first, len(channel)))
    ).to_series()


def order_lines(block: Block, last: int) -> pl.DataFrame:
    """Give all delivered versions of all lines.

    Parameters
    ----------
    last
        Number of the delivery that brings corrections.
    """
    placed, lines = placed_orders(block)
    first = block.delivery_of(placed.at)
    edge = np.array(block.clock.edges)[first]
    cancelled = placed.cancelled_at < edge
    status = _status(placed, edge)
    updated = np.where(
        cancelled, placed.cancelled_at, np.where(status == COMPLETED, placed.completed_at, placed.at)
    )
    as_first = _frame(block, placed, status, updated, np.where(cancelled, placed.cancelled_at, np.inf), first)
    changed, again = _changes(block, placed, edge)
    parts = [_lines(block, as_first, lines, np.arange(len(placed.at)))]
    if changed.any():
        parts.append(_corrected(block, placed, lines, np.flatnonzero(changed), last))
    if again.any():
        which = np.flatnonzero(again)
        same = as_first[which].with_columns(pl.lit(last, pl.Int32).alias(DELIVERY))
        parts.append(_lines(block, same, lines, which))
    return pl.concat(parts)


def _status(placed: Placed, known_by: Floats) -> Ints:
    status = np.where(placed.completed_at < known_by, COMPLETED, PROCESSING)
    status = np.where(placed.cancelled_at < known_by, CALLED_OFF, status)
    return np.where(placed.standing == PENDING, AWAITING, status)


def _changes(block: Block, placed: Placed, edge: Floats) -> tuple[Flags, Flags]:
    """Which orders come again with a newer state, and which unchanged."""
    end, size = np.full(len(edge), block.clock.end), len(edge)
    is_refunded = np.isfinite(placed.refunded_at)
    changed = (_status(placed, edge) != _status(placed, end)) | is_refunded
    again = ~changed & (block.generator.random(size) < block.numbers.accidents.replayed_share)
    return changed, again


def _frame(
    block: Block, placed: Placed, status: Ints, updated: Floats, cancelled: Floats, delivery: Ints
) -> pl.DataFrame:
    """One row an order: what stands on each of its lines."""
    clock, people, names = block.clock, block.people, block.names
    is_test = placed.standing == TEST
    tags = np.where(placed.is_replacement, 1, np.where(is_test, 2, 0))
    named = placed.channel != STORE
    full_name = pl.concat_str(
        names.first_name.gather(placed.who), pl.lit(" "), names.last_name.gather(placed.who)
    )
    return pl.DataFrame(
        {
            "order_id": placed.ids,
            "ordered_at": clock.texts(placed.at),
            "updated_at": clock.texts(updated),
            "cancelled_at": clock.texts(cancelled),
            "status": chosen(STATUSES, status),
            "is_test": chosen(("false", "true"), is_test.astype(np.int64)),
            "tags": chosen((None, REPLACEMENT, "test"), tags),
            "channel": chosen(CHANNEL_NAMES, placed.channel),
            "country": chosen(COUNTRIES, people.country[placed.who]),
            "currency": chosen(("EUR",), np.zeros(len(status), np.int64)),
            **block.cells(placed.who, placed.channel, placed.at),
            "ship_to_name": pl.select(pl.when(pl.Series(named)).then(full_name)).to_series(),
            DELIVERY: delivery.astype(np.int32),
        }
    )


def _corrected(block: Block, placed: Placed, lines: LineCells, which: Ints, delivery: int) -> pl.DataFrame:
    """Give orders as they stand at the end, with all of their lines."""
    some = placed.taken(which)
    status = _status(some, np.full(len(which), block.clock.end))
    status = np.where(np.isfinite(some.refunded_at), REFUNDED, status)
    at = [some.completed_at, some.cancelled_at, some.refunded_at]
    updated = np.select([status == COMPLETED, status == CALLED_OFF, status == REFUNDED], at, some.at)
    cancelled = np.where(status == CALLED_OFF, some.cancelled_at, np.inf)
    frame = _frame(block, some, status, updated, cancelled, np.full(len(which), delivery))
    return _lines(block, frame, lines, which)


def _lines(block: Block, orders: pl.DataFrame, lines: LineCells, which: Ints) -> pl.DataFrame:
    """Put the lines of some orders beside what stands on each of them.

    Parameters
    ----------
    orders
        One row an order of ``which``, in that order.
    """
    place = np.full(lines.order.max(initial=-1) + 1, -1)
    place[which] = np.arange(len(which))
    where = np.flatnonzero(place[lines.order] >= 0)
    items = _items(block.world.catalogue)[lines.item[where]]
    discount = lines.discount[where]
    cents = pl.Series("discount", discount)
    told = pl.select(pl.when(cents > 0).then((cents / 100).round(2).cast(pl.String)).alias("discount"))
    pieces = pl.Series("quantity", lines.pieces[where]).cast(pl.String)
    return orders[place[lines.order[where]]].hstack([*items.get_columns(), pieces, *told.get_columns()])


def _items(catalogue: Catalogue) -> pl.DataFrame:
    """Texts of everything that a line may hold: each product and level, postage, gift cards."""
    cards = [f"{cents // 100}" for cents in GIFT_CARD_CENTS]
    more = 1 + len(cards)
    return pl.DataFrame(
        {
            "product_id": pl.concat([catalogue.ids, pl.Series(["POST", *(f"GIFT{card}" for card in cards)])]),
            "product_name": pl.concat(
                [catalogue.names, pl.Series(["Postage", *(f"Gift card {card}" for card in cards)])]
            ),
            "category": pl.concat([catalogue.categories, pl.Series([None] * more, dtype=pl.String)]),
            "kind": ["merchandise"] * len(catalogue.ids) + ["postage"] + ["gift_card"] * len(cards),
            "unit_price": pl.concat(
                [
                    catalogue.prices,
                    pl.Series([f"{POSTAGE_CENTS / 100:.2f}", *(f"{card}.00" for card in cards)]),
                ]
            ),
        }
    )
