"""Exclusion files: people whom a shop wants left off a list, in files beside its shop.toml.

One e-mail address, phone number or customer number a line; a first line that names nobody, such as a heading, does no
harm. Addresses are compared as the customers' own are: cleaned, in lower-case, as E.164.
"""

import hashlib
from pathlib import Path

import polars as pl

from pipelines.errors import ShopError
from pipelines.ingest.email_addresses import email_addresses
from pipelines.ingest.phone_numbers import phone_numbers
from pipelines.shop import SegmentList, Shop


def excluded(entry: SegmentList, shop: Shop, contacts: pl.LazyFrame) -> pl.LazyFrame:
    """Customers whom a list's exclusion files name: customer_key.

    Raises
    ------
    ShopError
        A file is not there or cannot be read.
    """
    texts = [text for file in exclusion_files(entry, shop) for text in _lines(entry, file)]
    named = pl.Series("address", texts, dtype=pl.String).str.strip_chars(" \t\"';,").unique()
    region = pl.repeat(shop.identity.phone_region, named.len(), dtype=pl.String, eager=True)
    written = {
        "email": email_addresses(named),
        "phone": phone_numbers(named, region),
        "external_id": named,
    }
    wanted = pl.concat(
        texts.alias("address").to_frame().select(pl.lit(kind).alias("kind"), "address")
        for kind, texts in written.items()
    ).drop_nulls()
    return contacts.join(wanted.lazy(), on=["kind", "address"], how="semi").select("customer_key").unique()


def exclusion_files(entry: SegmentList, shop: Shop) -> list[Path]:
    """Find a list's exclusion files, sorted.

    Raises
    ------
    ShopError
        A name or pattern fits no file: a list must not go out to people whom a lost file would have kept off it.
    """
    found: list[Path] = []
    for pattern in entry.exclude:
        files = sorted(shop.folder.glob(pattern))
        if not files:
            raise ShopError(
                f"List {entry.name} in shop.toml, exclude = {pattern!r}: no such file in {shop.folder}. Put it there "
                "or take it out of the list's settings."
            )
        found += files
    return found


def exclusions_id(entry: SegmentList, shop: Shop) -> str:
    """Checksum of what a list's exclusion files hold."""
    digest = hashlib.sha256()
    for file in exclusion_files(entry, shop):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _lines(entry: SegmentList, file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ShopError(
            f"List {entry.name} in shop.toml, exclude: {file} cannot be read as text in UTF-8. Save it anew as a "
            "text file with one address a line."
        ) from error
