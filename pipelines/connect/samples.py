"""The first rows of what a file delivers, under our names and in canonical text."""

from dataclasses import dataclass

import polars as pl

from data_contracts.dictionary import delivered_columns
from pipelines.connect.guess import Guess
from pipelines.settings import Layout
from pipelines.sources.arrivals import reading
from pipelines.sources.conventions import Conventions, find_conventions, in_canonical_text


@dataclass(frozen=True)
class Sample:
    """Rows with every column of their table, null where nothing is brought, and how they are written."""

    guess: Guess
    rows: pl.DataFrame
    conventions: Conventions


def sample_of(guess: Guess) -> Sample:
    """Read a guess's first rows as a run would."""
    columns = delivered_columns(guess.table)
    mapping = guess.mapping
    with reading(guess.seen.path):
        shaped = guess.seen.format.shape(guess.seen.records.lazy(), guess.table)
        delivered = shaped.select(
            (pl.col(mapping[c.name]) if c.name in mapping else pl.lit(None, pl.String)).alias(c.name)
            for c in columns
        )
        found = find_conventions(delivered, columns, Layout())
        return Sample(guess, in_canonical_text(delivered, columns, found, None).collect(), found)
