"""What candidates are shown of a shop is what was known then: features are the same, and nothing later is in it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import cast

import polars as pl
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from models.features import Tables, features
from models.known import Known, known_at, parts_of, sample_of
from models.summary import purchases_at
from tests.models.composed_experience import Experience, experiences
from tests.models.composed_purchases import day, orders, returns
from tests.models.shops import as_of_days

DAYS = {
    "orders": ("order_day",),
    "survey_answers": ("answered_day",),
    "survey_invitations": ("sent_day",),
    "shipments": ("delivered_day",),
    "tickets": ("opened_day",),
}


@settings(max_examples=30, deadline=None)
@given(experiences(), as_of_days())
def test_features_of_the_shop_as_it_was_known_are_the_features(shop: Experience, as_of: date) -> None:
    tables = shop.tables
    hidden = known_at(as_of, **tables)
    assert hidden.tables is not None
    assert_frame_equal(
        features(as_of, **hidden.tables).collect(), features(as_of, **tables).collect(), check_row_order=False
    )


@settings(max_examples=30, deadline=None)
@given(experiences(), as_of_days())
def test_nothing_later_is_shown(shop: Experience, as_of: date) -> None:
    known = known_at(as_of, **shop.tables)
    shown = cast("dict[str, pl.LazyFrame]", known.tables)
    for table, columns in DAYS.items():
        for column in columns:
            latest = shown[table].select(pl.col(column).max()).collect().item()
            assert latest is None or latest <= as_of
    # That something was not finished was known; when it would be was not.
    for table, column in (
        ("tickets", "closed_day"),
        ("returns", "returned_day"),
        ("returns", "refunded_day"),
    ):
        latest = shown[table].select(pl.col(column).max()).collect().item()
        assert latest is None or latest <= as_of + timedelta(days=1)
    lines, orders_shown = shown["order_lines"].collect(), shown["orders"].collect()
    assert set(lines["order_id"]) <= set(orders_shown["order_id"])
    assert not {"net", "refunded", "status"} & set(orders_shown.columns)


def test_purchases_are_those_known_then() -> None:
    shop = orders([("o1", "a", 0, 50), ("o2", "a", 90, 70)])
    back = returns([("o1", 20, 30), ("o1", 5, 70)])
    known = known_at(day(60), orders=shop, returns=back)
    assert_frame_equal(
        known.purchases.collect(), purchases_at(shop, back, day(60)).collect(), check_row_order=False
    )
    assert known.purchases.select(pl.col("net").cast(int)).collect()["net"].to_list() == [30]


def test_a_shop_known_by_its_purchases_alone_has_no_tables() -> None:
    purchases = pl.LazyFrame({"order_day": [date(2020, 1, 1), date(2020, 3, 1)]})
    known = Known.of_purchases(purchases, date(2020, 2, 1))
    assert known.tables is None
    assert known.purchases.collect().height == 1


def test_a_sample_is_of_whole_customers_and_repeats() -> None:
    rows = [(f"o{n}", f"customer {n % 40}", n, 10) for n in range(200)]
    tables = cast(Tables, {"orders": orders(rows), "returns": returns([("o3", 5, 10), ("o150", 5, 190)])})
    one, same = (sample_of(tables, day(200), seed=4, max_customers=15) for _ in range(2))
    kept = one["orders"].collect()
    assert kept["customer_key"].n_unique() == 15
    assert kept.height == 15 * 5
    assert_frame_equal(kept, same["orders"].collect(), check_row_order=False)
    returned = one.get("returns")
    assert returned is not None
    assert set(returned.collect()["order_id"]) <= set(kept["order_id"])
    everybody = sample_of(tables, day(200), seed=4, max_customers=1_000)["orders"].collect()
    assert everybody.height == 200


def test_parts_hold_every_customer_once_with_all_that_is_theirs() -> None:
    rows = [(f"o{n}", f"customer {n % 40}", n, 10) for n in range(200)]
    tables = cast(
        Tables, {"orders": orders(rows), "returns": returns([(f"o{n}", 5, n) for n in range(0, 200, 7)])}
    )
    parts = list(parts_of(tables, 40, at_once=13))
    assert len(parts) == 3
    together = [part["orders"].collect() for part in parts]
    assert sum(part["customer_key"].n_unique() for part in together) == 40
    assert set(pl.concat(together)["order_id"]) == {row[0] for row in rows}
    for part, own in zip(parts, together, strict=True):
        returned = part.get("returns")
        assert returned is not None
        assert set(returned.collect()["order_id"]) == {f"o{n}" for n in range(0, 200, 7)} & set(
            own["order_id"]
        )
