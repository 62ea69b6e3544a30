"""Who is in a campaign: whom the lot put where, and when each person's window began.

What does not belong here: which lists were used (`pipelines.delivery`), what people then did
(`models._campaign_outcomes`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

__all__ = ["Campaign", "people_of_lists"]

_PEOPLE = {"customer_key": pl.String, "assignment": pl.String, "started_on": pl.Date}


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One campaign and who is in it.

    Attributes
    ----------
    name, list_name, title
        Of the campaign, of its list, and for people.
    source
        lists or delivered.
    channel
        Whose unsubscriptions count beside those of all channels; None: of any.
    window_days
        How long outcomes are counted.
    people
        customer_key (once), assignment (deliver, hold_out), started_on; None where no list was used.
    lists, lists_used
        Lists made and used; None where they do not come from lists.
    """

    name: str
    list_name: str
    title: str
    source: str
    channel: str | None
    window_days: int
    people: pl.LazyFrame | None
    lists: int | None = None
    lists_used: int | None = None

    def started_by(self, as_of: date) -> pl.LazyFrame:
        """Load the people whose window has begun by a day, in memory: they are asked several times."""
        if self.people is None:
            return pl.LazyFrame(schema=_PEOPLE)
        begun = self.people.filter(pl.col("started_on") <= as_of).select(_PEOPLE.keys())
        return begun.collect(engine="streaming").lazy()


def people_of_lists(
    members: pl.LazyFrame, used: pl.LazyFrame, aliases: pl.LazyFrame | None = None
) -> pl.LazyFrame:
    """Tell who is in a campaign, where the lot put them, and when they started.

    Parameters
    ----------
    members
        list_id, customer_key, assignment, of the campaign's lists.
    used
        list_id, used_on (Date): the lists that were used. Members of the others are in no campaign.
    aliases
        own_key, customer_key: earlier keys of customers who turned out to be one person.

    Returns
    -------
    LazyFrame
        One row per person: customer_key, assignment, started_on. The first used list that names the person tells both.
        Where several keys of one person do, the one that the person kept goes before, then the smaller: chosen without
        a look at where the lot put them, since people with many keys are people with many orders.
    """
    own = members.join(used.select("list_id", "used_on"), on="list_id")
    key = pl.col("customer_key")
    if aliases is not None:
        now = aliases.select("own_key", now="customer_key")
        own = own.join(now, left_on="customer_key", right_on="own_key", how="left").with_columns(
            now=pl.coalesce("now", key)
        )
    else:
        own = own.with_columns(now=key)
    first = pl.struct("used_on", is_alias=key != pl.col("now"), key=key, list_id="list_id")
    return (
        own.group_by(customer_key="now")
        .agg(assignment=pl.col("assignment").min_by(first), started_on=pl.col("used_on").min())
        .select("customer_key", "assignment", "started_on")
    )
