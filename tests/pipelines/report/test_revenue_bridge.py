"""The waterfall of the revenue bridge: drawn of what changes money, told of what the data do not tell."""

import json
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from models.bridge import PLATFORM, REVENUE_STEPS, revenue_bridge
from pipelines.report.figures.revenue_bridge import STEP_NAMES, revenue_bridge_figure
from pipelines.report.theme import Look
from tests.models.shops import Shop

DAY = date(2026, 1, 31)


def _bridge(*reasons: str | None, postage: str = "4.95") -> pl.LazyFrame:
    orders = [
        {
            "order_id": str(number),
            "order_day": DAY,
            "gross": Decimal(1000),
            "discount": Decimal(0),
            "is_valid": reason is None,
            "excluded_because": reason,
        }
        for number, reason in enumerate(reasons)
    ]
    lines: list[dict[str, Any]] = [
        {"order_id": "0", "line_no": 2, "kind": "postage", "net": Decimal(postage)}
    ]
    shop = Shop(tuple(orders), tuple(lines), ())
    return revenue_bridge(shop.orders, shop.order_lines, shop.returns, DAY)


def test_every_step_has_a_name() -> None:
    assert set(STEP_NAMES) == set(REVENUE_STEPS)


def test_an_empty_bridge_has_no_figure() -> None:
    assert revenue_bridge_figure(_bridge()) is None
    assert revenue_bridge_figure(_bridge(None), date(2025, 1, 1)) is None


def test_it_says_both_ends_the_largest_step_and_what_the_data_do_not_tell() -> None:
    figure = revenue_bridge_figure(_bridge(None, None, "cancelled"), currency="EUR")
    assert figure
    assert figure.finding == (
        "Our net revenue is €2,000; all that a shop platform may count comes to €3,005. "
        "The largest step is cancelled orders with +€1,000."
    )
    assert figure.note.endswith(
        "The data do not tell: gift cards sold, fees, tax and charged on another day."
    )
    assert figure.as_of == DAY
    assert "2" in figure.n
    rows = {row[0]: row[1:3] for row in figure.table.rows}
    assert rows[STEP_NAMES[PLATFORM]] == ("€3,005", "3")
    assert rows["Postage"] == ("+€5", "0")
    assert rows["Test orders"] == ("€0", "0")


def test_a_shop_that_counts_nothing_otherwise_says_so() -> None:
    figure = revenue_bridge_figure(_bridge(None, postage="0"), currency="EUR")
    assert figure
    assert figure.finding.endswith("€1,000, since nothing is counted otherwise.")
    assert figure.chart(Look()).to_dict()


@pytest.mark.parametrize("width", [720, 340])
@pytest.mark.parametrize("month", [None, DAY.replace(day=1)])
def test_bars_hang_together_and_leave_out_what_changes_no_money(width: int, month: date | None) -> None:
    figure = revenue_bridge_figure(_bridge(None, None, "cancelled", "no value"), month, "EUR")
    assert figure
    spec = figure.draw(Look(width=width)).to_dict()
    bars = json.loads(next(iter(spec["datasets"].values())))
    assert [bar["step"] for bar in bars] == [
        "Our net revenue",
        "Cancelled orders",
        "Orders worth nothing",
        "Postage",
        "All counted",
    ]
    for one, other in pairwise(bars[:-1]):
        assert other["from"] == pytest.approx(one["to"])
    assert bars[-1]["to"] == pytest.approx(bars[-2]["to"])
