"""Retention: purchases as known on the day, the customer summary, and every measure of coming back.

The definitions stand in `models`; null cells are cells that nobody can know yet.
"""

from functools import partial

from models.cohorts import cohort_retention
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
    ]
