"""TikTok customer file with phones hashed without their +: the other of two published rules (see `tiktok`)."""

import polars as pl

from pipelines.delivery.platforms import addresses
from pipelines.delivery.platforms.platform import Platform, Terms
from pipelines.delivery.platforms.tiktok import HEADINGS, hashed_rows


def rows(people: pl.LazyFrame, terms: Terms) -> pl.LazyFrame:
    """One person a row; phones are hashed as digits."""
    return hashed_rows(people, addresses.phone().str.strip_prefix("+"))


PLATFORM = Platform(
    name="tiktok_without_plus",
    title="TikTok (phones without +)",
    channels=("ads",),
    needs=("email", "phone"),
    suffix=".tiktok-without-plus.csv",
    headings=HEADINGS,
    rows=rows,
    is_default=False,
)
