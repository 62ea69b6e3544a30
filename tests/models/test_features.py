"""Features: against plain recomputation customer by customer, and as known at as_of. All shops are composed."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import fmean, stdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.features import features
from models.survey_scores import SCALES
from tests.models.composed_experience import Experience, Row, experiences
from tests.models.shops import OPENED, Shop, as_of_days

FEW = settings(max_examples=30, deadline=None)


def _by_customer(shop: Experience, as_of: date) -> dict[str, dict[str, Any]]:
    table = features(as_of, **shop.tables).collect()
    rows = {row.pop("customer_key"): row for row in table.to_dicts()}
    assert len(rows) == table.height
    return rows


def _known_on(row: Row) -> date:
    return row["returned_day"] or row["refunded_day"] or date.max


def _slow(shop: Experience, as_of: date) -> dict[str, dict[str, Any]]:
    """The same by loops over rows."""
    own: dict[str, list[Row]] = defaultdict(list)
    for order in shop.shop.order_rows:
        if order["is_valid"] and order["customer_key"] is not None and order["order_day"] <= as_of:
            own[order["customer_key"]].append(order)
    return {
        key: _slow_orders(shop.shop, orders, as_of)
        | _slow_lines(shop.shop, orders)
        | _slow_returns(shop.shop, orders, as_of)
        | _slow_surveys(shop, key, as_of)
        | _slow_parcels(shop, orders, as_of)
        | _slow_tickets(shop, key, as_of)
        for key, orders in own.items()
    }


def _slow_orders(shop: Shop, orders: list[Row], as_of: date) -> dict[str, Any]:
    net: dict[date, Decimal] = defaultdict(Decimal)
    for order in orders:
        net[order["order_day"]] += order["gross"] - order["discount"]
        for row in shop.return_rows:
            known = row["refunded_day"] or row["returned_day"] or date.max
            is_refund = row["kind"] == "merchandise" and row["outcome"] != "exchange"
            if row["order_id"] == order["order_id"] and is_refund and known <= as_of:
                net[order["order_day"]] -= row["amount"]
    days = sorted(net)
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    since = (as_of - days[-1]).days
    total = float(sum(net.values()))
    gross, discount = (float(sum(order[name] for order in orders)) for name in ("gross", "discount"))

    def first_name(column: str, day: date) -> str | None:
        return min((o[column] for o in orders if o["order_day"] == day and o[column]), default=None)

    def circle(day: date) -> tuple[float, float]:
        angle = 2 * math.pi * day.timetuple().tm_yday / 365.25
        return math.sin(angle), math.cos(angle)

    return {
        "days_since_last_order": since,
        "T": (as_of - days[0]).days,
        "order_days": len(days),
        "orders": len(orders),
        "order_days_90d": sum(day > as_of - timedelta(90) for day in days),
        "order_days_365d": sum(day > as_of - timedelta(365) for day in days),
        "gap_mean": fmean(gaps) if gaps else None,
        "gap_last": gaps[-1] if gaps else None,
        "gap_sd": stdev(gaps) if len(gaps) > 1 else None,
        "recency_over_gap": since / fmean(gaps) if gaps else None,
        "historic_net": total,
        "net_365d": float(sum(net[day] for day in days if day > as_of - timedelta(365))),
        "net_mean": total / len(orders),
        "net_last_day": float(net[days[-1]]),
        "discount_share": discount / gross,
        "discounted_order_share": fmean(order["discount"] > 0 for order in orders),
        **{
            f"{column}_{which}_order": first_name(column, day)
            for column in ("channel", "country")
            for which, day in (("first", days[0]), ("last", days[-1]))
        },
        "as_of_season_sin": circle(as_of)[0],
        "as_of_season_cos": circle(as_of)[1],
        "last_order_season_sin": circle(days[-1])[0],
        "last_order_season_cos": circle(days[-1])[1],
    }


def _slow_lines(shop: Shop, orders: list[Row]) -> dict[str, Any]:
    ids = {order["order_id"] for order in orders}
    lines = [row for row in shop.line_rows if row["order_id"] in ids and row["kind"] == "merchandise"]
    value: dict[str, Decimal] = defaultdict(Decimal)
    for row in lines:
        if row["category"]:
            value[row["category"]] += row["net"]
    return {
        "products": len({row["product_id"] for row in lines}) if lines else None,
        "categories": len(value) or None,
        "main_category": min(value, key=lambda name: (-value[name], name), default=None),
    }


def _slow_returns(shop: Shop, orders: list[Row], as_of: date) -> dict[str, Any]:
    ids = {order["order_id"] for order in orders}
    sold = float(sum(order["gross"] - order["discount"] for order in orders))
    back = [
        row
        for row in shop.return_rows
        if row["order_id"] in ids and row["kind"] == "merchandise" and _known_on(row) <= as_of
    ]

    def share(*reasons: str | None) -> float:
        return float(sum(row["amount"] for row in back if row["reason"] in reasons)) / sold

    return {
        "returned_share": share("too small", "broken", None),
        "returned_share_fault": share("broken"),
        "returned_share_other": share("too small"),
        "days_since_last_return": (as_of - max(map(_known_on, back))).days if back else None,
    }


def _slow_surveys(shop: Experience, key: str, as_of: date) -> dict[str, Any]:
    answers = [row for row in shop.answer_rows if row["customer_key"] == key and row["answered_day"] <= as_of]
    made: dict[str, Any] = {}
    for kind in ("nps", "csat"):
        own = [
            row
            for row in answers
            if row["kind"] == kind and SCALES[kind][0] <= row["score"] <= SCALES[kind][1]
        ]
        last = max(own, key=lambda row: (row["answered_at"], row["survey_id"]), default=None)
        made[f"{kind}_last"] = last and last["score"]
        made[f"{kind}_age_days"] = last and (as_of - last["answered_day"]).days
    sent = [row for row in shop.invitation_rows if row["customer_key"] == key and row["sent_day"] <= as_of]
    answered = {(row["survey_id"], row["kind"]) for row in answers}
    made["invitations"] = len(sent)
    made["invitations_unanswered"] = sum((row["survey_id"], row["kind"]) not in answered for row in sent)
    return made


def _slow_parcels(shop: Experience, orders: list[Row], as_of: date) -> dict[str, Any]:
    ids = {order["order_id"] for order in orders}
    own = [
        row
        for row in shop.shipment_rows
        if row["order_id"] in ids and row["is_late"] is not None and row["delivered_day"] <= as_of
    ]
    last = max((row["delivered_day"] for row in own), default=None)
    return {
        "parcels": len(own) or None,
        "late_parcels": sum(row["is_late"] for row in own) if own else None,
        "last_parcel_late": float(any(r["is_late"] for r in own if r["delivered_day"] == last))
        if own
        else None,
    }


def _slow_tickets(shop: Experience, key: str, as_of: date) -> dict[str, Any]:
    own = [row for row in shop.ticket_rows if row["customer_key"] == key and row["opened_day"] <= as_of]
    return {
        "tickets": len(own),
        "wismo_tickets": sum(bool(row["is_wismo"]) for row in own),
        "open_tickets": sum(row["closed_day"] is None or row["closed_day"] > as_of for row in own),
    }


@FEW
@given(experiences(), as_of_days(240))
def test_features_equal_the_recomputation_customer_by_customer(shop: Experience, as_of: date) -> None:
    found, expected = _by_customer(shop, as_of), _slow(shop, as_of)
    assert found.keys() == expected.keys()
    for key, row in expected.items():
        assert found[key].keys() == row.keys()
        for name, value in row.items():
            wanted = pytest.approx(value, abs=1e-9) if isinstance(value, int | float) else value
            assert found[key][name] == wanted, (key, name)


def _altered(shop: Experience, as_of: date, later: int) -> Experience:
    """The same past, another future: what is dated after as_of is gone, or later and different."""

    def rows(old: tuple[Row, ...], day: str, **other: Any) -> tuple[Row, ...]:
        moved = [
            row if row[day] <= as_of else row | other | {day: row[day] + timedelta(later)} for row in old
        ]
        return tuple(row for row in moved if later or row[day] <= as_of)

    returns = tuple(
        row
        | {
            day: row[day] + timedelta(later) if row[day] and row[day] > as_of else row[day]
            for day in ("returned_day", "refunded_day")
        }
        for row in shop.shop.return_rows
    )
    orders = rows(shop.shop.order_rows, "order_day", gross=Decimal(12345), channel="moon", country="XX")
    unborn = {row["order_id"] for row in shop.shop.order_rows if row["order_day"] > as_of}
    lines = tuple(
        row | ({"category": "moon", "net": Decimal(9)} if row["order_id"] in unborn else {})
        for row in shop.shop.line_rows
    )
    return replace(
        shop,
        shop=Shop(orders, lines, returns),
        answer_rows=rows(shop.answer_rows, "answered_day", score=1),
        invitation_rows=rows(shop.invitation_rows, "sent_day"),
        shipment_rows=tuple(
            row
            if row["delivered_day"] is None or row["delivered_day"] <= as_of
            else row | {"delivered_day": None, "is_late": None}
            for row in shop.shipment_rows
        ),
        ticket_rows=tuple(
            row
            if row["closed_day"] is None or row["closed_day"] <= as_of
            else row | {"closed_day": None, "is_open": True}
            for row in rows(shop.ticket_rows, "opened_day", is_wismo=True)
        ),
    )


@FEW
@given(experiences(), as_of_days(240), st.integers(0, 30))
def test_another_future_leaves_every_feature_as_it_is(shop: Experience, as_of: date, later: int) -> None:
    other = _altered(shop, as_of, later)
    assert_frame_equal(
        features(as_of, **shop.tables),
        features(as_of, **other.tables),
        check_row_order=False,
        check_exact=True,
    )


@FEW
@given(experiences(), as_of_days(240), st.integers(0, 2**32))
def test_the_order_of_rows_changes_nothing(shop: Experience, as_of: date, seed: int) -> None:
    tables: dict[str, Any] = dict(shop.tables)
    shuffled = {
        name: table.collect().sample(fraction=1, shuffle=True, seed=seed).lazy()
        for name, table in tables.items()
    }
    assert_frame_equal(
        features(as_of, **shop.tables), features(as_of, **shuffled), check_row_order=False, check_exact=True
    )


OF_TABLE = {
    "order_lines": {"products", "categories", "main_category"},
    "returns": {"returned_share", "returned_share_fault", "returned_share_other", "days_since_last_return"},
    "survey_answers": {"nps_last", "csat_last", "nps_age_days", "csat_age_days", "invitations_unanswered"},
    "survey_invitations": {"invitations", "invitations_unanswered"},
    "shipments": {"parcels", "late_parcels", "last_parcel_late"},
    "tickets": {"tickets", "wismo_tickets", "open_tickets"},
}


@pytest.mark.parametrize("missing", OF_TABLE)
def test_a_missing_table_leaves_its_columns_out_and_no_others(missing: str) -> None:
    tables = Experience().tables
    without: dict[str, Any] = dict(tables) | {missing: None}
    all_names = set(features(OPENED, **tables).collect_schema())
    names = set(features(OPENED, **without).collect_schema())
    assert all_names - names == OF_TABLE[missing]
    assert names < all_names


def test_orders_alone_give_features_and_net_before_returns() -> None:
    order = {"order_id": "a", "customer_key": "c", "order_day": OPENED, "is_valid": True}
    shop = Shop(({**order, "gross": Decimal(50), "discount": Decimal(10)},))
    row = features(OPENED, orders=shop.orders).collect().row(0, named=True)
    assert (row["historic_net"], row["discount_share"], row["gap_mean"], row["channel_last_order"]) == (
        40.0,
        0.2,
        None,
        None,
    )


def test_an_empty_shop_has_no_rows_and_the_same_columns() -> None:
    empty, shop = (
        Experience(),
        Experience(
            shop=Shop(
                (
                    {
                        "order_id": "a",
                        "customer_key": "c",
                        "order_day": OPENED,
                        "is_valid": True,
                        "gross": Decimal(5),
                        "discount": Decimal(0),
                    },
                )
            )
        ),
    )
    none = features(OPENED, **empty.tables).collect()
    assert none.is_empty()
    assert none.schema == features(OPENED, **shop.tables).collect().schema


def test_the_season_is_a_circle() -> None:
    def place(day: date) -> tuple[float, float]:
        order = {"order_id": "a", "customer_key": "c", "order_day": day, "is_valid": True}
        shop = Shop(({**order, "gross": Decimal(5), "discount": Decimal(0)},))
        row = features(day, orders=shop.orders).collect().row(0, named=True)
        return row["as_of_season_sin"], row["last_order_season_cos"]

    assert place(date(2023, 12, 31)) == pytest.approx(place(date(2024, 1, 1)), abs=0.03)
    assert place(date(2024, 6, 30)) != pytest.approx(place(date(2024, 1, 1)), abs=0.5)


def test_the_main_category_is_the_one_with_the_highest_value_and_ties_go_by_the_alphabet() -> None:
    order = {"customer_key": "c", "order_day": OPENED, "is_valid": True, "discount": Decimal(0)}
    orders = tuple({**order, "order_id": name, "gross": Decimal(30)} for name in ("a", "b"))

    def main(*lines: tuple[str, str | None, int]) -> tuple[object, ...]:
        rows = tuple(
            {"order_id": o, "category": c, "net": Decimal(n), "product_id": "p", "kind": "merchandise"}
            for o, c, n in lines
        )
        shop = Shop(orders, rows)
        table = features(OPENED, orders=shop.orders, order_lines=shop.order_lines)
        return table.select("products", "categories", "main_category").collect().row(0)

    assert main(("a", "home", 10), ("b", "home", 15), ("b", "garden", 20)) == (1.0, 2.0, "home")
    assert main(("a", "home", 10), ("b", "garden", 10)) == (1.0, 2.0, "garden")
    assert main(("a", None, 10)) == (1.0, None, None)
