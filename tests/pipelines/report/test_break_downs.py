"""Break-downs as tables: counts are added up over months and never rates; what is too small to compare is left out."""

from datetime import date

import polars as pl

from pipelines.report.break_downs import by_first_order, by_goods, refunds, service
from tests.pipelines.report.composed_tables import AS_OF, frame


def cohort(value: str, customers: int, n: int, **more: object) -> dict[str, object]:
    return {
        "as_of": AS_OF, "period_unit": "month", "cohort": date(2022, 1, 1), "k": 6, "measure": "repurchased_by",
        "break_down": "channel", "break_down_value": value, "customers": customers, "n": n, "is_complete": True,
        "is_left_truncated": False, **more,
    }  # fmt: skip


def cohorts(*rows: dict[str, object]) -> pl.LazyFrame:
    return frame("cohort_retention", rows)


def test_cohorts_of_one_value_are_added_up() -> None:
    found = by_first_order(
        cohorts(
            cohort("web", 10, 40),
            cohort("web", 30, 60, cohort=date(2022, 2, 1)),
            cohort("store", 10, 50),
        )
    )
    assert found is not None
    assert [row[1:4] for row in found["rows"]] == [
        ("web", "100", "40.0\u00a0%"),
        ("store", "50", "20.0\u00a0%"),
    ]


def test_running_truncated_and_small_cohorts_and_the_rest_of_the_products_are_not_compared() -> None:
    alone = [cohort("web", 10, 40), cohort("store", 1, 29), cohort("other", 20, 90)]
    assert by_first_order(cohorts(*alone)) is None
    running = cohort("store", 10, 50, is_complete=False)
    cut_off = cohort("store", 10, 50, is_left_truncated=True)
    assert by_first_order(cohorts(cohort("web", 10, 40), running, cut_off)) is None


def test_the_longest_time_that_can_be_compared_is_taken() -> None:
    short = [cohort("web", 10, 40, k=3), cohort("store", 5, 50, k=3)]
    found = by_first_order(cohorts(*short, cohort("web", 12, 40)))
    assert found is not None
    assert found["months"] == 3


def goods(value: str, count: int, n: int, break_down: str = "category") -> dict[str, object]:
    return {
        "as_of": AS_OF, "order_month": date(2023, 3, 1), "break_down": break_down, "break_down_value": value,
        "measure": "item_return_rate", "count": count, "n": n,
    }  # fmt: skip


def test_goods_stand_by_what_came_back_most() -> None:
    rows = [goods("mugs", 5, 100), goods("shoes", 30, 90), goods("wrong size", 20, 190, "reason")]
    old = goods("mugs", 90, 90) | {"order_month": date(2021, 1, 1)}
    found = by_goods(frame("return_rates", [*rows, old]))
    assert found is not None
    assert [row[1:4] for row in found.rows] == [("shoes", "30", "90"), ("mugs", "5", "100")]


def test_nothing_came_back_is_no_table() -> None:
    assert by_goods(frame("return_rates", [goods("mugs", 0, 100), goods("shoes", 0, 90)])) is None


def measure(name: str, month: date, value: float | None, unit: str = "share") -> dict[str, object]:
    return {
        "as_of": AS_OF, "month": month, "break_down": "all", "break_down_value": "all", "measure": name,
        "count": 1, "n": 40, "value": value, "low": value, "high": value, "unit": unit, "is_complete": True,
    }  # fmt: skip


def test_service_tells_the_last_whole_month_in_its_unit() -> None:
    rows = [
        measure("late_rate", date(2023, 4, 1), 0.5),
        measure("late_rate", date(2023, 5, 1), 0.1),
        measure("late_rate", date(2023, 6, 1), 0.9) | {"is_complete": False},
        measure("contact_rate", date(2023, 5, 1), 0.25, "tickets per order"),
        measure("days_to_close_p50", date(2023, 5, 1), None, "days"),
    ]
    found = service(frame("service_rates", rows))
    assert found is not None
    assert found["month"] == date(2023, 5, 1)
    assert [row[:2] for row in found["rows"]] == [
        ("Parcels late", "10.0\u00a0%"),
        ("Tickets per order", "0.25"),
    ]
    assert service(frame("service_rates", [])) is None


def test_refunds_still_due_and_days_nobody_tells_are_said() -> None:
    def says(**row: object) -> str:
        return refunds(frame("refund_speed", [{"as_of": AS_OF, "period": "window", "n": 40, **row}]))

    assert "half were refunded within 3\u00a0days" in says(p50_days=3, within_14d=0.9)
    assert "fewer than half are refunded so far" in says()
    assert "cannot be told" in says(note="no refund day is known")
    assert refunds(frame("refund_speed", [])) == ""
