"""Rows of people: which delivered rows bear somebody's identifiers, and which of them are erased people's.

A row is somebody's if it bears an identifier of theirs, whoever else it names; so is the rest of an order or return of
which one line is. A row that names nobody is whose its order is. Erased people are known by keyed hashes only, and
nothing is hashed while nobody was erased. Erasing is the business of `pipelines.privacy`, leaving rows out that of
`keeping`.
"""

from dataclasses import dataclass
from typing import Protocol

import polars as pl

from pipelines.errors import LakeError
from pipelines.ingest.customer_keys import customer_keys
from pipelines.ingest.email_addresses import email_addresses
from pipelines.ingest.identifiers import KINDS, normalised
from pipelines.ingest.values import stripped
from pipelines.keys import keys_of, keys_path
from pipelines.lake import Lake
from pipelines.settings import Identity
from pipelines.shop import Shop
from pipelines.sources.reader import FAULT

TABLE = "erased_identifiers"
SHARED_EMAIL, ORDER = "shared_email", "order_id"
"""Kinds beside `KINDS`: an address that names somebody only where it stands alone, and an order's number."""
CELLS = ("customer_id", "email", "phone")
WRITTEN_ADDRESS = r"[^\s,;:|<>()\[\]\"']+@[^\s,;:|<>()\[\]\"'@]+"
"""What may be an address in the text of a row that could not be read."""


class Known(Protocol):
    """People whose rows are looked for."""

    def has(self, kind: str, identifiers: pl.Series) -> pl.Series:
        """Say of each identifier, normalised, whether it is one of theirs; of null, that it is not."""
        ...


@dataclass(frozen=True, slots=True)
class Erased:
    """People who were erased, by the keyed hashes of their identifiers."""

    hashes: dict[str, pl.Series]
    key: bytes

    @classmethod
    def of(cls, lake: Lake, shop: Shop) -> "Erased | None":
        """Give who was erased from a lake; None where nobody was.

        Raises
        ------
        LakeError
            They were erased under another key, so nobody would be known again.
        """
        if not lake.has(TABLE):
            return None
        found = lake.scan(TABLE).collect()
        if found.is_empty():
            return None
        keys = keys_of(shop, lake.root)
        if set(found["key_id"]) != {keys.erasure_id}:
            raise LakeError(
                f"People were erased from {lake.root} under another key, so they would be taken in again. Restore "
                f"{keys_path(lake.root)} from a backup, or set $RETENTION_KEY to what it was."
            )
        return cls(
            {kind: rows["keyed_hash"] for (kind,), rows in found.group_by("identifier_kind")}, keys.erasure
        )

    def has(self, kind: str, identifiers: pl.Series) -> pl.Series:
        """See `Known.has`."""
        if kind not in self.hashes:
            return pl.repeat(False, len(identifiers), eager=True)
        distinct = identifiers.drop_nulls().unique()
        theirs = distinct.filter(hashed(kind, distinct, self.key).is_in(self.hashes[kind].implode()))
        return identifiers.is_in(theirs.implode()).fill_null(False)


def hashed(kind: str, identifiers: pl.Series, key: bytes) -> pl.Series:
    """Hash identifiers of one kind under the erasure key."""
    return customer_keys(pl.repeat(kind, len(identifiers), dtype=pl.String, eager=True), identifiers, key)


def rows_of(
    rows: pl.LazyFrame, known: Known, rules: Identity, *, at: list[str], unit: list[str] | None
) -> pl.DataFrame:
    """Find the rows of people: their columns ``at``, each row once.

    Parameters
    ----------
    rows
        Rows of a delivered table, numbers told apart (`pipelines.ingest.numbers.with_numbers`).
    at
        Columns that tell rows from each other.
    unit
        Columns by which rows belong together; None where each stands alone.
    """
    have = rows.collect_schema().names()
    who = _who(rows, have, known, rules)
    cells = [name for name in who.columns if not name.startswith("_")]
    theirs = who.lazy().filter("_is_theirs")
    found = [rows.join(theirs, on=cells, how="semi", nulls_equal=True)] if cells else []
    if "order_id" in have:
        nobody = who.lazy().filter("_names_nobody")
        nameless = rows.join(nobody, on=cells, how="semi", nulls_equal=True) if cells else rows
        found.append(_of_their_orders(nameless, known))
    if FAULT in have:
        found.append(_unreadable(rows, known))
    at_and_unit = list(dict.fromkeys([*at, *(unit or ())]))
    none = rows.select(at_and_unit).head(0)
    plan = pl.concat([none, *(some.select(at_and_unit) for some in found)]).unique()
    places = plan.collect(engine="streaming")
    if unit and not places.is_empty():
        units = places.lazy().select(unit).drop_nulls().unique()
        beside = rows.select(at_and_unit).join(units, on=unit, how="semi").collect(engine="streaming")
        places = pl.concat([places, beside])
    return places.select(at).unique()


def _who(rows: pl.LazyFrame, have: list[str], known: Known, rules: Identity) -> pl.DataFrame:
    """Look up every combination of identifiers once: ``_is_theirs``, ``_names_nobody``."""
    prefixes = [name.removesuffix("email") for name in have if name.endswith("email")]
    cells = [prefix + cell for prefix in prefixes for cell in CELLS if prefix + cell in have]
    extra = [name for name in ("country", "customer_numbers") if cells and name in have]
    distinct = rows.select(*cells, *extra).unique().collect(engine="streaming") if cells else pl.DataFrame()
    theirs, nobody = pl.repeat(False, len(distinct), eager=True), pl.repeat(True, len(distinct), eager=True)
    for prefix in prefixes:
        named = (
            distinct.lazy()
            .select(*extra, *(pl.col(prefix + cell).alias(cell) for cell in CELLS if prefix + cell in have))
            .pipe(normalised, rules)
            .collect()
        )
        for kind in KINDS:
            theirs |= known.has(kind, named[kind])
            nobody &= named[kind].is_null()
        is_alone = named["phone"].is_null() & named["source_id"].is_null()
        theirs |= known.has(SHARED_EMAIL, named["email"]) & is_alone
    return distinct.with_columns(theirs.alias("_is_theirs"), nobody.alias("_names_nobody"))


def _of_their_orders(nameless: pl.LazyFrame, known: Known) -> pl.LazyFrame:
    orders = nameless.select(pl.col("order_id").drop_nulls().unique()).collect(engine="streaming")["order_id"]
    clean = orders.to_frame().select(stripped(pl.col("order_id"))).to_series()
    theirs = orders.filter(known.has(ORDER, clean))
    return nameless.filter(pl.col("order_id").is_in(theirs.implode()))


def _unreadable(rows: pl.LazyFrame, known: Known) -> pl.LazyFrame:
    """Rows that could not be read as a whole, whose text holds an address of theirs."""
    texts = (
        rows.filter(pl.col(FAULT).is_not_null()).select(pl.col(FAULT).unique()).collect(engine="streaming")
    )
    words = texts.with_columns(pl.col(FAULT).str.extract_all(WRITTEN_ADDRESS).alias("_words")).explode(
        "_words"
    )
    is_theirs = known.has("email", email_addresses(words["_words"].str.strip_chars(".")))
    return rows.filter(pl.col(FAULT).is_in(words.filter(is_theirs)[FAULT].unique().implode()))
