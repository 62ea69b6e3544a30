"""What the page of contracts is filled with: counts in, plain values and tables of text out.

Sentences stand in `contract_findings`, the text around them in the template. No row's contents pass through here.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from pipelines.ingest.quarantine import BLOCKED
from pipelines.report import words
from pipelines.report.contract_findings import (
    column_names,
    days,
    local_day,
    local_moment,
    rule_words,
    usual_rows,
)
from pipelines.report.figures.deliveries import FATES as FATE_NAMES
from pipelines.report.intake import FATES, Intake
from pipelines.report.theme import PlainTable
from pipelines.shop import Shop

WAITING_SHOWN = 50
"""Sets of broken rules listed by file; `retention check --quarantine --json` lists every row."""

_FATES_SUMMED = tuple(
    f"{'+' if place else '='} {FATE_NAMES[fate][0].removesuffix(' people').removeprefix('of ')}"
    for place, fate in enumerate(FATES)
)


def head(found: Intake, shop: Shop, tables: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The numbers below the finding: the newest deliveries, rules kept, sources late."""
    newest = found.newest
    late = [] if shop.sample else found.expected.filter(~pl.col("is_fresh"))["source"].to_list()
    return {
        "newest": local_moment(newest["received_at"][0], shop) if newest.height else "none yet",
        "files": newest.height,
        "rows": int(newest["rows"].sum()),
        "accepted": int(newest["accepted"].sum()),
        "kept": sum(table["kept_count"] for table in tables),
        "rules": sum(table["rule_count"] for table in tables),
        "sources": len(shop.sources),
        "late": len(late),
    }


def sums(found: Intake) -> PlainTable:
    """Delivered = accepted + quarantined + replayed + erased, by source and table, and together."""
    sums = (
        found.deliveries.group_by("source", "table")
        .agg(pl.len().alias("files"), pl.col("rows", *FATES).sum())
        .sort("table", "source")
        .to_dicts()
    )
    total = {name: sum(row[name] for row in sums) for name in ("files", "rows", *FATES)}
    return PlainTable(
        header=("Source", "Table", "Deliveries", "Delivered", *_FATES_SUMMED),
        rows=tuple(
            (row["source"], row["table"], *(words.number(row[name]) for name in total))
            for row in [*sums, {"source": "Together", "table": "", **total}]
        ),
    )  # fmt: skip


def sources(found: Intake, shop: Shop) -> PlainTable:
    """Each source's newest delivery against what is usual for it."""
    known = {row["source"]: row for row in found.expected.to_dicts()}
    rows: list[tuple[str, ...]] = []
    for source in shop.sources:
        row = known.get(source.name)
        if row is None:
            rows.append((source.name, source.table, "nothing came yet", "", "", "", "", "▲ nothing came yet"))
            continue
        verdict = (
            []
            if row["is_usual"]
            else ["▲ too few rows" if row["rows"] < row["usual_low"] else "▲ too many rows"]
        )
        verdict += ["▲ late"] if not row["is_fresh"] and not shop.sample else []
        unknown = "too early to say" if row["usual_low"] is None else "as usual"
        rows.append(
            (
                source.name, source.table, local_moment(row["received_at"], shop), words.number(row["rows"]),
                usual_rows(row), days(row["age_days"]), days(row["usual_gap_days"]), ", ".join(verdict) or unknown,
            )
        )  # fmt: skip
    return PlainTable(
        header=(
            "Source",
            "Table",
            "Newest delivery",
            "Rows",
            "Usual rows",
            "Time since",
            "Usually every",
            "Verdict",
        ),
        rows=tuple(rows),
    )


def readings(found: Intake, shop: Shop) -> list[dict[str, Any]]:
    """How each source's newest files are written, and which of their columns nothing uses."""
    rows: list[dict[str, Any]] = []
    for source in shop.sources:
        newest = found.new.filter(source=source.name)
        newest = newest.filter(pl.col("received_at") == pl.col("received_at").max())
        if newest.height:
            notes = list(dict.fromkeys(note for note in newest["notes"].drop_nulls() if note))
            unused = column_names(newest["unknown_columns"].to_list())
            rows.append({"source": source.name, "notes": notes, "unused": unused})
    return rows


def waiting(found: Intake, shop: Shop) -> PlainTable:
    """Rows that wait, by file and set of broken rules; never what stands in them."""
    rows = [
        (
            row["file_name"],
            row["table"],
            local_day(row["received_at"], shop),
            words.number(row["waiting"]),
            " ".join(rule_words(row["table"], name) for name in _own_rules(row["rules"])),
        )
        for row in found.waiting.head(WAITING_SHOWN).to_dicts()
    ]
    left = found.waiting.slice(WAITING_SHOWN)
    if left.height:
        more = f"{words.counted(left.height, 'more set')} of broken rules"
        rows.append(
            (
                more,
                "",
                "",
                words.number(int(left["waiting"].sum())),
                "retention check --quarantine lists them",
            )
        )
    return PlainTable(header=("File", "Table", "Since", "Rows", "Rules they broke"), rows=tuple(rows))


def _own_rules(names: str) -> list[str]:
    """The rules of a set; that of the whole delivery only where there is no other."""
    every = names.split(",")
    return [name for name in every if name != BLOCKED] or every
