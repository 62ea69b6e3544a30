"""Which quarantined rows still wait, and which a later delivery has answered.

A row waits until its order, return or record has come again and kept the contract. Setting rows aside is
`quarantine`'s business.
"""

import polars as pl

from pipelines.ingest.numbers import OWN_NUMBER
from pipelines.ingest.replays import UNITS

SHOWN = ["file_name", "row_number", "rules", "received_at", "delivery_id", "kept_file"]


def waiting(
    quarantine: pl.LazyFrame, valid: pl.LazyFrame, deliveries: pl.LazyFrame, table: str
) -> pl.LazyFrame:
    """Give the quarantined rows of ``table`` that no later delivery has answered.

    Returns
    -------
    pl.LazyFrame
        file_name, row_number, rules, received_at, delivery_id, kept_file; sorted by delivery and row.
    """
    unit = UNITS.get(table) or OWN_NUMBER.get(table)
    of = deliveries.filter(~pl.col("is_repeat")).select(
        "delivery_id", "file_name", "received_at", "kept_file"
    )
    if unit is None:  # records without a number of their own cannot be told again
        return (
            quarantine.join(of, on="delivery_id")
            .sort("received_at", "delivery_id", "row_number")
            .select(SHOWN)
        )
    answers = (
        valid.select(pl.col(unit).cast(pl.String).alias("_unit"), "delivery_id")
        .unique()
        .join(of, on="delivery_id")
        .select("_unit", pl.col("delivery_id").alias("_answer"), pl.col("received_at").alias("_answered_at"))
    )
    rows = quarantine.with_columns(
        pl.col("row_as_delivered").str.json_path_match(f"$.{unit}").str.strip_chars().alias("_unit")
    ).join(of, on="delivery_id")
    answered = (
        rows.join(answers, on="_unit")
        .filter(
            (pl.col("_answer") != pl.col("delivery_id")) & (pl.col("_answered_at") >= pl.col("received_at"))
        )
        .select("delivery_id", "row_number")
        .unique()
    )
    return (
        rows.join(answered, on=["delivery_id", "row_number"], how="anti")
        .sort("received_at", "delivery_id", "row_number")
        .select(SHOWN)
    )
