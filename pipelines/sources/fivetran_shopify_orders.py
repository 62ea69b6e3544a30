"""Shopify orders as Fivetran's dbt package leaves them (`shopify__orders`): one record an order, and no lines.

Revenue, orders and customers come out right; products do not. Every order becomes one line of the product "order" with
all that its goods cost, so measures by product or category mean nothing here, and gift cards cannot be told from goods.
A shop that has the order lines too should map those as `orders` instead.

Orders are numbered by their name (#1001), as in Shopify's own export. Deleted orders count as cancelled. Amounts are in
the shop's currency and as stored: where its prices contain tax, so do these. The package writes times in UTC unless it
was told otherwise; then the source's ``timezone`` says so.
https://github.com/fivetran/dbt_shopify
https://shopify.dev/docs/api/admin-rest/latest/resources/order
"""

from collections.abc import Collection

import polars as pl

from pipelines.sources.csv import CsvReader
from pipelines.sources.optional_cells import amount, cell, written
from pipelines.sources.reader import FAULT, Format

STATUS, PHONE, COUNTRY, SHIP_TO = "order status", "order phone", "order country", "ship to"
DISCOUNT, RETURN_ID = "discount on goods", "return id"
ORDER = ("name", "order_id")
TIMES = {
    "processed_timestamp": ("processed_timestamp", "created_timestamp"),
    "cancelled_timestamp": ("cancelled_timestamp", "updated_timestamp"),
}
"""Column -> the columns that fill it. An order's day in Shopify's reports is when it was processed: one that was
brought in from another shop system was created later. The second for refunds only, see `shape`."""


def shape(records: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Give each order its one line, or its one refund or consent if it has one.

    The day of a refund is not in the file. It is taken for that of the cancellation, else of the order's last change:
    it happened then or earlier, and moves on when the order changes again.
    """
    have = records.collect_schema().names()
    match table:
        case "returns":
            kept, filled = amount(cell(have, "refund_subtotal")) > 0, (*TIMES,)
        case "consents":
            says = (
                cell(have, "email").is_not_null() & cell(have, "has_buyer_accepted_marketing").is_not_null()
            )
            kept, filled = says, ("processed_timestamp",)
        case _:
            kept, filled = pl.lit(True), ("processed_timestamp",)
    is_deleted = cell(have, "is_deleted").str.to_lowercase().is_in(["true", "t", "1"])
    return records.filter(kept.fill_null(False) | pl.col(FAULT).is_not_null()).with_columns(
        pl.when(is_deleted).then(pl.lit("cancelled")).otherwise(cell(have, "financial_status")).alias(STATUS),
        cell(have, "shipping_address_phone", "billing_address_phone").alias(PHONE),
        cell(have, "shipping_address_country_code", "billing_address_country_code").alias(COUNTRY),
        cell(have, "shipping_address_name").alias(SHIP_TO),
        _discount(have).alias(DISCOUNT),
        pl.concat_str(cell(have, *ORDER), pl.lit("-refund")).alias(RETURN_ID),
        *(cell(have, *TIMES[name]).alias(name) for name in filled if name in have),
    )


def _discount(have: Collection[str]) -> pl.Expr:
    """Say how much of an order's discount fell on goods.

    `total_discounts` holds those on shipping too; `subtotal_price` is what goods cost after discounts, and tells the
    two apart where it agrees. A text that is no amount stays, so that the contract sees it.
    """
    text = cell(have, "total_discounts")
    told, goods = amount(text), amount(cell(have, "total_line_items_price"))
    by_subtotal = goods - amount(cell(have, "subtotal_price"))
    at_most = pl.when(told.is_not_null()).then(pl.min_horizontal(told, goods))
    on_goods = (
        pl.when(by_subtotal.is_between(0, pl.coalesce(told, goods))).then(by_subtotal).otherwise(at_most)
    )
    return pl.when(text.is_not_null() & told.is_null()).then(text).otherwise(written(on_goods))


NAMES = """order_id,user_id,total_discounts,total_discounts_set,total_line_items_price,total_line_items_price_set,\
total_price,total_price_set,total_tax_set,total_tax,source_name,subtotal_price,has_taxes_included,total_weight,\
total_tip_received,landing_site_base_url,location_id,name,note,number,order_number,cancel_reason,cart_token,\
checkout_token,created_timestamp,cancelled_timestamp,closed_timestamp,processed_timestamp,updated_timestamp,currency,\
customer_id,email,financial_status,fulfillment_status,referring_site,billing_address_address_1,\
billing_address_address_2,billing_address_city,billing_address_company,billing_address_country,\
billing_address_country_code,billing_address_first_name,billing_address_last_name,billing_address_latitude,\
billing_address_longitude,billing_address_name,billing_address_phone,billing_address_province,\
billing_address_province_code,billing_address_zip,browser_ip,total_shipping_price_set,shipping_address_address_1,\
shipping_address_address_2,shipping_address_city,shipping_address_company,shipping_address_country,\
shipping_address_country_code,shipping_address_first_name,shipping_address_last_name,shipping_address_latitude,\
shipping_address_longitude,shipping_address_name,shipping_address_phone,shipping_address_province,\
shipping_address_province_code,shipping_address_zip,token,app_id,checkout_id,client_details_user_agent,\
customer_locale,order_status_url,presentment_currency,is_test_order,is_deleted,has_buyer_accepted_marketing,\
is_confirmed,_fivetran_synced,source_relation,orders_unique_key,shipping_cost,order_adjustment_amount,\
order_adjustment_tax_amount,refund_subtotal,refund_total_tax,order_adjusted_total,line_item_count,\
shipping_discount_amount,percentage_calc_discount_amount,fixed_amount_discount_amount,count_discount_codes_applied,\
order_total_shipping_tax,order_tags,order_url_tags,number_of_fulfillments,fulfillment_services,tracking_companies,\
tracking_numbers,customer_order_seq_number,new_vs_repeat"""

BUYER = {"customer_id": ("customer_id",), "email": ("email",), "phone": (PHONE,)}

FORMAT = Format(
    "fivetran_shopify_orders",
    "a table shopify__orders of Fivetran's dbt package",
    CsvReader(),
    columns={
        "orders": {
            "order_id": ORDER,
            "ordered_at": ("processed_timestamp", "created_timestamp"),
            "updated_at": ("updated_timestamp",),
            "cancelled_at": ("cancelled_timestamp",),
            "status": (STATUS,),
            "is_test": ("is_test_order",),
            "tags": ("order_tags",),
            "channel": ("source_name",),
            "country": (COUNTRY,),
            "currency": ("currency",),
            **BUYER,
            "ship_to_name": (SHIP_TO,),
            "unit_price": ("total_line_items_price",),
            "discount": (DISCOUNT,),
        },
        "returns": {
            "return_id": (RETURN_ID,),
            "order_id": ORDER,
            **BUYER,
            "amount": ("refund_subtotal",),
            "currency": ("currency",),
            "returned_at": ("cancelled_timestamp", "updated_timestamp"),
            "updated_at": ("updated_timestamp",),
        },
        "consents": {
            **BUYER,
            "is_granted": ("has_buyer_accepted_marketing",),
            "recorded_at": ("processed_timestamp", "created_timestamp"),
        },
    },
    values={
        "orders": {"product_id": "order", "quantity": "1", "kind": "merchandise"},
        "returns": {"outcome": "refund"},
        "consents": {"channel": "email"},
    },
    shape=shape,
    adds=(STATUS, PHONE, COUNTRY, SHIP_TO, DISCOUNT, RETURN_ID),
    header=frozenset(NAMES.split(",")),
    signature=frozenset(
        {"total_line_items_price", "customer_order_seq_number", "order_adjusted_total", "name"}
    ),
    timezone="UTC",
    suffixes=(".csv", ".csv.gz"),
)
