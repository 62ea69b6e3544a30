"""Waiting times against worked numbers and a plain recomputation."""

from __future__ import annotations

from math import exp, log, sqrt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.intervals import normal_quantile
from models.waiting_times import ended_within, wait_quantiles, waiting_curve

WAITS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 12), st.booleans()), max_size=25)
SCHEMA = {"group": pl.String, "days": pl.Int64, "is_over": pl.Boolean}
BY = ("group",)


def _waits(rows: list[tuple[str, int, bool]]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema=SCHEMA, orient="row")


def _slow(rows: list[tuple[int, bool]], until: int) -> tuple[float, float]:
    """Share still waiting after `until` days, and Greenwood's sum."""
    survival, greenwood = 1.0, 0.0
    for day in range(until + 1):
        at_risk = sum(days >= day for days, _ in rows)
        ended = sum(days == day and is_over for days, is_over in rows)
        if ended:
            survival *= 1 - ended / at_risk
            greenwood += ended / (at_risk * (at_risk - ended)) if at_risk > ended else float("inf")
    return survival, greenwood


@settings(max_examples=60, deadline=None)
@given(WAITS)
def test_the_curve_equals_the_recomputation_day_by_day(rows: list[tuple[str, int, bool]]) -> None:
    curve = waiting_curve(_waits(rows), BY).collect()
    assert curve.select(pl.sum_horizontal("ended", "open").sum()).item() == len(rows)
    for row in curve.to_dicts():
        own = [(days, is_over) for group, days, is_over in rows if group == row["group"]]
        survival, greenwood = _slow(own, row["days"])
        assert row["at_risk"] == sum(days >= row["days"] for days, _ in own)
        assert row["survival"] == pytest.approx(survival, abs=1e-12)
        if 1e-12 < survival < 1:
            spread = normal_quantile(0.95) * sqrt(greenwood) / abs(log(survival))
            assert row["low"] == pytest.approx(survival ** exp(spread), abs=1e-12)
            assert row["high"] == pytest.approx(survival ** exp(-spread), abs=1e-12)
        else:
            assert row["low"] is None


@settings(max_examples=60, deadline=None)
@given(WAITS, st.integers(0, 14))
def test_quantiles_and_shares_are_read_off_the_curve(rows: list[tuple[str, int, bool]], within: int) -> None:
    curve = waiting_curve(_waits(rows), BY)
    quantiles = wait_quantiles(curve, BY).collect().to_dicts()
    shares = ended_within(curve, BY, within).collect().to_dicts()
    assert [row["group"] for row in quantiles] == [row["group"] for row in shares]
    for quantile, share in zip(quantiles, shares, strict=True):
        own = [(days, is_over) for group, days, is_over in rows if group == quantile["group"]]
        assert (quantile["n"], quantile["ended"]) == (len(own), sum(is_over for _, is_over in own))
        for name, part in (("p50", 0.5), ("p90", 0.9)):
            days = [day for day in range(13) if _slow(own, day)[0] <= 1 - part + 1e-12]
            assert quantile[name] == (days[0] if days else None)
            low, high = quantile[f"{name}_low"], quantile[f"{name}_high"]
            assert low is None or quantile[name] is None or low <= quantile[name]
            assert high is None or high >= quantile[name]
        survival = _slow(own, within)[0]
        if max(days for days, _ in own) >= within or survival < 1e-12:
            assert share["within"] == pytest.approx(1 - survival, abs=1e-12)
        else:
            assert share["within"] is None


def test_an_open_wait_is_longer_than_it_has_lasted() -> None:
    waits = _waits([("a", 2, True), ("a", 4, True), ("a", 3, False), ("a", 5, False)])
    curve = waiting_curve(waits, BY).collect()
    # 4 wait, one ends: 3/4; on day 3 one is cut off; of the 2 left one ends: 3/8.
    assert curve["survival"].to_list() == pytest.approx([0.75, 0.75, 0.375, 0.375])
    row = wait_quantiles(curve.lazy(), BY).collect().row(0, named=True)
    assert (row["n"], row["ended"], row["open"], row["p50"], row["p90"]) == (4, 2, 2, 4, None)


def test_no_waits_have_no_curve() -> None:
    curve = waiting_curve(_waits([]), BY)
    assert wait_quantiles(curve, BY).collect().is_empty()
    assert ended_within(curve, BY, 3).collect().is_empty()
