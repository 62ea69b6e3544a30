"""One table's part of the page of contracts: its rules, broken and kept, and what its columns promise.

Where a rule broke is told by delivery, never by row. What concerns all tables stands in `contract_sections`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from data_contracts.dictionary import Privacy, delivered_columns
from data_contracts.dictionary import table as promise
from data_contracts.suites import Rule, rules
from pipelines.report import words
from pipelines.report.contract_findings import file_of, local_day
from pipelines.report.figures.contracts import Broke, sparkline
from pipelines.report.figures.deliveries import SEVERITIES
from pipelines.report.intake import Intake
from pipelines.report.theme import PlainTable
from pipelines.shop import Shop

GROUPS = {
    "given": "What every row must say",
    "readable": "What must be readable",
    "plausible": "What must make sense",
    "complete": "What a row should say",
    "clock": "Times that the clock skips or repeats",
}
KINDS = {
    "text": "text",
    "flag": "yes or no",
    "count": "whole number",
    "small_count": "whole number",
    "number": "number",
    "money": "exact amount, 4 decimals",
    "day": "day",
    "moment": "date and time",
}
PRIVACY = {
    Privacy.NONE: "says nothing of a person",
    Privacy.PSEUDONYM: "points at a person, with the shop's key only",
    Privacy.PERSONAL: "says something of one person",
    Privacy.IDENTIFIER: "names or reaches a person",
    Privacy.FREE_TEXT: "may hold anything somebody wrote",
}


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """One broken rule as it stands in the page: counts, where it broke last, its small picture."""

    rule: Rule
    failed: int
    checked: int
    when: str
    picture: Markup

    @property
    def consequence(self) -> str:
        """What happens to a row that breaks it."""
        return SEVERITIES[self.rule.severity][0]


def table_of(found: Intake, shop: Shop, name: str) -> dict[str, Any]:
    """One table's rules, broken ones with their counts by delivery, and its columns."""
    results = {row["rule"]: row for row in found.results.filter(table=name).to_dicts()}
    asked = [rule for rule in rules(name) if rule.name in results]
    deliveries = found.new.filter(pl.col("kept") > 0, table=name).to_dicts()
    failed: dict[str, dict[str, int]] = {}
    for row in found.by_rule.filter(table=name).to_dicts():
        failed.setdefault(row["rule"], {})[row["delivery_id"]] = row["failed"]
    broken = [
        _broken(rule, results[rule.name], deliveries, failed.get(rule.name, {}), shop)
        for rule in asked
        if results[rule.name]["failed"]
    ]
    kept = [rule for rule in asked if not results[rule.name]["failed"]]
    return {
        "name": name,
        "promise": promise(f"valid_{name}"),
        "columns": _promised(name),
        "checked": results[asked[0].name]["checked"] if asked else 0,
        "files": len(deliveries),
        "rule_count": len(asked),
        "kept_count": len(kept),
        "broken": [
            (group, rows) for group in GROUPS if (rows := [b for b in broken if b.rule.group == group])
        ],
        "kept": [(group, rows) for group in GROUPS if (rows := [r for r in kept if r.group == group])],
        "says": _table_says(broken, results[asked[0].name]["checked"] if asked else 0),
    }


def _table_says(broken: Sequence[BrokenRule], checked: int) -> str:
    if not checked:
        return "No row was delivered yet, so nothing was checked."
    if not broken:
        return "Every row keeps every rule."
    severe = sum(one.rule.severity == "critical" for one in broken)
    counted_only = len(broken) - severe
    parts = [
        *([f"{words.counted(severe, 'rule')} of those that set rows aside"] if severe else []),
        *([f"{words.counted(counted_only, 'rule')} of those that only count"] if counted_only else []),
    ]
    return f"Broken: {words.listed(parts)}."


def _broken(
    rule: Rule,
    result: dict[str, Any],
    deliveries: Sequence[dict[str, Any]],
    failed: dict[str, int],
    shop: Shop,
) -> BrokenRule:
    hit = [row for row in deliveries if failed.get(row["delivery_id"])]
    return BrokenRule(
        rule=rule,
        failed=result["failed"],
        checked=result["checked"],
        when=_since(hit, deliveries, shop),
        picture=sparkline(
            [Broke(failed.get(row["delivery_id"], 0), row["kept"]) for row in deliveries], rule.severity
        ),
    )


def _since(hit: Sequence[dict[str, Any]], deliveries: Sequence[dict[str, Any]], shop: Shop) -> str:
    """Since which delivery it breaks without a pause, or in which it broke last."""
    if not hit:
        return ""
    last = hit[-1]
    where = f"{file_of(last)}, {local_day(last['received_at'], shop)}"
    if len(deliveries) == 1:
        return f"in {where}"
    told = f"in {len(hit)} of {words.counted(len(deliveries), 'delivery', 'deliveries')}"
    if last is not deliveries[-1]:
        return f"{told}; last in {where}, not since"
    streak = 0
    while streak < len(hit) and hit[-1 - streak] is deliveries[-1 - streak]:
        streak += 1
    first = hit[-streak]
    if streak == 1:
        return f"{told}; new in the newest, {where}"
    return f"{told}; in each since {file_of(first)}, {local_day(first['received_at'], shop)}"


def _promised(name: str) -> PlainTable:
    return PlainTable(
        header=("Column", "Type", "Meaning", "Unit", "Privacy"),
        rows=tuple(
            (
                f"{column.name}{' (needed)' if column.required else ''}", KINDS[column.kind], column.meaning,
                column.unit, PRIVACY[column.privacy],
            )
            for column in delivered_columns(name)
        ),
    )  # fmt: skip
