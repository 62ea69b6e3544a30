"""Whose numbers a row bears: equal numbers of two shop systems are not the same order or customer.

Which numbers a source brings is said by `Shop.numbers_of`.
"""

from collections.abc import Mapping

import polars as pl

from data_contracts.dictionary import delivered_columns
from pipelines.shop import Numbers, Shop

OWN = "shop"
"""The numbers that stay as they are: those of the first source of orders."""


def with_numbers(rows: pl.LazyFrame, table: str, whose: Mapping[str, Numbers]) -> pl.LazyFrame:
    """Tell the numbers of several systems apart, and add ``customer_numbers``.

    An order 17 of the system ``till`` becomes ``till:17`` wherever it is named; numbers of `OWN` stay as delivered.
    Numbers of the rows themselves (of a return, a ticket) go with those of the customers.

    Parameters
    ----------
    rows
        Rows of ``valid_<table>``.
    whose
        Delivery id to whose numbers the delivery brings.
    """
    orders = {delivery_id: numbers.orders for delivery_id, numbers in whose.items()}
    customers = {delivery_id: numbers.customers for delivery_id, numbers in whose.items()}
    names = [column.name for column in delivered_columns(table)]
    own = [OWN_NUMBER[table]] if table in OWN_NUMBER else []
    return rows.with_columns(
        *(_told_apart(name, orders) for name in ("order_id",) if name in names),
        *(_told_apart(name, customers) for name in own),
        by_delivery(customers).alias("customer_numbers"),
    )


def by_delivery(told: Mapping[str, str]) -> pl.Expr:
    """Give what is told of each row's delivery: a few texts for many deliveries.

    Asked text by text, which the engine answers row by row; for a look-up it would gather whole columns.
    """
    deliveries: dict[str, list[str]] = {}
    for delivery_id, text in told.items():
        deliveries.setdefault(text, []).append(delivery_id)
    if len(deliveries) == 1:
        return pl.lit(next(iter(deliveries)))
    is_of = [(text, pl.col("delivery_id").is_in(some)) for text, some in deliveries.items()]
    return pl.coalesce(pl.lit(None, pl.String), *(pl.when(holds).then(pl.lit(text)) for text, holds in is_of))


def plain_order_id(shop: Shop) -> pl.Expr:
    """Order numbers as they were delivered, for the shop's own patterns."""
    others = {shop.numbers_of(source).orders for source in shop.sources} - {OWN}
    number = pl.col("order_id")
    return number.str.replace(f"^(?:{'|'.join(sorted(others))}):", "") if others else number


OWN_NUMBER = {
    "returns": "return_id",
    "survey_invitations": "survey_id",
    "survey_answers": "survey_id",
    "shipments": "shipment_id",
    "tickets": "ticket_id",
    "messages": "message_id",
    "loyalty_ledger": "entry_id",
    "referrals": "referral_id",
    "reviews": "review_id",
    "mentions": "mention_id",
    "costs": "cost_id",
}
"""Delivered tables whose rows have numbers of their own."""


def _told_apart(name: str, whose: dict[str, str]) -> pl.Expr:
    if set(whose.values()) <= {OWN}:
        return pl.col(name)
    namespace = by_delivery(whose)
    return (
        pl.when(namespace == OWN)
        .then(name)
        .otherwise(pl.concat_str(namespace, pl.lit(":"), name))
        .alias(name)
    )
