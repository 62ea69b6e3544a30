"""What rows say of who somebody is, each identifier written in one way.

An identifier that is written in two ways would make two customers of one; one that stands for nobody ("n/a",
noreply@) would make one customer of many. Who belongs together is decided by `identity`.
"""

import re

import polars as pl

from pipelines.ingest.countries import country_codes
from pipelines.ingest.email_addresses import email_addresses
from pipelines.ingest.phone_numbers import phone_numbers
from pipelines.ingest.values import stripped
from pipelines.settings import Identity

KINDS = ("email", "phone", "source_id")
"""Identifier kinds, strongest first."""


def normalised(rows: pl.LazyFrame, rules: Identity | None = None) -> pl.LazyFrame:
    """Add the columns of `KINDS`: e-mail lower-case, phone as E.164, the source's number with whose it is.

    What cannot be an address or a phone number, and what stands for nobody, is null. What is normalised
    already stays as it is.

    Parameters
    ----------
    rows
        Rows with customer_numbers, customer_id, email; optional phone, and country, in which a phone number
        without country code is read.
    rules
        The shop's; default settings where not given.
    """
    rules = rules or Identity()
    have = rows.collect_schema()
    phone = pl.col("phone") if "phone" in have else pl.lit(None, pl.String)
    email = pl.col("email").map_batches(email_addresses, return_dtype=pl.String, is_elementwise=True)
    number = stripped(pl.col("customer_id"))
    nobody = _placeholders(rules)
    return rows.with_columns(
        email.pipe(_unless, nobody).alias("email"),
        pl.struct(
            phone.pipe(_unless, nobody).alias("phone"), _region("country" in have, rules).alias("region")
        )
        .map_batches(_phone_numbers, return_dtype=pl.String, is_elementwise=True)
        .alias("phone"),
        pl.concat_str("customer_numbers", pl.lit(":"), number.pipe(_unless, nobody)).alias("source_id"),
    )


def _placeholders(rules: Identity) -> str:
    """Pattern of the texts that stand for nobody."""
    whole = [re.escape(entry) for entry in rules.placeholders if not entry.endswith("@")]
    before_at = [f"{re.escape(entry)}.*" for entry in rules.placeholders if entry.endswith("@")]
    return rf"(?i)^\s*(?:{'|'.join([*whole, *before_at])})\s*$"


def _unless(text: pl.Expr, pattern: str) -> pl.Expr:
    return pl.when(~text.str.contains(pattern)).then(text)


def _region(has_country: bool, rules: Identity) -> pl.Expr:
    """Country to read a phone number in: the row's, the shop's where the row names none.

    A country that cannot be read is not the shop's: its numbers would become other people's.
    """
    by_default = pl.lit(rules.phone_region, pl.String)
    if not has_country:
        return by_default
    country = stripped(pl.col("country"))
    code = country.map_batches(country_codes, return_dtype=pl.String, is_elementwise=True)
    return pl.when(country.is_null()).then(by_default).otherwise(code)


def _phone_numbers(columns: pl.Series) -> pl.Series:
    delivered = columns.struct.unnest()
    return phone_numbers(delivered["phone"], delivered["region"])
