"""The frequency cap: on how many days a customer was written to lately, by delivered messages and lists that were used.

How many are too many is a setting (`pipelines.settings.ContactCap`); whom that stops is `gate`'s business.
"""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import polars as pl

READING = "reading"
"""The file for people's eyes: taking it is no sending."""


def used_lists(downloads: pl.DataFrame, sendings: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    """Say which lists were used, and when.

    Parameters
    ----------
    downloads, sendings
        ``download_ledger`` and ``campaign_sendings``.
    zone
        Days are the shop's.

    Returns
    -------
    pl.DataFrame
        One row per list: list_id, used_on (Date). What marketing noted last holds; a list of which nothing is noted was
        used on the day of the first finished download of an upload file.
    """
    noted = (
        sendings.sort("noted_at", "note_id")
        .unique("list_id", keep="last", maintain_order=True)
        .select("list_id", "state", "sent_on")
    )
    taken = (
        downloads.filter(pl.col("finished_at").is_not_null() & (pl.col("platform") != READING))
        .group_by("list_id")
        .agg(pl.col("finished_at").min().dt.convert_time_zone(zone.key).dt.date().alias("_taken_on"))
    )
    return (
        taken.join(noted, on="list_id", how="full", coalesce=True)
        .filter(pl.col("state").ne_missing("not_used"))
        .select("list_id", pl.coalesce("sent_on", "_taken_on").alias("used_on"))
        .drop_nulls("used_on")
        .sort("list_id")
    )


def contacts(
    messages: pl.LazyFrame | None, members: pl.LazyFrame, used: pl.DataFrame, *, as_of: date, days: int
) -> pl.LazyFrame:
    """Count the days on which each customer was written to in the ``days`` up to as_of.

    Parameters
    ----------
    messages
        Table ``messages``; None where the shop delivers none. Only marketing counts.
    members
        ``list_members`` of every day.
    used
        As of `used_lists`.

    Returns
    -------
    pl.LazyFrame
        customer_key, contacts (Int32, at least 1). A list and a message on one day are one contact: the message is most
        likely the list's own.
    """
    after = as_of - timedelta(days=days)
    recently = used.filter((pl.col("used_on") <= as_of) & (pl.col("used_on") > after))
    days_of = [pl.LazyFrame(schema={"customer_key": pl.String, "day": pl.Date})]
    if not recently.is_empty():
        days_of.append(
            members.filter(
                pl.col("list_id").is_in(recently["list_id"].implode()) & (pl.col("assignment") == "deliver")
            )
            .join(recently.lazy(), on="list_id")
            .select("customer_key", pl.col("used_on").alias("day"))
        )
    if messages is not None:
        is_recent = (pl.col("sent_day") <= as_of) & (pl.col("sent_day") > after)
        days_of.append(
            messages.filter(
                is_recent & (pl.col("kind") == "marketing") & pl.col("customer_key").is_not_null()
            ).select("customer_key", pl.col("sent_day").alias("day"))
        )
    return pl.concat(days_of).unique().group_by("customer_key").agg(pl.len().cast(pl.Int32).alias("contacts"))
