"""From every delivered version of an order to the one that counts now, line by line.

A later version replaces the whole order. Which lines are returns or bookkeeping and what kind of thing a line
sells is decided here too, by the shop's rules; adding lines up to orders is `orders`' business.
"""

import polars as pl

from data_contracts import MONEY, conform, table
from pipelines.ingest.derived import matches
from pipelines.ingest.values import day_number, local_day
from pipelines.settings import OrderRules
from pipelines.shop import Shop

NEWNESS = ["delivered_through", "received_at", "delivery_id"]
"""What makes a delivery the newer one: it reaches further, it came later, and last its checksum."""
LINE_CONTENT = ["product_id", "unit_price", "quantity", "discount", "product_name", "category", "_at"]
ORDER_CELLS = ["status", "channel", "country", "customer_id", "email", "phone"]


def current_orders(
    valid: pl.LazyFrame, shop: Shop, source_of: dict[str, str], numbers_of: dict[str, str]
) -> pl.LazyFrame:
    """Take the lines of the winning version of each order, in the shape of ``current_orders``.

    Parameters
    ----------
    valid
        Rows of ``valid_orders``, all deliveries.
    source_of, numbers_of
        Delivery id to source name, and to whose customer numbers it brings.
    """
    lines = (
        valid.join(winners(valid, ["order_id"], "updated_at"), on=["order_id", "delivery_id"], how="semi")
        .with_columns(
            pl.col("discount").fill_null(0),
            pl.col("currency").fill_null(shop.currency),
            pl.col("email").str.to_lowercase(),
            pl.col("ordered_at").alias("_at"),
            pl.col("delivery_id").replace_strict(source_of, return_dtype=pl.String).alias("source"),
            pl.col("delivery_id")
            .replace_strict(numbers_of, return_dtype=pl.String)
            .alias("customer_numbers"),
            pl.col("ordered_at").min().over("order_id"),
        )
        .sort("order_id", *LINE_CONTENT, *ORDER_CELLS, nulls_last=True)
    )
    if shop.orders.repeated_lines == "drop":
        lines = lines.unique(["order_id", *LINE_CONTENT], keep="first", maintain_order=True)
    day = local_day(pl.col("ordered_at"), shop.zone)
    return lines.select(
        "source",
        "customer_numbers",
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
    ).pipe(conform, table("current_orders"))


def winners(valid: pl.LazyFrame, unit: list[str], changed_at: str | None = None) -> pl.LazyFrame:
    """Find the delivery whose version of each order or return counts: the columns of ``unit``, delivery_id.

    The newest ``changed_at`` wins. Without one, a version with fewer lines is half an order rather than a
    change, so more lines win; then the newer delivery (see `NEWNESS`).
    """
    changed = [changed_at] if changed_at else []
    return (
        valid.group_by(*unit, "delivery_id")
        .agg(pl.col(changed).max(), pl.len().alias("_lines"), pl.col(NEWNESS[:2]).first())
        .sort(*unit, *changed, "_lines", *NEWNESS, nulls_last=False)
        .unique(unit, keep="last", maintain_order=True)
        .select(*unit, "delivery_id")
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
