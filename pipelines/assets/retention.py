"""Retention: purchases as known on the day, the customer summary, and every measure of coming back.

The definitions stand in `models`; null cells are cells that nobody can know yet.
"""

from functools import partial

import polars as pl

from models.cohorts import cohort_retention
from models.first_orders import ATTRIBUTES, GOODS, first_order_attributes, first_order_goods, first_orders
from models.latency import latency_quantiles, purchase_latency
from models.periods import PERIOD_UNITS
from models.repeat_purchase import repeat_purchase
from models.summary import customer_summary, purchases_at
from pipelines.assets.given import Given
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.shop import Shop

_Newest = partial(Step, stage=Stage.RETENTION, keeps=Keeps.NEWEST_DAY)
_ByDay = partial(Step, stage=Stage.RETENTION, keeps=Keeps.OTHER_DAYS)


def steps(_: Shop) -> list[Step]:
    """Purchases, summary, measures."""
    return [
        _Newest(
            table="purchases",
            reads=("orders", "returns"),
            make=lambda given: purchases_at(given.table("orders"), given.table("returns"), given.as_of),
        ),
        _Newest(
            table="customer_summary",
            reads=("purchases",),
            make=lambda given: customer_summary(given.table("purchases"), given.as_of),
        ),
        _ByDay(
            table="cohort_retention",
            reads=("purchases", "orders", "order_lines", "returns", "survey_answers"),
            make=_cohorts,
            picture="cohort_heat_map",
        ),
        _ByDay(
            table="repeat_purchase",
            reads=("purchases",),
            make=lambda given: repeat_purchase(given.table("purchases"), given.as_of),
        ),
        _ByDay(
            table="purchase_latency",
            reads=("purchases",),
            make=lambda given: purchase_latency(given.table("purchases"), given.as_of),
        ),
        _ByDay(
            table="latency_quantiles",
            reads=("purchase_latency",),
            make=lambda given: latency_quantiles(given.table("purchase_latency")),
        ),
    ]


def _cohorts(given: Given) -> pl.LazyFrame:
    """Cohorts of everybody by every period unit, and by month for every attribute of the first order."""
    purchases, returns = given.table("purchases"), given.table("returns")
    # Few columns and one row a customer: kept, since each break-down asks for it.
    firsts = first_orders(given.table("orders"), given.as_of).collect(engine="streaming").lazy()
    attributes = first_order_attributes(firsts, returns, given.table("survey_answers"), given.as_of)
    goods = first_order_goods(firsts, given.table("order_lines"))
    everybody = [cohort_retention(purchases, given.as_of, period_unit=unit) for unit in PERIOD_UNITS]
    broken_down = [
        cohort_retention(purchases, given.as_of, first_order_attributes=known, break_downs=names)
        for known, names in ((attributes, ATTRIBUTES), (goods, GOODS))
    ]
    return pl.concat([*everybody, *(rows.filter(_BREAKS_DOWN) for rows in broken_down)])


_BREAKS_DOWN = (pl.col("break_down") != "all") & (
    # One value for everybody is an attribute that is not delivered, or none that tells anything.
    pl.col("break_down_value").n_unique().over("break_down") > 1
)
