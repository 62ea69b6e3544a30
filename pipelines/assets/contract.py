"""The contract: which rows break which rule, what is set aside, what goes on.

The rules stand in data_contracts/suites; running them is `pipelines.ingest.contract`.
"""

import polars as pl

from data_contracts.suites import rules, suite_text
from pipelines.assets.delivered import fed_by, rates
from pipelines.assets.given import Given
from pipelines.assets.landing import connected_tables
from pipelines.assets.step import Keeps, Stage, Step, Verdict
from pipelines.ingest.contract import find_faults
from pipelines.ingest.currency import AMOUNTS
from pipelines.ingest.quarantine import quarantined_rows, rule_counts, valid_rows
from pipelines.shop import Shop

ORDER_SETTINGS = ("orders", "timezone", "currency")


def steps(shop: Shop) -> list[Step]:
    """Faults, quarantine and valid rows per connected table, and the counts of all rules."""
    tables = connected_tables(shop)
    return [step for table in tables for step in _steps_of(table, shop)] + [
        Step(
            table="contract_results",
            stage=Stage.CONTRACT,
            keeps=Keeps.NOTHING,
            reads=tuple(name for table in tables for name in (f"raw_{table}", f"{table}_faults")),
            make=_results,
            picture="contract_rules",
            checks=_group_verdicts,
            check_names=tuple(_group_name(table, group) for table in tables for group in _groups(table)),
        )
    ]


def _steps_of(table: str, shop: Shop) -> list[Step]:
    raw, faults, quarantine = f"raw_{table}", f"{table}_faults", f"{table}_quarantine"
    # Whether a currency is known is asked of the delivered rates.
    known = fed_by(shop, "rates") if table in AMOUNTS else ()
    return [
        Step(
            table=faults,
            stage=Stage.CONTRACT,
            keeps=Keeps.NOTHING,
            reads=(raw, *known),
            make=lambda given: find_faults(
                given.table(raw), table, given.shop, rates(given) if known else None
            ),
            settings=ORDER_SETTINGS,
            identity=lambda _: suite_text(table),
        ),
        Step(
            table=quarantine,
            stage=Stage.CONTRACT,
            keeps=Keeps.NOTHING,
            reads=(raw, faults),
            make=lambda given: quarantined_rows(
                given.table(raw), given.table(faults), table, given.shop.contracts.block_share
            ),
            settings=("contracts",),
        ),
        Step(
            table=f"valid_{table}",
            stage=Stage.CONTRACT,
            keeps=Keeps.NOTHING,
            reads=(raw, quarantine),
            make=lambda given: valid_rows(given.table(raw), given.table(quarantine), table, given.shop),
            settings=("timezone",),
        ),
    ]


def _results(given: Given) -> pl.LazyFrame:
    return pl.concat(
        rule_counts(given.table(f"raw_{table}"), given.table(f"{table}_faults"), table)
        for table in connected_tables(given.shop)
    )


def _groups(table: str) -> list[str]:
    return list(dict.fromkeys(rule.group for rule in rules(table)))


def _group_name(table: str, group: str) -> str:
    return f"{table}_{group}"


def _group_verdicts(given: Given) -> list[Verdict]:
    """One verdict per rule group: it passes where no critical rule failed; warnings are told either way."""
    failed = {
        (row["table"], row["rule"]): row["failed"]
        for row in given.table("contract_results").collect().iter_rows(named=True)
    }
    verdicts: list[Verdict] = []
    for table in connected_tables(given.shop):
        for group in _groups(table):
            broken = [
                (rule, failed.get((table, rule.name), 0)) for rule in rules(table) if rule.group == group
            ]
            told = [f"{rule.name}: {count:,} rows ({rule.severity})" for rule, count in broken if count]
            verdicts.append(
                Verdict(
                    _group_name(table, group),
                    passed=not any(count for rule, count in broken if rule.severity == "critical"),
                    says="; ".join(told) or "every row keeps every rule",
                    is_error=False,
                )
            )
    return verdicts
