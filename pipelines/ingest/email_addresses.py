"""Which texts are e-mail addresses, and the one way each is written.

email-validator decides. It takes about 60 microseconds an address, so what has nothing unusual about it is
accepted by one pattern that says the same as the library does (a test holds the two together); everything
else is shown to the library, each distinct text once. Nothing is asked of the network: an address may be well
formed and still reach nobody. Which addresses stand for nobody is `identifiers`' business.
"""

import polars as pl

UNREMARKABLE = r"^[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}$"
UNREMARKABLE_BYTES = 64
"""Within this length no part can be longer than its own limit (RFC 5321 4.5.3.1: 64 before the @; RFC 1035
2.3.1: 63 a label)."""


def email_addresses(delivered: pl.Series) -> pl.Series:
    """Write addresses in one way: trimmed, lower-case, international domains in their own letters.

    Returns
    -------
    pl.Series
        As long as ``delivered``; null where a text is no address.
    """
    texts = delivered.str.strip_chars().str.to_lowercase()
    candidates = texts.to_frame("text").with_columns(_is_unremarkable(pl.col("text")).alias("is_plain"))
    unusual = (
        candidates.lazy()
        .filter(~pl.col("is_plain") & pl.col("text").str.contains("@", literal=True))
        .select(pl.col("text").unique())
        .collect()["text"]
    )
    if unusual.is_empty():
        return candidates.select(pl.when("is_plain").then("text").alias(delivered.name)).to_series()
    accepted = pl.DataFrame(
        {"text": unusual, "address": [_by_library(text) for text in unusual]},
        schema={"text": pl.String, "address": pl.String},
    )
    return (
        candidates.join(accepted, on="text", how="left", maintain_order="left")
        .select(pl.when("is_plain").then("text").otherwise("address").alias(delivered.name))
        .to_series()
    )


def _is_unremarkable(text: pl.Expr) -> pl.Expr:
    from email_validator import SPECIAL_USE_DOMAIN_NAMES

    reserved = "|".join(name.replace(".", r"\.") for name in SPECIAL_USE_DOMAIN_NAMES)
    return (
        text.str.contains(UNREMARKABLE)
        & (text.str.len_bytes() <= UNREMARKABLE_BYTES)
        & ~text.str.contains(rf"[@.](?:{reserved})$")
    )


def _by_library(text: str) -> str | None:
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None
