"""Which facts of a shop are shown to models: the tables it has, as they stood at the end of the run's day.

Hiding what came later is done in `models.known`.
"""

from collections.abc import Callable, Collection
from typing import cast

import polars as pl

from models.features import COLUMNS, Tables
from models.known import Known, known_at
from pipelines.assets.given import Given
from pipelines.assets.landing import connected_tables
from pipelines.shop import Shop

_OF_EVERY_SHOP = ("orders", "order_lines", "returns", "survey_answers", "survey_invitations")


def feature_tables(shop: Shop) -> tuple[str, ...]:
    """Tables that features may be made of, of those that the shop's runs write."""
    connected = connected_tables(shop)
    return tuple(name for name in COLUMNS if name in _OF_EVERY_SHOP or name in connected)


def with_rows(names: Collection[str], table: Callable[[str], pl.LazyFrame]) -> Tables:
    """The tables of these that hold anything: of a table without rows nothing can be learnt, not even a zero."""
    found = {name: table(name) for name in names}
    return cast(
        Tables,
        {
            name: frame
            for name, frame in found.items()
            if name == "orders" or not frame.head(1).collect().is_empty()
        },
    )


def known_now(given: Given) -> Known:
    """The shop as it was known at the end of the run's day."""
    tables = with_rows(feature_tables(given.shop), given.table)
    known = known_at(given.as_of, **tables)
    return Known(given.as_of, given.table("purchases"), known.tables)
