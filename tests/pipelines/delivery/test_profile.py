"""The profile: what was known on the day and no more, and nothing that profiles a person who objected."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.products_bought import customer_goods, customer_identity
from pipelines.assets.step import Stage
from pipelines.delivery.profile import PROFILING, customer_profile, segment_members
from pipelines.shop import Shop
from tests.pipelines.published_shops import Facts, publish_in_memory, rows_of
from tests.pipelines.small_shops import write_shop

PEOPLE = ("a", "b", "c")
START = date(2023, 1, 1)
AS_OF = date(2023, 12, 31)
MEASURED = (Stage.RETENTION, Stage.PREDICTIONS, Stage.SEGMENTS)


def order(number: int, customer: str, day: date, amount: int) -> dict[str, Any]:
    return {
        "order_id": str(number),
        "source": "orders",
        "channel": "web" if number % 2 else "shop",
        "country": f"country {number % 3}",
        "customer_key": customer,
        "ordered_at": datetime.combine(day, time(12), UTC) + timedelta(seconds=number),
        "order_day": day,
        "order_day_number": (day - date(1970, 1, 1)).days,
        "lines": 1,
        "gross": Decimal(amount),
        "discount": Decimal(0),
        "refunded": Decimal(0),
        "net": Decimal(amount),
        "currency": "GBP",
        "is_valid": True,
        "fully_returned": False,
    }


PRODUCTS = ("MUG", "CUP", "BOWL", "VASE")


def product(placed: dict[str, Any]) -> str:
    return PRODUCTS[int(placed["order_id"]) % len(PRODUCTS)]


def line(placed: dict[str, Any]) -> dict[str, Any]:
    return {
        "order_id": placed["order_id"],
        "line_no": 1,
        "product_id": product(placed),
        "product_name": f"a {product(placed)}",
        "category": "to drink from" if product(placed) in ("MUG", "CUP") else None,
        "kind": "merchandise",
        "quantity": 1,
        "unit_price": placed["gross"],
        "discount": Decimal(0),
        "net": placed["gross"],
    }


def taken_back(placed: dict[str, Any], day: date) -> dict[str, Any]:
    return {
        "return_id": f"return of {placed['order_id']}",
        "order_id": placed["order_id"],
        "line_no": 1,
        "customer_key": placed["customer_key"],
        "product_id": product(placed),
        "kind": "merchandise",
        "quantity": 1,
        "amount": placed["gross"],
        "returned_at": datetime.combine(day, time(12), UTC),
        "returned_day": day,
        "match_rule": "named",
    }


def answer(number: int, customer: str, day: date, score: int) -> dict[str, Any]:
    return {
        "survey_id": str(number),
        "customer_key": customer,
        "kind": "csat" if number % 2 else "nps",
        "score": score,
        "answered_at": datetime.combine(day, time(12), UTC) + timedelta(seconds=number),
        "answered_day": day,
    }


def parcel(placed: dict[str, Any], arrived: date | None, *, late: bool | None) -> dict[str, Any]:
    return {
        "shipment_id": f"parcel of {placed['order_id']}",
        "order_id": placed["order_id"],
        "delivered_day": arrived,
        "is_late": late,
    }


def ticket(number: int, customer: str | None, opened: date) -> dict[str, Any]:
    return {"ticket_id": str(number), "customer_key": customer, "opened_day": opened, "is_open": True}


def facts(
    orders: list[dict[str, Any]],
    returned: dict[str, date],
    answers: list[dict[str, Any]],
    parcels: Sequence[dict[str, Any]] = (),
    tickets: Sequence[dict[str, Any]] = (),
) -> Facts:
    """Fact tables of some orders, some of them taken back, some answers, parcels and tickets."""
    back = [
        taken_back(placed, returned[placed["order_id"]])
        for placed in orders
        if placed["order_id"] in returned
    ]
    asked = [
        {"survey_id": row["survey_id"], "customer_key": row["customer_key"], "kind": row["kind"]}
        | {"sent_at": row["answered_at"], "sent_day": row["answered_day"]}
        for row in answers
    ]
    return {
        "orders": rows_of("orders", orders),
        "order_lines": rows_of("order_lines", [line(placed) for placed in orders]),
        "returns": rows_of("returns", back),
        "survey_answers": rows_of("survey_answers", answers),
        "survey_invitations": rows_of("survey_invitations", asked),
        "shipments": rows_of("shipments", parcels),
        "tickets": rows_of("tickets", tickets),
    }


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return write_shop(tmp_path_factory.mktemp("shop"), ["orders", "shipments", "tickets"])


days_before = st.integers(0, (AS_OF - START).days).map(lambda days: START + timedelta(days=days))
days_after = st.integers(1, 300).map(lambda days: AS_OF + timedelta(days=days))


@st.composite
def stories(draw: st.DrawFn) -> tuple[Facts, Facts]:
    """What was known on AS_OF, and the same with everything that came later."""
    people = st.sampled_from(PEOPLE)
    known = [
        order(number, draw(people), draw(days_before), draw(st.integers(1, 50)))
        for number in range(draw(st.integers(1, 8)))
    ]
    later = [
        order(100 + number, draw(st.sampled_from((*PEOPLE, "d"))), draw(days_after), draw(st.integers(1, 50)))
        for number in range(draw(st.integers(1, 4)))
    ]
    returned_before = {
        placed["order_id"]: draw(st.dates(placed["order_day"], AS_OF))
        for placed in known
        if draw(st.booleans())
    }
    returned_later = {
        placed["order_id"]: draw(days_after)
        for placed in [*known, *later]
        if placed["order_id"] not in returned_before
    }
    answered = [
        answer(n, draw(people), draw(days_before), draw(st.integers(1, 5)))
        for n in range(draw(st.integers(0, 3)))
    ]
    answered_later = [
        answer(100 + n, draw(people), draw(days_after), draw(st.integers(1, 5))) for n in range(3)
    ]
    arrivals = [
        (placed, draw(st.dates(placed["order_day"], AS_OF + timedelta(60))), draw(st.booleans()))
        for placed in known
        if draw(st.booleans())
    ]
    parcels = [parcel(placed, arrived, late=late) for placed, arrived, late in arrivals]
    under_way = [
        row if row["delivered_day"] <= AS_OF else row | {"delivered_day": None, "is_late": None}
        for row in parcels
    ]
    tickets = [ticket(n, draw(people), draw(days_before)) for n in range(draw(st.integers(0, 2)))]
    later_tickets = [ticket(100 + n, draw(people), draw(days_after)) for n in range(2)]
    later_parcels = [parcel(placed, placed["order_day"], late=True) for placed in later]
    return (
        facts(known, returned_before, answered, under_way, tickets),
        facts(
            [*known, *later],
            returned_before | returned_later,
            [*answered, *answered_later],
            [*parcels, *later_parcels],
            [*tickets, *later_tickets],
        ),
    )


@settings(max_examples=8, deadline=None)
@given(story=stories())
def test_nothing_dated_after_as_of_changes_any_measure_of_it(story: tuple[Facts, Facts], shop: Shop) -> None:
    then, now = (publish_in_memory(shop, told, AS_OF, MEASURED) for told in story)
    assert set(then) >= {
        "customer_profile",
        "customer_predictions",
        "cohort_retention",
        "rfm",
        "satisfaction",
        "bought_next",
    }
    for name, frame in then.items():
        order_of_rows = [column for column in frame.columns if frame.schema[column] != pl.Struct]
        assert frame.sort(order_of_rows).equals(now[name].sort(order_of_rows)), name


def test_the_profile_counts_orders_days_and_money_of_the_day(shop: Shop) -> None:
    orders = [
        order(1, "a", date(2022, 12, 1), 10),
        order(2, "a", date(2023, 6, 1), 20),
        order(3, "a", date(2023, 6, 1), 30),
        order(5, "b", date(2023, 12, 31), 5),
    ]
    told = facts(
        orders,
        {"1": date(2023, 1, 5)},
        [answer(2, "a", date(2023, 7, 1), 9), answer(4, "a", date(2023, 8, 1), 2)],
    )
    made = publish_in_memory(shop, told, AS_OF, MEASURED)["customer_profile"].rows_by_key(
        "customer_key", named=True
    )
    (a,), (b,) = made["a"], made["b"]
    expected = {
        "valid_orders": 3,
        "order_days": 2,
        "valid_orders_12m": 2,
        "historic_clv": 50.0,
        "net_12m": 50.0,
        "returned_value": 10.0,
        "days_since_last_order": 213,
        "average_order_value": pytest.approx(50 / 3),
        "country": "country 0",
        "channel": "web",
        "last_nps": 2,
        "last_csat": None,
        "predicted_clv_365d": None,
    }
    assert {name: a[name] for name in expected} == expected
    assert (b["stage"], b["previous_stage"], b["stage_since"], b["returned_value"]) == (
        "new",
        None,
        AS_OF,
        0.0,
    )


def told_of(shop: Shop, told: Facts) -> dict[str, dict[str, Any]]:
    """The profile of made-up facts by customer."""
    made = publish_in_memory(shop, told, AS_OF, MEASURED)["customer_profile"]
    return {row["customer_key"]: row for row in made.rows(named=True)}


def test_the_profile_tells_what_was_bought_first_and_last(shop: Shop) -> None:
    orders = [
        order(1, "a", date(2023, 1, 1), 90),
        order(4, "a", date(2023, 5, 1), 10),
        order(6, "a", date(2023, 9, 1), 20),
        order(2, "b", date(2023, 9, 1), 20),
    ]
    dearest = line(orders[2]) | {"line_no": 2, "product_id": "JUG", "product_name": None, "net": Decimal(50)}
    told = {**facts(orders, {}, [])}
    told["order_lines"] = pl.concat([told["order_lines"], rows_of("order_lines", [dearest])])
    made = told_of(shop, told)
    columns = ("products", "categories", "main_category", "last_product", "last_product_name")
    assert [made["a"][name] for name in columns] == [4, 1, "to drink from", "JUG", None]
    # Where no category is told, none is known; that is not 0.
    assert [made["b"][name] for name in columns] == [1, None, None, "BOWL", "a BOWL"]


def test_the_profile_counts_what_happened_in_the_last_90_days_and_not_before(shop: Shop) -> None:
    inside, outside = AS_OF - timedelta(89), AS_OF - timedelta(90)
    orders = [order(n, who, date(2023, 3, n), 10) for n, who in enumerate("aaabbc", start=1)]
    told = facts(
        orders,
        {"1": inside, "2": AS_OF, "4": outside},
        [answer(2, "a", date(2023, 7, 1), 9)],
        [
            parcel(orders[0], inside, late=True),
            parcel(orders[1], AS_OF, late=False),
            parcel(orders[2], outside, late=True),
            parcel(orders[3], AS_OF, late=None),
        ],
        [ticket(1, "a", inside), ticket(2, "b", outside), ticket(3, None, AS_OF)],
    )
    made = told_of(shop, told)
    columns = ("returns_90d", "tickets_90d", "late_parcels_90d", "last_delivered_day", "last_nps_day")
    assert [made["a"][name] for name in columns] == [2, 1, 1, AS_OF, date(2023, 7, 1)]
    # Nothing was promised of b's parcel, so nobody knows whether it was late.
    assert [made["b"][name] for name in columns] == [0, 0, None, AS_OF, None]
    assert [made["c"][name] for name in columns] == [0, 0, None, None, None]


def test_what_a_shop_tells_nothing_of_is_null_and_not_0(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    orders = [order(1, "a", date(2023, 3, 1), 10)]
    later = [ticket(1, "a", AS_OF + timedelta(1))]
    for where, tickets in (
        (shop, []),
        (shop, later),
        (write_shop(tmp_path_factory.mktemp("no help desk")), []),
    ):
        made = told_of(where, facts(orders, {"1": AS_OF + timedelta(1)}, [], [], tickets))["a"]
        for name in ("returns_90d", "tickets_90d", "late_parcels_90d", "last_delivered_day"):
            assert made[name] is None, name


def test_who_has_not_bought_it_yet_is_offered_what_others_bought_next(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One half goes from cups to bowls, the other from mugs to vases.
    ways = {"cup": (1, 2), "mug": (0, 3)}
    led = [
        order(4 * n + number, f"{first} {n}", day, 10)
        for n in range(60)
        for first, numbers in ways.items()
        for number, day in zip(numbers, (date(2023, 11, 1), date(2023, 12, 1)), strict=True)
    ]
    waiting = [order(4001, "waiting", date(2023, 12, 5), 10)]
    told = facts([*led, *waiting], {}, [])
    made = publish_in_memory(shop, told, AS_OF, MEASURED)
    pairs = made["bought_next"].select("product", "next_product").rows()
    assert pairs == [("CUP", "BOWL"), ("MUG", "VASE")]
    profile = {row["customer_key"]: row for row in made["customer_profile"].rows(named=True)}
    assert (profile["waiting"]["next_product"], profile["waiting"]["next_product_name"]) == ("BOWL", "a BOWL")
    assert profile["cup 1"]["next_product"] is None
    # What everybody bought is worked on in parts; how many there are changes nothing.
    monkeypatch.setattr("pipelines.assets.bought_next.CUSTOMERS_AT_ONCE", 40)
    in_parts = publish_in_memory(shop, told, AS_OF, MEASURED)["customer_profile"]
    assert in_parts.equals(made["customer_profile"])


def full_profile(suppressed: list[dict[str, Any]]) -> pl.DataFrame:
    """The profile of two people who have every score."""
    both = {"customer_key": ["a", "b"]}
    day = {"from_day": [START] * 2, "to_day": pl.Series([None, None], dtype=pl.Date)}
    numbers = {name: [0.5, 0.5] for name in PROFILING if name.startswith(("predicted", "churn_prob"))}
    placed = facts([order(1, "a", START, 10), order(2, "b", START, 10)], {}, [])
    purchases = placed["orders"].select(
        "customer_key", "order_day", "net", pl.lit(1, pl.Int32).alias("orders")
    )
    return customer_profile(
        purchases=purchases.lazy(),
        orders=placed["orders"].lazy(),
        returns=placed["returns"].lazy(),
        stages=pl.LazyFrame(both | day | {"stage": ["new", "new"]}),
        scores=pl.LazyFrame(
            both
            | {
                "r": [3, 3],
                "f": [1, 1],
                "m": [2, 2],
                "klaviyo_segment": ["Recent"] * 2,
                "shopify_segment": ["NEW"] * 2,
            }
        ),
        tiers=pl.LazyFrame(both | day | {"tier": ["loyal"] * 2}),
        predictions=pl.LazyFrame(both | numbers | {"churn_band": ["medium"] * 2}),
        answers=placed["survey_answers"].lazy(),
        suppressions=rows_of("suppressions", suppressed).lazy(),
        goods=customer_goods(placed["order_lines"].lazy(), placed["orders"].lazy(), AS_OF),
        next_products=purchases.lazy().select(
            identity=customer_identity(pl.col("customer_key")),
            next_product=pl.lit("BOWL"),
            next_product_name=pl.lit("a BOWL"),
        ),
        as_of=AS_OF,
    ).collect()


@pytest.mark.parametrize("recorded", [datetime(2001, 1, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)])
@pytest.mark.parametrize("channel", ["all", "email"])
def test_who_objected_keeps_a_stage_and_facts_and_has_no_score_and_no_segment(
    recorded: datetime, channel: str
) -> None:
    objection = {"customer_key": "a", "kind": "objection", "channel": channel, "recorded_at": recorded}
    made = full_profile([objection])
    a, b = made.rows(named=True)
    assert all(a[name] is None for name in PROFILING)
    assert all(b[name] is not None for name in PROFILING)
    assert (a["stage"], a["valid_orders"], a["historic_clv"]) == ("new", 1, 10.0)
    segments = segment_members(made.lazy()).collect()
    assert segments["customer_key"].unique().to_list() == ["b"]
    assert segments["segment"].to_list() == ["rfm:Recent", "stage:new"]


@pytest.mark.parametrize("kind", ["unsubscribed", "bounced"])
def test_a_closed_channel_takes_no_score_away(kind: str) -> None:
    closed = {
        "customer_key": "a",
        "kind": kind,
        "channel": "all",
        "recorded_at": datetime(2023, 1, 1, tzinfo=UTC),
    }
    assert full_profile([closed]).equals(full_profile([]))


def test_no_table_of_scores_keeps_who_objected(shop: Shop) -> None:
    told = facts([order(1, "a", START, 10), order(2, "b", START, 10), order(3, "c", AS_OF, 10)], {}, [])
    objection = {
        "customer_key": "a",
        "kind": "objection",
        "channel": "all",
        "recorded_at": datetime(2023, 1, 1, tzinfo=UTC),
    }
    made = publish_in_memory(
        shop, {**told, "suppressions": rows_of("suppressions", [objection])}, AS_OF, MEASURED
    )
    for name in ("rfm", "segment_members", "customer_predictions"):
        assert "a" not in made[name]["customer_key"].to_list()
    assert made["customer_profile"]["customer_key"].to_list() == ["a", "b", "c"]
    cohort = made["cohort_retention"].filter((pl.col("k") == 0) & (pl.col("period_unit") == "month"))
    assert cohort["customers"].max() == 2
