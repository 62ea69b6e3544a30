"""Cells that a file of a format may have or not, and amounts in them. What they mean is each format's own."""

from collections.abc import Collection

import polars as pl

from data_contracts import MONEY

AMOUNT = pl.Decimal(38, 4)
"""Wide enough for sums and products of amounts; what is written stays within `data_contracts.MONEY`."""
LARGEST_AMOUNT = 10**10
"""No line of a shop is worth more; a larger one is a slip that products could not hold."""


def cell(have: Collection[str], *names: str) -> pl.Expr:
    """Take the first filled one of the columns that a file has; null text where it has none of them."""
    return pl.coalesce(
        *(pl.col(name) for name in names if name in have),
        pl.lit(None, pl.String),
    )


def amount(text: pl.Expr) -> pl.Expr:
    """Read an amount from its digits; null where it is none, or larger than anything that a shop sells."""
    read = text.str.strip_chars().cast(MONEY, strict=False).cast(AMOUNT)
    return pl.when(read.abs() <= LARGEST_AMOUNT).then(read)


def written(value: pl.Expr) -> pl.Expr:
    """Write an amount as the text that reads back to it."""
    return value.cast(AMOUNT).cast(pl.String)
