"""Campaigns: what each changed, and how often customers are written to.

The numbers are worked out by `models.campaign_effect` and `models.contact_pressure`; which lists were used is told by
`pipelines.delivery.contact_cap`. Here the tables are brought together.
"""

from collections.abc import Iterator
from functools import partial

import polars as pl

from data_contracts import table as promise
from models.campaign_effect import Campaign, campaign_results, people_of_lists
from models.contact_pressure import WINDOWS, Contacts, contact_pressure, landmark
from pipelines.assets.delivered import is_connected
from pipelines.assets.given import Given
from pipelines.assets.landing import connected_tables
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.delivery.contact_cap import contacts, used_lists
from pipelines.ingest.values import local_day
from pipelines.shop import Shop

_Step = partial(Step, stage=Stage.LISTS, keeps=Keeps.OTHER_DAYS)

DEFAULT_WINDOW_DAYS = 90
"""Window of a campaign of which nobody says how long it lasts: as long as that of a list whose settings do not."""
LEFT = ("unsubscribed", "objection")
"""Suppressions that a person asked for; a bounced message is nobody's wish."""
RECORDS = ("list_members", "campaign_lists", "download_ledger", "campaign_sendings")


def steps(shop: Shop) -> list[Step]:
    """Results of campaigns, contact pressure."""
    connected = connected_tables(shop)
    optional = [name for name in ("campaign_assignments",) if name in connected]
    messages = [name for name in ("messages",) if name in connected]
    return [
        _Step(
            table="campaign_results",
            reads=("orders", "returns", "suppressions", "identity_map", *RECORDS, *optional),
            make=_results,
            settings=("currency", "timezone", "lists", "sources", "campaign_windows"),
            identity=_members_of_used,
            picture="campaign_results",
        ),
        _Step(
            table="contact_pressure",
            reads=("customers", "suppressions", *RECORDS, *messages),
            make=_pressure,
            settings=("timezone", "sources"),
            identity=_members_of_used,
            picture="contact_pressure",
        ),
    ]


def _results(given: Given) -> pl.LazyFrame:
    return campaign_results(
        [*_of_lists(given), *_delivered(given)],
        given.table("orders"),
        given.table("returns"),
        given.as_of,
        currency=given.shop.currency,
        unsubscribed=_unsubscribed(given),
    )


def _of_lists(given: Given) -> Iterator[Campaign]:
    """Campaigns of the lists that were made by the run's day, used or not."""
    used = _used(given)
    aliases = (
        given.table("identity_map")
        .filter(pl.col("customer_key").is_not_null() & (pl.col("own_key") != pl.col("customer_key")))
        .select("own_key", "customer_key")
        .unique()
        .collect(engine="streaming")
        .lazy()
    )
    lists = _lists(given).join(used, on="list_id", how="left").sort("as_of", "list_id")
    for (name,), nights in lists.group_by("campaign", maintain_order=True):
        newest = nights.row(-1, named=True)
        sent = nights.filter(pl.col("used_on").is_not_null()).sort("used_on", "list_id")
        told = sent if sent.height else nights
        members = given.lake.scan("list_members").filter(
            # The days too: the table has a folder for each, and most nights nobody took a list.
            pl.col("as_of").is_in(sent["as_of"].implode())
            & pl.col("list_id").is_in(sent["list_id"].implode())
        )
        yield Campaign(
            name=str(name),
            list_name=newest["name"],
            title=newest["title"],
            source="lists",
            channel=newest["channel"],
            # What was said when it was first used: a window must not move once somebody has looked.
            window_days=told["window_days"][0] or DEFAULT_WINDOW_DAYS,
            people=people_of_lists(members, sent.lazy(), aliases) if sent.height else None,
            lists=nights.height,
            lists_used=sent.height,
        )


def _delivered(given: Given) -> Iterator[Campaign]:
    """Campaigns that were run elsewhere; one that has the name of a list's own is that."""
    if not is_connected(given, "campaign_assignments"):
        return
    assigned = given.table("campaign_assignments").filter(pl.col("assigned_day") <= given.as_of)
    own = _lists(given)["campaign"].unique()
    windows = {entry.name: entry.window_days for entry in given.shop.lists} | given.shop.campaign_windows
    told = (
        assigned.filter(~pl.col("campaign").is_in(own.implode()))
        .group_by("campaign")
        .agg(
            pl.col("list_id").drop_nulls().min(),
            pl.col("channel").drop_nulls().min(),
            pl.col("channel").drop_nulls().n_unique().alias("channels"),
        )
        .sort("campaign")
        .collect(engine="streaming")
    )
    for row in told.iter_rows(named=True):
        name = row["campaign"]
        yield Campaign(
            name=name,
            list_name=name,
            title=name.replace("_", " ").capitalize(),
            source="delivered",
            channel=row["channel"] if row["channels"] == 1 else None,
            window_days=windows.get(name) or windows.get(row["list_id"]) or DEFAULT_WINDOW_DAYS,
            people=assigned.filter(pl.col("campaign") == name).select(
                "customer_key", "assignment", started_on="assigned_day"
            ),
        )


def _pressure(given: Given) -> pl.LazyFrame:
    used = _used(given)
    messages = given.table("messages") if is_connected(given, "messages") else None
    if messages is None and used.is_empty():
        return promise("contact_pressure").empty().lazy()
    members = given.lake.scan("list_members").filter(pl.col("as_of") <= given.as_of)
    count = partial(contacts, messages, members, used)
    return contact_pressure(
        # Who never ordered has no first day, and is in no bucket.
        given.table("customers").select("customer_key", "first_order_day"),
        {
            days: Contacts(count(as_of=given.as_of, days=days), count(as_of=landmark(given.as_of), days=days))
            for days in WINDOWS
        },
        given.as_of,
        unsubscribed=_unsubscribed(given),
    )


def _lists(given: Given) -> pl.DataFrame:
    return (
        given.lake.scan("campaign_lists")
        .filter(pl.col("as_of") <= given.as_of)
        .select("as_of", "list_id", "name", "title", "channel", "campaign", "window_days")
        .collect()
    )


def _used(given: Given) -> pl.DataFrame:
    """Lists that were used by the run's day, and when."""
    downloads, sendings = (given.table(name).collect() for name in ("download_ledger", "campaign_sendings"))
    return used_lists(downloads, sendings, given.shop.zone).filter(pl.col("used_on") <= given.as_of)


def _unsubscribed(given: Given) -> pl.LazyFrame | None:
    """Who unsubscribed or objected, on which channel and day; None where no source tells."""
    if not is_connected(given, "suppressions"):
        return None
    is_objection = pl.col("kind") == "objection"
    return (
        given.table("suppressions")
        .filter(pl.col("kind").is_in(LEFT))
        .select(
            "customer_key",
            channel=pl.when(is_objection).then(pl.lit("all")).otherwise("channel"),
            unsubscribed_day=local_day(pl.col("recorded_at"), given.shop.zone),
        )
    )


def _members_of_used(given: Given) -> str:
    """What members of earlier nights rest on: only those of the run's own day are among what a step reads."""
    used = _lists(given).join(_used(given), on="list_id", how="semi")
    days = used["as_of"].unique().sort().to_list()
    return ",".join(given.lake.fingerprint("list_members", day) or "" for day in days)
