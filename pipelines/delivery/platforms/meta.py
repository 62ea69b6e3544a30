"""Meta custom audience with value: everything hashed but the value.

Headings and identifiers: facebook.com/business/help/2082575038703844, which advises against lists of fewer than 100.
Before hashing (developers.facebook.com, "Customer Information Parameters"): e-mail trimmed and lower-case; phone as
digits with country code, without + and leading zeros; names lower-case without punctuation; town lower-case without
blanks and punctuation; postal code lower-case without blanks and dashes, in the United States its first five digits, in
Britain area, district and sector; country as two lower-case letters. The value is a plain number
(facebook.com/business/help/1033094474356222): what the customer is expected to spend within a year, empty where no
prediction is ready; what is expected to be given back, below nothing, is no value.
"""

import polars as pl

from pipelines.delivery.platforms import addresses, texts
from pipelines.delivery.platforms.file_rows import file_rows
from pipelines.delivery.platforms.places import country
from pipelines.delivery.platforms.platform import Platform, Terms

VALUE = "predicted_clv_365d"


def rows(people: pl.LazyFrame, terms: Terms) -> pl.LazyFrame:
    """One person a row, found by e-mail or phone, the rest beside."""
    code = country()
    hashed = {
        "fn": texts.without_punctuation(texts.name("first_name").str.to_lowercase()),
        "ln": texts.without_punctuation(texts.name("last_name").str.to_lowercase()),
        "zip": _zip(code),
        "ct": _town(),
        "country": code.str.to_lowercase(),
    }
    value = pl.col(VALUE)
    return file_rows(
        people,
        identifiers={"email": addresses.email(), "phone": addresses.phone().str.strip_prefix("+")},
        others={
            **hashed,
            "value": texts.plain_number(pl.when(value >= 0).then(value), texts.MONEY_DIGITS),
        },
        fit=texts.are_fit((), "first_name", "last_name", "city", "zip"),
        hashed=("email", "phone", *hashed),
    )


def _town() -> pl.Expr:
    text = pl.col("city").str.to_lowercase().str.replace_all(r"[^\p{L}\p{M}]", "")
    return pl.when(text.str.len_bytes() > 0).then(text)


def _zip(code: pl.Expr) -> pl.Expr:
    bare = pl.col("zip").str.to_lowercase().str.replace_all(r"[\s-]", "")
    written = (
        pl.when(code == "US")
        .then(bare.str.slice(0, 5))
        .when(code == "GB")
        .then(_sector(bare))
        .otherwise(bare)
    )
    return pl.when(written.str.contains(r"^[a-z0-9]{2,10}$")).then(written)


def _sector(bare: pl.Expr) -> pl.Expr:
    """A British postcode less its unit, the two letters at its end: sw1a1aa is in sector sw1a1."""
    return bare.str.replace(r"^([a-z]{1,2}[0-9][a-z0-9]?[0-9])[a-z]{2}$", "$1")


PLATFORM = Platform(
    name="meta",
    title="Meta custom audience",
    channels=("ads",),
    needs=("email", "phone"),
    suffix=".meta.csv",
    headings=("email", "phone", "fn", "ln", "zip", "ct", "country", "value"),
    rows=rows,
    fewest_people=100,
)
