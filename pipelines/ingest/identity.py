"""Who is who: from the identifiers that sources deliver to one keyed hash per customer.

Identifiers that stand on the same row belong to one customer, over all sources and however many rows lie
between them. An identifier that too many people share merges nobody (`sharing`). Names never do.

A customer's key is made from the strongest identifier, of equally strong ones the one seen first. So it
changes when a stronger or earlier one turns up; but every key ever given out was made from one of the
customer's identifiers, and `aliases` leads from each of these to the key of today. How identifiers are
written is `identifiers`' business, how they are hashed `customer_keys`'.
"""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from data_contracts import table
from pipelines.ingest.customer_keys import customer_key, customer_keys
from pipelines.ingest.identifiers import KINDS, normalised
from pipelines.ingest.sharing import shared_identifiers
from pipelines.ingest.values import stripped
from pipelines.settings import Identity

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "KINDS",
    "aliases",
    "customer_key",
    "identity_map",
    "normalised",
    "with_customer_key",
    "with_key_of_few",
]

BEARS = ("customer_numbers", "customer_id", "email", "phone", "country")
"""What a row says of whose it is."""


def identity_map(
    rows: pl.LazyFrame, key: bytes, rules: Identity | None = None, known: pl.LazyFrame | None = None
) -> pl.LazyFrame:
    """Which customer each identifier belongs to, in the shape of ``identity_map``.

    The order of the rows decides nothing.

    Parameters
    ----------
    rows
        Rows with customer_numbers, customer_id, email and ``seen_at``; optional phone, country and
        ship_to_name.
    key
        The shop's identity key; the same key gives the same customer keys for ever.
    rules
        The shop's; default settings where not given.
    known
        An earlier identity map: what it has hashed is not hashed again. One of another key is not used.
    """
    rules = rules or Identity()
    seen = _seen_together(rows, rules)
    identifiers = _numbered(seen)
    links = _as_numbers(seen, identifiers)
    shared = shared_identifiers(links, identifiers, rules)
    pairs = _merging_pairs(links, shared["number"])
    first_of_customer = _first_of_component(pairs, len(identifiers))
    own_key = _own_keys(identifiers, key, known)
    return (
        identifiers.with_columns(
            own_key, own_key.gather(first_of_customer).alias("customer_key"), _merged_by(pairs, identifiers)
        )
        .lazy()
        .join(shared.lazy(), on="number", how="left", maintain_order="left")
        .with_columns(pl.col("shared_by").is_not_null().alias("is_shared"))
        .with_columns(
            # A shared mailbox is still somebody who reads it; a shared phone or number is nobody.
            pl.when(~pl.col("is_shared") | (pl.col("identifier_kind") == "email")).then("customer_key"),
            pl.when("is_shared")
            .then(pl.concat_str(pl.lit("shared by "), "shared_by"))
            .when(pl.col("own_key") == pl.col("customer_key"))
            .then(pl.lit("its own"))
            .otherwise(pl.concat_str(pl.lit("same rows as "), "merged_by"))
            .alias("rule"),
        )
        .select(table("identity_map").schema.keys())
    )


def with_customer_key(
    rows: pl.LazyFrame, identities: pl.LazyFrame, rules: Identity | None = None
) -> pl.LazyFrame:
    """Add ``customer_key`` by the strongest identifier of each row; null where it has none.

    A shared address names the customer of a row only where nothing else does; a shared phone or number
    never.
    """
    found = rows.pipe(normalised, rules)
    for kind in KINDS:
        of_kind = identities.filter(
            (pl.col("identifier_kind") == kind) & pl.col("customer_key").is_not_null()
        ).select(
            pl.col("identifier").alias(kind),
            pl.when(~pl.col("is_shared")).then("customer_key").alias(f"_{kind}_key"),
            *[pl.when("is_shared").then("customer_key").alias("_shared_key")] * (kind == "email"),
        )
        found = found.join(of_kind, on=kind, how="left", maintain_order="left")
    keys = [*(f"_{kind}_key" for kind in KINDS), "_shared_key"]
    return found.with_columns(pl.coalesce(keys).alias("customer_key")).drop(keys)


def with_key_of_few(
    rows: pl.LazyFrame, identities: pl.LazyFrame, rules: Identity | None = None
) -> pl.LazyFrame:
    """Add ``customer_key`` to many rows of few people: what they bear is looked up once each, and stays as delivered.

    Reads ``rows`` twice, so it is for rows that are in memory.
    """
    bears = [name for name in BEARS if name in rows.collect_schema()]
    as_delivered = [f"{name}_delivered" for name in bears]
    found = (
        rows.select(bears)
        .unique()
        .with_columns(pl.col(bears).name.suffix("_delivered"))
        .pipe(with_customer_key, identities, rules)
        .select("customer_key", *as_delivered)
    )
    return rows.join(found, left_on=bears, right_on=as_delivered, how="left", nulls_equal=True)


def aliases(identities: pl.LazyFrame) -> pl.LazyFrame:
    """Give the keys that customers had or could have had: old_key, customer_key.

    A key that is not among the old ones stands for itself. So
    ``kept.join(aliases(identities), left_on="customer_key", right_on="old_key", how="left")`` finds who is
    meant today, the kept key where nothing is found.
    """
    return identities.filter(pl.col("own_key") != pl.col("customer_key")).select(
        pl.col("own_key").alias("old_key"), "customer_key"
    )


def _seen_together(rows: pl.LazyFrame, rules: Identity) -> pl.DataFrame:
    """Every combination of identifiers and ship-to name that stands on a row, with its first and last time.

    Grouped as delivered first: then each text is looked at once, however many rows bear it.
    """
    delivered = ["customer_numbers", "customer_id", "email", "phone", "country", "ship_to_name"]
    have = rows.collect_schema()
    name = pl.col("ship_to_name") if "ship_to_name" in have else pl.lit(None, pl.String)
    return (
        rows.group_by(column for column in delivered if column in have)
        .agg(pl.col("seen_at").min().alias("first_seen_at"), pl.col("seen_at").max().alias("last_seen_at"))
        .collect(engine="streaming")
        .lazy()
        .pipe(normalised, rules)
        .filter(pl.any_horizontal(pl.col(KINDS).is_not_null()))
        .with_columns(
            pl.when(pl.col("email").is_not_null())
            .then(stripped(name).str.to_lowercase().str.replace_all(r"\s+", " "))
            .alias("ship_to_name")
        )
        .select(*KINDS, "ship_to_name", "first_seen_at", "last_seen_at")
        .collect()
    )


def _numbered(seen: pl.DataFrame) -> pl.DataFrame:
    """Number the identifiers from 0, the strongest kind first and within it the first seen."""
    return (
        pl.concat(
            seen.lazy()
            .filter(pl.col(kind).is_not_null())
            .group_by(pl.col(kind).alias("identifier"))
            .agg(pl.col("first_seen_at").min(), pl.col("last_seen_at").max())
            .with_columns(pl.lit(kind).alias("identifier_kind"), pl.lit(rank).alias("_rank"))
            for rank, kind in enumerate(KINDS)
        )
        .sort("_rank", "first_seen_at", "identifier", nulls_last=True)
        .drop("_rank")
        .with_row_index("number")
        .collect()
    )


def _as_numbers(seen: pl.DataFrame, identifiers: pl.DataFrame) -> pl.DataFrame:
    """Write the number of each identifier in its place: integers are what the rest is quick with."""
    links = seen.lazy().select(*KINDS, "ship_to_name")
    for kind in KINDS:
        of_kind = identifiers.lazy().filter(identifier_kind=kind).select("number", kind=pl.col("identifier"))
        links = (
            links.join(of_kind, left_on=kind, right_on="kind", how="left").drop(kind).rename({"number": kind})
        )
    return links.collect()


def _merging_pairs(links: pl.DataFrame, shared: pl.Series) -> pl.DataFrame:
    """Pairs (one, other) of a row's strongest identifier with each of its others, shared ones left out."""
    usable = links.lazy().select(
        pl.when(~pl.col(kind).is_in(shared.implode())).then(kind).alias(kind) for kind in KINDS
    )
    return (
        pl.concat(
            usable.select(pl.coalesce(KINDS).alias("one"), pl.col(other).alias("other"))
            for other in KINDS[1:]
        )
        .filter(pl.col("one") != pl.col("other"))
        .unique()
        .collect()
    )


def _first_of_component(pairs: pl.DataFrame, count: int) -> "NDArray[np.uint32]":
    """Smallest number among all that pairs connect each of ``count`` numbers with."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = (pairs["one"].to_numpy(), pairs["other"].to_numpy())
    graph = coo_array((np.ones(len(pairs), np.int8), ends), shape=(count, count))
    components, component = connected_components(graph, directed=False)
    first = np.full(components, count, np.uint32)
    np.minimum.at(first, component, np.arange(count, dtype=np.uint32))
    return first[component]


def _merged_by(pairs: pl.DataFrame, identifiers: pl.DataFrame) -> pl.Series:
    """Strongest kind that stands on a row with each identifier; null where none does."""
    one, other = pairs["one"].to_numpy(), pairs["other"].to_numpy()
    nobody = len(identifiers)
    strongest = np.full(nobody, nobody, np.uint32)
    np.minimum.at(strongest, one, other)
    np.minimum.at(strongest, other, one)
    beside = pl.Series(strongest).replace(nobody, None)
    return identifiers["identifier_kind"].gather(beside).alias("merged_by")


def _own_keys(identifiers: pl.DataFrame, key: bytes, known: pl.LazyFrame | None) -> pl.Series:
    """The key that a customer of each identifier alone has."""
    name = ["identifier_kind", "identifier"]
    if known is None or not _is_made_with(key, known):
        return customer_keys(identifiers[name[0]], identifiers[name[1]], key).alias("own_key")
    found = (
        identifiers.lazy()
        .join(known.select(*name, "own_key"), on=name, how="left", maintain_order="left")
        .select(*name, "own_key")
        .collect()
    )
    unknown = found["own_key"].is_null()
    new = found.filter(unknown)
    hashed = customer_keys(new[name[0]], new[name[1]], key)
    return found["own_key"].scatter(unknown.arg_true(), hashed)


def _is_made_with(key: bytes, known: pl.LazyFrame) -> bool:
    if "own_key" not in known.collect_schema():
        return False
    sample = known.select("identifier_kind", "identifier", "own_key").head(1).collect()
    hashed = customer_keys(sample["identifier_kind"], sample["identifier"], key)
    return hashed.to_list() == sample["own_key"].to_list()
