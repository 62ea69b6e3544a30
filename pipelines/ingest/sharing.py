"""Which identifiers are shared by so many people that they say nothing of who somebody is.

A till's number for guests, a switchboard, a marketplace's address, the address of an office that orders for
everybody: merging on them would make one customer of many, and the best customer at that. What shared
identifiers then mean for rows is said by `identity`.
"""

from itertools import permutations

import polars as pl

from pipelines.ingest.identifiers import KINDS
from pipelines.settings import Identity

PLURALS = {"email": "e-mail addresses", "phone": "phone numbers", "source_id": "customer numbers"}


def shared_identifiers(links: pl.DataFrame, identifiers: pl.DataFrame, rules: Identity) -> pl.DataFrame:
    """Find the identifiers that came with more names or other identifiers than the shop's settings allow.

    A customer number that was seen at one moment only doesn't count against the address it came with: some
    systems give guests a new number with every order, and it is their best customers that have many.

    Parameters
    ----------
    links
        What stood together on a row: the columns of `KINDS` hold numbers of ``identifiers`` or null, and
        ``ship_to_name``.
    identifiers
        number, first_seen_at, last_seen_at of each identifier.

    Returns
    -------
    pl.DataFrame
        number, shared_by: what it is that came with it too often.
    """
    once = identifiers.filter(~(pl.col("first_seen_at") < pl.col("last_seen_at")).fill_null(False))["number"]
    telling = links.with_columns(
        pl.when(~pl.col("source_id").is_in(once.implode())).then("source_id").alias("_source_id")
    )
    found = [_with_many(links, "email", "ship_to_name", rules.max_names, "ship-to names")]
    for kind, other in permutations(KINDS, 2):
        column = "_source_id" if other == "source_id" else other
        found.append(_with_many(telling, kind, column, rules.max_addresses, PLURALS[other]))
    return pl.concat(found).unique("number", keep="first", maintain_order=True)


def _with_many(links: pl.DataFrame, kind: str, other: str, limit: int, plural: str) -> pl.DataFrame:
    return (
        links.lazy()
        .select(kind, other)
        .drop_nulls()
        .unique()
        .group_by(pl.col(kind).alias("number"))
        .len()
        .filter(pl.col("len") > limit)
        .select("number", pl.lit(f"more than {limit} {plural}").alias("shared_by"))
        .sort("number")
        .collect()
    )
