"""Which country a person lives in, as the two letters that platforms know."""

import polars as pl

from pipelines.ingest.countries import country_codes


def country() -> pl.Expr:
    """ISO 3166-1 code of two capital letters, from a code or a name in many languages; null where none is named."""
    return pl.col("country").map_batches(country_codes, return_dtype=pl.String, is_elementwise=True)
