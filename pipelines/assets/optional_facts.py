"""Facts that are there only where a source feeds them, so that a shop without tickets runs no step for them."""

from functools import partial

import polars as pl

from pipelines.assets.delivered import fed_by, rates, source_of, valid_rows
from pipelines.assets.given import Given
from pipelines.assets.landing import connected_tables
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.ingest import events
from pipelines.shop import Shop

EVENTS = ("shipments", "tickets", "messages", "loyalty_ledger", "referrals", "reviews", "mentions")


def steps(shop: Shop) -> list[Step]:
    """One step per connected optional table."""
    connected = connected_tables(shop)
    return [step for step in _all(shop) if step.table in connected]


def _all(shop: Shop) -> list[Step]:
    step = partial(Step, stage=Stage.FACTS, keeps=Keeps.NOTHING)
    return [
        *(
            step(
                table=name,
                reads=("identity_map", *fed_by(shop, name)),
                make=partial(_events, name=name),
                settings=("timezone", "sources", "identity"),
            )
            for name in EVENTS
        ),
        step(
            table="campaign_assignments",
            reads=("identity_map", *fed_by(shop, "campaign_assignments")),
            make=lambda given: events.campaign_assignments(
                valid_rows(given, "campaign_assignments"), given.table("identity_map"), given.shop
            ),
            settings=("timezone", "sources", "identity"),
        ),
        step(
            table="costs",
            reads=fed_by(shop, "costs", "rates"),
            make=lambda given: events.costs(
                valid_rows(given, "costs"), given.shop, source_of(given, "costs"), rates(given)
            ),
            settings=("orders", "currency", "sources"),
        ),
        step(
            table="rates",
            reads=fed_by(shop, "rates"),
            make=lambda given: events.rates(given.table("valid_rates")),
        ),
    ]


def _events(given: Given, name: str) -> pl.LazyFrame:
    return events.events(name, valid_rows(given, name), given.table("identity_map"), given.shop)
