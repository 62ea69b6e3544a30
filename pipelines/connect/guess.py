"""Which table a file holds, which of its columns is which of ours, and why.

A platform's format says it by itself; of other files names and values tell. What is still open after that is asked
of a person (`pipelines.connect.connect`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from data_contracts.dictionary import delivered_columns
from pipelines.connect.matching import Match, Sheet, delivered_tables
from pipelines.connect.seen import Seen
from pipelines.connect.stand_ins import with_stand_ins
from pipelines.connect.words import plain_name, words, words_in
from pipelines.sources.arrivals import reading
from pipelines.sources.reader import FAULT

TELLS_LITTLE = frozenset(
    {
        *("customer_id", "email", "phone", "country", "currency", "ship_to_name"),
        *("updated_at", "created_at", "channel", "tags", "kind", "status"),
    }
)
"""Columns that many tables have."""
LEAST_SCORE = 2.5
"""A file of a lower score could hold anything."""


@dataclass(frozen=True)
class Guess:
    """What one file delivers for one table.

    Attributes
    ----------
    columns
        Our column -> the file's column; with a platform's format only what it does not know by itself.
    values
        Our column -> the same text for every row.
    known
        What the platform's format maps by itself.
    reasons
        Why a column or value was chosen, where its name is not reason enough.
    missing
        Columns that the table needs and that were not found.
    split_by
        A column that says which extract a row came from.
    score
        How much speaks for the table.
    """

    seen: Seen
    table: str
    columns: Mapping[str, str]
    values: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    split_by: str | None = None
    score: float = 0.0

    @property
    def mapping(self) -> dict[str, str]:
        """Everything that is mapped, by the format and by the guess."""
        return {**self.known, **self.columns}

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        """The file's columns that nothing uses and that its format does not know."""
        used = {*self.mapping.values(), self.split_by, *self.seen.format.header, *self.seen.format.adds}
        return tuple(name for name in self.seen.columns if name not in used)

    def completed(self, column: str, header: str) -> "Guess":
        """Add what a person said."""
        left = tuple(name for name in self.missing if name != column)
        return replace(self, columns={**self.columns, column: header}, missing=left)


def guess_tables(seen: Seen) -> list[Guess]:
    """Guess what a file delivers, the likeliest first; none where nothing speaks for any table.

    Of a platform's file several tables may come true together; of another file the first is meant, and a second one
    stands for what it holds besides.
    """
    if seen.is_platform:
        found = [_by_format(seen, table) for table in seen.format.columns]
        return [guess for guess in found if guess is not None]
    sheet = Sheet(seen.records, seen.columns)
    ranked = sorted((guess_table(seen, table, sheet) for table in delivered_tables()), key=lambda g: -g.score)
    best = ranked[0]
    if best.score < LEAST_SCORE:
        return []
    return [best, *(guess for guess in ranked[1:] if _comes_besides(guess, best))]


def guess_table(seen: Seen, table: str, sheet: Sheet | None = None) -> Guess:
    """Guess how a file would deliver one table."""
    sheet = sheet or Sheet(seen.records, seen.columns)
    matches, stands_in = with_stand_ins(table, sheet.match(table), sheet, seen.path)
    needed = [column.name for column in delivered_columns(table) if column.required]
    missing = tuple(name for name in needed if name not in matches and name not in stands_in.values)
    tells = sum(match.score * (0.3 if match.column in TELLS_LITTLE else 1) for match in matches.values())
    score = (
        tells + sum(name in matches for name in needed) - 1.5 * len(missing) - 0.5 * len(stands_in.reasons)
    )
    names = words()["files"].get(table, ())
    score += 2.0 * (words_in(seen.path.stem, names) or words_in(seen.path.parent.name, names))
    if table in ("customers", "contacts"):
        score -= ("customer_id" in matches) == (table == "contacts")
    return Guess(
        seen,
        table,
        {c.name: matches[c.name].header for c in delivered_columns(table) if c.name in matches},
        stands_in.values,
        reasons={**_reasons(matches), **stands_in.reasons},
        missing=missing,
        score=score,
    )


def _comes_besides(guess: Guess, best: Guess) -> bool:
    """Whether a file of customers or orders says as well who allowed marketing."""
    return (
        guess.table == "consents"
        and best.table in ("customers", "contacts", "orders")
        and not guess.missing
        and "email" in guess.columns
    )


def _by_format(seen: Seen, table: str) -> Guess | None:
    """Take what the platform's format knows, and find what it leaves to the shop; None where no row is brought."""
    have = [*seen.columns, *seen.format.adds]
    known = {
        ours: next(name for name in candidates if name in have)
        for ours, candidates in seen.format.columns[table].items()
        if any(name in have for name in candidates)
    }
    values = seen.format.values.get(table, {})
    needed = [column.name for column in delivered_columns(table) if column.required]
    missing = [name for name in needed if name not in known and name not in values]
    with reading(seen.path):
        rows = seen.format.shape(seen.records.lazy(), table).filter(pl.col(FAULT).is_null())
        if not rows.head(1).collect().height:
            return None
    guess = Guess(seen, table, {}, {}, known, missing=tuple(missing), score=LEAST_SCORE)
    if not missing:
        return guess
    own = tuple(name for name in seen.columns if name not in {*known.values(), *seen.format.header})
    found = guess_table(seen, table, Sheet(seen.records, own))
    chosen = {
        ours: header for ours, header in found.columns.items() if ours not in known and ours not in values
    }
    more = {ours: value for ours, value in found.values.items() if ours not in known and ours not in values}
    left = tuple(name for name in missing if name not in chosen and name not in more)
    return replace(guess, columns=chosen, values=more, reasons=found.reasons, missing=left)


def _reasons(matches: Mapping[str, Match]) -> dict[str, str]:
    known = words()["columns"]
    return {
        name: "its name is only like ours"
        for name, match in matches.items()
        if plain_name(match.header) not in known.get(name, ())
    }
