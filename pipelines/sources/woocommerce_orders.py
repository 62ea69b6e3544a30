"""WooCommerce orders as WebToffee's export plugin writes them: one record an order, each of its items in a cell.

Exports with a row an item ("separate rows") are read too; those without items bring no orders. Values of items are
without tax, and `discount` is what lies between an item's `sub_total` and its `total`, so that a line is worth its
`total` to the last digit.

Refunds are what was given back in all, tax and shipping included. Goods count as refunded up to what the items say
(`refunded`), else up to what was paid for them. Times are those of the shop's own clock.
https://woocommerce.com/document/import-and-export-of-woocommerce-orders/
"""

import re
from collections.abc import Collection

import polars as pl

from pipelines.sources.csv import CsvReader
from pipelines.sources.optional_cells import amount, cell, written
from pipelines.sources.reader import FAULT, Format
from pipelines.sources.woocommerce_items import in_iso, item_field, refund_field, refunds, unit_price

PRODUCT_NAME, QUANTITY, UNIT_PRICE, DISCOUNT = (
    "item's name",
    "item's quantity",
    "item's price",
    "item's discount",
)
COUNTRY, SHIP_TO = "order country", "ship to"
RETURN_ID, AMOUNT, REASON, RETURNED_AT = (
    "return id",
    "refunded for goods",
    "reason for the refund",
    "returned at",
)
FIELDS = {
    "name": "item_name",
    "product_id": "item_product_id",
    "sku": "item_sku",
    "quantity": "item_quantity",
    "total": "item_total",
    "sub_total": "item_subtotal",
    "refunded": "item_refunded",
    "_variation_id": "item_variation_id",
}
"""Field of an item -> its column in exports with a row an item."""
PRODUCT = ("line_item_1", "item_product_id", "item_sku")


def shape(records: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Give ``orders`` a row for every item, and one for an order without items; ``returns`` one for every refund."""
    have = records.collect_schema().names()
    rows = _orders(records, have) if table == "orders" else _returns(records, have)
    names = [cell(have, "shipping_first_name"), cell(have, "shipping_last_name")]
    changed = {
        "order_date": in_iso(cell(have, "order_date")),
        "status": cell(have, "status").str.strip_prefix("wc-"),
        "billing_email": cell(have, "billing_email", "customer_email"),
        # Guests have number 0.
        **{
            name: pl.when(pl.col(name) != "0").then(name)
            for name in ("customer_id", "customer_user")
            if name in have
        },
    }
    return rows.with_columns(
        cell(have, "shipping_country", "billing_country").alias(COUNTRY),
        pl.when(pl.any_horizontal(name.is_not_null() for name in names))
        .then(pl.concat_str(names, separator=" ", ignore_nulls=True))
        .alias(SHIP_TO),
        *(value.alias(name) for name, value in changed.items() if name in have),
    )


def _items(records: pl.LazyFrame, have: Collection[str]) -> pl.LazyFrame:
    """Unfold records to items, with a column for each of `FIELDS` under an underscore."""
    cells = [name for name in have if re.fullmatch(r"line_item_\d+", name)]
    if not cells:
        return records.with_columns(
            pl.lit(None, pl.String).alias("_item"),
            *(cell(have, column).alias(f"_{field}") for field, column in FIELDS.items()),
        )
    return (
        records.with_columns(pl.concat_list(cells).list.drop_nulls().alias("_item"))
        .explode("_item", empty_as_null=True)
        .with_columns(item_field(pl.col("_item"), field).alias(f"_{field}") for field in FIELDS)
    )


def _orders(records: pl.LazyFrame, have: Collection[str]) -> pl.LazyFrame:
    items = _items(records, have)
    goods, paid = pl.coalesce("_sub_total", "_total"), pl.coalesce("_total", "_sub_total")
    price = unit_price(goods, pl.col("_quantity"))
    unreadable = pl.col("_item").is_not_null() & price.is_null()  # a quantity or a value is missing
    told = pl.concat_str(pl.lit("this line item cannot be read: "), "_item")
    code = pl.coalesce("_sku", _number("__variation_id"), _number("_product_id"), "_name")
    return items.with_columns(
        pl.coalesce(FAULT, pl.when(unreadable).then(told)).alias(FAULT),
        pl.col("_name").alias(PRODUCT_NAME),
        pl.col("_quantity").alias(QUANTITY),
        written(price).alias(UNIT_PRICE),
        written(price * amount(pl.col("_quantity")) - amount(paid)).alias(DISCOUNT),
        *(code.alias(name) for name in PRODUCT if name in have),
    )


def _number(name: str) -> pl.Expr:
    """A product's number; what was deleted from the shop since has number 0."""
    return pl.when(pl.col(name) != "0").then(name)


def _returns(records: pl.LazyFrame, have: Collection[str]) -> pl.LazyFrame:
    all_refunds = cell(have, "refund_items")
    orders = records.filter(all_refunds.is_not_null()).unique("order_id", keep="first", maintain_order=True)
    parted = (
        orders.with_columns(refunds(all_refunds).alias("_refund"))
        .with_columns(pl.int_ranges(1, pl.col("_refund").list.len() + 1).alias("_number"))
        .explode("_refund", "_number", empty_as_null=True)
        .join(_goods(records, orders, have), on="order_id", how="left", maintain_order="left")
    )
    now = pl.col("_now")
    so_far = now.cum_sum().over("order_id", order_by="_number")
    on_goods = pl.min_horizontal(so_far, "_goods") - pl.min_horizontal(so_far - now, "_goods")
    told = pl.concat_str(pl.lit("these refunds cannot be read: "), all_refunds)
    return (
        parted.with_columns(amount(refund_field(pl.col("_refund"), "amount")).alias("_now"))
        .with_columns(pl.when(now.is_not_null()).then(on_goods).alias("_on_goods"))
        .filter((pl.col("_on_goods") > 0).fill_null(True))
        .with_columns(
            pl.when(pl.col("_on_goods").is_null()).then(told).alias(FAULT),
            pl.format("{}-refund-{}", "order_id", pl.col("_number").fill_null(1)).alias(RETURN_ID),
            written(pl.col("_on_goods")).alias(AMOUNT),
            refund_field(pl.col("_refund"), "reason").alias(REASON),
            in_iso(refund_field(pl.col("_refund"), "date")).alias(RETURNED_AT),
        )
    )


def _goods(records: pl.LazyFrame, orders: pl.LazyFrame, have: Collection[str]) -> pl.LazyFrame:
    """Say what can be refunded for goods: what items say was refunded for them, else what was paid; null if unclear."""
    items = _items(records.join(orders.select("order_id"), on="order_id", how="semi"), have)
    told, paid = amount(pl.col("_refunded")).sum(), amount(pl.col("_total"))
    clear = pl.when(paid.null_count() == 0).then(paid.sum())
    return items.group_by("order_id").agg(pl.when(told > 0).then(told).otherwise(clear).alias("_goods"))


BUYER = {
    "customer_id": ("customer_id", "customer_user"),
    "email": ("billing_email", "customer_email"),
    "phone": ("billing_phone",),
}
NAMES = """order_id,order_number,order_date,paid_date,status,shipping_total,shipping_tax_total,fee_total,fee_tax_total,\
tax_total,cart_discount,order_discount,discount_total,order_total,order_subtotal,order_key,order_currency,\
payment_method,payment_method_title,transaction_id,customer_ip_address,customer_user_agent,shipping_method,\
customer_id,customer_user,customer_email,billing_first_name,billing_last_name,billing_company,billing_email,\
billing_phone,billing_address_1,billing_address_2,billing_postcode,billing_city,billing_state,billing_country,\
shipping_first_name,shipping_last_name,shipping_company,shipping_phone,shipping_address_1,shipping_address_2,\
shipping_postcode,shipping_city,shipping_state,shipping_country,customer_note,wt_import_key,shipping_items,fee_items,\
tax_items,coupon_items,refund_items,order_notes,download_permissions,meta:wpml_language,item_product_id,item_name,\
item_sku,item_quantity,item_subtotal,item_subtotal_tax,item_total,item_total_tax,item_refunded,item_refunded_qty,\
item_meta"""
MOST_ITEMS = 1000
"""Items of one order; columns beyond are read and only reported as unknown."""

FORMAT = Format(
    "woocommerce_orders",
    "a WooCommerce export of orders by WebToffee's plugin",
    CsvReader(),
    columns={
        "orders": {
            "order_id": ("order_id", "order_number"),
            "ordered_at": ("order_date",),
            "status": ("status",),
            "country": (COUNTRY,),
            "currency": ("order_currency",),
            **BUYER,
            "ship_to_name": (SHIP_TO,),
            "product_id": PRODUCT,
            "product_name": (PRODUCT_NAME,),
            "quantity": (QUANTITY,),
            "unit_price": (UNIT_PRICE,),
            "discount": (DISCOUNT,),
        },
        "returns": {
            "return_id": (RETURN_ID,),
            "order_id": ("order_id",),
            **BUYER,
            "amount": (AMOUNT,),
            "currency": ("order_currency",),
            "reason": (REASON,),
            "returned_at": (RETURNED_AT,),
            "refunded_at": (RETURNED_AT,),
        },
    },
    values={"returns": {"outcome": "refund"}},
    shape=shape,
    adds=(
        *(PRODUCT_NAME, QUANTITY, UNIT_PRICE, DISCOUNT, COUNTRY, SHIP_TO),
        *(RETURN_ID, AMOUNT, REASON, RETURNED_AT),
    ),
    header=frozenset({*NAMES.split(","), *(f"line_item_{number}" for number in range(1, MOST_ITEMS + 1))}),
    signature=frozenset({"order_id", "order_date", "order_currency", "wt_import_key"}),
    suffixes=(".csv", ".csv.gz"),
)
