"""What the page of contracts is made from: small frames, counted from the record of deliveries and the faults.

Rows become counts here and nowhere later, so that no delivered value can reach the page. What the counts mean is said
by `pipelines.report.contract_findings`, how they stand in the page by `pipelines.report.contracts`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from data_contracts.suites import rules
from pipelines.ingest.expectations import expected
from pipelines.ingest.quarantine import BLOCKED
from pipelines.ingest.waiting import waiting
from pipelines.shop import Shop

Tables = Callable[[str], pl.LazyFrame]

FATES = ("accepted", "quarantined", "replayed", "erased")
"""Where a delivered row can go."""

_BY_RULE = {"table": pl.String, "delivery_id": pl.String, "rule": pl.String, "failed": pl.Int64}
_WAITING = {
    "table": pl.String,
    "file_name": pl.String,
    "received_at": pl.Datetime("us", "UTC"),
    "rules": pl.String,
    "waiting": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Intake:
    """Counts of everything that was delivered; no row's contents.

    Attributes
    ----------
    deliveries
        Table ``deliveries``, oldest first.
    results
        Table ``contract_results``: one row per delivered table and rule.
    by_rule
        One row per table, delivery and rule that broke: table, delivery_id, rule, failed (rows).
    waiting
        One row per file and set of broken rules that no later delivery has answered: table, file_name, received_at,
        rules (separated by commas), waiting (rows).
    expected
        One row per source, as `pipelines.ingest.expectations.expected` gives it.
    """

    deliveries: pl.DataFrame
    results: pl.DataFrame
    by_rule: pl.DataFrame
    waiting: pl.DataFrame
    expected: pl.DataFrame

    @property
    def new(self) -> pl.DataFrame:
        """Deliveries that had not come before, oldest first."""
        return self.deliveries.filter(~pl.col("is_repeat"))

    @property
    def newest(self) -> pl.DataFrame:
        """Deliveries of the newest run that brought something new."""
        return self.new.filter(pl.col("received_at") == pl.col("received_at").max())

    @property
    def is_conserved(self) -> bool:
        """Whether every delivered row is accounted for."""
        return int(self.deliveries["rows"].sum()) == sum(int(self.deliveries[fate].sum()) for fate in FATES)


def connected_tables(shop: Shop) -> tuple[str, ...]:
    """Give the delivered tables that a shop has sources for, in the order of its settings."""
    return tuple(dict.fromkeys(source.table for source in shop.sources))


def gather(tables: Tables, shop: Shop, now: datetime) -> Intake:
    """Count what was delivered, by delivery, rule and source.

    Parameters
    ----------
    tables
        Gives a table's rows: deliveries, contract_results, and of each connected table its faults, its quarantine and
        its valid rows.
    now
        The time that the run takes as the present.
    """
    connected = connected_tables(shop)
    return Intake(
        deliveries=tables("deliveries").sort("received_at", "receipt_id").collect(),
        results=tables("contract_results").collect(),
        by_rule=pl.concat(
            [pl.LazyFrame(schema=_BY_RULE), *(_faults_by_delivery(tables, table) for table in connected)]
        ).collect(),
        waiting=pl.concat(
            [pl.DataFrame(schema=_WAITING), *(_waiting_by_file(tables, table) for table in connected)]
        ).sort("received_at", "table", "file_name", "waiting", "rules", descending=[True, *[False] * 4]),
        expected=expected(tables("deliveries"), now).collect(),
    )


def _faults_by_delivery(tables: Tables, table: str) -> pl.LazyFrame:
    return (
        tables(f"{table}_faults")
        .group_by("delivery_id", "rule")
        .agg(pl.len().cast(pl.Int64).alias("failed"))
        .select(pl.lit(table).alias("table"), "delivery_id", "rule", "failed")
        .sort("delivery_id", "rule")
    )


def _waiting_by_file(tables: Tables, table: str) -> pl.DataFrame:
    quarantine = tables(f"{table}_quarantine")
    if not quarantine.select(pl.len()).collect().item():
        return pl.DataFrame(schema=_WAITING)
    return (
        waiting(quarantine, tables(f"valid_{table}"), tables("deliveries"), table)
        .group_by("file_name", "received_at", "rules")
        .agg(pl.len().cast(pl.Int64).alias("waiting"))
        .select(pl.lit(table).alias("table"), "file_name", "received_at", "rules", "waiting")
        .cast({"received_at": _WAITING["received_at"]})
        .collect()
    )


def blocked_and_waiting(found: Intake) -> pl.DataFrame:
    """Deliveries set aside as a whole of which rows still wait, newest first; with ``waiting`` rows of their file."""
    files = (
        found.waiting.filter(pl.col("rules").str.split(",").list.contains(BLOCKED))
        .group_by("table", "file_name", "received_at")
        .agg(pl.col("waiting").sum())
    )
    return (
        found.new.filter("is_blocked")
        .join(files, on=["table", "file_name", "received_at"])
        .sort("received_at", "receipt_id", descending=[True, False])
    )


def rules_that_blocked(
    found: Intake, delivery_id: str, block_share: float
) -> list[tuple[str, str, int, int]]:
    """Say for which rules a delivery was set aside: rule, its words, rows that broke it, rows checked; worst first."""
    delivery = found.new.filter(delivery_id=delivery_id).row(0, named=True)
    asked = {rule.name: rule for rule in rules(delivery["table"])}
    broken = found.by_rule.filter(
        pl.col("failed") > block_share * delivery["kept"], table=delivery["table"], delivery_id=delivery_id
    )
    return [
        (row["rule"], asked[row["rule"]].says, row["failed"], delivery["kept"])
        for row in broken.sort("failed", "rule", descending=[True, False]).to_dicts()
        if row["rule"] in asked and asked[row["rule"]].severity == "critical"
    ]
