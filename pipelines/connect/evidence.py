"""What the values of a file's columns look like: which of them could be read as what.

Numbers and dates that need the file's own evidence count as readable here: whether there is such evidence is said by
`pipelines.sources.conventions`. What a column is called is `words`' business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

import polars as pl

from data_contracts.dictionary import Column, Privacy
from pipelines.connect.words import country_code
from pipelines.ingest.values import readable, typed
from pipelines.settings import Layout
from pipelines.sources.conventions import find_conventions, in_canonical_text
from pipelines.sources.currencies import CODES

ENOUGH = 0.8
"""Share of the values given that must be readable before a column counts as one of a kind."""
ADDRESS = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
PHONE = r"^\+?[0-9][0-9 ()/.\-]{5,}$"
ANY_ORDER = Layout(dates="day first", decimal=".")
COUNTRY_NAMES = 300
"""More different values than this are no countries."""


@dataclass(frozen=True)
class Values:
    """The values of a file's first records, column by column."""

    frame: pl.DataFrame

    @cached_property
    def filled(self) -> dict[str, float]:
        """Share of the records in which a column has a value."""
        blank = [(pl.col(name).str.strip_chars().fill_null("") == "").mean() for name in self.frame.columns]
        return {
            name: 1 - (share or 0.0)
            for name, share in zip(self.frame.columns, self.frame.select(blank).row(0), strict=True)
        }

    def given(self, name: str) -> pl.Series:
        """Give a column's values, without blank ones."""
        values = self.frame[name].str.strip_chars()
        return values.filter(values != "")

    def share_readable(self, names: Sequence[str], kind: str) -> dict[str, float]:
        """Say what share of the values given each column has that can be read as a kind of the dictionary."""
        if not names:
            return {}
        chosen = self.frame.select(pl.col(name).alias(f"c{i}") for i, name in enumerate(names)).lazy()
        columns = tuple(Column(f"c{i}", kind, name, "", Privacy.NONE, False) for i, name in enumerate(names))
        found = find_conventions(chosen, columns, ANY_ORDER)
        canonical = in_canonical_text(chosen, columns, found, None)
        read = typed(canonical, columns, ZoneInfo("UTC")).select(
            (pl.col(column.name).is_not_null() & pl.col(readable(column.name))).sum().alias(column.name)
            for column in columns
        )
        counts = read.collect().row(0)
        given = {name: self.filled[name] * self.frame.height for name in names}
        return {
            name: count / given[name] if given[name] else 0.0
            for name, count in zip(names, counts, strict=True)
        }

    def share_matching(self, name: str, pattern: str) -> float:
        """Say what share of a column's values matches a regular expression."""
        return _share(self.given(name).str.contains(pattern))

    def share_among(self, name: str, allowed: Sequence[str]) -> float:
        """Say what share of a column's values is one of those allowed."""
        return _share(self.given(name).is_in(list(allowed)))

    def share_of_countries(self, name: str) -> float:
        """Say what share of a column's values are countries."""
        given = self.given(name)
        distinct = given.unique()
        if not 0 < distinct.len() <= COUNTRY_NAMES:
            return 0.0
        return _share(given.is_in([value for value in distinct if country_code(value)]))

    def share_of_currencies(self, name: str) -> float:
        """Say what share of a column's values are codes of currencies."""
        return _share(self.given(name).str.to_uppercase().is_in(list(CODES)))

    def whole_range(self, name: str) -> tuple[int, int] | None:
        """Give the smallest and largest value of a column of whole numbers; None where it is none."""
        numbers = self.given(name).cast(pl.Float64, strict=False)
        is_whole = numbers.is_finite() & (numbers == numbers.round())
        if not numbers.len() or numbers.null_count() or not is_whole.all():
            return None
        low, high = numbers.min(), numbers.max()
        return int(low), int(high)  # pyright: ignore[reportArgumentType]


def _share(flags: pl.Series) -> float:
    return int(flags.sum()) / flags.len() if flags.len() else 0.0
