"""Braze user import: the shop's own customer number, and the list's own columns as custom attributes.

Braze finds its users by external_id and takes values as they stand (braze.com/docs, "User import"); addresses and names
it has already.
"""

import polars as pl

from pipelines.delivery.platforms import addresses, texts
from pipelines.delivery.platforms.file_rows import file_rows
from pipelines.delivery.platforms.platform import Platform, Terms


def rows(people: pl.LazyFrame, terms: Terms) -> pl.LazyFrame:
    """One user a row."""
    return file_rows(
        people,
        identifiers={"external_id": addresses.external_id()},
        others=texts.properties(terms.columns),
        fit=texts.are_fit(terms.columns),
    )


PLATFORM = Platform(
    name="braze",
    title="Braze",
    channels=("email", "sms"),
    needs=("external_id",),
    suffix=".braze.csv",
    headings=("external_id",),
    rows=rows,
    is_default=False,
    takes_columns=True,
)
