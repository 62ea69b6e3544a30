"""What people do: order after order, each with its parcel, its returns and what it did to whether they come back.

Everybody's first orders are drawn together, then everybody's second orders, and so on: each round is a handful of array
operations over all who are still there. A person leaves when an order's experience is complete (the parcel has come,
the bad return is registered); until then further orders are possible.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipelines.simulate import baskets, parcels
from pipelines.simulate.baskets import Lines
from pipelines.simulate.campaigns import Campaign, next_order
from pipelines.simulate.catalogue import LEVELS, Catalogue
from pipelines.simulate.clock import Clock
from pipelines.simulate.parameters import PLACED, WEB, Parameters
from pipelines.simulate.people import People, channels

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders up to the horizon, in arrays of equal length.

    Attributes
    ----------
    who
        Position of the buyer in the block.
    standing
        Position in `STANDINGS`; only placed orders are experienced.
    carrier, shipped_at, promised_day, delivered_at, is_late
        The parcel; not there for orders that were not placed.
    satisfaction
        What the order felt like, in units in which people's own levels have mean 0.
    has_bad_return, experienced_at
        Whether goods came back by the shop's fault, and when the experience was complete.
    leaving
        Hazard of leaving after this order as it went.
    leaves_at
        When this order made the person leave; infinite where it did not.
    is_member, joins
        Whether the person was in the loyalty programme when ordering, or joined with this order.
    """

    who: Ints
    at: Floats
    channel: Ints
    standing: Ints
    carrier: Ints
    shipped_at: Floats
    promised_day: Floats
    delivered_at: Floats
    is_late: Flags
    satisfaction: Floats
    has_bad_return: Flags
    experienced_at: Floats
    leaving: Floats
    leaves_at: Floats
    is_member: Flags
    joins: Flags

    @property
    def size(self) -> int:
        """Number of orders."""
        return len(self.who)

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """Put rounds one after the other."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    def taken(self, where: Ints | Flags) -> Self:
        """Take orders by position."""
        return type(self)(*(getattr(self, f.name)[where] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Histories:
    """All orders of a block by time, their lines by order, and when people left (infinite where they have not)."""

    orders: Orders
    lines: Lines
    leaves_at: Floats
    joined_at: Floats


@dataclass(frozen=True, slots=True)
class World:
    """What is the same for everybody: time, goods, the model's numbers."""

    clock: Clock
    catalogue: Catalogue
    numbers: Parameters


def live(
    people: People, campaigns: tuple[Campaign, ...], world: World, generator: np.random.Generator
) -> Histories:
    """Let everybody order until they leave or the horizon is reached."""
    orders: list[Orders] = []
    lines: list[Lines] = []
    leaves_at, joined_at = np.full(people.size, np.inf), np.full(people.size, np.inf)
    who, at, so_far = np.arange(people.size), people.arrival, 0
    while len(who):
        placed, bought = _round(people, who, at, joined_at[who], so_far == 0, world, generator)
        orders.append(placed)
        lines.append(_moved(bought, so_far))
        so_far += placed.size
        leaves_at[who] = np.minimum(leaves_at[who], placed.leaves_at)
        joined_at[who] = np.where(placed.joins, at, joined_at[who])
        at = _next(people, who, at, joined_at[who], campaigns, world, generator)
        stays = (at < leaves_at[who]) & (at < world.clock.horizon)
        who, at = who[stays], at[stays]
    return _by_time(Orders.joined(orders), Lines.joined(lines), leaves_at, joined_at)


def _round(
    people: People,
    who: Ints,
    at: Floats,
    joined_at: Floats,
    is_first: bool,
    world: World,
    generator: np.random.Generator,
) -> tuple[Orders, Lines]:
    numbers, size = world.numbers, len(who)
    shares = np.cumsum(numbers.accidents.standing_shares)[:-1]
    standing = np.searchsorted(shares, generator.random(size))
    is_placed = standing == PLACED
    channel = channels(people, who, np.full(size, is_first), generator)
    parcel = parcels.send(people, who, at, channel, world.clock, generator)
    basket = baskets.fill(people, who, standing, world.catalogue, numbers, generator)
    lines = baskets.send_back(
        people, who, channel, standing, parcel.delivered_at, basket, world.catalogue, generator
    )
    has_bad = np.zeros(size, np.bool_)
    has_bad[lines.order[lines.is_bad]] = True
    bad_at = np.full(size, -np.inf)
    np.maximum.at(bad_at, lines.order[lines.is_bad], lines.returned_at[lines.is_bad])
    count = np.maximum(np.bincount(lines.order, minlength=size), 1)
    quality = np.bincount(lines.order, world.catalogue.quality[lines.variant // LEVELS], size) / count
    is_late = parcel.is_late & is_placed
    satisfaction = _satisfaction(people, who, quality, is_late, has_bad, numbers, generator)
    leaving = people.leaving[who] * np.exp(-numbers.reactions.hazard_a_unit * satisfaction)
    leaves = is_placed & (generator.exponential(1.0, size) < leaving)
    experienced_at = np.maximum(parcel.delivered_at, bad_at)
    is_member = joined_at < at
    unless = np.where(is_placed, 0.0, np.inf)
    placed = Orders(
        who=who,
        at=at,
        channel=channel,
        standing=standing,
        carrier=np.where(is_placed, parcel.carrier, -1),
        shipped_at=parcel.shipped_at + unless,
        promised_day=parcel.promised_day + unless,
        delivered_at=parcel.delivered_at + unless,
        is_late=is_late,
        satisfaction=satisfaction,
        has_bad_return=has_bad,
        experienced_at=experienced_at + unless,
        leaving=leaving,
        leaves_at=np.where(leaves, experienced_at, np.inf),
        is_member=is_member,
        joins=_joins(people, who, at, channel, is_member, is_placed, world, generator),
    )
    return placed, lines


def _satisfaction(
    people: People,
    who: Ints,
    quality: Floats,
    is_late: Flags,
    has_bad: Flags,
    numbers: Parameters,
    generator: np.random.Generator,
) -> Floats:
    reactions = numbers.reactions
    luck = generator.normal(0.0, reactions.luck_sd, len(who))
    return (
        people.satisfaction[who]
        + quality
        + luck
        - reactions.late_drop * is_late
        - reactions.bad_drop * has_bad
    )


def _joins(
    people: People,
    who: Ints,
    at: Floats,
    channel: Ints,
    is_member: Flags,
    is_placed: Flags,
    world: World,
    generator: np.random.Generator,
) -> Flags:
    """Draw who joins the loyalty programme: who buys often does so more readily."""
    loyalty = world.numbers.loyalty
    eager = np.sqrt(people.rate[who] / world.numbers.buying.mean_rate)
    chance = np.minimum(loyalty.join_base + loyalty.join_by_rate * eager, loyalty.join_most)
    may = is_placed & ~is_member & people.has_account[who] & (channel == WEB)
    return may & (at > loyalty.starts_at_share * world.clock.days) & (generator.random(len(who)) < chance)


def _next(
    people: People,
    who: Ints,
    at: Floats,
    joined_at: Floats,
    campaigns: tuple[Campaign, ...],
    world: World,
    generator: np.random.Generator,
) -> Floats:
    numbers = world.numbers
    multiple = np.where(joined_at <= at, numbers.loyalty.rate_multiplier, 1.0)
    effort = generator.exponential(1.0, len(who))
    later = next_order(at, who, people.rate[who] * multiple, campaigns, world.clock, effort)
    forgot = generator.random(len(who)) < numbers.buying.same_day
    soon = at + generator.uniform(0.01, 0.12, len(who))
    # A second order within hours is one of the same day, and of the history where the first is.
    is_same = forgot & (np.floor(soon) == np.floor(at))
    return np.where(is_same, soon, later)


def _moved(lines: Lines, by: int) -> Lines:
    return Lines(lines.order + by, *(getattr(lines, f.name) for f in fields(lines)[1:]))


def _by_time(orders: Orders, lines: Lines, leaves_at: Floats, joined_at: Floats) -> Histories:
    rank = np.argsort(orders.at, kind="stable")
    place = np.empty_like(rank)
    place[rank] = np.arange(len(rank))
    order = place[lines.order]
    by_order = np.argsort(order, kind="stable")
    moved = Lines(order[by_order], *(getattr(lines, f.name)[by_order] for f in fields(lines)[1:]))
    return Histories(orders.taken(rank), moved, leaves_at, joined_at)
