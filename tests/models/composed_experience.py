"""Tiny random shops with surveys, parcels and tickets for property tests. All data here is composed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl
from hypothesis import strategies as st

from models.features import Tables
from models.survey_scores import SCALES
from tests.models.shops import INSTANT, OPENED, Shop, shops

Row = dict[str, Any]

ANSWERS = {
    "survey_id": pl.String,
    "customer_key": pl.String,
    "order_id": pl.String,
    "kind": pl.String,
    "score": pl.Int64,
    "comment": pl.String,
    "answered_at": INSTANT,
    "answered_day": pl.Date,
}
INVITATIONS = {
    "survey_id": pl.String,
    "customer_key": pl.String,
    "order_id": pl.String,
    "kind": pl.String,
    "sent_at": INSTANT,
    "sent_day": pl.Date,
}
SHIPMENTS = {
    "shipment_id": pl.String,
    "order_id": pl.String,
    "promised_day": pl.Date,
    "delivered_day": pl.Date,
    "is_late": pl.Boolean,
    "carrier": pl.String,
}
TICKETS = {
    "ticket_id": pl.String,
    "customer_key": pl.String,
    "order_id": pl.String,
    "topic": pl.String,
    "is_wismo": pl.Boolean,
    "is_open": pl.Boolean,
    "opened_day": pl.Date,
    "closed_day": pl.Date,
}
MESSAGES = {
    "message_id": pl.String,
    "customer_key": pl.String,
    "channel": pl.String,
    "kind": pl.String,
    "sent_day": pl.Date,
}


@dataclass(frozen=True)
class Experience:
    """A shop's facts and what its customers met with, as rows."""

    shop: Shop = field(default_factory=Shop)
    answer_rows: tuple[Row, ...] = ()
    invitation_rows: tuple[Row, ...] = ()
    shipment_rows: tuple[Row, ...] = ()
    ticket_rows: tuple[Row, ...] = ()
    message_rows: tuple[Row, ...] = ()

    @property
    def answers(self) -> pl.LazyFrame:
        return pl.LazyFrame(list(self.answer_rows), schema=ANSWERS)

    @property
    def invitations(self) -> pl.LazyFrame:
        return pl.LazyFrame(list(self.invitation_rows), schema=INVITATIONS)

    @property
    def shipments(self) -> pl.LazyFrame:
        return pl.LazyFrame(list(self.shipment_rows), schema=SHIPMENTS)

    @property
    def tickets(self) -> pl.LazyFrame:
        return pl.LazyFrame(list(self.ticket_rows), schema=TICKETS)

    @property
    def messages(self) -> pl.LazyFrame:
        return pl.LazyFrame(list(self.message_rows), schema=MESSAGES)

    @property
    def tables(self) -> Tables:
        """The facts that features are made of."""
        return Tables(
            orders=self.shop.orders,
            order_lines=self.shop.order_lines,
            returns=self.shop.returns,
            survey_answers=self.answers,
            survey_invitations=self.invitations,
            shipments=self.shipments,
            tickets=self.tickets,
        )

    def known_by(self, as_of: date) -> Experience:
        """What could have been known at the end of `as_of`."""
        returns = tuple(
            row | {"refunded_day": _until(row["refunded_day"], as_of)}
            for row in self.shop.return_rows
            if _until(row["returned_day"] or row["refunded_day"], as_of)
        )
        return replace(
            self,
            shop=replace(self.shop.known_by(as_of), return_rows=returns),
            answer_rows=_up_to(self.answer_rows, "answered_day", as_of),
            invitation_rows=_up_to(self.invitation_rows, "sent_day", as_of),
            shipment_rows=tuple(
                row if _until(row["delivered_day"], as_of) else row | {"delivered_day": None, "is_late": None}
                for row in self.shipment_rows
            ),
            ticket_rows=tuple(
                row
                if row["closed_day"] is None or row["closed_day"] <= as_of
                else row | {"closed_day": None, "is_open": True}
                for row in _up_to(self.ticket_rows, "opened_day", as_of)
            ),
            message_rows=_up_to(self.message_rows, "sent_day", as_of),
        )


def _until(day: date | None, as_of: date) -> date | None:
    return day if day is not None and day <= as_of else None


def _up_to(rows: tuple[Row, ...], day: str, as_of: date) -> tuple[Row, ...]:
    return tuple(row for row in rows if row[day] <= as_of)


@st.composite
def experiences(draw: st.DrawFn, *, days: int = 200, max_orders: int = 10) -> Experience:
    """Shops of a few customers who are asked, get parcels and write to the shop."""
    shop = draw(shops(customers=4, days=days, max_orders=max_orders))
    orders = [*shop.order_rows, None]
    answers: list[Row] = []
    invitations: list[Row] = []
    for number in range(draw(st.integers(0, 8))):
        _survey(draw, number, draw(st.sampled_from(orders)), days, answers, invitations)
    return Experience(
        shop=shop,
        answer_rows=tuple(answers),
        invitation_rows=tuple(invitations),
        shipment_rows=tuple(_shipment(draw, n, row) for n, row in enumerate(_some(draw, shop))),
        ticket_rows=tuple(
            _ticket(draw, n, draw(st.sampled_from(orders))) for n in range(draw(st.integers(0, 4)))
        ),
        message_rows=tuple(_message(draw, n, days) for n in range(draw(st.integers(0, 5)))),
    )


def _some(draw: st.DrawFn, shop: Shop) -> list[Row]:
    return draw(st.lists(st.sampled_from(shop.order_rows), max_size=10)) if shop.order_rows else []


def _survey(
    draw: st.DrawFn, number: int, order: Row | None, days: int, answers: list[Row], invitations: list[Row]
) -> None:
    sent = (OPENED if order is None else order["order_day"]) + timedelta(draw(st.integers(0, days // 3)))
    same = {
        "survey_id": f"s{number}",
        "customer_key": draw(st.sampled_from(["c0", "c1", "c2", None])),
        "kind": draw(st.sampled_from([*SCALES])),
        "order_id": None if order is None else order["order_id"],
    }
    is_invited = draw(st.sampled_from([True, True, True, False]))
    if is_invited:
        invitations.append(same | {"sent_day": sent})
    if draw(st.booleans()) or not is_invited:
        day = sent + timedelta(draw(st.integers(0, 40)))
        told = {"score": draw(st.integers(1, 5)), "answered_day": day}
        answers.append(same | told | {"answered_at": datetime.combine(day, time(9), UTC)})


def _shipment(draw: st.DrawFn, number: int, order: Row) -> Row:
    promised = draw(st.sampled_from([None, 2, 4]))
    delivered = draw(st.sampled_from([None, 1, 3, 5, 40]))
    days = [None if wait is None else order["order_day"] + timedelta(wait) for wait in (promised, delivered)]
    return {
        "shipment_id": f"p{number}",
        "order_id": order["order_id"],
        "promised_day": days[0],
        "delivered_day": days[1],
        "is_late": None if promised is None or delivered is None else delivered > promised,
        "carrier": draw(st.sampled_from(["van", "bike", None])),
    }


def _ticket(draw: st.DrawFn, number: int, order: Row | None) -> Row:
    opened = (OPENED if order is None else order["order_day"]) + timedelta(draw(st.integers(0, 45)))
    wait = draw(st.one_of(st.none(), st.integers(0, 20)))
    topic = draw(st.sampled_from(["wismo", "refund", None]))
    return {
        "ticket_id": f"t{number}",
        "customer_key": None if order is None else order["customer_key"],
        "order_id": None if order is None else order["order_id"],
        "topic": topic,
        "is_wismo": None if topic is None else topic == "wismo",
        "is_open": wait is None,
        "opened_day": opened,
        "closed_day": None if wait is None else opened + timedelta(wait),
    }


def _message(draw: st.DrawFn, number: int, days: int) -> Row:
    return {
        "message_id": f"m{number}",
        "customer_key": draw(st.sampled_from(["c0", "c1", None])),
        "channel": draw(st.sampled_from(["email", "sms"])),
        "kind": draw(st.sampled_from(["marketing", "marketing", "transactional"])),
        "sent_day": OPENED + timedelta(draw(st.integers(0, days))),
    }
