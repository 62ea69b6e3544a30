"""TikTok customer file: hashed e-mail and phone.

Headings Email_SHA256 and Phone_SHA256. TikTok has published two rules for phones: without the + (ads.tiktok.com/help,
"List of supported IDs and formats for a customer file", August 2025) and E.164 with it (the same page, other editions,
which take numbers without it too). Hence two platforms: `tiktok`, with the +, and `tiktok_without_plus` (its module).
E-mail is trimmed and lower-case; rules that drop dots or + from every address are not followed: they name other people
at most providers.
"""

import polars as pl

from pipelines.delivery.platforms import addresses
from pipelines.delivery.platforms.file_rows import file_rows
from pipelines.delivery.platforms.platform import Platform, Terms

HEADINGS = ("Email_SHA256", "Phone_SHA256")


def rows(people: pl.LazyFrame, terms: Terms) -> pl.LazyFrame:
    """One person a row; phones are hashed with their +."""
    return hashed_rows(people, addresses.phone())


def hashed_rows(people: pl.LazyFrame, phone: pl.Expr) -> pl.LazyFrame:
    """One person a row, the phone as given."""
    return file_rows(
        people,
        identifiers=dict(zip(HEADINGS, (addresses.email(), phone), strict=True)),
        others={},
        fit=pl.lit(True),
        hashed=HEADINGS,
    )


PLATFORM = Platform(
    name="tiktok",
    title="TikTok",
    channels=("ads",),
    needs=("email", "phone"),
    suffix=".tiktok.csv",
    headings=HEADINGS,
    rows=rows,
    is_default=False,
)
