"""A shop's regular expressions over text columns. What they mean is their users' business."""

import polars as pl


def matches(column: str | pl.Expr, pattern: str | None) -> pl.Expr:
    """Whether text matches a shop's regular expression; false where the shop gives none."""
    text = pl.col(column) if isinstance(column, str) else column
    return pl.lit(False) if pattern is None else text.str.contains(pattern).fill_null(False)
