"""What the simulated shop sells: products of six categories, in price levels, with their own return rates and quality.

The catalogue is the same for every block of people. Who buys what is `baskets`' business.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVELS = 8
LEVEL_FACTORS = np.array([0.35, 0.5, 0.65, 0.8, 1.0, 1.3, 1.8, 2.6])
LEVEL_NAMES = ("mini", "small", "basic", "classic", "plus", "large", "premium", "luxury")
LEVEL_CUTS = np.array([0.4, 0.575, 0.725, 0.9, 1.15, 1.55, 2.2])
"""A person's price level falls between two of these, and now and then one to the side."""
PRODUCTS_A_CATEGORY = 20
POSTAGE_CENTS, FREE_FROM_CENTS = 490, 6_000
GIFT_CARD_CENTS = np.array([2_500, 5_000, 10_000])


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of goods.

    Attributes
    ----------
    share
        Share of people whose own category it is.
    pace
        How often it is bought again, as a multiple of the mean rate.
    price
        Middle price in EUR.
    return_rate
        Share of order lines that come back, for the middle product and person.
    bad_share
        Share of returns that are the shop's fault: damaged, wrong, not as described.
    """

    name: str
    thing: str
    share: float
    pace: float
    price: float
    return_rate: float
    bad_share: float


CATEGORIES = (
    Category("Coffee and tea", "Blend", 0.16, 1.9, 16.0, 0.01, 0.7),
    Category("Skin care", "Cream", 0.16, 1.5, 24.0, 0.03, 0.4),
    Category("Clothing", "Shirt", 0.24, 0.9, 39.0, 0.28, 0.2),
    Category("Shoes", "Shoe", 0.14, 0.7, 69.0, 0.34, 0.2),
    Category("Home", "Lamp", 0.18, 0.6, 49.0, 0.07, 0.6),
    Category("Gifts", "Gift", 0.12, 0.8, 22.0, 0.04, 0.5),
)
GOOD_REASONS = ("wrong size", "wrong colour", "changed my mind", "ordered several to choose from")
BAD_REASONS = ("damaged", "not as described", "wrong item sent")
REASONS = (*GOOD_REASONS, *BAD_REASONS)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Products by number, category by category.

    Attributes
    ----------
    price_cents
        Price of each product and level: number * `LEVELS` + level.
    return_rate, quality
        By product; quality is in units of satisfaction, mean 0.
    """

    price_cents: Ints
    return_rate: Floats
    quality: Floats
    ids: pl.Series
    names: pl.Series
    categories: pl.Series
    prices: pl.Series

    @property
    def size(self) -> int:
        """Number of products."""
        return len(self.return_rate)


def stock(generator: np.random.Generator) -> Catalogue:
    """Draw the catalogue."""
    size = PRODUCTS_A_CATEGORY * len(CATEGORIES)
    category = np.arange(size) // PRODUCTS_A_CATEGORY
    middle = np.array([kind.price for kind in CATEGORIES])[category]
    price = middle * np.exp(generator.normal(0.0, 0.25, size))
    cents = np.maximum(np.rint(np.outer(price, LEVEL_FACTORS) * 10) * 10 - 1, 99).astype(np.int64).ravel()
    returned = np.array([kind.return_rate for kind in CATEGORIES])[category]
    number = np.repeat(np.arange(size), LEVELS)
    level = np.tile(np.arange(LEVELS), size)
    named = [f"{CATEGORIES[c].thing} {n % PRODUCTS_A_CATEGORY + 1}" for n, c in enumerate(category)]
    return Catalogue(
        price_cents=cents,
        return_rate=np.minimum(returned * np.exp(generator.normal(0.0, 0.4, size)), 0.8),
        quality=generator.normal(0.0, 0.4, size),
        ids=pl.Series([f"P{n:03}-{k}" for n, k in zip(number, level, strict=True)]),
        names=pl.Series([f"{named[n]}, {LEVEL_NAMES[k]}" for n, k in zip(number, level, strict=True)]),
        categories=pl.Series([CATEGORIES[c].name for c in np.repeat(category, LEVELS)]),
        prices=pl.Series([f"{c / 100:.2f}" for c in cents]),
    )
