"""How a delivery writes dates and numbers, found out from all of its values, and the same in canonical text.

03/04/2026 and 1,234 mean different things in different files. The evidence is the file itself; what it leaves open
stays as it was delivered, which the contract cannot read and sets aside. Turning canonical text into typed values is
`pipelines.ingest.values`' business.
"""

from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

from data_contracts.dictionary import Column
from pipelines.settings import Layout


@dataclass(frozen=True, slots=True)
class Conventions:
    """What a delivery's own values say of how it is written.

    Attributes
    ----------
    dates, decimal
        None where nothing needs deciding or nothing decides it.
    notes
        What was decided by what evidence, or what stays open, in words for people.
    rewritten
        Columns whose text is not canonical as delivered.
    """

    dates: Literal["day first", "month first"] | None = None
    decimal: Literal[".", ","] | None = None
    notes: tuple[str, ...] = ()
    rewritten: frozenset[str] = frozenset()


def find_conventions(rows: pl.LazyFrame, columns: tuple[Column, ...], layout: Layout) -> Conventions:
    """Look at every value of the columns that hold times, days and numbers."""
    return Conventions()


def in_canonical_text(
    rows: pl.LazyFrame, columns: tuple[Column, ...], conventions: Conventions, zone: ZoneInfo | None
) -> pl.LazyFrame:
    """Write times as ISO 8601, numbers with a decimal point and no separators; the rest stays as delivered.

    ``zone`` is that of times without an offset where it is not the shop's: such times get their offset.
    """
    return rows
