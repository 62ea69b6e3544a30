"""Which of a file's columns is which of ours: by its name, if its values don't contradict that.

One table at a time. Which table a file holds is `pipelines.connect.guess`' business.
"""

from dataclasses import dataclass
from functools import cache

import polars as pl

from data_contracts.dictionary import Column, delivered_columns, table_names
from data_contracts.suites import suite
from pipelines.connect.evidence import ADDRESS, ENOUGH, PHONE, Values
from pipelines.connect.words import name_score, words

SURE_NAME = 0.7
"""A column of this name score is called by one of our names."""


@dataclass(frozen=True, slots=True)
class Match:
    """One of ours = one of the file's, with a score from 0 to 1."""

    column: str
    header: str
    score: float


def delivered_tables() -> list[str]:
    """Give every table that a file can deliver."""
    return [name.removeprefix("valid_") for name in table_names() if name.startswith("valid_")]


class Sheet:
    """A file's columns with what their values look like; each is judged once, however many tables are tried."""

    def __init__(self, records: pl.DataFrame, columns: tuple[str, ...]) -> None:
        self.headers = columns
        self.values = Values(records.select(columns))
        self._shares: dict[str, dict[str, float]] = {}

    def match(self, table: str) -> dict[str, Match]:
        """Pair columns of a table with those of the file, the best pairs first, each column once."""
        candidates = [
            Match(column.name, header, score)
            for column in delivered_columns(table)
            for header in self.headers
            if (score := self._score(table, column, header)) > 0
        ]
        found: dict[str, Match] = {}
        for match in sorted(candidates, key=lambda match: -match.score):
            if match.column not in found and match.header not in {other.header for other in found.values()}:
                found[match.column] = match
        return found

    def share(self, header: str, kind: str) -> float:
        """Say what share of a column can be read as a kind; of all columns with a fitting name at once."""
        if kind not in self._shares:
            asked = [name for name in self.headers if _may_be(name, kind) and self.values.filled[name] > 0]
            self._shares[kind] = self.values.share_readable(asked, kind)
        if header not in self._shares[kind]:
            self._shares[kind] |= self.values.share_readable([header], kind)
        return self._shares[kind][header]

    def _score(self, table: str, column: Column, header: str) -> float:
        score = name_score(header, words()["columns"].get(column.name, ()))
        if not score:
            return 0.0
        if self.values.filled[header] == 0:
            # Nothing speaks against an empty column, and nothing for it.
            return 0.0 if column.required else score / 2
        return score if self._fits(table, column, header) else 0.0

    def _fits(self, table: str, column: Column, header: str) -> bool:
        allowed = _allowed(table).get(column.name)
        if allowed is not None:
            return self.values.share_among(header, allowed) >= ENOUGH
        match column.name:
            case "email" | "friend_email":
                return self.values.share_matching(header, ADDRESS) >= ENOUGH / 2
            case "phone" | "friend_phone":
                return self.values.share_matching(header, PHONE) >= ENOUGH / 2
            case "country":
                return self.values.share_of_countries(header) >= ENOUGH
            case "currency":
                return self.values.share_of_currencies(header) >= ENOUGH
            case "product_name" | "first_name" | "last_name" | "ship_to_name":
                return self.values.share_matching(header, r"\p{L}{2}") >= ENOUGH / 2
            case _ if column.kind == "text":
                return True
            case _:
                return self.share(header, column.kind) >= ENOUGH


@cache
def _may_be(header: str, kind: str) -> bool:
    return any(
        name_score(header, words()["columns"].get(column.name, ())) > 0
        for table in delivered_tables()
        for column in delivered_columns(table)
        if column.kind == kind
    )


@cache
def _allowed(table: str) -> dict[str, list[str]]:
    """Values that a table's contract allows in columns of few values."""
    return {
        entry["kwargs"]["column"]: entry["kwargs"]["value_set"]
        for entry in suite(table)["expectations"]
        if entry["type"] == "expect_column_values_to_be_in_set" and entry["kwargs"]["value_set"] != [True]
    }
