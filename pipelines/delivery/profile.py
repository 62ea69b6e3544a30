"""The customer profile: one row per customer with everything that a list's rule may ask.

It only brings together what other tables say as of one day. Who objected to marketing keeps a stage and facts of
their orders, and has no score, no segment and no prediction: objection covers profiling.
"""

from datetime import date

import polars as pl

from data_contracts import table
from models.lifecycle import stage_at
from models.products_bought import customer_identity
from pipelines.delivery.recent_events import counted, goods_back, opened, parcels, tells_of_any

TWELVE_MONTHS = 365
PROFILING = (
    "r",
    "f",
    "m",
    "rfm_segment",
    "shopify_segment",
    "tier",
    "predicted_orders_365d",
    "predicted_clv_365d",
    "predicted_clv_365d_low",
    "predicted_clv_365d_high",
    "churn_probability_90d",
    "churn_probability_365d",
    "churn_band",
    "next_product",
    "next_product_name",
)
"""Columns that profile a person; null for who objected."""


def customer_profile(
    *,
    purchases: pl.LazyFrame,
    orders: pl.LazyFrame,
    returns: pl.LazyFrame,
    stages: pl.LazyFrame,
    scores: pl.LazyFrame,
    tiers: pl.LazyFrame,
    predictions: pl.LazyFrame,
    answers: pl.LazyFrame,
    suppressions: pl.LazyFrame,
    goods: pl.LazyFrame,
    next_products: pl.LazyFrame,
    as_of: date,
    shipments: pl.LazyFrame | None = None,
    tickets: pl.LazyFrame | None = None,
) -> pl.LazyFrame:
    """Bring a customer's facts, stage, scores and predictions of one day together.

    Parameters
    ----------
    goods, next_products
        From `models.products_bought.customer_goods` and `models.next_products.next_products` of the day.
    shipments, tickets
        None where no source delivers any: then nothing is known of them.

    Returns
    -------
    pl.LazyFrame
        In the shape of ``customer_profile``, sorted by customer_key.
    """
    profile = _behaviour(purchases, as_of)
    for part in (
        _origin(orders, as_of),
        _stage(stages, as_of),
        _returned(returns, as_of),
        scores.select(
            "customer_key", "r", "f", "m", pl.col("klaviyo_segment").alias("rfm_segment"), "shopify_segment"
        ),
        tiers.filter(pl.lit(as_of).is_between("from_day", pl.col("to_day").fill_null(as_of))).select(
            "customer_key", "tier"
        ),
        predictions.select(
            "customer_key", *(name for name in PROFILING if name.startswith(("predicted", "churn")))
        ),
        _last_score(answers, "nps", as_of),
        _last_score(answers, "csat", as_of),
        counted(goods_back(returns), "returns_90d", as_of),
        counted(opened(tickets), "tickets_90d", as_of),
        parcels(shipments, orders, as_of),
        objections(suppressions).with_columns(pl.lit(True).alias("_objects")),
    ):
        profile = profile.join(part, on="customer_key", how="left")
    profile = profile.with_columns(identity=customer_identity(pl.col("customer_key")))
    for part in (goods, next_products):
        profile = profile.join(part, on="identity", how="left")
    for name, events in (("returns_90d", goods_back(returns)), ("tickets_90d", opened(tickets))):
        profile = (
            profile.join(tells_of_any(events, as_of), how="cross")
            .with_columns(pl.when("_tells").then(pl.col(name).fill_null(0)).alias(name))
            .drop("_tells")
        )
    objects = pl.col("_objects").fill_null(False)
    return (
        profile.with_columns(
            pl.lit(as_of).alias("as_of"),
            pl.col("returned_value").fill_null(0.0),
            *(pl.when(~objects).then(pl.col(name)).alias(name) for name in PROFILING),
        )
        .select(table("customer_profile").schema.keys())
        .sort("customer_key")
    )


def segment_members(profile: pl.LazyFrame) -> pl.LazyFrame:
    """Who is in which stage and RFM segment and why, in the shape of ``segment_members``."""
    reachable = profile.filter(pl.col("rfm_segment").is_not_null())
    stage = reachable.select(
        "as_of",
        pl.concat_str(pl.lit("stage:"), "stage").alias("segment"),
        "customer_key",
        pl.format(
            "{} since {}, last order {} days ago", "stage", "stage_since", "days_since_last_order"
        ).alias("reason"),
    )
    rfm = reachable.select(
        "as_of",
        pl.concat_str(pl.lit("rfm:"), "rfm_segment").alias("segment"),
        "customer_key",
        pl.format("recency {} frequency {} monetary {} of 3", "r", "f", "m").alias("reason"),
    )
    return pl.concat([stage, rfm]).sort("segment", "customer_key")


def objections(suppressions: pl.LazyFrame) -> pl.LazyFrame:
    """Customers who object to marketing, as known now: an objection holds for whatever day is computed after it."""
    return suppressions.filter(pl.col("kind") == "objection").select("customer_key").unique()


def without_objectors(scores: pl.LazyFrame, suppressions: pl.LazyFrame) -> pl.LazyFrame:
    """Leave out who objected: objection covers profiling, so no table keeps a score of them."""
    return scores.join(objections(suppressions), on="customer_key", how="anti", maintain_order="left")


def _behaviour(purchases: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    is_recent = pl.col("order_day") > pl.lit(as_of) - pl.duration(days=TWELVE_MONTHS)
    net = pl.col("net").cast(pl.Float64)
    return (
        purchases.group_by("customer_key")
        .agg(
            pl.col("order_day").min().alias("first_order_day"),
            pl.col("order_day").max().alias("last_order_day"),
            pl.col("orders").sum().alias("valid_orders"),
            pl.len().alias("order_days"),
            pl.col("orders").filter(is_recent).sum().alias("valid_orders_12m"),
            pl.col("net").sum().cast(pl.Float64).alias("historic_clv"),
            net.filter(is_recent).sum().alias("net_12m"),
        )
        .with_columns(
            (pl.lit(as_of) - pl.col("last_order_day")).dt.total_days().alias("days_since_last_order"),
            (pl.col("historic_clv") / pl.col("valid_orders")).alias("average_order_value"),
        )
    )


def _origin(orders: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    return (
        orders.filter(
            pl.col("is_valid") & pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of)
        )
        .group_by("customer_key")
        .agg(pl.col("country").max_by("ordered_at"), pl.col("channel").min_by("ordered_at"))
    )


def _stage(stages: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    before = stages.select(
        "customer_key",
        (pl.col("to_day") + pl.duration(days=1)).alias("stage_since"),
        pl.col("stage").alias("previous_stage"),
    )
    since = stages.select("customer_key", "stage", pl.col("from_day").alias("stage_since"))
    return (
        stage_at(stages, as_of)
        .select("customer_key", "stage")
        .join(since.filter(pl.col("stage_since") <= as_of), on=["customer_key", "stage"])
        .group_by("customer_key", "stage")
        .agg(pl.col("stage_since").max())
        .join(before, on=["customer_key", "stage_since"], how="left")
    )


def _returned(returns: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    known_day = pl.coalesce("refunded_day", "returned_day")
    return (
        returns.filter((pl.col("kind") == "merchandise") & (known_day <= as_of))
        .group_by("customer_key")
        .agg(pl.col("amount").sum().cast(pl.Float64).alias("returned_value"))
    )


def _last_score(answers: pl.LazyFrame, kind: str, as_of: date) -> pl.LazyFrame:
    return (
        answers.filter((pl.col("kind") == kind) & (pl.col("answered_day") <= as_of))
        .group_by("customer_key")
        .agg(
            pl.col("score").max_by("answered_at").alias(f"last_{kind}"),
            pl.col("answered_day").max().alias(f"last_{kind}_day"),
        )
    )
