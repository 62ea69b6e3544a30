"""Expectations come from a source's own history, and there are none before there is one."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl
import pytest

from pipelines.ingest.expectations import LEAST_HISTORY, expected
from tests.pipelines.small_shops import NOW


def history(rows: Sequence[int], *, every: float = 1.0, repeats: int = 0) -> pl.LazyFrame:
    """Deliveries of one source, the last of them at NOW."""
    count = len(rows)
    moments = [NOW - timedelta(days=every * (count - 1 - number)) for number in range(count)]
    return pl.LazyFrame(
        {
            "source": ["web"] * (count + repeats),
            "received_at": moments + [NOW + timedelta(hours=1)] * repeats,
            "rows": [*rows, *[9_999] * repeats],
            "is_repeat": [False] * count + [True] * repeats,
        }
    )


def of(frame: pl.LazyFrame, now: datetime = NOW) -> dict[str, object]:
    return expected(frame, now).collect().row(0, named=True)


@pytest.mark.parametrize(
    ("last", "is_usual"), [(100, True), (33, False), (34, True), (300, True), (301, False)]
)
def test_a_delivery_is_compared_with_the_median_of_those_before(last: int, is_usual: bool) -> None:
    found = of(history([100, 90, 110, 100, 105, last]))
    assert (found["rows"], found["is_usual"]) == (last, is_usual)


def test_nothing_is_expected_without_a_history() -> None:
    found = of(history([100] * LEAST_HISTORY), NOW + timedelta(days=99))
    assert (found["usual_low"], found["usual_gap_days"]) == (None, None)
    assert (found["is_usual"], found["is_fresh"]) == (True, True)


@pytest.mark.parametrize(("later", "is_fresh"), [(1.9, True), (2.1, False)])
def test_a_source_is_late_after_twice_its_usual_gap(later: float, is_fresh: bool) -> None:
    assert of(history([100] * 8), NOW + timedelta(days=later))["is_fresh"] is is_fresh
    weekly = of(history([100] * 8, every=7), NOW + timedelta(days=7 * later))
    assert (weekly["is_fresh"], weekly["usual_gap_days"]) == (is_fresh, 7.0)


def test_a_file_that_came_again_is_no_news() -> None:
    found = of(history([100] * 8, repeats=2), NOW + timedelta(days=3))
    assert (found["rows"], found["is_fresh"]) == (100, False)
