"""What changed: the last month that is over beside two earlier ones."""

from datetime import date

from pipelines.report.changes import changes
from pipelines.report.words import UNKNOWN
from tests.pipelines.report.composed_tables import AS_OF, Composed, frame


def month(day: date, orders: int, aov: float, half: float, **more: object) -> dict[str, object]:
    return {
        "as_of": AS_OF, "period": "month", "period_start": day, "orders": orders, "customers": orders,
        "aov": aov, "aov_low": aov - half, "aov_high": aov + half, "net_by_event_date": orders * 10,
        "is_complete": True, "is_small": orders < 30, **more,
    }  # fmt: skip


def test_the_running_month_is_not_compared(tables: Composed) -> None:
    found = changes(tables, "EUR")
    assert found is not None
    assert found["month"] == date(2023, 5, 1)
    assert found["header"] == ("", "May 2023", "April 2023", "May 2022")


def test_numbers_are_those_of_the_table(tables: Composed) -> None:
    found = changes(tables, "EUR")
    assert found is not None
    revenue = tables("revenue").filter(period="month").collect()
    orders = {row["period_start"]: row["orders"] for row in revenue.iter_rows(named=True)}
    shown = next(row for row in found["rows"] if row[0] == "Valid orders")
    wanted = (date(2023, 5, 1), date(2023, 4, 1), date(2022, 5, 1))
    assert shown[1:] == tuple(str(orders[day]) if day in orders else UNKNOWN for day in wanted)


def test_only_intervals_that_lie_apart_are_called_a_change() -> None:
    apart = [month(date(2023, 4, 1), 100, 40.0, 2.0), month(date(2023, 5, 1), 100, 50.0, 2.0)]
    touching = [month(date(2023, 4, 1), 100, 40.0, 9.0), month(date(2023, 5, 1), 100, 50.0, 9.0)]
    says = [
        (changes(Composed({"revenue": frame("revenue", rows)}), "EUR") or {})["says"]
        for rows in (apart, touching)
    ]
    assert "average order value rose against the month before" in says[0]
    assert "No rate or average moved" in says[1]


def test_what_is_not_known_of_an_earlier_month_is_not_nought() -> None:
    rows = [month(date(2023, 5, 1), 100, 50.0, 2.0)]
    found = changes(Composed({"revenue": frame("revenue", rows)}), "EUR")
    assert found is not None
    assert {cell for row in found["rows"] for cell in row[2:]} == {UNKNOWN}


def test_before_a_month_is_over_there_is_nothing_to_say() -> None:
    running = [month(date(2023, 6, 1), 100, 50.0, 2.0, is_complete=False)]
    assert changes(Composed({"revenue": frame("revenue", running)}), "EUR") is None
    assert changes(Composed({}), "EUR") is None


def test_every_number_of_the_month_has_a_row(tables: Composed) -> None:
    found = changes(tables, "EUR")
    assert found is not None
    names = [row[0] for row in found["rows"]]
    assert names == [
        "Valid orders",
        "Net revenue",
        "Average order value",
        "Customers who ordered",
        "New customers",
    ]
    cohorts = tables("cohort_retention").filter(k=0, measure="active_rate").collect()
    new = dict(cohorts.select("cohort", "n").iter_rows())
    wanted = (date(2023, 5, 1), date(2023, 4, 1), date(2022, 5, 1))
    assert found["rows"][-1][1:] == tuple(str(new.get(day, 0)) for day in wanted)
