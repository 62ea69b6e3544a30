"""Segments: lifecycle stages with every movement between them, RFM scores, and the profile that lists ask.

Definitions stand in `models.lifecycle` and `models.rfm`; who may be written to is decided in `lists`.
"""

from functools import partial

import polars as pl

from models.lifecycle import customer_stages
from models.rfm import rfm, rfm_cuts
from models.stage_cuts import stage_cuts
from models.stage_transitions import stage_transitions
from pipelines.assets.bought_next import FACTS, goods_of_customers, next_products_of_customers
from pipelines.assets.delivered import is_connected
from pipelines.assets.given import Given
from pipelines.assets.landing import connected_tables
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.delivery.profile import customer_profile, segment_members, without_objectors
from pipelines.shop import Shop

_Newest = partial(Step, stage=Stage.SEGMENTS, keeps=Keeps.NEWEST_DAY)
_ByDay = partial(Step, stage=Stage.SEGMENTS, keeps=Keeps.OTHER_DAYS)
_WHERE_CONNECTED = ("shipments", "tickets")


def steps(shop: Shop) -> list[Step]:
    """Stages, scores, profile and segments."""
    return [
        _Newest(
            table="stage_cuts",
            reads=("purchases",),
            make=lambda given: stage_cuts(given.table("purchases"), given.as_of),
        ),
        _Newest(
            table="customer_stages",
            reads=("purchases", "stage_cuts"),
            make=lambda given: customer_stages(
                given.table("purchases"), given.table("stage_cuts"), given.as_of
            ),
        ),
        _Newest(
            table="stage_transitions",
            reads=("customer_stages",),
            make=lambda given: stage_transitions(given.table("customer_stages"), given.as_of),
            picture="stage_movements",
        ),
        _ByDay(
            table="rfm",
            reads=("purchases", "suppressions"),
            make=_rfm,
            picture="rfm_segments",
        ),
        _ByDay(
            table="rfm_cuts",
            reads=("rfm",),
            make=lambda given: _dated(rfm_cuts(given.table("rfm").drop("as_of")), given),
        ),
        _ByDay(
            table="customer_profile",
            reads=(
                "purchases",
                "customer_summary",
                *FACTS,
                "bought_next",
                "customer_stages",
                "rfm",
                "loyalty_tiers",
                "customer_predictions",
                "survey_answers",
                "suppressions",
                *(name for name in _WHERE_CONNECTED if name in connected_tables(shop)),
            ),
            make=_profile,
        ),
        _ByDay(
            table="segment_members",
            reads=("customer_profile",),
            make=lambda given: segment_members(given.table("customer_profile")),
        ),
    ]


def _dated(frame: pl.LazyFrame, given: Given) -> pl.LazyFrame:
    return frame.with_columns(pl.lit(given.as_of).alias("as_of"))


def _rfm(given: Given) -> pl.LazyFrame:
    scores = rfm(given.table("purchases"), given.as_of)
    return _dated(without_objectors(scores, given.table("suppressions")), given)


def _profile(given: Given) -> pl.LazyFrame:
    return customer_profile(
        purchases=given.table("purchases"),
        orders=given.table("orders"),
        returns=given.table("returns"),
        stages=given.table("customer_stages"),
        scores=given.table("rfm"),
        tiers=given.table("loyalty_tiers"),
        predictions=given.table("customer_predictions"),
        answers=given.table("survey_answers"),
        suppressions=given.table("suppressions"),
        goods=goods_of_customers(given),
        next_products=next_products_of_customers(given),
        as_of=given.as_of,
        **{name: given.table(name) for name in _WHERE_CONNECTED if is_connected(given, name)},
    )
