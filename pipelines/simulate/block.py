"""One block of people with everything that happened to them: what the tables of the shop are made from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.simulate.campaigns import Campaign, Permissions
from pipelines.simulate.clock import Clock
from pipelines.simulate.histories import Histories, World
from pipelines.simulate.parameters import MARKETPLACE, STORE, WEB, Parameters
from pipelines.simulate.people import Names, People

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ID_DIGITS = 9
DELIVERY = "_delivery"
"""Column of an exported row that says which delivery brings it; never written."""


@dataclass(frozen=True, slots=True)
class Block:
    """People, what they did up to the horizon, and the numbers that their orders bear.

    Attributes
    ----------
    first_id
        Where the block's own numbers of orders, parcels, returns ... begin: no other block reaches them.
    """

    people: People
    names: Names
    permissions: Permissions
    campaigns: tuple[Campaign, ...]
    histories: Histories
    order_ids: pl.Series
    first_id: int
    world: World
    generator: np.random.Generator

    @property
    def clock(self) -> Clock:
        """The shop's time."""
        return self.world.clock

    @property
    def numbers(self) -> Parameters:
        """The model's numbers."""
        return self.world.numbers

    def delivery_of(self, at: Floats) -> Ints:
        """Say which delivery is the first to know of what happens at ``at``."""
        return np.searchsorted(np.array(self.clock.edges), at, side="right")

    def is_known(self, at: Floats) -> NDArray[np.bool_]:
        """Whether something happens before the history ends."""
        return at < self.clock.end

    def ids(self, prefix: str, size: int, after: int = 0) -> pl.Series:
        """Give running numbers with letters before them, ``after`` others of their kind."""
        return running(prefix, self.first_id + after, size)

    def email(self, who: Ints, at: Floats) -> pl.Series:
        """Give the address that each person uses at a time."""
        changed = pl.Series(at >= self.people.new_address_from[who])
        old, new = self.names.email.gather(who), self.names.new_email.gather(who)
        return pl.select(pl.when(changed).then(new).otherwise(old)).to_series()

    def cells(self, who: Ints, channel: Ints, at: Floats) -> dict[str, pl.Series]:
        """Give customer_id, email and phone as an order of a channel bears them."""
        people, names = self.people, self.names
        web, store = channel == WEB, channel == STORE
        has_account, marketplace = web & people.has_account[who], channel == MARKETPLACE
        by_phone = marketplace | (web & people.gives_phone_on_web[who])
        number = pl.when(pl.Series(has_account)).then(names.account.gather(who))
        number = number.when(pl.Series(marketplace)).then(names.marketplace.gather(who))
        phone = pl.when(pl.Series(by_phone)).then(names.phone.gather(who))
        told = pl.Series(store & people.gives_phone_in_store[who])
        phone = phone.when(told).then(names.phone_in_store.gather(who))
        made = pl.select(
            number.alias("customer_id"),
            pl.when(pl.Series(web)).then(self.email(who, at)).alias("email"),
            phone.alias("phone"),
        )
        return {column.name: column for column in made}

    def account_cells(self, who: Ints, at: Floats) -> dict[str, pl.Series]:
        """Give customer_id and email as tools around the web shop know people: the number of accounts only."""
        number = pl.when(pl.Series(self.people.has_account[who])).then(self.names.account.gather(who))
        return {"customer_id": pl.select(number).to_series(), "email": self.email(who, at)}


def running(prefix: str, first: int, size: int) -> pl.Series:
    """Give running numbers with letters before them."""
    return prefix + pl.Series(np.arange(first, first + size)).cast(pl.String).str.zfill(ID_DIGITS)


def chosen(options: tuple[str | None, ...], positions: Ints) -> pl.Series:
    """Give the text of each position."""
    return pl.Series(options, dtype=pl.String).gather(positions)


def exported(columns: Mapping[str, pl.Series], delivery: Ints) -> pl.DataFrame:
    """Make a frame of columns with the delivery that brings each row."""
    return pl.DataFrame({**columns, DELIVERY: delivery.astype(np.int32)})


def in_versions(
    block: Block,
    columns: Mapping[str, pl.Series],
    began: Floats,
    ended: Floats,
    pending: Mapping[str, pl.Expr],
) -> pl.DataFrame:
    """Give each row as the delivery of its beginning knows it, and again where a later one knows its end.

    Parameters
    ----------
    columns
        Rows as they stand in the end.
    began, ended
        When a row is first known and when it is complete; all begin before the history ends.
    pending
        What stands in some columns until then.
    """
    first, last = block.delivery_of(began), block.delivery_of(ended)
    is_open = pl.Series(last > first)
    rows = exported(columns, first)
    early = rows.with_columns(
        pl.when(is_open).then(cell).otherwise(pl.col(name)).alias(name) for name, cell in pending.items()
    )
    again = pl.Series((last > first) & (ended < block.clock.end))
    later = rows.with_columns(pl.Series(DELIVERY, last.astype(np.int32))).filter(again)
    return pl.concat([early, later])
