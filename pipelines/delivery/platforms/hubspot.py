"""HubSpot contact import: e-mail, the name, and the list's own columns as properties.

Contacts are told apart by Email (knowledge.hubspot.com, "Set up your import file"). Opt-outs go into a file of their
own there; nobody who opted out is on a list.
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
        identifiers={"Email": addresses.email()},
        others={**names, **texts.properties(terms.columns)},
        fit=texts.are_fit(terms.columns, "first_name", "last_name"),
    )


PLATFORM = Platform(
    name="hubspot",
    title="HubSpot",
    channels=("email",),
    needs=("email",),
    suffix=".hubspot.csv",
    headings=("Email", "First Name", "Last Name"),
    rows=rows,
    is_default=False,
    takes_columns=True,
)
