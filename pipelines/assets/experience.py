"""Experience: what customers meet with after an order, what they say of it, and what it does to the next.

Returns, refunds, satisfaction and service; the definitions stand in `models`. Every table is there for every shop, so
that a reader finds "nothing is known of this" and no gap: rows of a table that no source feeds are left out, and the
asset's check says which.
"""

from dataclasses import replace
from functools import partial

import polars as pl

from models.aftermath import aftermath
from models.refund_speed import refund_speed
from models.returns import return_rates
from models.satisfaction import satisfaction
from models.satisfaction_break_downs import satisfaction_break_downs
from models.score_behaviour import score_behaviour
from models.service import service_rates
from pipelines.assets.delivered import is_connected
from pipelines.assets.given import Given
from pipelines.assets.landing import connected_tables
from pipelines.assets.step import Keeps, Stage, Step, Verdict
from pipelines.shop import Shop

_ByDay = partial(Step, stage=Stage.RETENTION, keeps=Keeps.OTHER_DAYS)

CONNECTED = "says_what_is_connected"
"""Check that says which sources are missing; it always passes, since no shop has everything."""
_SERVICE = ("shipments", "tickets", "messages")
_AFTERMATH = ("shipments", "tickets")
_SURVEYS = ("survey_answers", "survey_invitations")


def steps(shop: Shop) -> list[Step]:
    """Returns, refunds, satisfaction, what came after it, service, what came after that."""
    return [
        _ByDay(
            table="return_rates",
            reads=("orders", "order_lines", "returns"),
            make=lambda given: return_rates(
                given.table("orders"), given.table("order_lines"), given.table("returns"), given.as_of
            ),
        ),
        _ByDay(
            table="refund_speed",
            reads=("returns",),
            make=lambda given: refund_speed(given.table("returns"), given.as_of),
        ),
        _noting(
            _SURVEYS,
            _ByDay(
                table="satisfaction",
                reads=_SURVEYS,
                make=lambda given: satisfaction(
                    given.table("survey_answers"), given.table("survey_invitations"), given.as_of
                ),
            ),
        ),
        _noting(
            _SURVEYS,
            _ByDay(
                table="satisfaction_break_downs",
                reads=(*_SURVEYS, "orders", "order_lines"),
                make=lambda given: satisfaction_break_downs(
                    given.table("survey_answers"),
                    given.table("survey_invitations"),
                    given.table("orders"),
                    given.table("order_lines"),
                    given.as_of,
                ),
            ),
        ),
        _noting(
            _SURVEYS,
            _ByDay(
                table="score_behaviour",
                reads=(*_SURVEYS, "orders"),
                make=lambda given: score_behaviour(
                    given.table("survey_answers"),
                    given.table("survey_invitations"),
                    given.table("orders"),
                    given.as_of,
                ),
            ),
        ),
        _noting(
            _SERVICE,
            _ByDay(
                table="service_rates",
                reads=("orders", *_connected(shop, _SERVICE)),
                make=lambda given: service_rates(
                    given.table("orders"),
                    given.as_of,
                    shipments=_optional(given, "shipments"),
                    tickets=_optional(given, "tickets"),
                    messages=_optional(given, "messages"),
                ),
                settings=("sources",),
            ),
        ),
        _noting(
            _AFTERMATH,
            _ByDay(
                table="aftermath",
                reads=("orders", "returns", *_connected(shop, _AFTERMATH)),
                make=lambda given: aftermath(
                    given.table("orders"),
                    given.table("returns"),
                    given.as_of,
                    shipments=_optional(given, "shipments"),
                    tickets=_optional(given, "tickets"),
                ),
                settings=("sources",),
            ),
        ),
    ]


def _connected(shop: Shop, names: tuple[str, ...]) -> tuple[str, ...]:
    connected = connected_tables(shop)
    return tuple(name for name in names if name in connected)


def _optional(given: Given, name: str) -> pl.LazyFrame | None:
    return given.table(name) if is_connected(given, name) else None


def _noting(sources: tuple[str, ...], step: Step) -> Step:
    """Make the step say which of the delivered tables it is made from no source feeds."""
    return replace(step, checks=partial(_says_what_is_missing, sources=sources), check_names=(CONNECTED,))


def _says_what_is_missing(given: Given, *, sources: tuple[str, ...]) -> list[Verdict]:
    have = _connected(given.shop, sources)
    missing = [name for name in sources if name not in have]
    says = (
        f"no source in shop.toml delivers {', '.join(missing)}: what they would tell is left out"
        if missing
        else f"every source is there: {', '.join(sources)}"
    )
    # A shop that has no help desk has done nothing wrong.
    return [Verdict(CONNECTED, True, says, is_error=False)]
