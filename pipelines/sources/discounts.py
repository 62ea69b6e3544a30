"""Spread what an order as a whole was reduced by over its lines, exactly.

Where an order's discount stands in a file, and how much of it fell on goods, is its format's business.
"""

import polars as pl

from pipelines.sources.optional_cells import AMOUNT

UNITS = 10_000
"""Amounts have four decimals: an amount is so many ten-thousandths."""


def spread(lines: pl.LazyFrame, order: str, place: str) -> pl.LazyFrame:
    """Give ``place`` and ``_share`` of each line: its part of its order's ``_rest`` by ``_weight``.

    Parts are rounded down, and the order's last line takes what that leaves over, so that they add up to the whole.
    Lines without a weight bear nothing; where no line has any the last one bears all.

    Parameters
    ----------
    lines
        One row a line: ``order``, ``place`` in the file, its ``_weight``, and for the order as a whole ``_rest`` (not
        below 0), ``_weights`` (the sum of its lines') and ``_last`` (place of the line that takes what is left over).
        Amounts are of type `AMOUNT`.
    """
    part = pl.col("_rest").to_physical() * pl.col("_weight").to_physical() // pl.col("_weights").to_physical()
    is_last = pl.col(place) == pl.col("_last")
    return (
        lines.with_columns(
            (pl.when(pl.col("_weights") > 0).then(part).cast(AMOUNT) / UNITS).fill_null(0).alias("_part")
        )
        .with_columns(pl.col("_part").sum().over(order).alias("_parts"))
        .select(
            place,
            pl.when(is_last)
            .then(pl.col("_part") + pl.col("_rest") - pl.col("_parts"))
            .otherwise("_part")
            .alias("_share"),
        )
    )
