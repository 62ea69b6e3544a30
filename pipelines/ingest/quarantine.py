"""Part the delivered rows: those that kept the contract, and those set aside with the rules they broke.

A rule that fails on most of a delivery means the delivery is broken, not its rows: then all of it is set
aside.
"""

import polars as pl

from data_contracts import table as promise
from data_contracts.dictionary import READING_FAULT, delivered_columns
from data_contracts.suites import rules
from pipelines.ingest.values import typed
from pipelines.shop import Shop

BLOCKED = "delivery_is_blocked"


def blocked_deliveries(raw: pl.LazyFrame, faults: pl.LazyFrame, block_share: float) -> pl.LazyFrame:
    """Deliveries where a critical rule fails on more than ``block_share`` of the rows."""
    rows = raw.group_by("delivery_id").agg(pl.len().cast(pl.Int64).alias("rows"))
    failed = (
        faults.filter(pl.col("severity") == "critical")
        .group_by("delivery_id", "rule")
        .agg(pl.len().cast(pl.Int64).alias("failed"))
    )
    return failed.join(rows, on="delivery_id").filter(pl.col("failed") > block_share * pl.col("rows"))


def quarantined_rows(raw: pl.LazyFrame, faults: pl.LazyFrame, table: str, block_share: float) -> pl.LazyFrame:
    """Rows that broke a critical rule or came in a blocked delivery, in the shape of the quarantine."""
    blocked = blocked_deliveries(raw, faults, block_share).select("delivery_id").unique()
    of_rows = faults.filter(pl.col("severity") == "critical").select("delivery_id", "row_number", "rule")
    of_blocked = raw.join(blocked, on="delivery_id", how="semi").select(
        "delivery_id", "row_number", pl.lit(BLOCKED).alias("rule")
    )
    broken = (
        pl.concat([of_rows, of_blocked])
        .group_by("delivery_id", "row_number")
        .agg(pl.col("rule").sort().str.join(",").alias("rules"))
        .collect(engine="streaming")
    )
    # Of files without such a row number only that column is read.
    near = raw.filter(pl.col("row_number").is_in(broken["row_number"].unique().implode()))
    content = [*(column.name for column in delivered_columns(table)), READING_FAULT]
    return (
        near.join(broken.lazy(), on=["delivery_id", "row_number"])
        .select(
            "delivery_id",
            "row_number",
            "rules",
            pl.struct(content).struct.json_encode().alias("row_as_delivered"),
        )
        .sort("delivery_id", "row_number")
    )


def valid_rows(raw: pl.LazyFrame, quarantine: pl.LazyFrame, table: str, shop: Shop) -> pl.LazyFrame:
    """Give the typed rows that are not in quarantine, in the shape of ``valid_<table>``."""
    kept = raw.join(
        quarantine.select("delivery_id", "row_number"), on=["delivery_id", "row_number"], how="anti"
    )
    return kept.pipe(typed, delivered_columns(table), shop.zone).select(
        promise(f"valid_{table}").schema.keys()
    )


def rule_counts(raw: pl.LazyFrame, faults: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """How often each rule of the table's suite failed; every rule has a row, in the suite's order."""
    names = pl.LazyFrame(
        [(rule.name, rule.says, rule.severity) for rule in rules(table)],
        schema=["rule", "says", "severity"],
        orient="row",
    )
    failed = faults.group_by("rule").agg(pl.len().cast(pl.Int64).alias("failed"))
    return (
        names.join(failed, on="rule", how="left", maintain_order="left")
        .join(raw.select(pl.len().cast(pl.Int64).alias("checked")), how="cross", maintain_order="left")
        .select(
            pl.lit(table).alias("table"),
            "rule",
            "says",
            "severity",
            "checked",
            pl.col("failed").fill_null(0),
        )
    )
