"""From every delivered version of an order to the one that counts now, line by line.

A later version replaces the whole order. What the shop's rules say of a line stands in `order_rules`; adding lines
up to orders is `orders`' business.
"""

import polars as pl

from data_contracts import MONEY, conform, table
from pipelines.ingest.numbers import by_delivery
from pipelines.ingest.order_rules import kind, record, standing
from pipelines.ingest.values import day_number, local_day
from pipelines.shop import Shop

NEWNESS = ["delivered_through", "received_at", "delivery_id"]
"""What makes a delivery the newer one: it reaches further, it came later, and last its checksum."""
LINE_RANK = ["product_id", "unit_price", "quantity", "discount"]
LINE_TIES = ["product_name", "category", "ordered_at"]
ORDER_CELLS = [
    "status",
    "cancelled_at",
    "is_test",
    "tags",
    "channel",
    "country",
    "customer_id",
    "email",
    "phone",
    "ship_to_name",
    "kind",
]


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
    won = winners(valid, ["order_id"], "updated_at", first="ordered_at")
    lines = (
        valid.join(won, on=["order_id", "delivery_id"])
        .with_columns(
            pl.col("discount").fill_null(0),
            pl.col("currency").fill_null(shop.currency),
            pl.col("email").str.to_lowercase(),
            by_delivery(source_of).alias("source"),
            by_delivery(numbers_of).alias("customer_numbers"),
            # One number settles ties in place of a dozen texts to sort by.
            pl.struct(*LINE_TIES, *ORDER_CELLS).hash().alias("_tie"),
        )
        .sort("order_id", *LINE_RANK, "_tie", nulls_last=True)
    )
    if shop.orders.repeated_lines == "drop":
        lines = lines.unique(["order_id", *LINE_RANK, *LINE_TIES], keep="first", maintain_order=True)
    lines = lines.with_columns(pl.col("_first").alias("ordered_at"))
    day = local_day(pl.col("ordered_at"), shop.zone)
    return lines.select(
        "source",
        "customer_numbers",
        "order_id",
        _position_in_order().alias("line_no"),
        record(shop).alias("record"),
        "ordered_at",
        day.alias("order_day"),
        day_number(day).alias("order_day_number"),
        "status",
        standing(shop).alias("standing"),
        "channel",
        "country",
        "currency",
        "customer_id",
        "email",
        "phone",
        "ship_to_name",
        "product_id",
        "product_name",
        "category",
        kind(shop.orders).alias("kind"),
        "quantity",
        "unit_price",
        "discount",
        (pl.col("quantity").cast(MONEY) * pl.col("unit_price") - pl.col("discount")).cast(MONEY).alias("net"),
    ).pipe(conform, table("current_orders"))


def winners(
    valid: pl.LazyFrame, unit: list[str], changed_at: str | None = None, first: str | None = None
) -> pl.LazyFrame:
    """Find the delivery whose version of each order or return counts: the columns of ``unit``, delivery_id.

    The newest ``changed_at`` wins. Without one, a version with fewer lines is half an order rather than a
    change, so more lines win; then the newer delivery (see `NEWNESS`).

    Parameters
    ----------
    first
        A column of which the least value of the winning version is wanted too, as ``_first``.
    """
    changed = [changed_at] if changed_at else []
    also = [pl.col(first).min().alias("_first")] if first else []
    versions = valid.group_by(*unit, "delivery_id").agg(
        pl.col(changed).max(), pl.len().alias("_lines"), pl.col(NEWNESS[:2]).first(), *also
    )
    return (
        versions.sort(*unit, *changed, "_lines", *NEWNESS, nulls_last=False)
        .unique(unit, keep="last", maintain_order=True)
        .select(*unit, "delivery_id", *(["_first"] if first else []))
    )


def _position_in_order() -> pl.Expr:
    """Count the lines of each order from 1, in rows sorted by order."""
    position = pl.int_range(pl.len())
    starts = pl.col("order_id").ne_missing(pl.col("order_id").shift(1)).fill_null(True)
    return position - pl.when(starts).then(position).forward_fill() + 1
