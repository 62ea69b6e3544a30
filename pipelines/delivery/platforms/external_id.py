"""The shop's own customer numbers, for any platform that knows them: one column."""

import polars as pl

from pipelines.delivery.platforms import addresses
from pipelines.delivery.platforms.file_rows import file_rows
from pipelines.delivery.platforms.platform import Platform, Terms


def rows(people: pl.LazyFrame, terms: Terms) -> pl.LazyFrame:
    """Customer numbers and nothing else: the least that finds somebody."""
    return file_rows(
        people, identifiers={"external_id": addresses.external_id()}, others={}, fit=pl.lit(True)
    )


PLATFORM = Platform(
    name="external_id",
    title="Customer numbers",
    channels=("email", "sms", "ads"),
    needs=("external_id",),
    suffix=".external-id.csv",
    headings=("external_id",),
    rows=rows,
)
