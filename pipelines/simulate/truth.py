"""What nobody at the shop could know: tables for ``truth/``, person by person and order by order."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.simulate.baskets import EXCHANGE, spend_mean
from pipelines.simulate.block import Block, chosen
from pipelines.simulate.catalogue import CATEGORIES
from pipelines.simulate.order_export import CHANNEL_NAMES
from pipelines.simulate.parameters import MARKETPLACE, PLACED, STANDINGS, STORE, WEB
from pipelines.simulate.people import COUNTRIES

Floats = NDArray[np.float64]


def tables(block: Block) -> Mapping[str, pl.DataFrame]:
    """Give the truth of one block: customers, orders of the history, and purchases after its end."""
    orders, clock = block.histories.orders, block.clock
    net = _net_cents(block)
    frame = pl.DataFrame(
        {
            "order_id": block.order_ids,
            "person": orders.who + block.people.first_number,
            "ordered_at": clock.moments(orders.at),
            "order_day": clock.days_of(orders.at),
            "net": (pl.Series(net) / 100).cast(pl.Decimal(18, 4)),
        }
    )
    is_placed, is_past = pl.Series(orders.standing == PLACED), pl.Series(orders.at < clock.end)
    more = pl.DataFrame(
        {
            "channel": chosen(CHANNEL_NAMES, orders.channel),
            "standing": chosen(STANDINGS, orders.standing),
            "is_late": orders.is_late,
            "has_bad_return": orders.has_bad_return,
            "satisfaction": orders.satisfaction,
            "leaving_hazard": orders.leaving,
            "made_leave": np.isfinite(orders.leaves_at),
            "is_member": orders.is_member,
        }
    )
    return {
        "customers": _customers(block),
        "orders": frame.hstack(more).filter(is_past),
        "future": frame.filter(is_placed & ~is_past),
    }


def _net_cents(block: Block) -> NDArray[np.int64]:
    """Value of each order once everything that comes back has come back; an exchange gives no money back."""
    orders, lines = block.histories.orders, block.histories.lines
    kept = lines.net - np.where(lines.outcome == EXCHANGE, 0, lines.paid_back)
    return np.rint(np.bincount(lines.order, kept, orders.size)).astype(np.int64)


def _customers(block: Block) -> pl.DataFrame:
    people, names, orders, clock = block.people, block.names, block.histories.orders, block.clock
    past = orders.at < clock.end
    placed = past & (orders.standing == PLACED)
    later = ~past & (orders.standing == PLACED)
    leaves = block.histories.leaves_at
    everyone = np.arange(people.size)
    moved = people.new_address_from < clock.end

    def has(channel: int) -> pl.Series:
        found = np.zeros(people.size, np.bool_)
        found[orders.who[past & (orders.channel == channel)]] = True
        return pl.Series(found)

    def told(is_told: pl.Series, text: pl.Series) -> pl.Series:
        return pl.select(pl.when(is_told).then(text)).to_series()

    web, marketplace, store = has(WEB), has(MARKETPLACE), has(STORE)
    on_web, in_store = pl.Series(people.gives_phone_on_web), pl.Series(people.gives_phone_in_store)
    return pl.DataFrame(
        {
            "person": people.numbers,
            "email": told(web, names.email),
            "new_email": told(web & pl.Series(moved), names.new_email),
            "account": told(web & pl.Series(people.has_account), names.account),
            "marketplace_number": told(marketplace, names.marketplace),
            "phone": told(marketplace | (web & on_web) | (store & in_store), names.phone),
            "phone_on_web": web & on_web,
            "phone_in_store": store & in_store,
            "main_channel": chosen(CHANNEL_NAMES, people.main_channel),
            "country": chosen(COUNTRIES, people.country),
            "category": chosen(tuple(kind.name for kind in CATEGORIES), people.category),
            "first_ordered_at": clock.moments(people.arrival),
            "purchase_rate_a_day": people.rate,
            "leaving_probability": -np.expm1(-people.leaving),
            "spend_mean": spend_mean(people, block.world.catalogue, block.numbers),
            "satisfaction": people.satisfaction,
            "return_tendency": people.return_tendency,
            "left_on": clock.days_of(leaves),
            "is_customer_at_end": leaves > clock.end,
            "joined_loyalty_on": clock.days_of(block.histories.joined_at),
            "placed_orders": np.bincount(orders.who[placed], minlength=people.size),
            "future_orders": np.bincount(orders.who[later], minlength=people.size),
            "allows_email_at_end": _allows(block, everyone),
        }
    )


def _allows(block: Block, who: NDArray[np.int64]) -> pl.Series:
    allowed, end = block.permissions, block.clock.end
    return pl.Series((allowed.granted_at[who] < end) & (allowed.until()[who] >= end))
