"""Klaviyo list upload: e-mail or phone, the name, and the list's own columns as properties.

The first column is what finds a profile; each address may stand in the file once; dates are YYYY-MM-DD, numbers plain,
phones E.164; at most 50 MB (help.klaviyo.com, "How to create and add subscribers to a new list", 115005078967, and
"Troubleshooting list imports", 115005078807). Never a consent column: importing one could set consent.
"""

import polars as pl

from pipelines.delivery.platforms import addresses, texts
from pipelines.delivery.platforms.file_rows import file_rows
from pipelines.delivery.platforms.platform import MILLION_BYTES, Platform, Terms


def rows(people: pl.LazyFrame, terms: Terms) -> pl.LazyFrame:
    """E-mail for e-mail lists, phone for SMS lists: the other one is not needed to find the profile."""
    names = {"First Name": texts.name("first_name"), "Last Name": texts.name("last_name")}
    return file_rows(
        people,
        identifiers={"Phone Number": addresses.phone()}
        if terms.channel == "sms"
        else {"Email": addresses.email()},
        others={**names, **texts.properties(terms.columns)},
        fit=texts.are_fit(terms.columns, "first_name", "last_name"),
    )


PLATFORM = Platform(
    name="klaviyo",
    title="Klaviyo",
    channels=("email", "sms"),
    needs=("email", "phone"),
    suffix=".klaviyo.csv",
    headings=("Email", "Phone Number", "First Name", "Last Name"),
    rows=rows,
    takes_columns=True,
    most_bytes=50 * MILLION_BYTES,
)
