"""Retention: purchases as known on the day, the customer summary, and every measure of coming back.

The definitions stand in `models`; null cells are cells that nobody can know yet.
"""

from functools import partial

from models.cohorts import cohort_retention
from models.latency import latency_quantiles, purchase_latency
from models.repeat_purchase import repeat_purchase
from models.returns import return_rates
from models.satisfaction import satisfaction
from models.summary import customer_summary, purchases_at
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
            reads=("purchases",),
            make=lambda given: cohort_retention(given.table("purchases"), given.as_of),
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
        _ByDay(
            table="return_rates",
            reads=("orders", "order_lines", "returns"),
            make=lambda given: return_rates(
                given.table("orders"), given.table("order_lines"), given.table("returns"), given.as_of
            ),
        ),
        _ByDay(
            table="satisfaction",
            reads=("survey_answers", "survey_invitations"),
            make=lambda given: satisfaction(
                given.table("survey_answers"), given.table("survey_invitations"), given.as_of
            ),
        ),
    ]
