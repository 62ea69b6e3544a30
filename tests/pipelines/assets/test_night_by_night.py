"""Measures made night by night are those of everything computed at once, and a later night changes no earlier day."""

from datetime import date, timedelta
from graphlib import TopologicalSorter
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from data_contracts import table
from pipelines.assets.catalogue import steps_of
from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Keeps, Moment, Stage
from pipelines.lake import Lake
from pipelines.shop import Shop
from tests.pipelines.small_shops import NOW, deliver, order_line, return_row, write_shop

pytestmark = [pytest.mark.xdist_group("gx"), pytest.mark.usefixtures("great_expectations")]
FIRST, SECOND = date(2024, 4, 30), date(2024, 5, 31)
MEASURED = (Stage.RETENTION, Stage.SEGMENTS)


def night(shop: Shop, lake: Lake, as_of: date) -> None:
    steps = {
        name: step
        for name, step in steps_of(shop).items()
        if step.stage not in (Stage.LISTS, Stage.PRESENTATION, Stage.SNAPSHOT)
    }
    given = Given(shop, lake, Moment(f"night-{as_of}", NOW, as_of), steps)
    needs = {name: [read for read in step.reads if read in steps] for name, step in steps.items()}
    for name in TopologicalSorter(needs).static_order():
        carry_out(steps[name], given)


def lines(first: date, last: date) -> list[dict[str, str]]:
    """Orders of 23 composed customers, each with a rhythm of its own."""
    start, days = date(2024, 1, 3), (last - date(2024, 1, 3)).days
    return [
        order_line(
            f"{customer}-{day}",
            customer_id=str(customer),
            ordered_at=f"{start + timedelta(day)} 12:00:00",
            quantity=str(1 + customer % 3),
            product_id=("MUG", "CUP", "POT")[customer % 3],
        )
        for customer in range(1, 24)
        for day in range(customer, days + 1, 5 * customer + 2)
        if first <= start + timedelta(day) <= last
    ]


def measured(shop: Shop, lake: Lake, as_of: date) -> dict[str, pl.DataFrame]:
    """Every table of measures and segments as it stands for a day, sorted by its key."""
    found: dict[str, pl.DataFrame] = {}
    for name, step in steps_of(shop).items():
        if step.stage not in MEASURED or (step.keeps is not Keeps.OTHER_DAYS and as_of != SECOND):
            continue
        rows = lake.scan(name)
        if step.keeps is Keeps.OTHER_DAYS:
            rows = rows.filter(pl.col("as_of") == as_of)
        found[name] = rows.collect().sort(table(name).key)
    return found


def test_two_nights_come_to_what_one_computation_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_KEY", "one secret for both lakes, made up for this test")
    shop = write_shop(tmp_path / "shop", ("orders", "returns"))
    early, late = lines(date.min, FIRST), lines(FIRST + timedelta(1), SECOND)
    back = [
        return_row("R1", order_id="2-2", customer_id="2", product_id="POT", returned_at="2024-02-20 10:00:00")
    ]
    # Comes later and tells of the first days.
    known_later = [return_row("R2", order_id="3-3", customer_id="3", returned_at="2024-05-20 10:00:00")]

    deliver(shop.folder, "orders", "1", early)
    deliver(shop.folder, "returns", "1", back)
    nightly = Lake.make(tmp_path / "nightly", shop.name)
    night(shop, nightly, FIRST)
    as_then = measured(shop, nightly, FIRST)
    deliver(shop.folder, "orders", "2", late)
    deliver(shop.folder, "returns", "2", known_later)
    night(shop, nightly, SECOND)

    at_once = Lake.make(tmp_path / "at_once", shop.name)
    night(shop, at_once, SECOND)

    one, other = measured(shop, nightly, SECOND), measured(shop, at_once, SECOND)
    assert one.keys() == other.keys()
    assert one["cohort_retention"].height > 50
    for name in one:
        assert_frame_equal(one[name], other[name], check_row_order=True)
    for name, before in as_then.items():
        assert_frame_equal(before, measured(shop, nightly, FIRST)[name])
