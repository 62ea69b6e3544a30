"""Revenue: the monthly series under both dating rules, the bridge to a shop platform's numbers, loyalty tiers.

The definitions stand in `models`; amounts are exact, and what the data cannot tell is null with a note.
"""

from functools import partial

import polars as pl

from models.bridge import revenue_bridge
from models.repeat_bridge import repeat_bridge
from models.revenue import revenue
from models.tiers import loyalty_tiers
from pipelines.assets.given import Given
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.shop import Shop

_Newest = partial(Step, stage=Stage.RETENTION, keeps=Keeps.NEWEST_DAY)
_ByDay = partial(Step, stage=Stage.RETENTION, keeps=Keeps.OTHER_DAYS)


def steps(_: Shop) -> list[Step]:
    """Series, bridge, tiers."""
    return [
        _ByDay(
            table="revenue",
            reads=("orders", "returns"),
            make=lambda given: revenue(given.table("orders"), given.table("returns"), given.as_of),
        ),
        _ByDay(
            table="revenue_bridge",
            reads=("purchases", "orders", "order_lines", "returns"),
            make=_bridge,
        ),
        _Newest(
            table="loyalty_tiers",
            reads=("purchases",),
            make=_tiers,
            settings=("tiers",),
        ),
    ]


def _bridge(given: Given) -> pl.LazyFrame:
    orders, returns = given.table("orders"), given.table("returns")
    return pl.concat(
        [
            revenue_bridge(orders, given.table("order_lines"), returns, given.as_of),
            repeat_bridge(given.table("purchases"), orders, returns, given.as_of),
        ]
    )


def _tiers(given: Given) -> pl.LazyFrame:
    rules = given.shop.tiers
    return loyalty_tiers(
        given.table("purchases"),
        given.as_of,
        basis=rules.basis,
        levels=rules.levels,
        window_days=rules.window_days,
    )
