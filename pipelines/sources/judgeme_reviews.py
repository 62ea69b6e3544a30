"""Judge.me's export of reviews: one record a review.

The export has no number of a review, and the contract needs one: it is a checksum of the product, the time and the
reviewer's name, all of which stand under the review for everyone to read. The address is no part of it, or whoever has
the address could find the person by it. A review whose text is edited keeps its number.
"""

import hashlib

import polars as pl

from pipelines.sources.csv import CsvReader
from pipelines.sources.optional_cells import cell
from pipelines.sources.reader import FAULT, Format

REVIEW_ID = "review id"
DIGITS = 16
"""64 bits: among a million reviews two share a number with a chance of 1 in 40 million."""


def shape(records: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Number the reviews."""
    have = records.collect_schema().names()
    told = (
        cell(have, "product_id", "product_handle"),
        cell(have, "review_date"),
        cell(have, "reviewer_name"),
    )
    whole = pl.concat_str([value.fill_null("") for value in told], separator="\x1f")
    number = whole.map_batches(_checksums, return_dtype=pl.String, is_elementwise=True)
    return records.with_columns(pl.when(pl.col(FAULT).is_null()).then(number).alias(REVIEW_ID))


def _checksums(texts: pl.Series) -> pl.Series:
    """Checksums that stay the same from one Polars to the next, which its own hashes do not; reviews are few."""
    return pl.Series(
        texts.name, [hashlib.sha256(text.encode()).hexdigest()[:DIGITS] for text in texts], pl.String
    )


NAMES = """title,body,rating,review_date,reviewer_name,reviewer_email,product_id,product_handle,reply,picture_urls,\
source,curated,reply_date,ip_address,location,metaobject_handle"""

FORMAT = Format(
    "judgeme_reviews",
    "a Judge.me export of reviews",
    CsvReader(),
    columns={
        "reviews": {
            "review_id": (REVIEW_ID,),
            "email": ("reviewer_email",),
            "product_id": ("product_id",),
            "rating": ("rating",),
            "title": ("title",),
            "body": ("body",),
            "written_at": ("review_date",),
        },
    },
    shape=shape,
    adds=(REVIEW_ID,),
    header=frozenset(NAMES.split(",")),
    signature=frozenset({"rating", "review_date", "reviewer_name", "reviewer_email", "product_handle"}),
    suffixes=(".csv",),
)
