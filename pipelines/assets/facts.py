"""Facts: the current orders, who ordered, what came back, whom one may reach, what people answered.

Everything here holds for all days; what was known on a day is worked out from it by `models.summary`.
"""

import hashlib
from functools import partial

import polars as pl

from pipelines.assets.given import Given
from pipelines.assets.landing import connected_tables
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.ingest import orders, people, returns, versions
from pipelines.ingest.identity import identity_map
from pipelines.shop import Shop
from pipelines.sources.arrivals import source_name

Step_ = partial(Step, stage=Stage.FACTS, keeps=Keeps.NOTHING)

SURVEYS = ("survey_invitations", "survey_answers")


def steps(shop: Shop) -> list[Step]:
    """The fact tables; those that no source feeds are there and empty."""
    connected = connected_tables(shop)

    def fed_by(*tables: str) -> tuple[str, ...]:
        return tuple(f"valid_{table}" for table in tables if table in connected)

    return [
        Step_(
            table="current_orders",
            reads=fed_by("orders"),
            make=lambda given: versions.current_orders(
                given.table("valid_orders"), given.shop, *_sources(given)
            ),
            settings=("orders", "timezone", "currency", "sources"),
        ),
        Step_(
            table="identity_map",
            reads=("current_orders", *fed_by("returns", *SURVEYS, "consents", "suppressions")),
            make=_identities,
            settings=("sources",),
            identity=_key_id,
        ),
        Step_(
            table="returns",
            reads=("current_orders", "identity_map", *fed_by("returns")),
            make=lambda given: returns.returns(
                given.table("current_orders"),
                _with_numbers(given, "returns"),
                given.table("identity_map"),
                given.shop,
            ),
            settings=("returns", "timezone", "sources"),
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
            settings=("orders",),
            picture="net_revenue",
        ),
        Step_(
            table="customers", reads=("orders",), make=lambda given: people.customers(given.table("orders"))
        ),
        Step_(
            table="contacts",
            reads=("current_orders", "identity_map"),
            make=lambda given: people.contacts(given.table("current_orders"), given.table("identity_map")),
        ),
        Step_(
            table="consents",
            reads=("identity_map", *fed_by("consents")),
            make=lambda given: people.consents(_with_numbers(given, "consents"), given.table("identity_map")),
            settings=("sources",),
        ),
        Step_(
            table="suppressions",
            reads=("identity_map", *fed_by("suppressions")),
            make=lambda given: people.suppressions(
                _with_numbers(given, "suppressions"), given.table("identity_map")
            ),
            settings=("sources",),
        ),
        Step_(
            table="survey_invitations",
            reads=("identity_map", *fed_by("survey_invitations")),
            make=lambda given: people.survey_invitations(
                _with_numbers(given, "survey_invitations"), given.table("identity_map"), given.shop
            ),
            settings=("timezone", "sources"),
        ),
        Step_(
            table="survey_answers",
            reads=("identity_map", *fed_by("survey_answers")),
            make=lambda given: people.survey_answers(
                _with_numbers(given, "survey_answers"), given.table("identity_map"), given.shop
            ),
            settings=("timezone", "sources"),
        ),
    ]


def _key_id(given: Given) -> str:
    """Name the key without giving it away: under another key everybody has another customer_key."""
    return hashlib.sha256(given.keys.identity).hexdigest()[:12]


def _sources(given: Given, table: str = "orders") -> tuple[dict[str, str], dict[str, str]]:
    """Delivery id to source name, and to whose customer numbers it brings."""
    numbers = {source.name: given.shop.numbers_of(source).customers for source in given.shop.sources}
    ids = given.table(f"valid_{table}").select(pl.col("delivery_id").unique()).collect().to_series()
    names = {delivery_id: source_name(delivery_id) for delivery_id in ids}
    return names, {delivery_id: numbers.get(name, "shop") for delivery_id, name in names.items()}


def _with_numbers(given: Given, table: str) -> pl.LazyFrame:
    """Valid rows of a table with whose customer numbers they bring."""
    _, numbers = _sources(given, table)
    whose = pl.col("delivery_id").replace_strict(numbers, return_dtype=pl.String)
    return given.table(f"valid_{table}").with_columns(whose.alias("customer_numbers"))


def _identities(given: Given) -> pl.LazyFrame:
    moments = {
        "returns": "returned_at",
        "survey_invitations": "sent_at",
        "survey_answers": "answered_at",
        "consents": "recorded_at",
        "suppressions": "recorded_at",
    }
    columns = ["customer_numbers", "customer_id", "email", "phone", "seen_at"]
    of_orders = (
        given.table("current_orders").with_columns(pl.col("ordered_at").alias("seen_at")).select(columns)
    )
    elsewhere = [
        _with_numbers(given, table)
        .with_columns(pl.lit(None, pl.String).alias("phone"), pl.col(moment).alias("seen_at"))
        .select(columns)
        for table, moment in moments.items()
        if given.lake.has(f"valid_{table}")
    ]
    return identity_map(pl.concat([of_orders, *elsewhere]), given.keys.identity)
