"""From people to the rows of an upload file: who is in it, once, and in what order.

What a platform calls an identifier finds a person there. Each identifier stands once in a file, with whoever comes
first in the list's order; a person left without any is not in the file. Cells are made by the platforms.
"""

from collections.abc import Collection, Mapping

import polars as pl

from pipelines.delivery.platforms.hashing import sha256

KEY = "customer_key"


def file_rows(
    people: pl.LazyFrame,
    *,
    identifiers: Mapping[str, pl.Expr],
    others: Mapping[str, pl.Expr],
    fit: pl.Expr,
    hashed: Collection[str] = (),
) -> pl.LazyFrame:
    """Give an upload file's rows.

    They are sorted by the file's first column (then its second, then the customer's key): the list's order would tell
    whom the shop thinks most of, and an order that each run draws anew would change the bytes.

    Parameters
    ----------
    people
        Columns customer_key, position and whatever the cells are made of.
    identifiers, others
        Heading to cell, the file's columns in order; cells are text.
    fit
        Whether a person's texts may stand in a file at all.
    hashed
        Headings whose cells are handed out as SHA-256.
    """
    headings = [*identifiers, *others]
    # People are gone through once for each identifier: names and the like are written only after that.
    own = {heading: f"_identifier_{place}" for place, heading in enumerate(identifiers)}
    found = people.filter(fit).with_columns(cell.alias(own[heading]) for heading, cell in identifiers.items())
    for name, firsts in [(name, _first_bearers(found, name)) for name in own.values()]:
        found = found.join(firsts, on=name, how="left").with_columns(
            pl.when(pl.col("position") == pl.col("_first")).then(name).alias(name)
        )
        found = found.drop("_first")
    cells = found.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in own.values())).select(
        KEY,
        *(pl.col(name).alias(heading) for heading, name in own.items()),
        *(cell.alias(heading) for heading, cell in others.items()),
    )
    first, *rest = headings
    # Only the first column has to be hashed before the rows are sorted: short texts sort in less memory.
    early, late = ([name for name in names if name in hashed] for names in ([first], rest))
    return (
        cells.with_columns(sha256(pl.col(name)) for name in early)
        .sort(*headings[:2], KEY, nulls_last=True)
        .with_columns(sha256(pl.col(name)) for name in late)
        .select(KEY, *headings)
    )


def _first_bearers(people: pl.LazyFrame, identifier: str) -> pl.LazyFrame:
    """Where in the list each identifier stands first."""
    return (
        people.filter(pl.col(identifier).is_not_null())
        .group_by(identifier)
        .agg(pl.col("position").min().alias("_first"))
    )
