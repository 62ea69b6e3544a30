"""One piece of a large table after the other: what must hold all lines of an order at once holds few orders at a time.

Sorting and joining whole tables takes several times their size in memory. Where a function treats the rows of
each unit (an order) apart from those of others, it can as well be given one range of units after the other; the
results follow each other in the order of the units. What is done within a range is its caller's business.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

import polars as pl
from polars.io.plugins import register_io_source

ROWS_A_RANGE = 1_000_000
SAMPLED = 64
"""One of so many rows tells where the ranges part."""


def in_ranges(
    rows: pl.LazyFrame,
    unit: str,
    make: Callable[[pl.LazyFrame], pl.LazyFrame],
    rows_a_range: int = ROWS_A_RANGE,
) -> pl.LazyFrame:
    """Give what ``make`` gives, made of one range of units at a time.

    Files keep the least and greatest value of each of their parts, so a range reads few of them where units lie
    near each other; where they do not, all rows are read once a range.

    Parameters
    ----------
    rows
        Any order; ``unit`` is a text column of it. Rows without unit are one range of their own, the first.
    make
        Must treat the rows of each unit apart from those of all others.
    rows_a_range
        About how many rows are in memory at once.
    """
    starts = _starts(rows, unit, rows_a_range)
    if not starts:
        return make(rows)

    def ranges(
        columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _batch: int | None
    ) -> Iterator[pl.DataFrame]:
        for within in _conditions(pl.col(unit), starts):
            made = make(rows.filter(within))
            # The engine leaves it to the source to stop after so many rows; it asks for that without a predicate only.
            made = made if most is None else made.head(most)
            made = made if predicate is None else made.filter(predicate)
            found = (made if columns is None else made.select(columns)).collect(engine="streaming")
            yield found
            most = None if most is None else most - found.height
            if most is not None and most <= 0:
                return

    return register_io_source(ranges, schema=make(rows).collect_schema())


def _starts(rows: pl.LazyFrame, unit: str, rows_a_range: int) -> list[str]:
    """First units of all ranges but the first; none where one range is enough."""
    count = rows.select(pl.len()).collect(engine="streaming").item()
    if count <= 2 * rows_a_range:
        return []
    sample = rows.select(unit).gather_every(SAMPLED).drop_nulls().sort(unit).collect(engine="streaming")
    starts = sample[unit].gather_every(max(1, rows_a_range // SAMPLED), offset=rows_a_range // SAMPLED)
    return starts.unique(maintain_order=True).to_list()


def _conditions(unit: pl.Expr, starts: list[str]) -> Iterator[pl.Expr]:
    yield unit.is_null()
    yield unit < starts[0]
    for start, end in pairwise(starts):
        yield (unit >= start) & (unit < end)
    yield unit >= starts[-1]
