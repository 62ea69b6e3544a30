"""A file that holds several extracts, the same rows in more than one of them, and a column that says which.

Such extracts are deliveries of their own: taken as one, every row that stands in two of them would count twice.
"""

import polars as pl

from pipelines.connect.seen import Seen
from pipelines.connect.words import words, words_in
from pipelines.sources.arrivals import reading

MOST_EXTRACTS = 100
MOST_ROWS = 5_000_000
"""Larger files are not searched: every row has to be compared with every other."""


def extract_column(seen: Seen, used: list[str]) -> tuple[str, int] | None:
    """Find the column that says which extract a row came from, and how many rows stand in several.

    Parameters
    ----------
    used
        The columns that are mapped: rows that agree in all of them are the same.
    """
    names = words()["extracts"]["names"]
    candidates = [header for header in seen.columns if header not in used and words_in(header, names)]
    if not candidates or not seen.is_whole or seen.rows > MOST_ROWS:
        return None
    rows = seen.format.reader.rows(seen.path, seen.layout)
    with reading(seen.path):
        for header in candidates:
            parts = rows.select(
                pl.col(header).n_unique().alias("parts"), pl.col(header).null_count().alias("open")
            )
            parts, without = parts.collect(engine="streaming").row(0)
            if not 1 < parts <= MOST_EXTRACTS or without:
                continue
            same = rows.select(pl.struct(sorted(set(used))).hash().alias("row"), pl.col(header).alias("part"))
            in_several = (
                same.group_by("row").agg(pl.col("part").n_unique(), pl.len()).filter(pl.col("part") > 1)
            )
            repeated = in_several.select(pl.len()).collect(engine="streaming").item()
            if repeated:
                return header, repeated
    return None
