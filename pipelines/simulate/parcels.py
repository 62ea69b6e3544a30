"""How orders reach people: when parcels leave, by which day they are promised, when they arrive.

Lateness is drawn by lot, more often with some carriers, across borders and in December; what it does to people is
`histories`' business. What is bought in a store is taken home at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.simulate.clock import Clock
from pipelines.simulate.parameters import STORE
from pipelines.simulate.people import People

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

CARRIERS = ("swift parcels", "northline", "cargo bees")
CARRIER_SHARES = np.array([0.5, 0.3, 0.2])
LATE_CHANCE = np.array([0.05, 0.08, 0.15])
ABROAD, DECEMBER = 1.3, 2.0
PROMISED_DAYS = np.array([4, 6])
"""At home and abroad, counted from the day of the order."""


@dataclass(frozen=True, slots=True)
class Parcels:
    """One parcel an order; ``promised_day`` is the start of that day, ``carrier`` -1 in the store."""

    carrier: Ints
    shipped_at: Floats
    promised_day: Floats
    delivered_at: Floats
    is_late: Flags


def send(
    people: People, who: Ints, at: Floats, channel: Ints, clock: Clock, generator: np.random.Generator
) -> Parcels:
    """Draw the parcel of each order."""
    size = len(who)
    is_store, is_abroad = channel == STORE, people.country[who] > 0
    carrier = np.searchsorted(np.cumsum(CARRIER_SHARES)[:-1], generator.random(size))
    chance = (
        LATE_CHANCE[carrier] * np.where(is_abroad, ABROAD, 1.0) * (1 + (DECEMBER - 1) * clock.december(at))
    )
    shipped_at = at + np.minimum(0.2 + generator.exponential(0.6, size), 2.0)
    promised_day = np.floor(at) + PROMISED_DAYS[is_abroad.astype(np.int64)]
    is_late = (generator.random(size) < chance) & ~is_store
    # Delivered by day: some time between 8 and 20 o'clock.
    hour = (8 + 12 * generator.random(size)) / 24
    first = np.floor(shipped_at) + 1
    on_time = first + np.floor(generator.random(size) * (promised_day - first + 1))
    late = promised_day + 1 + np.floor(generator.exponential(2.0, size))
    delivered_at = np.where(is_late, late, on_time) + hour
    return Parcels(
        carrier=np.where(is_store, -1, carrier),
        shipped_at=np.where(is_store, np.inf, shipped_at),
        promised_day=np.where(is_store, np.inf, promised_day),
        delivered_at=np.where(is_store, at, delivered_at),
        is_late=is_late,
    )
