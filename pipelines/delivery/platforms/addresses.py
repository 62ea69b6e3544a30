"""Addresses as platforms take them: e-mail and phone, checked cell by cell; null where a text is none.

The lab's contacts are normalised already when they are taken in; an upload file is checked again all the same, for
nothing after it checks. Whose address is whose belongs to `pipelines.delivery.addresses`.
"""

from typing import Literal

import polars as pl

E164 = r"^\+[1-9][0-9]{6,14}$"
"""+, country code, number (ITU-T E.164, 6.2.1: at most 15 digits)."""
_LOCAL = r"[a-z0-9_][a-z0-9_%+'-]*(?:\.[a-z0-9_%+'-]+)*"
_ASCII_DOMAIN = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])"
_ANY_DOMAIN = (
    r"(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?\.)+\p{L}[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}]"
)
MOST_BYTES = 254
"""RFC 5321, 4.5.3.1.3, less the angle brackets."""
MOST_LOCAL_BYTES = 64
"""RFC 5321, 4.5.3.1.1."""
GOOGLE_DOMAINS = r"@(?:gmail|googlemail)\.com$"


def email(domain: Literal["ascii", "any"] = "ascii") -> pl.Expr:
    """E-mail address, trimmed and lower-case; null where it holds anything unusual.

    Quotes, commas, blanks, control characters and a leading = + - @ are never part of one.

    Parameters
    ----------
    domain
        any lets letters of all scripts stand after the @, and nowhere else.
    """
    text = pl.col("email").str.strip_chars().str.to_lowercase()
    pattern = f"^{_LOCAL}@{_ASCII_DOMAIN if domain == 'ascii' else _ANY_DOMAIN}$"
    is_one = (
        text.str.contains(pattern)
        & (text.str.len_bytes() <= MOST_BYTES)
        & (text.str.split_exact("@", 1).struct.field("field_0").str.len_bytes() <= MOST_LOCAL_BYTES)
    )
    return pl.when(is_one).then(text)


def phone() -> pl.Expr:
    """Phone number as E.164 with +; null where it is none."""
    text = pl.col("phone").str.strip_chars()
    return pl.when(text.str.contains(E164)).then(text)


def external_id() -> pl.Expr:
    """The shop's own customer number, as it stands: letters, digits, single blanks and . _ : / # @ + - between them.

    Anything else, or more than 100 characters, is no number but text that somebody may have typed.
    """
    text = pl.col("external_id")
    is_one = text.str.contains(r"^[\p{L}\p{N}_#](?:(?:://|[._:/#@+ -])?[\p{L}\p{N}_]+)*$") & (
        text.str.len_chars() <= 100
    )
    return pl.when(is_one).then(text)


def without_google_aliases(address: pl.Expr) -> pl.Expr:
    """Drop dots and what follows a + before the @, for gmail.com and googlemail.com only."""
    local = address.str.extract(r"^([^@+]*)").str.replace_all(".", "", literal=True)
    domain = address.str.extract(r"(@.*)$")
    return pl.when(address.str.contains(GOOGLE_DOMAINS)).then(pl.concat_str(local, domain)).otherwise(address)
