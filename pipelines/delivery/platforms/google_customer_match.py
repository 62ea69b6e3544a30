"""Google Ads Customer Match: addresses, name, country and postal code; hashed but for the last two.

Headings in English exactly; e-mail, E.164 phone with its + and names as SHA-256 hex of the lower-cased, trimmed text;
Country and Zip as they are (support.google.com/google-ads/answer/7476159). Before the @ of gmail.com and googlemail.com
dots go, and so does what follows a +; nowhere else. Name, country and postal code are matched together only
(support.google.com/google-ads/answer/7659867), so a person has all four or none of them.
First names lose blanks beyond single ones, last names their punctuation too
(developers.google.com/google-ads/api/reference/rpc, OfflineUserAddressInfo). For people in the EEA consent to
ad_user_data and ad_personalization is the gate's business; it is told to Google at the upload, not in the file.
"""

import polars as pl

from pipelines.delivery.platforms import addresses, texts
from pipelines.delivery.platforms.file_rows import file_rows
from pipelines.delivery.platforms.places import country
from pipelines.delivery.platforms.platform import Platform, Terms

ZIP = r"^[A-Za-z0-9](?:[ -]?[A-Za-z0-9]){1,10}$"


def rows(people: pl.LazyFrame, terms: Terms) -> pl.LazyFrame:
    """One person a row, found by e-mail or phone, by postal address beside."""
    place = {
        "First Name": texts.name("first_name").str.to_lowercase(),
        "Last Name": texts.without_punctuation(texts.name("last_name").str.to_lowercase()),
        "Country": country(),
        "Zip": _zip(),
    }
    is_whole = pl.all_horizontal(cell.is_not_null() for cell in place.values())
    return file_rows(
        people,
        identifiers={
            "Email": addresses.without_google_aliases(addresses.email()),
            "Phone": addresses.phone(),
        },
        others={heading: pl.when(is_whole).then(cell) for heading, cell in place.items()},
        fit=texts.are_fit((), "first_name", "last_name"),
        hashed=("Email", "Phone", "First Name", "Last Name"),
    )


def _zip() -> pl.Expr:
    text = pl.col("zip").str.strip_chars()
    return pl.when(text.str.contains(ZIP)).then(text)


PLATFORM = Platform(
    name="google_customer_match",
    title="Google Customer Match",
    channels=("ads",),
    needs=("email", "phone"),
    suffix=".google-customer-match.csv",
    headings=("Email", "Phone", "First Name", "Last Name", "Country", "Zip"),
    rows=rows,
)
