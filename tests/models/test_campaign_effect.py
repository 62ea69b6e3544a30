"""Results of campaigns against a plain recomputation, as known at as_of, and what is said in which state."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from data_contracts import conform, table
from models._campaign_outcomes import person_outcomes
from models.campaign_effect import OUTCOMES, Campaign, campaign_results, people_of_lists
from models.summary import purchases_at
from tests.models.composed_campaigns import LEFT, assigned, campaign, departures, known_by, people
from tests.models.shops import OPENED, ORDERS, RETURNS, Shop, as_of_days, shops

FEW = settings(max_examples=25, deadline=None)
WINDOW = 30
Row = dict[str, Any]


def results(
    shop: Shop,
    assigned_rows: list[Row],
    as_of: date,
    *,
    left: list[Row] | None = None,
    **changes: Any,
) -> pl.DataFrame:
    of = campaign(people=people(assigned_rows), window_days=WINDOW, **changes)
    unsubscribed = None if left is None else pl.LazyFrame(left, schema=LEFT)
    made = campaign_results([of], shop.orders, shop.returns, as_of, currency="GBP", unsubscribed=unsubscribed)
    return conform(made, table("campaign_results")).collect()


def by_outcome(found: pl.DataFrame) -> dict[str, Row]:
    return {row["outcome"]: row for row in found.to_dicts()}


def slow_totals(shop: Shop, rows: Iterable[Row], as_of: date, left: list[Row]) -> dict[str, dict[str, Any]]:
    """Assignment -> outcome -> sum over people, one person after the other."""
    totals: dict[str, dict[str, Any]] = {}
    for row in rows:
        start, last = row["started_on"], min(row["started_on"] + timedelta(WINDOW - 1), as_of)
        if start > as_of:
            continue
        own = totals.setdefault(row["assignment"], dict.fromkeys(OUTCOMES, Decimal(0)))
        placed = {
            order["order_id"]: order
            for order in shop.order_rows
            if order["customer_key"] == row["customer_key"]
            and order["is_valid"]
            and start <= order["order_day"] <= last
        }
        back = [
            item
            for item in shop.return_rows
            if item["order_id"] in placed
            and item["kind"] == "merchandise"
            and (item["refunded_day"] or item["returned_day"] or date.max) <= last
        ]
        refunded = sum((item["amount"] for item in back if item["outcome"] != "exchange"), Decimal(0))
        own["ordered"] += bool(placed)
        own["orders"] += len(placed)
        own["net_revenue"] += (
            sum((order["gross"] - order["discount"] for order in placed.values()), Decimal(0)) - refunded
        )
        own["returned_value"] += sum((item["amount"] for item in back), Decimal(0))
        own["unsubscribed"] += any(
            one["customer_key"] == row["customer_key"]
            and one["channel"] in ("email", "all")
            and start <= one["unsubscribed_day"] <= last
            for one in left
        )
    return totals


@FEW
@given(shops(customers=6, days=250), assigned(), departures(), as_of_days(300))
def test_totals_equal_the_recomputation_person_by_person(
    shop: Shop, rows: list[Row], left: list[Row], as_of: date
) -> None:
    found = by_outcome(results(shop, rows, as_of, left=left))
    slow = slow_totals(shop, rows, as_of, left)
    assert found["ordered"]["delivered"] == (
        sum(row["assignment"] == "deliver" and row["started_on"] <= as_of for row in rows) if slow else None
    )
    for name, row in found.items():
        for assignment, column in (("deliver", "delivered_total"), ("hold_out", "held_out_total")):
            expected = slow[assignment][name] if assignment in slow else None
            assert row[column] == (None if expected is None else pytest.approx(float(expected))), name


@FEW
@given(shops(customers=6, days=250), assigned(), departures(), as_of_days(300))
def test_later_facts_change_nothing(shop: Shop, rows: list[Row], left: list[Row], as_of: date) -> None:
    known = results(
        shop.known_by(as_of),
        known_by(rows, "started_on", as_of),
        as_of,
        left=known_by(left, "unsubscribed_day", as_of),
    )
    assert_frame_equal(results(shop, rows, as_of, left=left), known)


@FEW
@given(shops(customers=6, days=250), assigned(days=100), departures(), st.integers(0, 100))
def test_a_closed_result_stays_as_it_is(shop: Shop, rows: list[Row], left: list[Row], later: int) -> None:
    closed_on = max((row["started_on"] for row in rows), default=OPENED) + timedelta(WINDOW - 1)
    then = results(shop, rows, closed_on, left=left)
    afterwards = results(shop, rows, closed_on + timedelta(later), left=left)
    assert_frame_equal(then.drop("as_of"), afterwards.drop("as_of"))


@FEW
@given(shops(customers=6, days=250), assigned(days=100))
def test_nothing_done_from_the_start_on_adjusts_anything(shop: Shop, rows: list[Row]) -> None:
    """Theta and means of the past come from before the start: without what came after, they are the same."""
    as_of = OPENED + timedelta(400)
    before = [
        person_outcomes(
            people(rows), made.orders, made.returns, None, window_days=WINDOW, as_of=as_of
        ).select("orders_before", "net_before")
        for made in (shop, _before_the_starts(shop, rows))
    ]
    assert_frame_equal(before[0].collect(), before[1].collect(), check_row_order=False)


def _before_the_starts(shop: Shop, rows: list[Row]) -> Shop:
    starts = {row["customer_key"]: row["started_on"] for row in rows}
    orders = [row for row in shop.order_rows if row["order_day"] < starts.get(row["customer_key"], date.max)]
    returns = [
        row
        for row in shop.return_rows
        if (row["refunded_day"] or row["returned_day"] or date.max)
        < starts.get(row["customer_key"], date.max)
    ]
    return Shop(tuple(orders), (), tuple(returns))


@FEW
@given(shops(customers=3, days=100))
def test_net_revenue_is_that_of_the_customer_summary(shop: Shop) -> None:
    """One window over everything: what purchases_at sums up by customer and day."""
    end = OPENED + timedelta(364)
    rows = [{"customer_key": f"c{n}", "assignment": "deliver", "started_on": OPENED} for n in range(3)]
    of = campaign(people=people(rows), window_days=365)
    found = by_outcome(campaign_results([of], shop.orders, shop.returns, end, currency="GBP").collect())
    net, orders = (
        purchases_at(shop.orders, shop.returns, end).select(pl.col("net", "orders").sum()).collect().row(0)
    )
    assert found["net_revenue"]["delivered_total"] == pytest.approx(float(net))
    assert found["orders"]["delivered_total"] == orders


def back(order_id: str, known_on: date, amount: int) -> Row:
    return {
        "return_id": f"{order_id} {known_on}",
        "order_id": order_id,
        "kind": "merchandise",
        "amount": Decimal(amount),
        "outcome": "refund",
        "returned_day": OPENED - timedelta(800),
        "refunded_day": known_on,
    }


def test_the_first_and_last_days_of_the_window_and_of_the_year_before_count() -> None:
    """Each order and refund has another amount, so that sums say which of them counted."""
    last = OPENED + timedelta(WINDOW - 1)
    before = {-366: 1, -365: 2, -1: 4}
    after = {0: 8, WINDOW - 1: 16, WINDOW: 32}
    orders = [order("c0", OPENED + timedelta(day), gross) for day, gross in (before | after).items()]
    of = {row["order_day"]: row["order_id"] for row in orders}
    year_ago, first = of[OPENED - timedelta(365)], of[OPENED]
    refunds = [
        back(year_ago, OPENED - timedelta(1), 100),
        back(year_ago, OPENED, 200),
        back(first, last, 400),
        back(first, last + timedelta(1), 800),
    ]
    shop = Shop(tuple(orders), (), tuple(refunds))
    rows = [{"customer_key": "c0", "assignment": "deliver", "started_on": OPENED}]
    found = person_outcomes(
        people(rows), shop.orders, shop.returns, None, window_days=WINDOW, as_of=last + timedelta(90)
    )
    row = found.collect().to_dicts()[0]
    assert (row["orders_before"], row["net_before"]) == (2, (2 + 4 - 100) * 10_000)
    assert (row["orders"], row["net_revenue"]) == (2, (8 + 16 - 400) * 10_000)
    assert row["returned_value"] == 400 * 10_000


def many(treated: int, held_out: int, ordering: tuple[int, int]) -> tuple[Shop, list[Row]]:
    """Two groups of whom so many order for 10 pounds on the third day; every second ordered the month before."""
    rows: list[Row] = []
    orders: list[Row] = []
    for assignment, size, buyers in zip(("deliver", "hold_out"), (treated, held_out), ordering, strict=True):
        for number in range(size):
            key = f"{assignment} {number}"
            rows.append({"customer_key": key, "assignment": assignment, "started_on": OPENED})
            if number % 2:
                orders.append(order(key, OPENED - timedelta(30)))
            if number < buyers:
                orders.append(order(key, OPENED + timedelta(2)))
    return Shop(tuple(orders)), rows


def order(key: str, day: date, gross: int = 10) -> Row:
    return {
        "order_id": f"{key} {day}",
        "customer_key": key,
        "order_day": day,
        "is_valid": True,
        "gross": Decimal(gross),
        "discount": Decimal(0),
    }


CLOSED = OPENED + timedelta(WINDOW - 1)


def test_a_campaign_that_worked_says_by_how_much() -> None:
    shop, rows = many(900, 300, (180, 30))
    found = by_outcome(results(shop, rows, CLOSED))
    ordered = found["ordered"]
    assert (ordered["verdict"], ordered["state"]) == ("worked", "closed")
    assert ordered["difference"] == pytest.approx(0.1)
    assert ordered["incremental"] == pytest.approx(900 * ordered["adjusted_difference"])
    assert (
        ordered["says"]
        .replace("\u00a0", " ")
        .startswith(
            "Worked: 20.0 % of 900 people written to ordered within 30 days, and 10.0 % of 300 held out; +10.0 points"
        )
    )
    assert "more net revenue" in ordered["says"]
    assert found["net_revenue"]["difference"] == pytest.approx(1.0)
    assert found["net_revenue"]["unit"] == "GBP per person"
    assert found["net_revenue"]["incremental"] == pytest.approx(900, abs=90)


def test_a_campaign_that_did_harm_says_so() -> None:
    shop, rows = many(900, 300, (45, 60))
    found = by_outcome(results(shop, rows, CLOSED))["ordered"]
    assert found["verdict"] == "did_harm"
    assert "fewer people who ordered" in found["says"]
    assert found["incremental_high"] < 0


def test_too_small_to_tell_names_what_could_have_been_seen() -> None:
    shop, rows = many(200, 60, (22, 6))
    found = by_outcome(results(shop, rows, CLOSED))["ordered"]
    assert found["verdict"] == "too_small"
    assert found["low"] < 0 < found["high"]
    assert f"{100 * found['detectable']:.1f} points or more in 4 cases of 5" in found["says"]


def test_before_the_window_is_over_nothing_is_compared() -> None:
    shop, rows = many(900, 300, (180, 30))
    for row in by_outcome(results(shop, rows, CLOSED - timedelta(5))).values():
        assert (row["state"], row["verdict"], row["days_left"]) == ("too_early", "too_early", 5)
        assert "in 5 days" in row["says"]
        told = ("delivered_mean", "difference", "low", "adjusted_difference", "incremental", "detectable")
        assert all(row[column] is None for column in told)
        assert row["outcome"] == "unsubscribed" or row["delivered_total"] is not None


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ((29, 300), "29 people written to and 300 held out; it takes at least 30"),
        ((300, 29), "300 people written to and 29 held out; it takes at least 30"),
        ((1, 40), "1 person written to and 40 held out"),
        ((300, 0), "nobody was held out"),
        ((0, 300), "nobody was written to"),
    ],
)
def test_groups_that_are_too_small_are_told_plainly(groups: tuple[int, int], words: str) -> None:
    shop, rows = many(*groups, ordering=(min(20, groups[0]), 0))
    found = by_outcome(results(shop, rows, CLOSED))["ordered"]
    assert found["verdict"] == "too_small"
    assert words in found["says"]
    assert found["is_small"]


@pytest.mark.parametrize(
    ("lists", "words"), [(1, "its list was not downloaded"), (7, "none of its 7 lists was")]
)
def test_a_campaign_whose_lists_nobody_took_was_not_used(lists: int, words: str) -> None:
    made = campaign_results(
        [campaign(source="lists", lists=lists, lists_used=0)],
        pl.LazyFrame(schema=ORDERS),
        pl.LazyFrame(schema=RETURNS),
        CLOSED,
        currency="GBP",
    ).collect()
    assert made["outcome"].to_list() == sorted(OUTCOMES)
    assert set(made["verdict"]) == {"not_used"}
    assert words in made["says"][0]
    assert (
        made.select("started_on", "delivered", "delivered_total", "difference").null_count().row(0)
        == (5,) * 4
    )


def test_nobody_ordering_is_told_without_limits_where_nothing_varies() -> None:
    _, rows = many(100, 50, (0, 0))
    found = by_outcome(results(Shop(), rows, CLOSED))
    assert found["ordered"]["verdict"] == "too_small"
    assert found["orders"]["difference"] == 0
    assert found["orders"]["low"] is None
    assert found["net_revenue"]["incremental_low"] is None
    assert found["ordered"]["adjusted_difference"] is None
    assert found["unsubscribed"]["delivered_total"] is None, "nobody delivers suppressions"


def test_unsubscriptions_that_came_of_it_are_told_beside_the_verdict() -> None:
    shop, rows = many(900, 300, (180, 30))
    left = [
        {"customer_key": f"deliver {n}", "channel": "email", "unsubscribed_day": OPENED} for n in range(45)
    ]
    found = by_outcome(results(shop, rows, CLOSED, left=left))
    assert found["unsubscribed"]["delivered_mean"] == pytest.approx(0.05)
    assert "More of them unsubscribed: +5.0 points" in found["ordered"]["says"]


def test_the_order_of_campaigns_and_rows_changes_nothing() -> None:
    shop, rows = many(90, 40, (30, 9))

    def made(names: list[str], orders: pl.LazyFrame, people_of: list[Row]) -> pl.DataFrame:
        of = [campaign(name=name, people=people(people_of)) for name in names]
        return campaign_results(of, orders, shop.returns, CLOSED, currency="GBP").collect()

    assert_frame_equal(
        made(["a", "b"], shop.orders, rows),
        made(["b", "a"], shop.orders.reverse(), rows[::-1]),
        check_exact=True,
    )


MEMBERS = {"list_id": pl.String, "customer_key": pl.String, "assignment": pl.String}
USED = {"list_id": pl.String, "used_on": pl.Date}


def of_lists(
    members: list[tuple[str, str, str]], used: dict[str, date], aliases: dict[str, str] | None = None
) -> dict[str, tuple[str, date]]:
    kept = pl.LazyFrame(
        [{"own_key": old, "customer_key": new} for old, new in (aliases or {}).items()],
        schema={"own_key": pl.String, "customer_key": pl.String},
    )
    found = people_of_lists(
        pl.LazyFrame(members, schema=MEMBERS, orient="row"),
        pl.LazyFrame(list(used.items()), schema=USED, orient="row"),
        kept,
    ).collect()
    assert found["customer_key"].is_unique().all()
    return {row["customer_key"]: (row["assignment"], row["started_on"]) for row in found.to_dicts()}


def test_a_person_starts_with_the_first_used_list_that_names_them() -> None:
    first, second = date(2024, 3, 1), date(2024, 3, 8)
    found = of_lists(
        [
            ("l-01", "ann", "deliver"),
            ("l-01", "bob", "hold_out"),
            ("l-02", "ann", "deliver"),
            ("l-02", "cid", "hold_out"),
            ("l-03", "dan", "deliver"),
        ],
        {"l-02": second, "l-01": first},
    )
    assert found == {"ann": ("deliver", first), "bob": ("hold_out", first), "cid": ("hold_out", second)}


def test_customers_who_turned_out_to_be_one_count_once_where_the_kept_key_was_put() -> None:
    day = date(2024, 3, 1)
    members = [
        ("l", "old", "deliver"),
        ("l", "new", "hold_out"),
        ("l", "a", "hold_out"),
        ("l", "b", "deliver"),
    ]
    found = of_lists(members, {"l": day}, {"old": "new", "b": "one", "a": "one"})
    assert found == {"new": ("hold_out", day), "one": ("hold_out", day)}


def test_orders_under_the_kept_key_count_for_who_was_listed_under_an_old_one() -> None:
    members = pl.LazyFrame([("l", "old", "deliver")], schema=MEMBERS, orient="row")
    used = pl.LazyFrame([("l", OPENED)], schema=USED, orient="row")
    aliases = pl.LazyFrame({"own_key": ["old"], "customer_key": ["new"]})
    of = Campaign(
        name="c", list_name="c", title="C", source="lists", channel="email", window_days=WINDOW,
        people=people_of_lists(members, used, aliases), lists=1, lists_used=1,
    )  # fmt: skip
    shop = Shop((order("new", OPENED + timedelta(3)),))
    found = by_outcome(campaign_results([of], shop.orders, shop.returns, CLOSED, currency="GBP").collect())
    assert found["orders"]["delivered_total"] == 1
