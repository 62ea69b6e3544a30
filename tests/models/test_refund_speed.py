"""Refund speed against a plain recomputation, and as known at as_of."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.refund_speed import NO_REFUND_DAYS, refund_speed
from tests.models.shops import OPENED, RETURNS, Shop, as_of_days, shops

FEW = settings(max_examples=40, deadline=None)
Row = dict[str, Any]


def _due(rows: tuple[Row, ...], as_of: date) -> list[tuple[date, int, bool]]:
    """Return day, days waited and whether refunded, of every return whose money was due."""
    due: list[tuple[date, int, bool]] = []
    for row in rows:
        is_money = row["kind"] == "merchandise" and row["outcome"] in ("refund", None)
        if is_money and row["returned_day"] is not None and row["returned_day"] <= as_of:
            is_over = row["refunded_day"] is not None and row["refunded_day"] <= as_of
            end = row["refunded_day"] if is_over else as_of
            due.append((row["returned_day"], max(0, (end - row["returned_day"]).days), is_over))
    return due


def _median(waits: list[tuple[int, bool]]) -> int | None:
    survival = 1.0
    for day in range(400):
        at_risk = sum(days >= day for days, _ in waits)
        ended = sum(days == day and is_over for days, is_over in waits)
        survival *= 1 - ended / at_risk if at_risk else 1
        if survival <= 0.5 + 1e-12:
            return day
    return None


@FEW
@given(shops(days=150), as_of_days(200), st.integers(1, 200))
def test_days_equal_the_recomputation_return_by_return(shop: Shop, as_of: date, window: int) -> None:
    found = {
        (row["period"], row["period_start"]): row
        for row in refund_speed(shop.returns, as_of, window_days=window).collect().to_dicts()
    }
    due = _due(shop.return_rows, as_of)
    start = as_of - timedelta(window - 1)
    periods = {("month", day.replace(day=1)) for day, _, _ in due}
    periods |= {("window", start) for day, _, _ in due if day >= start}
    assert found.keys() == periods
    is_told = False
    for period, _ in periods:
        is_told |= any(is_over for day, _, is_over in due if period == "month" or day >= start)
    for (period, first), row in found.items():
        waits = [
            (days, is_over)
            for day, days, is_over in due
            if (day >= start if period == "window" else day.replace(day=1) == first)
        ]
        assert (row["n"], row["refunded"]) == (len(waits), sum(is_over for _, is_over in waits))
        assert row["open"] == row["n"] - row["refunded"]
        assert row["p50_days"] == (_median(waits) if is_told else None)
        assert row["note"] == (None if is_told else NO_REFUND_DAYS)


@FEW
@given(shops(days=150), as_of_days(200))
def test_later_returns_and_refunds_change_nothing(shop: Shop, as_of: date) -> None:
    known = [
        row | {"refunded_day": None if (row["refunded_day"] or date.max) > as_of else row["refunded_day"]}
        for row in shop.return_rows
        if (row["returned_day"] or date.max) <= as_of
    ]
    assert_frame_equal(
        refund_speed(shop.returns, as_of), refund_speed(pl.LazyFrame(known, schema=RETURNS), as_of)
    )


def _returns(days: list[int | None], **more: Any) -> pl.LazyFrame:
    rows = [
        {"kind": "merchandise", "returned_day": OPENED, **more}
        | {"refunded_day": None if wait is None else OPENED + timedelta(wait)}
        for wait in days
    ]
    return pl.LazyFrame(rows, schema=RETURNS)


def test_open_refunds_lengthen_the_wait_and_nobody_knows_14_days_before_they_are_over() -> None:
    returns = _returns([3, 3, 5, None])
    early = refund_speed(returns, OPENED + timedelta(7)).filter(period="month").collect().row(0, named=True)
    assert (early["p50_days"], early["p90_days"], early["within_14d"]) == (3, None, None)
    late = refund_speed(returns, OPENED + timedelta(40)).filter(period="month").collect().row(0, named=True)
    assert (late["open"], late["within_14d"], late["is_complete"]) == (1, pytest.approx(0.75), True)


def test_a_shop_that_tells_no_refund_day_is_not_one_that_never_pays() -> None:
    row = refund_speed(_returns([None] * 40), OPENED + timedelta(60)).collect().row(0, named=True)
    assert (row["n"], row["p50_days"], row["within_14d"], row["note"]) == (40, None, None, NO_REFUND_DAYS)


@pytest.mark.parametrize("outcome", ["exchange", "store_credit"])
def test_no_money_is_due_for_what_was_exchanged_or_credited(outcome: str) -> None:
    assert refund_speed(_returns([1], outcome=outcome), OPENED).collect().is_empty()


def test_money_that_comes_before_the_goods_took_no_days() -> None:
    row = refund_speed(_returns([-4]), OPENED + timedelta(30)).collect().row(0, named=True)
    assert (row["p50_days"], row["refunded"]) == (0, 1)


def test_no_returns_give_an_empty_table_and_no_window_is_refused() -> None:
    assert refund_speed(_returns([]), OPENED).collect().is_empty()
    with pytest.raises(ValueError, match="positive number of days"):
        refund_speed(_returns([]), OPENED, window_days=0)
