"""The bridge of the repeat purchase rate as a table: only what changes anything, and the rate after each step."""

from pipelines.report.repeat_bridge import repeat_bridge
from tests.pipelines.report.composed_tables import AS_OF, frame


def step(number: int, name: str, customers: int, repeat: int, rate: float) -> dict[str, object]:
    return {
        "as_of": AS_OF, "bridge": "repeat_purchase", "period": "all", "step_no": number, "step": name,
        "customers": customers, "repeat_customers": repeat, "rate": rate,
    }  # fmt: skip


def test_steps_that_change_nothing_are_left_out() -> None:
    rows = [
        step(0, "order_days", 100, 40, 0.4),
        step(1, "same_day_orders", 0, 2, 0.42),
        step(2, "cancelled_orders", 0, 0, 0.42),
        step(3, "returns_taken_for_orders", 1, 5, 0.465),
        step(4, "as_a_platform_shows", 101, 47, 0.465),
    ]
    found = repeat_bridge(frame("revenue_bridge", rows))
    assert found is not None
    assert [row[1:] for row in found["rows"]] == [
        ("100", "40", "40.0\u00a0%"),
        ("0", "+2", "42.0\u00a0%"),
        ("+1", "+5", "46.5\u00a0%"),
        ("101", "47", "46.5\u00a0%"),
    ]


def test_without_customers_there_is_no_bridge() -> None:
    assert repeat_bridge(frame("revenue_bridge", [])) is None
    assert repeat_bridge(frame("revenue_bridge", [step(0, "order_days", 0, 0, 0.0)])) is None
