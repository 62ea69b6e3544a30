"""SHA-256 of a column's texts as lower-case hex, as Google, Meta and TikTok compare them.

Polars has no SHA-256, so hashlib does it, slice by slice, each distinct text of a slice once. What is hashed is
written the platform's way first; that belongs to the platforms.
"""

import hashlib

import polars as pl


def sha256(text: pl.Expr) -> pl.Expr:
    """SHA-256 of the UTF-8 bytes as 64 hex digits; null stays null."""
    return text.map_batches(_digests, return_dtype=pl.String, is_elementwise=True)


def _digests(texts: pl.Series) -> pl.Series:
    distinct = texts.drop_nulls().unique()
    if distinct.is_empty():
        return pl.repeat(None, texts.len(), dtype=pl.String, eager=True).alias(texts.name)
    # Most columns of addresses repeat nothing; looking their hashes up would take longer than making them.
    if distinct.len() + texts.null_count() == texts.len():
        return pl.Series(texts.name, [_digest(text) for text in texts], pl.String)
    hashes = pl.Series([_digest(text) for text in distinct], dtype=pl.String)
    return texts.replace_strict(distinct, hashes, default=None, return_dtype=pl.String)


def _digest(text: str | None) -> str | None:
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()
