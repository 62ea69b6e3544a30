"""Apostrophes that keep spreadsheets from taking a value for a formula or a number: '+31612345678.

Shopify's newer exports write them. They are no part of the value; the apostrophe of 't Hooft is.
"""

import re

import polars as pl

from pipelines.sources.records import Block

SIGNS = "[-+=@0-9]"
"""What stands behind such an apostrophe."""
GUARDED = re.compile(f"'{SIGNS}".encode())


def has_guards(block: Block, separator: bytes) -> bool:
    """Say whether a cell of a block of separated text begins with one; also true of a few that don't."""
    before = (*separator, *b'\n"')
    return block.has_apostrophes and any(
        found.start() == 0 or block.text[found.start() - 1] in before
        for found in GUARDED.finditer(block.text, 0, block.size)
    )


def without_guard(name: str) -> pl.Expr:
    """Give a column's values without them."""
    value = pl.col(name)
    return pl.when(value.str.contains(f"^'{SIGNS}")).then(value.str.slice(1)).otherwise(value).alias(name)
