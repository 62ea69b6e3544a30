"""Open cases: tickets, returns and orders that wait for the shop on a day, and what nobody can know. Composed."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.delivery.open_cases import open_cases
from pipelines.settings import OpenCases
from tests.pipelines.published_shops import AS_OF, rows_of

BEFORE = AS_OF - timedelta(days=3)
AFTER = AS_OF + timedelta(days=3)


def found(
    rules: OpenCases | None = None, as_of: date = AS_OF, **tables: list[dict[str, Any]]
) -> dict[str, str]:
    frames = {name: rows_of(name, rows).lazy() for name, rows in tables.items()}
    return dict(open_cases(frames, rules or OpenCases(), as_of).collect().iter_rows())


def ticket(key: str, opened: date, closed: date | None = None, is_open: bool | None = True) -> dict[str, Any]:
    return {"customer_key": key, "opened_day": opened, "closed_day": closed, "is_open": is_open}


def test_a_ticket_is_open_until_the_day_it_is_closed_and_for_sixty_days_at_most() -> None:
    tickets = [
        ticket("open", BEFORE),
        ticket("closed", BEFORE, BEFORE),
        ticket("closed later", BEFORE, AFTER, False),
        ticket("said closed", BEFORE, None, False),
        ticket("not yet", AFTER),
        ticket("forgotten", AS_OF - timedelta(days=60)),
        ticket("nearly forgotten", AS_OF - timedelta(days=59)),
    ]
    assert set(found(tickets=tickets)) == {"open", "closed later", "nearly forgotten"}
    assert found(OpenCases(ticket_days=0), tickets=tickets) == {}


def test_a_return_is_open_until_money_went_back_where_the_shop_tells_that_at_all() -> None:
    returns = [
        {"customer_key": "waits", "returned_day": BEFORE},
        {"customer_key": "paid", "returned_day": BEFORE, "refunded_day": AS_OF},
        {"customer_key": "paid later", "returned_day": BEFORE, "refunded_day": AFTER, "outcome": "refund"},
        {"customer_key": "exchanged", "returned_day": BEFORE, "outcome": "exchange"},
    ]
    assert found(returns=returns) == {"waits": "open_return", "paid later": "open_return"}
    assert found(returns=returns[:1]) == {}


def test_an_order_is_open_while_it_is_not_confirmed_or_its_parcel_is_on_the_way() -> None:
    orders = [
        {"customer_key": "pending", "order_id": "1", "order_day": BEFORE, "is_valid": False,
         "excluded_because": "not placed yet"},
        {"customer_key": "sent", "order_id": "2", "order_day": BEFORE, "is_valid": True},
        {"customer_key": "there", "order_id": "3", "order_day": BEFORE, "is_valid": True},
        {"customer_key": "no parcel", "order_id": "4", "order_day": BEFORE, "is_valid": True},
    ]  # fmt: skip
    shipments = [
        {"order_id": "2", "shipped_day": BEFORE, "delivered_day": AFTER},
        {"order_id": "3", "shipped_day": BEFORE, "delivered_day": AS_OF},
    ]
    assert found(orders=orders, shipments=shipments) == {"pending": "open_order", "sent": "open_order"}
    assert found(orders=orders) == {"pending": "open_order"}


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(-90, 20), st.none() | st.integers(-90, 20), st.booleans()), max_size=12
    )
)
def test_what_happens_after_a_day_changes_nothing_for_it(rows: list[tuple[int, int | None, bool]]) -> None:
    def day(offset: int | None) -> date | None:
        return None if offset is None else AS_OF + timedelta(days=offset)

    full = [
        {
            "customer_key": str(n),
            "opened_day": day(opened),
            "closed_day": day(closed),
            "is_open": closed is None,
        }
        for n, (opened, closed, _) in enumerate(rows)
    ]
    known = [
        row
        | ({"closed_day": None, "is_open": True} if row["closed_day"] and row["closed_day"] > AS_OF else {})
        for row in full
        if row["opened_day"] <= AS_OF
    ]
    assert found(tickets=full) == found(tickets=known)


def test_one_person_has_one_cause_the_first_that_fits() -> None:
    tables = {
        "tickets": [ticket("a", BEFORE)],
        "returns": [
            {"customer_key": "a", "returned_day": BEFORE},
            {"customer_key": "b", "returned_day": BEFORE},
            {"customer_key": None, "returned_day": BEFORE},
            {"customer_key": "c", "returned_day": BEFORE, "refunded_day": BEFORE},
        ],
    }
    assert found(**tables) == {"a": "open_ticket", "b": "open_return"}
    assert found() == {}
