"""What events do to the next order against a plain recomputation, a known effect, and as known at as_of."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from math import sqrt
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from models.aftermath import NO_OVERLAP, aftermath
from models.intervals import normal_quantile, wilson
from models.order_events import EVENTS
from models.refund_speed import LEGAL_DAYS
from models.standardised import AT_LEAST, EARLIER_BANDS, standardised_difference
from tests.models.composed_experience import SHIPMENTS, TICKETS, Experience, experiences
from tests.models.shops import OPENED, ORDERS, RETURNS, as_of_days

FEW = settings(max_examples=30, deadline=None)
LANDMARK, HORIZON = 10, 60
Row = dict[str, Any]


def _table(found: Experience, as_of: date) -> pl.DataFrame:
    return aftermath(
        found.shop.orders,
        found.shop.returns,
        as_of,
        shipments=found.shipments,
        tickets=found.tickets,
        horizons=(HORIZON,),
        landmark_days=LANDMARK,
    ).collect()


def _order_days(found: Experience, as_of: date) -> dict[tuple[str, date], set[str]]:
    days: dict[tuple[str, date], set[str]] = defaultdict(set)
    for row in found.shop.order_rows:
        if row["is_valid"] and row["customer_key"] and row["order_day"] <= as_of:
            days[row["customer_key"], row["order_day"]].add(row["order_id"])
    return days


def _known(found: Experience, ids: set[str], landmark: date) -> dict[str, bool | None]:
    """By event: did it strike, did it not, or is that unknown."""
    parcels = [
        row["is_late"]
        for row in found.shipment_rows
        if row["order_id"] in ids and row["is_late"] is not None and row["delivered_day"] <= landmark
    ]
    tickets = [row for row in found.ticket_rows if row["order_id"] in ids and row["opened_day"] <= landmark]
    goods = [row for row in found.shop.return_rows if row["order_id"] in ids and row["kind"] == "merchandise"]
    back = [row for row in goods if (row["returned_day"] or row["refunded_day"] or date.max) <= landmark]
    wismo, bad = any(row["is_wismo"] for row in tickets), any(row["reason"] == "broken" for row in back)
    slow: list[bool] = []
    for row in goods:
        if row["returned_day"] is None or row["outcome"] not in (None, "refund"):
            continue
        limit = row["returned_day"] + timedelta(LEGAL_DAYS)
        paid = None if row["refunded_day"] is None else max(row["refunded_day"], row["returned_day"])
        if paid is not None and paid <= limit:
            slow += [False] if paid <= landmark else []
        elif limit < landmark:
            slow.append(True)
    return {
        "late_parcel": any(parcels) if parcels else None,
        "ticket": bool(tickets),
        "wismo_ticket": True if wismo else (None if tickets else False),
        "return": bool(back),
        "bad_return": True if bad else (None if back else False),
        "slow_refund": any(slow) if slow else None,
    }


def _slow(found: Experience, as_of: date) -> dict[str, list[tuple[bool, bool]]]:
    """By event: (struck, ordered again) of every order day whose horizon is over."""
    days = _order_days(found, as_of)
    rows: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for (customer, day), ids in days.items():
        if day + timedelta(HORIZON) > as_of:
            continue
        waits = [(other - day).days for who, other in days if who == customer]
        again = any(LANDMARK < wait <= HORIZON for wait in waits)
        for name, struck in _known(found, ids, day + timedelta(LANDMARK)).items():
            if struck is not None:
                rows[name].append((struck, again))
    return rows


@FEW
@given(experiences(), as_of_days(300))
def test_rates_equal_the_recomputation_order_by_order(found: Experience, as_of: date) -> None:
    table = {row["event"]: row for row in _table(found, as_of).to_dicts()}
    expected = {name: rows for name, rows in _slow(found, as_of).items() if any(struck for struck, _ in rows)}
    if not any(row["refunded_day"] for row in found.shop.return_rows):
        expected.pop("slow_refund", None)
    # Where no refund was quick, nothing tells slow ones from a source that is silent.
    assert table.keys() | {"slow_refund"} == expected.keys() | {"slow_refund"}
    for name, row in table.items():
        for side, is_struck in (("with", True), ("without", False)):
            again = [did for struck, did in expected[name] if struck == is_struck]
            assert (row[f"{side}_n"], row[f"{side}_count"]) == (len(again), sum(again))
            if again:
                bounds = wilson(sum(again), len(again))
                assert (row[f"{side}_low"], row[f"{side}_high"]) == pytest.approx(bounds)
        assert row["is_small"]


@FEW
@given(experiences(), as_of_days(300))
def test_later_facts_change_nothing(found: Experience, as_of: date) -> None:
    assert_frame_equal(_table(found, as_of), _table(found.known_by(as_of), as_of), check_exact=True)


def _composed(people: int, seed: int, effect: float) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Composed: web customers get late parcels and come back more often; a late parcel takes `effect` from that."""
    rng = np.random.default_rng(seed)
    is_web = rng.random(people) < 0.5
    late = rng.random(people) < np.where(is_web, 0.4, 0.1)
    again = rng.random(people) < np.where(is_web, 0.6, 0.3) - effect * late
    orders, parcels = [], []
    for n in range(people):
        same = {"customer_key": f"k{n}", "is_valid": True, "channel": "web" if is_web[n] else "store"}
        orders.append(same | {"order_id": f"o{n}", "order_day": OPENED})
        if again[n]:
            orders.append(same | {"order_id": f"p{n}", "order_day": OPENED + timedelta(60)})
        day = OPENED + timedelta(5)
        parcels.append({"order_id": f"o{n}", "delivered_day": day, "is_late": bool(late[n])})
    return pl.LazyFrame(orders, schema=ORDERS), pl.LazyFrame(parcels, schema=SHIPMENTS)


@pytest.mark.parametrize("effect", [0.0, 0.15])
def test_a_known_effect_is_found_where_the_plain_rates_mislead(effect: float) -> None:
    orders, parcels = _composed(8000, 3, effect)
    nothing = pl.LazyFrame([], schema=RETURNS)
    table = aftermath(orders, nothing, OPENED + timedelta(400), shipments=parcels, horizons=(90,)).collect()
    row = table.row(0, named=True)
    assert row["event"] == "late_parcel"
    plain = row["with_rate"] - row["without_rate"]
    assert plain > -effect + 0.05
    assert row["low"] < -effect < row["high"]
    assert row["high"] - row["low"] < 0.08
    assert row["overlap"] == pytest.approx(1)


def test_the_interval_holds_its_level() -> None:
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(400):
        stratum = rng.integers(0, 5, 300)
        event = rng.random(300) < 0.1 + 0.1 * stratum
        outcome = rng.random(300) < 0.2 + 0.1 * stratum - 0.1 * event
        found = standardised_difference(stratum, event, outcome, np.arange(300))
        covered += found.low <= -0.1 <= found.high
    assert 0.92 <= covered / 400 <= 0.98


def test_orders_of_one_person_are_taken_together() -> None:
    rng = np.random.default_rng(12)
    person = np.repeat(np.arange(200), 5)
    # Everybody's five orders are alike: as many facts as persons.
    event, outcome = np.repeat(rng.random(200) < 0.5, 5), np.repeat(rng.random(200) < 0.4, 5)
    stratum = np.zeros(1000, dtype=np.int64)
    together = standardised_difference(stratum, event, outcome, person)
    apart = standardised_difference(stratum, event, outcome, np.arange(1000))
    assert together.difference == apart.difference
    assert together.high - together.low == pytest.approx(sqrt(5) * (apart.high - apart.low))


def test_the_difference_is_the_weighted_mean_over_common_strata() -> None:
    # Stratum: (with it, of these again, without it, of these again); the last has too few without.
    plan = [(4, 1, 10, 5), (2, 2, 20, 5), (3, 0, AT_LEAST - 1, 0)]
    cells = [
        (stratum, is_struck, number < again)
        for stratum, (n1, y1, n0, y0) in enumerate(plan)
        for is_struck, n, again in ((True, n1, y1), (False, n0, y0))
        for number in range(n)
    ]
    stratum, event, outcome = (np.array(column) for column in zip(*cells, strict=True))
    found = standardised_difference(stratum, event, outcome, np.arange(len(cells)))
    assert found.overlap == pytest.approx(6 / 9)
    assert found.rate_with == pytest.approx(3 / 6)
    assert found.rate_without == pytest.approx((4 * 0.5 + 2 * 0.25) / 6)
    gap = found.difference
    assert gap == pytest.approx(0.5 - 2.5 / 6)
    struck = [(1 - 0.5 - gap) ** 2, *[(-0.5 - gap) ** 2] * 3, *[(1 - 0.25 - gap) ** 2] * 2]
    spared = [10 * 0.25 * (4 / 10) ** 2 * 10 / 9, 20 * 0.1875 * (2 / 20) ** 2 * 20 / 19]
    half = normal_quantile(0.95) * sqrt(sum(struck) + sum(spared)) / 6
    assert (found.low, found.high) == pytest.approx((gap - half, gap + half))


def test_a_ticket_is_judged_among_orders_with_the_same_trouble() -> None:
    """Composed: people write because parcels are late, and only lateness keeps them away."""
    rng = np.random.default_rng(5)
    late = rng.random(8000) < 0.3
    asks, again = rng.random(8000) < np.where(late, 0.5, 0.05), rng.random(8000) < np.where(late, 0.2, 0.5)
    orders, parcels, tickets = [], [], []
    for n in range(8000):
        same = {"customer_key": f"k{n}", "is_valid": True}
        days = [0, 60] if again[n] else [0]
        orders += [same | {"order_id": f"o{n}-{day}", "order_day": OPENED + timedelta(day)} for day in days]
        parcels.append({"order_id": f"o{n}-0", "delivered_day": OPENED, "is_late": bool(late[n])})
        if asks[n]:
            tickets.append({"order_id": f"o{n}-0", "opened_day": OPENED, "is_wismo": True})
    table = aftermath(
        pl.LazyFrame(orders, schema=ORDERS),
        pl.LazyFrame([], schema=RETURNS),
        OPENED + timedelta(100),
        shipments=pl.LazyFrame(parcels, schema=SHIPMENTS),
        tickets=pl.LazyFrame(tickets, schema=TICKETS),
        horizons=(90,),
    ).collect()
    row = table.filter(event="wismo_ticket").row(0, named=True)
    assert row["with_high"] < row["without_low"] - 0.05
    assert row["low"] < 0 < row["high"]
    assert row["high"] - row["low"] < 0.1


def _order(order_id: str, day: int, customer: str = "c") -> Row:
    return {
        "order_id": order_id,
        "customer_key": customer,
        "is_valid": True,
        "order_day": OPENED + timedelta(day),
    }


def test_what_is_known_after_the_landmark_and_orders_before_it_count_for_neither() -> None:
    orders = pl.LazyFrame([_order("a", 0), _order("b", 30), _order("d", 0, "e")], schema=ORDERS)
    back = {"order_id": "d", "kind": "merchandise", "returned_day": OPENED + timedelta(31)}
    late = aftermath(orders, pl.LazyFrame([back], schema=RETURNS), OPENED + timedelta(200)).collect()
    assert late.is_empty()
    by_then = pl.LazyFrame([back | {"returned_day": OPENED + timedelta(30)}], schema=RETURNS)
    row = (
        aftermath(orders, by_then, OPENED + timedelta(200))
        .filter(horizon_days=90)
        .collect()
        .row(0, named=True)
    )
    # The order on day 30 is no next order of the first, and has itself none.
    assert (row["event"], row["with_n"], row["without_n"], row["without_count"]) == ("return", 1, 2, 0)
    assert (row["overlap"], row["difference"], row["note"]) == (0, None, NO_OVERLAP)


def test_an_order_without_parcel_or_promise_is_not_on_time() -> None:
    orders = pl.LazyFrame([_order(name, 0, name) for name in "abcd"], schema=ORDERS)
    day = OPENED + timedelta(3)
    parcels = [
        {"order_id": "a", "delivered_day": day, "promised_day": day, "is_late": False},
        {"order_id": "b", "delivered_day": day, "promised_day": OPENED, "is_late": True},
        {"order_id": "d", "delivered_day": day, "promised_day": None, "is_late": None},
    ]
    table = aftermath(
        orders,
        pl.LazyFrame([], schema=RETURNS),
        OPENED + timedelta(500),
        shipments=pl.LazyFrame(parcels, schema=SHIPMENTS),
    ).collect()
    assert table.select("with_n", "without_n").unique().rows() == [(1, 1)]


def test_an_empty_shop_has_no_rows_and_a_horizon_within_the_landmark_is_refused() -> None:
    assert _table(Experience(), OPENED).is_empty()
    assert set(EVENTS) >= {"late_parcel", "ticket", "return", "bad_return", "slow_refund"}
    assert EARLIER_BANDS[0] == 0
    with pytest.raises(ValueError, match="longer than the 30 days"):
        aftermath(Experience().shop.orders, Experience().shop.returns, OPENED, horizons=(30,))
