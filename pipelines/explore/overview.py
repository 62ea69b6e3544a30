"""What an opened lab holds: its tables with their rows, the finished runs, and what claims are tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from data_contracts import table, table_names
from pipelines.explore.whole_frames import WholeFrame

if TYPE_CHECKING:
    from models.claims import Facts
    from pipelines.explore.opened import Opened


def tables(lab: Opened) -> WholeFrame:
    """One row per table of the snapshot: table, one_row_per, layer, rows, version."""
    names = [name for name in lab.snapshot.versions if name in table_names()]
    return WholeFrame(
        {
            "table": names,
            "one_row_per": [table(name).grain for name in names],
            "layer": [table(name).layer.value for name in names],
            "rows": [lab.read(name).select(pl.len()).collect().item() for name in names],
            "version": [lab.snapshot.versions[name] for name in names],
        }
    )


def snapshots(lab: Opened) -> WholeFrame:
    """One row per finished run, oldest day first: snapshot_id, as_of, finished_at, tables, code_version."""
    found = lab.lake.scan("snapshots").sort("as_of", "finished_at").collect()
    return WholeFrame(
        found.select(
            "snapshot_id",
            "as_of",
            "finished_at",
            tables=pl.col("versions").str.count_matches(r'":'),
            settings_hash="settings_hash",
            code_version="code_version",
        )
    )


def claims(lab: Opened) -> WholeFrame:
    """One row per tested part of a claim: claim, part, claimed, found, status, says."""
    from pipelines.report.figures.claims import claimed, found

    rows = lab.read("claims").sort("claim", maintain_order=True).collect()
    told = [(claimed(row), found(row)) for row in rows.iter_rows(named=True)]
    in_words = pl.DataFrame(told, schema={"claimed": pl.String, "found": pl.String}, orient="row")
    return WholeFrame(rows.hstack(in_words).select("claim", "part", "claimed", "found", "status", "says"))


def claim_facts(lab: Opened, options: Mapping[str, Any]) -> Facts:
    """Give what a run tests claims on, with options; see `pipelines.lab.Lab.claim_facts`."""
    from pipelines.assets.claims import facts_of

    def rows(name: str) -> pl.LazyFrame:
        return lab.read(name) if lab.has(name) else table(name).empty().lazy()

    facts = facts_of(lab.shop, rows, lab.as_of)
    return replace(facts, options={**facts.options, **options})
