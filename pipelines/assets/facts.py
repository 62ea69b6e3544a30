"""Facts: the current orders, who ordered, what came back, whom one may reach, what people answered.

Everything here holds for all days; what was known on a day is worked out from it by `models.summary`.
"""

import hashlib
from functools import partial

import polars as pl

from data_contracts import table
from data_contracts.dictionary import delivered_columns
from pipelines.assets import optional_facts
from pipelines.assets.delivered import fed_by, is_connected, numbers_of, rates, source_of, valid_rows
from pipelines.assets.given import Given
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.ingest import currency, events, orders, people, returns, versions
from pipelines.ingest.derived import CUSTOMER_CELLS
from pipelines.ingest.identity import identity_map
from pipelines.ingest.numbers import with_numbers
from pipelines.ingest.ranges import in_ranges
from pipelines.shop import Shop

Step_ = partial(Step, stage=Stage.FACTS, keeps=Keeps.NOTHING)

SEEN_AT = {
    "customers": "created_at",
    "contacts": "created_at",
    "returns": "returned_at",
    "survey_invitations": "sent_at",
    "survey_answers": "answered_at",
    "consents": "recorded_at",
    "suppressions": "recorded_at",
    "tickets": "opened_at",
    "messages": "sent_at",
    "loyalty_ledger": "booked_at",
    "referrals": "referred_at",
    "reviews": "written_at",
    "mentions": "mentioned_at",
    "campaign_assignments": "assigned_at",
}
"""Delivered tables beside the orders that name customers, and when their rows did."""


def steps(shop: Shop) -> list[Step]:
    """The fact tables; of the core ones those that no source feeds are there and empty."""
    return [
        *_of_orders(shop),
        *_of_people(shop),
        *(_of_surveys(shop, name) for name in ("survey_invitations", "survey_answers")),
        *optional_facts.steps(shop),
    ]


def _of_orders(shop: Shop) -> list[Step]:
    return [
        Step_(
            table="current_orders",
            reads=fed_by(shop, "orders", "rates"),
            make=_current_orders,
            settings=("orders", "timezone", "currency", "sources"),
        ),
        Step_(
            table="identity_map",
            reads=("current_orders", *fed_by(shop, *SEEN_AT)),
            make=_identities,
            settings=("sources", "identity"),
            identity=_key_id,
        ),
        Step_(
            table="returns",
            reads=("current_orders", "identity_map", *fed_by(shop, "returns", "rates")),
            make=_returns,
            settings=("returns", "orders", "timezone", "currency", "sources", "identity"),
        ),
        Step_(
            table="order_lines",
            reads=("current_orders",),
            make=lambda given: orders.order_lines(given.table("current_orders")),
        ),
        Step_(
            table="orders",
            reads=("current_orders", "returns", "identity_map"),
            make=lambda given: orders.orders(
                given.table("current_orders"), given.table("returns"), given.table("identity_map"), given.shop
            ),
            settings=("orders", "identity"),
            picture="net_revenue",
        ),
    ]


def _of_people(shop: Shop) -> list[Step]:
    return [
        Step_(
            table="customers",
            reads=("orders", "identity_map", *fed_by(shop, "customers")),
            make=lambda given: people.customers(
                given.table("orders"), valid_rows(given, "customers"), given.table("identity_map"), given.shop
            ),
            settings=("timezone", "sources", "identity"),
        ),
        Step_(
            table="contacts",
            reads=("current_orders", "identity_map", *fed_by(shop, "customers", "contacts")),
            make=lambda given: people.contacts(
                given.table("current_orders"),
                [valid_rows(given, name) for name in ("customers", "contacts")],
                given.table("identity_map"),
                given.shop,
            ),
            settings=("sources", "identity"),
        ),
        *(_of_decisions(shop, name) for name in ("consents", "suppressions")),
    ]


def _of_decisions(shop: Shop, name: str) -> Step:
    def make(given: Given) -> pl.LazyFrame:
        if not is_connected(given, name):  # spares reading everybody's addresses
            return table(name).empty().lazy()
        decide = getattr(people, name)
        rows = valid_rows(given, name)
        return decide(rows, given.table("contacts"), given.table("identity_map"), given.shop)

    return Step_(
        table=name,
        reads=("contacts", "identity_map", *fed_by(shop, name)),
        make=make,
        settings=("sources", "identity"),
    )


def _of_surveys(shop: Shop, name: str) -> Step:
    make = getattr(people, name)
    return Step_(
        table=name,
        reads=("identity_map", *fed_by(shop, name)),
        make=lambda given: make(valid_rows(given, name), given.table("identity_map"), given.shop),
        settings=("timezone", "sources", "identity"),
    )


def _key_id(given: Given) -> str:
    """Name the key without giving it away: under another key everybody has another customer_key."""
    return hashlib.sha256(given.keys.identity).hexdigest()[:12]


def _current_orders(given: Given) -> pl.LazyFrame:
    sources, numbers, known = source_of(given, "orders"), numbers_of(given, "orders"), rates(given)
    customers = {delivery_id: whose.customers for delivery_id, whose in numbers.items()}

    def of_some(delivered: pl.LazyFrame) -> pl.LazyFrame:
        rows = with_numbers(delivered, "orders", numbers)
        converted = rows.pipe(currency.in_shop_currency, "orders", given.shop, known)
        return versions.current_orders(converted, given.shop, sources, customers)

    return in_ranges(given.table("valid_orders"), "order_id", of_some)


def _returns(given: Given) -> pl.LazyFrame:
    current = given.table("current_orders")
    delivered = valid_rows(given, "returns").pipe(
        currency.returns_in_shop_currency, current, given.shop, rates(given)
    )
    return returns.returns(current, delivered, given.table("identity_map"), given.shop)


def _identities(given: Given) -> pl.LazyFrame:
    """Everybody whom a row of any table names, friends of referrals included."""
    tables = [name for name in SEEN_AT if is_connected(given, name)]
    named = [_naming(valid_rows(given, name), name, SEEN_AT[name]) for name in tables]
    if "referrals" in tables:
        friends = events.friends_as_customers(valid_rows(given, "referrals"))
        named.append(_naming(friends, "referrals", SEEN_AT["referrals"]))
    of_orders = _naming(given.table("current_orders"), "orders", "ordered_at")
    known = given.lake.scan("identity_map") if given.lake.has("identity_map") else None
    return identity_map(pl.concat([of_orders, *named]), given.keys.identity, given.shop.identity, known=known)


def _naming(rows: pl.LazyFrame, name: str, seen_at: str) -> pl.LazyFrame:
    """What a table's rows say of who somebody is."""
    have = {column.name for column in delivered_columns(name)}
    return rows.select(
        "customer_numbers",
        *CUSTOMER_CELLS,
        *(
            pl.col(cell) if cell in have else pl.lit(None, pl.String).alias(cell)
            for cell in ("country", "ship_to_name")
        ),
        pl.col(seen_at).alias("seen_at"),
    )
