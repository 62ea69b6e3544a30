"""What is in an order: lines of products, pieces and prices in cents, and what comes back of them.

Arrays of lines carry the position of their order. Postage and gift cards, which are no merchandise, are added where the
order is exported.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipelines.simulate.catalogue import (
    BAD_REASONS,
    CATEGORIES,
    GOOD_REASONS,
    LEVELS,
    PRODUCTS_A_CATEGORY,
    Catalogue,
)
from pipelines.simulate.parameters import GIFT_ONLY, PLACED, STORE, Parameters
from pipelines.simulate.people import People

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

MOST_LINES = 6
OUTCOMES = ("refund", "exchange", "store_credit")
REFUND, EXCHANGE, STORE_CREDIT = range(3)
OUTCOME_SHARES = np.array([0.74, 0.14, 0.12])
RETURN_DAYS, LONGEST_RETURN = 9.0, 45.0
REFUND_DAYS = 4.0
STORE_RETURN_FACTOR = 0.5


@dataclass(frozen=True, slots=True)
class Lines:
    """Merchandise lines, in arrays of equal length.

    Attributes
    ----------
    order
        Position of the line's order.
    variant
        Product and price level: product * `LEVELS` + level.
    discount
        On the whole line, in cents.
    reason
        Position in `REASONS`; -1 where nothing comes back.
    pieces_back, paid_back
        What comes back, and what was paid for it, in cents.
    returned_at, refunded_at
        In days; infinite where it never happens.
    """

    order: Ints
    variant: Ints
    pieces: Ints
    price: Ints
    discount: Ints
    reason: Ints
    outcome: Ints
    pieces_back: Ints
    paid_back: Ints
    returned_at: Floats
    refunded_at: Floats

    @property
    def net(self) -> Ints:
        """What was paid for the line, in cents."""
        return self.pieces * self.price - self.discount

    @property
    def is_returned(self) -> Flags:
        """Whether anything of the line comes back."""
        return self.reason >= 0

    @property
    def is_bad(self) -> Flags:
        """Whether it comes back by the shop's fault."""
        return self.reason >= len(GOOD_REASONS)

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """Put parts one after the other."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    def taken(self, where: Ints) -> Self:
        """Take lines by position."""
        return type(self)(*(getattr(self, f.name)[where] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Basket:
    """What orders hold before they are sent: lines without returns."""

    order: Ints
    variant: Ints
    pieces: Ints
    price: Ints
    discount: Ints


def fill(
    people: People,
    who: Ints,
    standing: Ints,
    catalogue: Catalogue,
    numbers: Parameters,
    generator: np.random.Generator,
) -> Basket:
    """Draw the merchandise of each order of a round; an order of gift cards has none."""
    buying, accidents = numbers.buying, numbers.accidents
    count = np.minimum(generator.geometric(buying.line_share, len(who)), MOST_LINES)
    order = np.repeat(np.arange(len(who)), np.where(standing == GIFT_ONLY, 0, count))
    buyer = who[order]
    size = len(order)
    shares = np.cumsum([kind.share for kind in CATEGORIES])[:-1]
    other = np.searchsorted(shares, generator.random(size))
    category = np.where(generator.random(size) < buying.basket_loyalty, people.category[buyer], other)
    product = category * PRODUCTS_A_CATEGORY + generator.integers(0, PRODUCTS_A_CATEGORY, size)
    aside = np.searchsorted([0.15, 0.85], generator.random(size)) - 1
    variant = product * LEVELS + np.clip(people.level[buyer] + aside, 0, LEVELS - 1)
    pieces = np.minimum(generator.geometric(0.8, size), 5)
    price = catalogue.price_cents[variant]
    is_discounted = (generator.random(len(who)) < accidents.discount_share)[order]
    discount = np.where(is_discounted, np.rint(pieces * price * accidents.discount), 0).astype(np.int64)
    return Basket(order, variant, pieces, price, discount)


def send_back(
    people: People,
    who: Ints,
    channel: Ints,
    standing: Ints,
    delivered_at: Floats,
    basket: Basket,
    catalogue: Catalogue,
    generator: np.random.Generator,
) -> Lines:
    """Draw which lines come back, why, when, and what becomes of the money."""
    order, size = basket.order, len(basket.order)
    product = basket.variant // LEVELS
    in_store = np.where(channel[order] == STORE, STORE_RETURN_FACTOR, 1.0)
    chance = np.minimum(catalogue.return_rate[product] * people.return_tendency[who[order]] * in_store, 0.9)
    is_back = (generator.random(size) < chance) & (standing[order] == PLACED)
    bad_share = np.array([kind.bad_share for kind in CATEGORIES])[product // PRODUCTS_A_CATEGORY]
    good, bad = len(GOOD_REASONS), len(BAD_REASONS)
    is_bad = generator.random(size) < bad_share
    why = generator.random(size)
    reason = np.where(is_bad, good + np.floor(why * bad), np.floor(why * good)).astype(np.int64)
    back = np.where(is_back, basket.pieces, 0)
    some = is_back & (basket.pieces > 1) & (generator.random(size) < 0.4)
    back = np.where(some, 1, back)
    net = basket.pieces * basket.price - basket.discount
    # Whole cents, rounded down: never more goes back than was paid.
    paid_back = np.where(back == basket.pieces, net, net * back // basket.pieces)
    lag = np.minimum(1.0 + generator.gamma(2.0, (RETURN_DAYS - 1) / 2, size), LONGEST_RETURN)
    returned_at = np.where(is_back, delivered_at[order] + lag, np.inf)
    outcome = np.searchsorted(np.cumsum(OUTCOME_SHARES)[:-1], generator.random(size))
    settled = returned_at + 0.5 + generator.exponential(REFUND_DAYS, size)
    return Lines(
        order=order,
        variant=basket.variant,
        pieces=basket.pieces,
        price=basket.price,
        discount=basket.discount,
        reason=np.where(is_back, reason, -1),
        outcome=outcome,
        pieces_back=back,
        paid_back=np.where(is_back, paid_back, 0),
        returned_at=returned_at,
        refunded_at=np.where(outcome == EXCHANGE, np.inf, settled),
    )


def spend_mean(people: People, catalogue: Catalogue, numbers: Parameters) -> Floats:
    """Expected merchandise value of an order of each person before anything comes back, in shop currency."""
    buying, accidents = numbers.buying, numbers.accidents
    by_product = catalogue.price_cents.reshape(-1, PRODUCTS_A_CATEGORY, LEVELS).mean(axis=1) / 100
    level = np.arange(LEVELS)
    aside = [by_product[:, np.clip(level + step, 0, LEVELS - 1)] for step in (-1, 0, 1)]
    of_level = 0.15 * aside[0] + 0.70 * aside[1] + 0.15 * aside[2]
    usual = np.array([kind.share for kind in CATEGORIES]) @ of_level
    own, loyal = of_level[people.category, people.level], buying.basket_loyalty
    line = loyal * own + (1 - loyal) * usual[people.level]
    return (
        line
        * _mean_cut(buying.line_share, MOST_LINES)
        * _mean_cut(0.8, 5)
        * (1 - accidents.discount_share * accidents.discount)
    )


def _mean_cut(share: float, most: int) -> float:
    """Mean of a geometric number that is cut at ``most``."""
    return (1 - (1 - share) ** most) / share
