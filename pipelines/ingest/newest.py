"""Of several delivered versions of one row, the one that counts.

For rows that stand for themselves: a ticket, a survey answer, a rate. Orders and returns have several lines, which
change together: see `versions`.
"""

from collections.abc import Sequence

import polars as pl

NEWNESS = ("delivered_through", "received_at", "delivery_id", "row_number")
"""What makes one row the newer: its delivery reaches further, it came later, and last checksum and position."""


def newest(
    rows: pl.LazyFrame, unit: Sequence[str], changed_at: Sequence[str] = ("updated_at",)
) -> pl.LazyFrame:
    """Keep the newest version of each row: the latest ``changed_at``, then the newer delivery (see `NEWNESS`).

    Parameters
    ----------
    rows
        Rows of a ``valid_`` table, all deliveries.
    unit
        What makes two rows versions of one.
    changed_at
        Times that say when a version was made, the weightiest first; a version without one is older than any with.
    """
    slim = (
        rows.select(*unit, *changed_at, *NEWNESS)
        .sort(*unit, *changed_at, *NEWNESS, nulls_last=False)
        .unique(unit, keep="last", maintain_order=True)
        .select("delivery_id", "row_number")
    )
    return rows.join(slim, on=["delivery_id", "row_number"], how="semi")
