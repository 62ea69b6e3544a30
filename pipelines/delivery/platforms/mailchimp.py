"""Mailchimp audience import: e-mail, the name, and the list's own columns.

Only the address is required; UTF-8; letters beyond ASCII stand after the @ only; texts have at most 255 bytes
(mailchimp.com/help/format-guidelines-for-your-import-file).
"""

import polars as pl

from pipelines.delivery.platforms import addresses, texts
from pipelines.delivery.platforms.file_rows import file_rows
from pipelines.delivery.platforms.platform import Platform, Terms


def rows(people: pl.LazyFrame, terms: Terms) -> pl.LazyFrame:
    """One contact a row."""
    names = {"First Name": texts.name("first_name"), "Last Name": texts.name("last_name")}
    return file_rows(
        people,
        identifiers={"Email Address": addresses.email(domain="any")},
        others={**names, **texts.properties(terms.columns)},
        fit=texts.are_fit(terms.columns, "first_name", "last_name"),
    )


PLATFORM = Platform(
    name="mailchimp",
    title="Mailchimp",
    channels=("email",),
    needs=("email",),
    suffix=".mailchimp.csv",
    headings=("Email Address", "First Name", "Last Name"),
    rows=rows,
    takes_columns=True,
)
