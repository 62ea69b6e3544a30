"""Why a platform shows another share of returning customers: each difference with what it does to the rate.

The steps come from `models.repeat_bridge`; the bridge of money is a picture in ``figures``.
"""

from typing import Any

import polars as pl

from pipelines.report import words
from pipelines.report.figures.revenue_bridge import STEP_NAMES

NAMES = STEP_NAMES | {
    "order_days": "A second day with an order (the purchase models)",
    "same_day_orders": "A second order on the same day counts too (this report)",
    "returns_taken_for_orders": "Returns taken for orders, as exports often have them",
    "orders_without_a_customer": "Every order without a customer is a customer of its own",
    "as_a_platform_shows": "All counted",
}


def repeat_bridge(revenue_bridge: pl.LazyFrame) -> dict[str, Any] | None:
    """Steps that change anything, as a table of text; None before anybody has ordered."""
    rows = revenue_bridge.filter(bridge="repeat_purchase").sort("step_no").collect().to_dicts()
    if not rows or not rows[0]["customers"]:
        return None
    shown = [rows[0], *(row for row in rows[1:-1] if row["customers"] or row["repeat_customers"]), rows[-1]]
    return {
        "header": ("What counts", "Customers", "Came back", "Rate after it"),
        "rows": tuple(
            (
                NAMES.get(row["step"], row["step"].replace("_", " ")),
                _change(row["customers"], row in (rows[0], rows[-1])),
                _change(row["repeat_customers"], row in (rows[0], rows[-1])),
                words.percent(row["rate"]),
            )
            for row in shown
        ),
    }


def _change(count: int, is_end: bool) -> str:
    return words.number(count) if is_end or count <= 0 else f"+{words.number(count)}"
