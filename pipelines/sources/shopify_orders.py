"""Shopify's orders export: one record a line item, the order's own cells on the first record of each order.

Amounts stay as exported: where a shop's prices contain tax, so do these. Which orders count, and what a refund does
to revenue, is decided after the contract (`pipelines.ingest`); how a discount is spread, in `discounts`.

The column sets of exports differ by age; what this module needs of one is said in ``FORMAT.columns``.
https://help.shopify.com/en/manual/fulfillment/managing-orders/exporting-orders
"""

from collections.abc import Collection

import polars as pl

from pipelines.sources.continuation import fill_down
from pipelines.sources.csv import CsvReader
from pipelines.sources.discounts import spread
from pipelines.sources.optional_cells import amount, cell, written
from pipelines.sources.reader import FAULT, RECORD, Format

STATUS, PHONE, COUNTRY, DISCOUNT = "order status", "order phone", "order country", "discount in all"
RETURN_ID, RETURNED_AT = "return id", "returned at"
PRODUCT = ("Lineitem sku", "Lineitem name")
ON_FIRST_RECORDS = ("Financial Status", "Currency", "Total", "Subtotal")
"""Never blank on the first record of an order, always blank on the others. E-mail and time may stand on all."""


def shape(records: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Give ``orders`` a row for every record; the other tables one row for every order that has what they hold."""
    have = records.collect_schema().names()
    is_first = cell(have, *ON_FIRST_RECORDS if {*ON_FIRST_RECORDS} & {*have} else ("Created at",))
    own = [name for name in have if _is_of_order(name)]
    match table:
        case "orders":
            filled = fill_down(records, "Name", own, is_first)
            rows = _with_discounts(filled, _shares(records, have), have)
        case "returns":
            rows = _refunded(records, have)
        case "consents":
            # Without an address there is nobody to write to; the order itself stands in `orders`.
            says = cell(have, "Email").is_not_null() & cell(have, "Accepts Marketing").is_not_null()
            rows = records.filter(is_first.is_not_null() & says)
        case _:
            rows = records.filter(is_first.is_not_null())
    cancelled = pl.when(cell(have, "Cancelled at").is_not_null()).then(pl.lit("cancelled"))
    return rows.with_columns(
        cancelled.otherwise(cell(have, "Financial Status")).alias(STATUS),
        cell(have, "Phone", "Billing Phone", "Shipping Phone").alias(PHONE),
        cell(have, "Shipping Country", "Billing Country").alias(COUNTRY),
    )


def _is_of_order(name: str) -> bool:
    """Say whether a column belongs to the order as a whole."""
    return name not in ("Name", "Vendor", FAULT, RECORD) and not name.startswith("Lineitem")


def _with_discounts(filled: pl.LazyFrame, shares: pl.LazyFrame, have: Collection[str]) -> pl.LazyFrame:
    """Add to each line its own discount and its share of its order's."""
    whole, own = cell(have, "Discount Amount"), cell(have, "Lineitem discount")
    in_all = amount(own.fill_null("0")) + pl.col("_share").fill_null(0)
    # What is no amount stays as it is, so that the contract sees it.
    unclear = [pl.when(text.is_not_null() & amount(text).is_null()).then(text) for text in (whole, own)]
    return filled.join(shares, on=RECORD, how="left", maintain_order="left").with_columns(
        pl.coalesce(*unclear, written(in_all)).alias(DISCOUNT),
        *(pl.coalesce(PRODUCT[0], name) for name in PRODUCT[1:] if {*PRODUCT} <= {*have}),
    )


def _shares(records: pl.LazyFrame, have: Collection[str]) -> pl.LazyFrame:
    """Give lines of orders with a discount that stands on none of them their share of it."""
    lines = _amounts(records, have)
    rest = (_discount_on_goods() - pl.col("_on_lines")).alias("_rest")
    orders = _totals(lines.filter(pl.col("Name").is_not_null())).filter(pl.col("_told") > 0)
    unshown = orders.select("Name", rest, "_weights", "_last").filter(pl.col("_rest") > 0)
    return lines.select("Name", RECORD, "_weight").join(unshown, on="Name").pipe(spread, "Name", RECORD)


def _refunded(records: pl.LazyFrame, have: Collection[str]) -> pl.LazyFrame:
    """Orders of which something was refunded.

    The export has one amount an order, tax and shipping included, and no time of it. Goods are refunded up to what
    was paid for them, when the order was cancelled, else fulfilled, paid, placed: it happened then or later.
    """
    told = cell(have, "Refunded Amount")
    refunded = amount(told)
    is_refunded = (refunded > 0) | (told.is_not_null() & refunded.is_null())
    orders = records.filter(is_refunded).unique("Name", keep="first", maintain_order=True)
    sold = _totals(_amounts(records, have).join(orders.select("Name"), on="Name", how="semi"))
    paid = (pl.col("_goods") - _discount_on_goods()).clip(lower_bound=0)
    at_most = pl.when(refunded.is_not_null()).then(written(pl.min_horizontal(refunded, paid))).otherwise(told)
    return orders.join(sold, on="Name", how="left", maintain_order="left").with_columns(
        pl.concat_str("Name", pl.lit("-refund")).alias(RETURN_ID),
        cell(have, "Cancelled at", "Fulfilled at", "Paid at", "Created at").alias(RETURNED_AT),
        *(at_most.alias(name) for name in have if name == "Refunded Amount"),
    )


def _amounts(records: pl.LazyFrame, have: Collection[str]) -> pl.LazyFrame:
    """Say of each line what it is worth and reduced by, and what its order says; null where a cell is no number."""
    worth = amount(cell(have, "Lineitem quantity")) * amount(cell(have, "Lineitem price"))
    on_line = amount(cell(have, "Lineitem discount").fill_null("0"))
    return records.select(
        "Name",
        RECORD,
        worth.alias("_worth"),
        on_line.alias("_on_line"),
        (worth - on_line).clip(lower_bound=0).alias("_weight"),
        amount(cell(have, "Discount Amount")).alias("_told"),
        amount(cell(have, "Subtotal")).alias("_subtotal"),
    )


def _totals(lines: pl.LazyFrame) -> pl.LazyFrame:
    """Add up the lines of each order; what its goods are worth is null where one line leaves that open."""
    worth = pl.col("_worth")
    return lines.group_by("Name").agg(
        pl.when(worth.null_count() == 0).then(worth.sum()).alias("_goods"),
        pl.col("_on_line").sum().alias("_on_lines"),
        pl.col("_weight").sum().alias("_weights"),
        pl.when(worth.is_not_null()).then(RECORD).max().alias("_last"),
        pl.col("_told", "_subtotal").max(),
    )


def _discount_on_goods() -> pl.Expr:
    """Say how much of an order's discount fell on goods.

    `Discount Amount` holds all discounts of an order, those shown on a line (`Lineitem discount`) and those on
    shipping included, like `total_discounts` of Shopify's API; that some are shown on lines is presentation, in the
    words of Shopify's own staff. `Subtotal` is what goods cost after discounts. Where it agrees with the other two it
    tells what fell on shipping, or that an app wrote a `Discount Amount` without those on lines. It may also speak of
    an order as edited later: where it does not agree it is not asked.
    https://community.shopify.com/c/api-announcements/discount-applications-exposes-line-level-discounts-on-the-order/td-p/416581
    """
    told, on_lines = pl.col("_told").fill_null(0), pl.col("_on_lines")
    by_subtotal = pl.col("_goods") - pl.col("_subtotal")
    agrees = by_subtotal.is_between(on_lines, told) | (by_subtotal == told + on_lines)
    return pl.when(agrees).then(by_subtotal).otherwise(pl.max_horizontal(told, on_lines))


NAMES = """Name|Email|Financial Status|Paid at|Fulfillment Status|Fulfilled at|Accepts Marketing|Currency|Subtotal|\
Shipping|Taxes|Total|Discount Code|Discount Amount|Shipping Method|Created at|Lineitem quantity|Lineitem name|\
Lineitem price|Lineitem compare at price|Lineitem sku|Lineitem requires shipping|Lineitem taxable|\
Lineitem fulfillment status|Billing Name|Billing Street|Billing Address1|Billing Address2|Billing Company|Billing City|\
Billing Zip|Billing Province|Billing Country|Billing Phone|Shipping Name|Shipping Street|Shipping Address1|\
Shipping Address2|Shipping Company|Shipping City|Shipping Zip|Shipping Province|Shipping Country|Shipping Phone|Notes|\
Note Attributes|Cancelled at|Payment Method|Payment Reference|Refunded Amount|Vendor|Outstanding Balance|Employee|\
Location|Device ID|Id|Tags|Risk Level|Source|Lineitem discount|Tax 1 Name|Tax 1 Value|Tax 2 Name|Tax 2 Value|\
Tax 3 Name|Tax 3 Value|Tax 4 Name|Tax 4 Value|Tax 5 Name|Tax 5 Value|Phone|Receipt Number|Duties|\
Billing Province Name|Shipping Province Name|Payment ID|Payment Terms Name|Next Payment Due At|Payment References"""

FORMAT = Format(
    "shopify_orders",
    "a Shopify orders export",
    CsvReader(),
    columns={
        "orders": {
            "order_id": ("Name",),
            "ordered_at": ("Created at",),
            "cancelled_at": ("Cancelled at",),
            "status": (STATUS,),
            "tags": ("Tags",),
            "channel": ("Source",),
            "country": (COUNTRY,),
            "currency": ("Currency",),
            "email": ("Email",),
            "phone": (PHONE,),
            "ship_to_name": ("Shipping Name",),
            "product_id": PRODUCT,
            "product_name": ("Lineitem name",),
            "quantity": ("Lineitem quantity",),
            "unit_price": ("Lineitem price",),
            "discount": (DISCOUNT,),
        },
        "returns": {
            "return_id": (RETURN_ID,),
            "order_id": ("Name",),
            "email": ("Email",),
            "phone": (PHONE,),
            "amount": ("Refunded Amount",),
            "currency": ("Currency",),
            "returned_at": (RETURNED_AT,),
        },
        "consents": {
            "email": ("Email",),
            "is_granted": ("Accepts Marketing",),
            "recorded_at": ("Created at",),
        },
    },
    values={"returns": {"outcome": "refund"}, "consents": {"channel": "email"}},
    shape=shape,
    adds=(STATUS, PHONE, COUNTRY, DISCOUNT, RETURN_ID, RETURNED_AT),
    header=frozenset(NAMES.split("|")),
    signature=frozenset({"Name", "Created at", "Financial Status", "Lineitem name", "Lineitem price"}),
    suffixes=(".csv", ".csv.gz"),
)
