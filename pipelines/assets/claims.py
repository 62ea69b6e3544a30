"""Claims: what everybody repeats about customers, tested on the shop's own tables.

The claims and how each is tested stand in `models.claims`; the picture is drawn in `pipelines.report.figures.claims`.
"""

from collections.abc import Callable
from datetime import date

import polars as pl

from models.claims import Facts, check_claims
from pipelines.assets.fit_nights import dated, fitted_as_of
from pipelines.assets.given import Given
from pipelines.assets.landing import connected_tables
from pipelines.assets.optional_facts import EVENTS
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.shop import Shop

_OF_EVERY_SHOP = ("orders", "order_lines", "returns", "purchases", "survey_answers", "survey_invitations")
_OPTIONAL = (*EVENTS, "campaign_assignments", "costs")
_KNOWN_BY = {
    "order_lines": (),
    "purchases": ("order_day",),
    "returns": ("returned_day", "refunded_day"),
    "survey_answers": ("answered_day",),
    "survey_invitations": ("sent_day",),
    "shipments": ("shipped_day",),
    "tickets": ("opened_day",),
    "messages": ("sent_day",),
    "loyalty_ledger": ("booked_day",),
    "referrals": ("referred_day",),
    "reviews": ("written_day",),
    "mentions": ("mentioned_day",),
    "campaign_assignments": ("assigned_day",),
    "costs": ("day",),
}
"""Days by any of which a row of a fact was known; lines go with their orders."""
_OF_MODELS = ("purchase_models", "champions", "backtest", "backtest_calibration")


def steps(shop: Shop) -> list[Step]:
    """One step: every claim, tested."""
    return [
        Step(
            table="claims",
            stage=Stage.PREDICTIONS,
            keeps=Keeps.OTHER_DAYS,
            reads=(*tested_tables(shop), "model_fits"),
            make=_claims,
            settings=("predictions", "profit"),
            picture="claims",
        ),
    ]


def tested_tables(shop: Shop) -> tuple[str, ...]:
    """Tables that claims are tested on, of those that the shop's runs write."""
    connected = connected_tables(shop)
    return (*_OF_EVERY_SHOP, *(name for name in _OPTIONAL if name in connected), *_OF_MODELS)


def facts_of(shop: Shop, table: Callable[[str], pl.LazyFrame], as_of: date) -> Facts:
    """The tables that held anything on a day, and what the settings say of profit.

    A table without rows does not say whether nothing happened or nothing was told; and that rows came later was not
    known on the day.
    """
    found = {name: table(name) for name in tested_tables(shop)}
    tables = {name: frame for name, frame in found.items() if name == "orders" or _held(name, frame, as_of)}
    said = {name: value for name, value in shop.profit.model_dump().items() if value is not None}
    return Facts(tables, {"annual_discount": shop.predictions.annual_discount, **said})


def _held(name: str, frame: pl.LazyFrame, as_of: date) -> bool:
    if days := _KNOWN_BY.get(name):
        frame = frame.filter(pl.any_horizontal(pl.col(day) <= as_of for day in days))
    return not frame.head(1).collect().is_empty()


def _claims(given: Given) -> pl.LazyFrame:
    """Test them on fit nights, and carry them over on others: they move slowly and take passes over all orders."""
    day = fitted_as_of(given)
    if day is not None and day != given.as_of:
        earlier = given.lake.scan("claims", as_of=day).collect()
        if not earlier.is_empty():
            return dated(earlier, given)
    return check_claims(facts_of(given.shop, given.table, given.as_of), given.as_of).lazy()
