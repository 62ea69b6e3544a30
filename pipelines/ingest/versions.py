"""From every delivered version of an order to the one that counts now, line by line.

A later version replaces the whole order. Which lines are returns or bookkeeping and what kind of thing a line sells
is decided here too, by the shop's rules; adding lines up to orders is `orders`' business.
"""

import polars as pl

from data_contracts import MONEY, table
from pipelines.ingest.derived import matches
from pipelines.ingest.values import day_number, local_day
from pipelines.shop import OrderRules, Shop

LINE_CONTENT = ["product_id", "unit_price", "quantity", "discount", "product_name", "category", "_at"]


def current_orders(valid: pl.LazyFrame, shop: Shop, source_of: dict[str, str]) -> pl.LazyFrame:
    """The lines of the winning version of each order, in the shape of ``current_orders``.

    Parameters
    ----------
    valid
        Rows of ``valid_orders``, all deliveries.
    source_of
        Delivery id to source name.
    """
    lines = (
        valid.join(_winners(valid), on=["order_id", "delivery_id"], how="semi")
        .with_columns(
            pl.col("discount").fill_null(0),
            pl.col("currency").fill_null(shop.currency),
            pl.col("email").str.to_lowercase(),
            pl.col("ordered_at").alias("_at"),
            pl.col("delivery_id").replace_strict(source_of, return_dtype=pl.String).alias("source"),
            pl.col("ordered_at").min().over("order_id"),
        )
        .sort("order_id", *LINE_CONTENT, nulls_last=True)
    )
    if shop.orders.repeated_lines == "drop":
        lines = lines.unique(["order_id", *LINE_CONTENT], keep="first", maintain_order=True)
    day = local_day(pl.col("ordered_at"), shop.zone)
    return lines.select(
        "source",
        "order_id",
        pl.int_range(1, pl.len() + 1).over("order_id").alias("line_no"),
        _record(shop.orders).alias("record"),
        "ordered_at",
        day.alias("order_day"),
        day_number(day).alias("order_day_number"),
        "status",
        "channel",
        "country",
        "currency",
        "customer_id",
        "email",
        "phone",
        "product_id",
        "product_name",
        "category",
        _kind(shop.orders).alias("kind"),
        "quantity",
        "unit_price",
        "discount",
        (pl.col("quantity").cast(MONEY) * pl.col("unit_price") - pl.col("discount")).cast(MONEY).alias("net"),
    ).select(table("current_orders").schema.keys())


def _winners(valid: pl.LazyFrame) -> pl.LazyFrame:
    """The delivery whose version of an order counts: order_id, delivery_id.

    The newest ``updated_at`` wins. Without one, a version with fewer lines is half an order rather than a
    change, so more lines win; then the delivery with the later latest order time, then the id, which is a checksum:
    the order in which files arrive decides nothing.
    """
    delivery_time = valid.group_by("delivery_id").agg(pl.col("ordered_at").max().alias("_latest"))
    return (
        valid.group_by("order_id", "delivery_id")
        .agg(pl.col("updated_at").max(), pl.len().alias("_lines"))
        .join(delivery_time, on="delivery_id")
        .group_by("order_id")
        .agg(pl.col("delivery_id").sort_by("updated_at", "_lines", "_latest", "delivery_id", nulls_last=False).last())
    )


def _record(rules: OrderRules) -> pl.Expr:
    return (
        pl.when(matches("order_id", rules.adjustment_order_ids))
        .then(pl.lit("adjustment"))
        .when(matches("order_id", rules.return_order_ids))
        .then(pl.lit("return"))
        .otherwise(pl.lit("order"))
    )


def _kind(rules: OrderRules) -> pl.Expr:
    kind = pl.lit(rules.kind_when_unmatched)
    for pattern, name in reversed(rules.kinds.items()):
        kind = pl.when(pl.col("product_id").str.contains(pattern)).then(pl.lit(name)).otherwise(kind)
    return kind
