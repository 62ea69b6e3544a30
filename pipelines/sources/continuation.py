"""Fill the blank cells of records that continue a unit (an order), whose first record alone holds its own cells.

Which columns those are is a format's business. Records stay where they are, and how many.
"""

from collections.abc import Sequence

import polars as pl

BLANK = ""
"""Marks a cell that a unit's first record leaves blank, so that none of an earlier unit falls into it."""


def fill_down(records: pl.LazyFrame, unit: str, cells: Sequence[str], first: pl.Expr) -> pl.LazyFrame:
    """Fill ``cells`` of every record with those of its unit; a filled cell stays as it is.

    As a rule a unit's records stand together, the first one first, and are filled while they stream by. Where a file
    was sorted, or a broken record parts them, those that have no first one above them are filled from it wherever it
    stands. One pass over two columns looks whether there are any.

    Parameters
    ----------
    unit
        Column with the unit's number. Records without one belong to none: nothing falls into them or out of them.
    first
        Filled on the first record of each unit only.
    """
    is_named = pl.col(unit).is_not_null()
    upper = pl.col(unit).forward_fill()
    starts = is_named & upper.ne_missing(upper.shift(1))

    def from_above(value: pl.Expr) -> pl.Expr:
        return pl.when(starts).then(value.fill_null(BLANK)).when(is_named).then(value).forward_fill()

    filled = records.with_columns(
        pl.when(~is_named).then(name).when(from_above(pl.col(name)) != BLANK).then(from_above(pl.col(name)))
        for name in cells
    )
    alone = (
        records.select(unit, from_above(first).alias("_first"))
        .filter(pl.col(unit).is_not_null() & (pl.col("_first") == BLANK))
        .select(pl.col(unit).unique())
        .collect(engine="streaming")
    )
    if alone.is_empty():
        return filled
    elsewhere = (
        records.filter(first.is_not_null())
        .join(alone.lazy(), on=unit, how="semi")
        .group_by(unit)
        .agg(pl.col(cells).first(ignore_nulls=True))
    )
    found = {name: f"{name} of its first record" for name in cells}
    return (
        filled.join(elsewhere.rename(found), on=unit, how="left", maintain_order="left")
        .with_columns(pl.coalesce(name, found[name]) for name in cells)
        .drop(found.values())
    )
