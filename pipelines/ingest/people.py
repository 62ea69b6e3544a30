"""Customers, how they can be reached, what they allowed, and the surveys they answered.

Whether somebody may be written to is decided by `pipelines.delivery.gate`, which reads these tables.
"""

from collections.abc import Sequence

import polars as pl

from data_contracts import table
from pipelines.ingest.derived import AHEAD, CUSTOMER_CELLS
from pipelines.ingest.identity import with_customer_key
from pipelines.ingest.newest import newest
from pipelines.ingest.values import local_day
from pipelines.ingest.versions import NEWNESS
from pipelines.shop import Shop

CHANNELS = ("email", "sms", "ads")
NAME_CELLS = ("first_name", "last_name", "city", "zip", "country")


def customers(
    orders: pl.LazyFrame, records: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop
) -> pl.LazyFrame:
    """One row per customer, in the shape of ``customers``.

    Parameters
    ----------
    records
        Rows of ``valid_customers`` with ``customer_numbers``.
    """
    return (
        _who_ordered(orders)
        .join(_who_is_kept(records, identities, shop), on="customer_key", how="full", coalesce=True)
        .with_columns(
            pl.col("valid_orders").fill_null(0), pl.coalesce("country", "_kept_country").alias("country")
        )
        .select(table("customers").schema.keys())
        .sort("customer_key")
    )


def contacts(
    current: pl.LazyFrame, records: Sequence[pl.LazyFrame], identities: pl.LazyFrame, shop: Shop
) -> pl.LazyFrame:
    """Every address of a customer, with the name that came with it, in the shape of ``contacts``.

    Parameters
    ----------
    current
        ``current_orders``.
    records
        Rows of ``valid_customers`` and of ``valid_contacts``, with ``customer_numbers``. Names come from here alone:
        what stands on a parcel may be somebody else's.
    """
    bears = ["customer_numbers", *CUSTOMER_CELLS, "country"]
    of_orders = (
        current.group_by(bears)
        .agg(pl.col("ordered_at").max().alias("last_seen_at"))
        .with_columns(pl.lit(False).alias("is_record"))
    )
    of_records = [
        rows.pipe(_newest_records).select(
            *bears,
            *(name for name in NAME_CELLS if name != "country"),
            pl.max_horizontal("created_at", "updated_at").alias("last_seen_at"),
            pl.lit(True).alias("is_record"),
        )
        for rows in records
    ]
    rows = (
        pl.concat([of_orders, *of_records], how="diagonal")
        .pipe(with_customer_key, identities, shop.identity)
        .filter(pl.col("customer_key").is_not_null())
    )
    kinds = {"email": "email", "phone": "phone", "external_id": "customer_id"}
    return (
        pl.concat(_addresses(rows, kind, column) for kind, column in kinds.items())
        .select(table("contacts").schema.keys())
        .sort("customer_key", "kind", "address")
    )


def _who_ordered(orders: pl.LazyFrame) -> pl.LazyFrame:
    is_valid, when = pl.col("is_valid"), pl.struct("ordered_at", "order_id")
    has_country, has_channel = pl.col("country").is_not_null(), pl.col("channel").is_not_null()
    return (
        orders.filter(pl.col("customer_key").is_not_null())
        .group_by("customer_key")
        .agg(
            pl.col("order_day").filter(is_valid).min().alias("first_order_day"),
            pl.col("order_day").filter(is_valid).max().alias("last_order_day"),
            is_valid.sum().cast(pl.Int64).alias("valid_orders"),
            pl.col("country").filter(has_country).max_by(when.filter(has_country)).alias("country"),
            pl.col("channel").filter(has_channel).min_by(when.filter(has_channel)).alias("channel"),
        )
    )


def _who_is_kept(records: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop) -> pl.LazyFrame:
    """What customer records say of each customer; one may have several, of several systems."""
    kept = records.pipe(_newest_records).pipe(with_customer_key, identities, shop.identity)
    when = pl.struct(pl.col("updated_at", "created_at", "delivered_through").fill_null(_EVER), "_record")
    has_country, has_tags = pl.col("country").is_not_null(), pl.col("tags").is_not_null()
    return (
        kept.filter(pl.col("customer_key").is_not_null())
        .group_by("customer_key")
        .agg(
            local_day(pl.col("created_at").min(), shop.zone).alias("created_day"),
            pl.col("country").filter(has_country).max_by(when.filter(has_country)).alias("_kept_country"),
            pl.col("tags").filter(has_tags).max_by(when.filter(has_tags)).alias("tags"),
        )
    )


def _newest_records(records: pl.LazyFrame) -> pl.LazyFrame:
    """Keep the newest version of each record: of a number, else of an address."""
    number = pl.concat_str("customer_numbers", pl.lit(":"), "customer_id")
    record = pl.coalesce(number, pl.col("email").str.to_lowercase(), "phone").alias("_record")
    return records.with_columns(record).pipe(newest, ["_record"])


def _addresses(rows: pl.LazyFrame, kind: str, column: str) -> pl.LazyFrame:
    """Addresses of one kind, each with the name of the newest row that bears it with one."""
    unit = ["customer_key", "address"]
    bearing = rows.filter(pl.col(column).is_not_null()).with_columns(pl.col(column).alias("address"))
    named = (
        bearing.filter(pl.col("is_record") & pl.any_horizontal(pl.col(NAME_CELLS).is_not_null()))
        .select(*unit, "last_seen_at", *NAME_CELLS)
        .sort(*unit, "last_seen_at", *NAME_CELLS, nulls_last=False)
        .unique(unit, keep="last", maintain_order=True)
        .drop("last_seen_at")
    )
    return (
        bearing.group_by(unit)
        .agg(pl.col("last_seen_at").max())
        .join(named, on=unit, how="left")
        .with_columns(pl.lit(kind).alias("kind"))
        .select(table("contacts").schema.keys())
    )


_EVER = pl.datetime(1, 1, 1, time_unit="us", time_zone="UTC")
"""Stands for no time where the latest is looked for."""


def _of_all_who_bear(rows: pl.LazyFrame, contacts: pl.LazyFrame) -> pl.LazyFrame:
    """Give rows that name nobody because people share what they name to everybody who bears it.

    A refusal must reach whoever made it; that it reaches others too does less harm than missing one.
    """
    columns = {"email": "email", "phone": "phone", "external_id": "customer_id"}
    nobody = rows.filter(pl.col("customer_key").is_null()).drop("customer_key")
    shared = [
        nobody.join(
            contacts.filter(pl.col("kind") == kind).select("customer_key", pl.col("address").alias(column)),
            on=column,
        ).select(rows.collect_schema().names())
        for kind, column in columns.items()
    ]
    return pl.concat([rows.filter(pl.col("customer_key").is_not_null()), *shared])


def consents(
    delivered: pl.LazyFrame, contacts: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop
) -> pl.LazyFrame:
    """Give the latest decision per customer and channel; of two at the same moment the refusal counts.

    What cannot be read cannot allow anything: a consent without a readable yes, with a time that lies ahead, or without
    one among others that have one, is a refusal, newer than all others; a refusal for no known channel closes them all.
    Where a whole delivery has no times (a list of customers as they stand), its refusals are newer than all others and
    its yeses older, so that any refusal told elsewhere holds; of such deliveries of one source the newest counts.
    """
    has_time = pl.col("recorded_at").is_not_null()
    is_list = ~has_time.any().over("delivery_id")
    is_told = is_list | (pl.col("recorded_at") <= pl.col("received_at") + AHEAD).fill_null(False)
    is_granted = (pl.col("is_granted") & is_told).fill_null(False)
    is_known = pl.col("channel").is_in(CHANNELS).fill_null(False)
    decisions = (
        delivered.pipe(with_customer_key, identities, shop.identity)
        .with_columns(is_granted.alias("is_granted"), is_list.alias("_is_list"))
        .filter((is_known & pl.col("customer_key").is_not_null()) | ~pl.col("is_granted"))
        .pipe(_of_all_who_bear, contacts)
        .with_columns(pl.when(is_known).then("channel").otherwise(pl.lit("all")).alias("channel"))
    )
    of_lists = (
        decisions.filter("_is_list")
        .with_columns(pl.col("delivery_id").str.replace(r"-[^-]+-[^-]+$", "").alias("_source"))
        .sort(*NEWNESS, pl.col("is_granted").not_(), nulls_last=False)
        .unique(["customer_key", "channel", "_source"], keep="last", maintain_order=True)
        .drop("_source")
    )
    weight = (
        pl.when(pl.col("recorded_at").is_not_null())
        .then(1)
        .when("is_granted")
        .then(0)
        .otherwise(2)
        .alias("_weight")
    )
    return (
        pl.concat([decisions.filter(~pl.col("_is_list")), of_lists])
        .with_columns(weight)
        .sort("_weight", "recorded_at", "is_granted", descending=[True, True, False], nulls_last=False)
        .unique(["customer_key", "channel"], keep="first", maintain_order=True)
        .select(table("consents").schema.keys())
        .sort("customer_key", "channel")
    )


def suppressions(
    delivered: pl.LazyFrame, contacts: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop
) -> pl.LazyFrame:
    """Since when each suppression holds; one without a channel, or for an unknown one, closes all."""
    channel = pl.col("channel").str.to_lowercase()
    return (
        delivered.pipe(with_customer_key, identities, shop.identity)
        .pipe(_of_all_who_bear, contacts)
        .with_columns(
            pl.when(channel.is_in(CHANNELS)).then(channel).otherwise(pl.lit("all")).alias("channel")
        )
        .group_by("customer_key", "kind", "channel")
        .agg(pl.col("recorded_at").min())
        .select(table("suppressions").schema.keys())
        .sort("customer_key", "kind", "channel")
    )


def survey_invitations(delivered: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop) -> pl.LazyFrame:
    """One row per invitation; of several deliveries of one the latest counts."""
    return _surveys(delivered, identities, shop, "survey_invitations", "sent_at", "sent_day")


def survey_answers(delivered: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop) -> pl.LazyFrame:
    """One row per answer; of several deliveries of one the latest counts."""
    return _surveys(delivered, identities, shop, "survey_answers", "answered_at", "answered_day")


def _surveys(
    delivered: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop, name: str, moment: str, day: str
) -> pl.LazyFrame:
    return (
        delivered.pipe(newest, ["survey_id"], ["updated_at", moment])
        .pipe(with_customer_key, identities, shop.identity)
        .with_columns(local_day(pl.col(moment), shop.zone).alias(day))
        .select(table(name).schema.keys())
        .sort("survey_id")
    )
