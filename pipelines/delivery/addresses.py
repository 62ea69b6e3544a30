"""Which address of a person is used, and the name that goes with it.

Reads ``contacts``, the one place of direct identifiers among the facts. Whether somebody may be written to at all is
decided in the gate; how an address is written for a platform, in `platforms`.
"""

from pathlib import Path

import polars as pl

KINDS = ("email", "phone", "external_id")
NAMES = ("first_name", "last_name", "city", "zip", "country")
PART = 100_000
"""People whose addresses are looked up at a time."""
_ADDRESS = ["kind", "address"]


def addresses(contacts: pl.LazyFrame, whom: pl.LazyFrame, shared: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Give each person's address of every kind and their name.

    Of several addresses the one seen last counts, of those seen at the same time the alphabetically first. An address
    that several customers have is nobody's: it could reach the one who must not be written to. The name, with its
    town and country, came with one of the addresses that count: with the one seen last.

    Parameters
    ----------
    contacts
        The table; read as a whole, for others' rows tell which addresses are shared.
    whom
        People: customer_key.
    shared
        What `shared_addresses` found, where it is known already.

    Returns
    -------
    pl.LazyFrame
        One row per person of ``whom`` who has any: customer_key, email, phone, external_id, first_name, last_name,
        city, zip, country; null where there is none.
    """
    of_several = shared_addresses(contacts) if shared is None else shared
    used = (
        contacts.join(whom.select("customer_key").unique(), on="customer_key", how="semi")
        .join(of_several, on=_ADDRESS, how="anti")
        .sort("last_seen_at", "address", descending=[True, False], nulls_last=True)
        .unique(["customer_key", "kind"], keep="first", maintain_order=True)
    )
    is_kind = {kind: pl.col("kind") == kind for kind in KINDS}
    # E-mail before phone before number, where they were seen at the same time.
    preferred = pl.sum_horizontal(
        pl.when(is_kind[kind]).then(2 - position).otherwise(0) for position, kind in enumerate(KINDS)
    )
    seen = pl.col("last_seen_at").dt.timestamp("us").fill_null(0) * len(KINDS) + preferred
    is_named = pl.any_horizontal(pl.col(NAMES).is_not_null())
    return used.group_by("customer_key").agg(
        *(pl.when(is_kind[kind]).then("address").max().alias(kind) for kind in KINDS),
        *(pl.col(name).max_by(pl.when(is_named).then(seen)) for name in NAMES),
    )


def shared_addresses(contacts: pl.LazyFrame) -> pl.LazyFrame:
    """Addresses that several customers have: kind, address.

    Checksums tell first which could be; only those are compared as texts, which keeps memory small.
    """
    summed = contacts.select(*_ADDRESS, pl.col("address").hash().alias("_sum"))
    doubtful = summed.group_by("_sum").len().filter(pl.col("len") > 1)
    return (
        summed.join(doubtful, on="_sum", how="semi")
        .group_by(_ADDRESS)
        .len()
        .filter(pl.col("len") > 1)
        .select(_ADDRESS)
    )


def gather_addresses(contacts: pl.LazyFrame, whom: pl.LazyFrame, folder: Path) -> pl.LazyFrame:
    """Write `addresses` of many people to Parquet files, some people at a time, and read them from there.

    For a night's lists together: ``contacts`` is sorted by customer, so each part of the people reads a part of it.
    The caller removes the folder, which holds direct identifiers.
    """
    keys = whom.select(pl.col("customer_key").unique()).collect(engine="streaming")["customer_key"].sort()
    shared = shared_addresses(contacts).collect(engine="streaming").lazy()
    folder.mkdir(parents=True, exist_ok=True)
    # One part there is always: a list of nobody has a file, too.
    for start in range(0, max(keys.len(), 1), PART):
        some = keys.slice(start, PART)
        own = contacts.filter(pl.col("customer_key").is_between(pl.lit(some.min()), pl.lit(some.max())))
        # A part is small: in memory it takes half the time that it takes streaming.
        found = addresses(own, some.to_frame().lazy(), shared).collect(engine="in-memory")
        found.write_parquet(folder / f"addresses-{start:012}.parquet", statistics=False)
    return pl.scan_parquet(folder / "addresses-*.parquet")
