"""Files that left the lab with somebody's list: whoever took them has to be told of an erasure, and a person of it."""

from collections.abc import Collection
from typing import Any

import polars as pl


def handed_out(entries: pl.DataFrame, list_ids: Collection[str]) -> list[dict[str, Any]]:
    """Give the downloads of these lists, the oldest first.

    Parameters
    ----------
    entries
        Every download (`pipelines.records.ledger.Ledger.entries`). One that broke off counts: part of it may be there.

    Returns
    -------
    list[dict]
        list_id, platform, columns, taken_at, by.
    """
    return (
        entries.filter(pl.col("list_id").is_in(list(list_ids)))
        .sort("started_at", "list_id", "platform")
        .select(
            "list_id",
            "platform",
            "columns",
            pl.col("started_at").alias("taken_at"),
            pl.col("who").alias("by"),
        )
        .to_dicts()
    )
