"""Who is meant: from an e-mail address, phone number, customer number or key to one person's identifiers and keys.

What the lab holds of them is `tables`' business.
"""

from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.errors import LabError
from pipelines.ingest.customer_keys import customer_keys
from pipelines.ingest.erased import ORDER, SHARED_EMAIL
from pipelines.ingest.identifiers import KINDS, normalised
from pipelines.keys import keys_of
from pipelines.lake import Lake
from pipelines.shop import Shop

KEY_PATTERN = r"^[0-9a-f]{24}$"


class NobodyError(LabError):
    """Nobody, or not one person, is meant."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person, as rows name them.

    Attributes
    ----------
    keys
        The customer's key, and every key that the customer had before.
    identifiers
        By kind: `KINDS`, an address that others use too, and the numbers of their orders.
    """

    keys: tuple[str, ...]
    identifiers: dict[str, tuple[str, ...]]

    def has(self, kind: str, identifiers: pl.Series) -> pl.Series:
        """See `pipelines.ingest.erased.Known`."""
        theirs = pl.Series(self.identifiers.get(kind, ()), dtype=pl.String)
        return identifiers.is_in(theirs.implode()).fill_null(False)


def find_person(lake: Lake, shop: Shop, asked: str) -> Person:
    """Find who is meant.

    Parameters
    ----------
    asked
        E-mail address, phone number, customer number with or without whose it is (``till:17``), customer key or alias.

    Raises
    ------
    NobodyError
        It is none of these, it is shared by several people and names nobody, or it means several.
    """
    asked = asked.strip()
    identities = lake.scan("identity_map")
    meant = _meant(asked, shop)
    bears = [
        (pl.col("identifier_kind") == kind) & pl.col("identifier").is_in(texts)
        for kind, texts in meant.items()
    ]
    is_key = (pl.col("customer_key") == asked) | (pl.col("own_key") == asked)
    found = identities.filter(pl.any_horizontal(is_key, *bears)).collect()
    keys = found["customer_key"].drop_nulls().unique()
    if found.height and keys.is_empty():
        raise NobodyError(
            "That phone or customer number is used by several people and names nobody. Give the person's e-mail "
            "address or customer key."
        )
    if keys.len() > 1:
        raise NobodyError(
            "That number means several people, of several systems. Give it with whose it is before a colon "
            f"({', '.join(sorted({shop.numbers_of(one).customers for one in shop.sources}))}), or give the e-mail "
            "address."
        )
    if keys.is_empty():
        return _unknown(asked, meant, lake, shop)
    return _known(keys.item(), lake)


def _meant(asked: str, shop: Shop) -> dict[str, list[str]]:
    """What the text may be, normalised as ingest does it."""
    cells = {"customer_numbers": "", "customer_id": asked, "email": asked, "phone": asked}
    row: dict[str, Any] = normalised(pl.LazyFrame([cells]), shop.identity).collect().row(0, named=True)
    meant = {kind: [row[kind]] for kind in ("email", "phone") if row[kind]}
    if "email" in meant or row["source_id"] is None:
        return meant
    owners = sorted({shop.numbers_of(source).customers for source in shop.sources})
    whose = asked.partition(":")
    is_prefixed = whose[1] and whose[0] in owners
    return meant | {"source_id": [asked] if is_prefixed else [f"{owner}:{asked}" for owner in owners]}


def _known(customer_key: str, lake: Lake) -> Person:
    rows = lake.scan("identity_map").filter(pl.col("customer_key") == customer_key).collect()
    keys = tuple(sorted({customer_key, *rows["own_key"]}))
    kind = pl.when("is_shared").then(pl.lit(SHARED_EMAIL)).otherwise("identifier_kind").alias("kind")
    identifiers = {
        str(of[0]): tuple(sorted(some["identifier"]))
        for of, some in rows.select(kind, "identifier").group_by("kind")
    }
    orders = lake.scan("orders").filter(pl.col("customer_key").is_in(keys)).select("order_id").collect()
    return Person(keys, identifiers | {ORDER: tuple(sorted(orders["order_id"]))})


def _unknown(asked: str, meant: dict[str, list[str]], lake: Lake, shop: Shop) -> Person:
    """Somebody whom no valid row names; rows that were set aside may."""
    if not meant or pl.Series([asked]).str.contains(KEY_PATTERN).item():
        raise NobodyError(
            "Nobody of that name is known. Give an e-mail address, a phone number with country code, a customer "
            "number, or a customer key."
        )
    key = keys_of(shop, lake.root).identity
    keys = [
        customer_keys(pl.Series([kind] * len(texts)), pl.Series(texts), key) for kind, texts in meant.items()
    ]
    return Person(tuple(pl.concat(keys)), {kind: tuple(meant[kind]) for kind in KINDS if kind in meant})
