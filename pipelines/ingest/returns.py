"""Returns, each matched to the purchase it undoes where that can be told.

Each return looks back only: what comes later never changes how an earlier return was matched, so the past stays as
it was known. What a return means for revenue is `models.summary`'s and `orders`' business.
"""

from datetime import timedelta

import polars as pl

from data_contracts import MONEY, table
from pipelines.ingest.identity import with_customer_key
from pipelines.ingest.values import local_day
from pipelines.shop import Shop

ROW = ["return_id"]


def returns(
    current: pl.LazyFrame, delivered: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop
) -> pl.LazyFrame:
    """All returns in the shape of ``returns``.

    Parameters
    ----------
    current
        ``current_orders``: its returns are taken, its orders are what returns are matched to.
    delivered
        ``valid_returns`` with ``source``: returns that came in files of their own.
    """
    everything = pl.concat([_from_orders(current), _from_files(delivered)]).pipe(with_customer_key, identities)
    bought = (
        current.filter((pl.col("record") == "order") & (pl.col("quantity") > 0))
        .pipe(with_customer_key, identities)
        .select(
            "order_id",
            "line_no",
            "customer_key",
            "product_id",
            pl.col("quantity").alias("_bought"),
            pl.col("net").alias("_paid"),
            pl.col("ordered_at").alias("_bought_at"),
        )
    )
    window = timedelta(days=shop.returns.match_window_days)
    return (
        everything.join(_matches(everything, bought, window), on=ROW, how="left")
        .with_columns(
            local_day(pl.col("returned_at"), shop.zone).alias("returned_day"),
            local_day(pl.col("refunded_at"), shop.zone).alias("refunded_day"),
            pl.coalesce(
                "match_rule",
                pl.when(pl.col("customer_key").is_null() & pl.col("named_order").is_null())
                .then(pl.lit("no_customer"))
                .otherwise(pl.lit("no_earlier_purchase")),
            ).alias("match_rule"),
        )
        .select(table("returns").schema.keys())
        .sort(ROW)
    )


def _from_orders(current: pl.LazyFrame) -> pl.LazyFrame:
    return current.filter(pl.col("record") == "return").select(
        pl.concat_str("order_id", pl.lit("-"), "line_no").alias("return_id"),
        pl.lit(None, pl.String).alias("named_order"),
        "source",
        "customer_id",
        "email",
        "product_id",
        "kind",
        pl.col("quantity").abs().alias("quantity"),
        (-pl.col("net")).cast(MONEY).alias("amount"),
        pl.lit(None, pl.String).alias("reason"),
        pl.lit(None, pl.String).alias("outcome"),
        pl.col("ordered_at").alias("returned_at"),
        pl.lit(None, pl.Datetime("us", "UTC")).alias("refunded_at"),
    )


def _from_files(delivered: pl.LazyFrame) -> pl.LazyFrame:
    return delivered.unique(["source", "return_id", "product_id"], keep="last", maintain_order=True).select(
        pl.concat_str("return_id", pl.lit("-"), pl.col("product_id").fill_null("amount")).alias("return_id"),
        pl.col("order_id").alias("named_order"),
        "source",
        "customer_id",
        "email",
        "product_id",
        pl.lit("merchandise").alias("kind"),
        pl.col("quantity").fill_null(0),
        "amount",
        "reason",
        "outcome",
        "returned_at",
        "refunded_at",
    )


def _matches(everything: pl.LazyFrame, bought: pl.LazyFrame, window: timedelta) -> pl.LazyFrame:
    """The purchase line of each return that has one: return_id, order_id, line_no, match_rule."""
    named = everything.filter(pl.col("named_order").is_not_null()).join(
        bought.with_columns(pl.col("order_id").alias("named_order")).drop("customer_key"),
        on=["named_order", "product_id"],
    )
    guessed = everything.filter(pl.col("named_order").is_null() & pl.col("customer_key").is_not_null()).join(
        bought, on=["customer_key", "product_id"]
    )
    candidates = pl.concat([frame.select(_CANDIDATE) for frame in (named, guessed)]).filter(
        (pl.col("_bought_at") <= pl.col("returned_at"))
        & (pl.col("named_order").is_not_null() | (pl.col("_bought_at") >= pl.col("returned_at") - window))
        & (pl.col("_bought") >= pl.col("quantity"))
    )
    chosen = (
        candidates.with_columns((pl.col("_bought") == pl.col("quantity")).alias("_is_same"))
        .sort("return_id", "_is_same", "_bought_at", "order_id", "line_no", descending=[False, True, True, True, False])
        .unique(ROW, keep="first", maintain_order=True)
    )
    # Returns of one line, in time: those that would take back more than was bought or paid stay unmatched.
    in_time = {"partition_by": ["order_id", "line_no"], "order_by": ["returned_at", "return_id"]}
    fits = (pl.col("quantity").cum_sum().over(**in_time) <= pl.col("_bought")) & (
        pl.col("amount").cum_sum().over(**in_time) <= pl.col("_paid")
    )
    rule = (
        pl.when(pl.col("named_order").is_not_null())
        .then(pl.lit("by_order_id"))
        .when(pl.col("_is_same"))
        .then(pl.lit("same_quantity"))
        .otherwise(pl.lit("latest_purchase"))
    )
    return chosen.select(
        "return_id",
        pl.when(fits).then("order_id").alias("order_id"),
        pl.when(fits).then("line_no").alias("line_no"),
        pl.when(fits).then(rule).otherwise(pl.lit("more_than_bought")).alias("match_rule"),
    )


_CANDIDATE = [
    "return_id",
    "named_order",
    "quantity",
    "amount",
    "returned_at",
    "order_id",
    "line_no",
    "_bought",
    "_paid",
    "_bought_at",
]
