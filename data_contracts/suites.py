"""The contracts' rules: Great Expectations suites as plain JSON, one a delivered table.

Every expectation carries a ``meta`` with the rule's name, its words for people and its group, and a severity:
critical sends the row to quarantine, warning counts it. Running a suite is done by
`pipelines.ingest.contract`.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from data_contracts.errors import ContractError


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a suite.

    Attributes
    ----------
    name, says, group
        For machines, for people, and the check it is shown under.
    severity
        ``critical`` or ``warning``.
    column
        The column that the expectation looks at; it may be one that the contract derives.
    """

    name: str
    says: str
    group: str
    severity: str
    column: str


@cache
def suite_text(delivered: str) -> str:
    """Give the suite of a delivered table as JSON text.

    Raises
    ------
    ContractError
        The table has no suite.
    """
    file = files("data_contracts").joinpath("suites", f"{delivered}.json")
    if not file.is_file():
        raise ContractError(
            f"There is no suite for {delivered}: data_contracts/suites/{delivered}.json is missing."
        )
    return file.read_text(encoding="utf-8")


def suite(delivered: str) -> dict[str, Any]:
    """Give the suite of a delivered table, as Great Expectations takes it."""
    return json.loads(suite_text(delivered))


@cache
def rules(delivered: str) -> tuple[Rule, ...]:
    """Give the rules of a delivered table's suite, in file order."""
    return tuple(
        Rule(
            name=entry["meta"]["rule"],
            says=entry["meta"]["says"],
            group=entry["meta"]["group"],
            severity=entry["severity"],
            column=entry["kwargs"]["column"],
        )
        for entry in suite(delivered)["expectations"]
    )
