"""Waits for the next purchase: against published survival tables and a plain recomputation."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from math import exp, log, prod, sqrt

import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from models.latency import latency_quantiles, observed_gaps, purchase_latency
from tests.models.shops import OPENED, as_of_days, purchase_days, purchases_of

Rows = list[tuple[str, date, int]]
FEW = settings(max_examples=60, deadline=None)

# Weeks to relapse of the 21 leukaemia patients on 6-mercaptopurine (Freireich et al. 1963, Blood 21,
# 699-716): the textbook case. Those cut off are marked False.
FREIREICH = [
    (6, True), (6, True), (6, True), (6, False), (7, True), (9, False), (10, True), (10, False), (11, False),
    (13, True), (16, True), (17, False), (19, False), (20, False), (22, True), (23, True), (25, False),
    (32, False), (32, False), (34, False), (35, False),
]  # fmt: skip
# Survival and 95 % limits on the log(-log) scale, as Stata's `sts list` and R's
# survfit(conf.type = "log-log") print them.
FREIREICH_SURVIVAL = {
    6: (0.8571, 0.6197, 0.9516),
    7: (0.8067, 0.5631, 0.9228),
    10: (0.7529, 0.5032, 0.8894),
    13: (0.6902, 0.4316, 0.8491),
    16: (0.6275, 0.3675, 0.8049),
    22: (0.5378, 0.2678, 0.7468),
    23: (0.4482, 0.1881, 0.6801),
}


def _waits(rows: Rows, as_of: date, transition: str) -> list[tuple[int, bool]]:
    days: dict[str, list[date]] = defaultdict(list)
    for key, day, _ in sorted(rows, key=lambda row: row[1]):
        if day <= as_of:
            days[key].append(day)
    waits: list[tuple[int, bool]] = []
    for own in days.values():
        for number, day in enumerate(own):
            if (number == 0) == (transition == "first_to_second"):
                is_over = number + 1 < len(own)
                until = own[number + 1] if is_over else as_of
                waits.append(((until - day).days, is_over))
    return waits


def _slow_survival(waits: list[tuple[int, bool]], day: int) -> tuple[float, float | None, float | None]:
    steps = []
    for event_day in sorted({wait for wait, is_over in waits if is_over and wait <= day}):
        at_risk = sum(wait >= event_day for wait, _ in waits)
        steps.append((sum(wait == event_day and is_over for wait, is_over in waits), at_risk))
    survival = prod(1 - events / at_risk for events, at_risk in steps)
    if not 1e-9 < survival < 1 - 1e-9:
        return survival, None, None
    variance = sum(events / (at_risk * (at_risk - events)) for events, at_risk in steps)
    spread = 1.959963984540054 * sqrt(variance) / abs(log(survival))
    return survival, survival ** exp(spread), survival ** exp(-spread)


def test_agrees_with_the_published_table_of_freireich_1963() -> None:
    as_of = OPENED + timedelta(100)
    rows: Rows = []
    for number, (wait, relapsed) in enumerate(FREIREICH):
        first = as_of - timedelta(wait) if not relapsed else OPENED
        rows.append((f"c{number}", first, 1))
        if relapsed:
            rows.append((f"c{number}", first + timedelta(wait), 1))
    table = purchase_latency(purchases_of(rows), as_of).filter(transition="first_to_second").collect()
    found = {
        row[0]: row[1:]
        for row in table.filter(pl.col("events") > 0).select("day", "survival", "low", "high").rows()
    }
    assert found.keys() == FREIREICH_SURVIVAL.keys()
    for day, expected in FREIREICH_SURVIVAL.items():
        assert found[day] == pytest.approx(expected, abs=5e-5)
    quantiles = latency_quantiles(table.lazy()).collect()
    # The median of this group is 23 weeks in every textbook.
    assert quantiles.select("p25", "p50", "p75", "p90").row(0) == (13, 23, None, None)


@FEW
@given(purchase_days(customers=6), as_of_days())
def test_survival_equals_the_recomputation_wait_by_wait(rows: Rows, as_of: date) -> None:
    table = purchase_latency(purchases_of(rows), as_of).collect()
    for transition in ("first_to_second", "later"):
        waits = _waits(rows, as_of, transition)
        found = table.filter(pl.col("transition") == transition)
        assert found["day"].to_list() == sorted({wait for wait, _ in waits} | ({0} if waits else set()))
        for row in found.to_dicts():
            day = row["day"]
            assert row["at_risk"] == sum(wait >= day for wait, _ in waits)
            assert row["events"] == waits.count((day, True))
            assert row["censored"] == waits.count((day, False))
            expected = _slow_survival(waits, day)
            assert row["survival"] == pytest.approx(expected[0], abs=1e-9)
            assert (row["low"], row["high"]) == pytest.approx(expected[1:], abs=1e-9)


@FEW
@given(purchase_days(customers=6), as_of_days())
def test_quantiles_are_the_first_days_with_that_share_back(rows: Rows, as_of: date) -> None:
    quantiles = latency_quantiles(purchase_latency(purchases_of(rows), as_of)).collect()
    for row in quantiles.to_dicts():
        waits = _waits(rows, as_of, row["transition"])
        for name, share in {"p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9}.items():
            days = [
                d
                for d in sorted({wait for wait, _ in waits})
                if 1 - _slow_survival(waits, d)[0] >= share - 1e-9
            ]
            assert row[name] == (days[0] if days else None)


@FEW
@given(purchase_days(customers=6), as_of_days())
def test_gaps_equal_the_recomputation_and_later_purchases_change_nothing(rows: Rows, as_of: date) -> None:
    days: dict[str, list[date]] = defaultdict(list)
    for key, day, _ in sorted(rows, key=lambda row: row[1]):
        if day <= as_of:
            days[key].append(day)
    expected = [
        (key, number, (own[number] - own[number - 1]).days, own[number - 1], own[number])
        for key, own in days.items()
        for number in range(1, len(own))
    ]
    assert sorted(observed_gaps(purchases_of(rows), as_of).collect().rows()) == sorted(expected)
    known = purchases_of([row for row in rows if row[1] <= as_of])
    assert sorted(observed_gaps(known).collect().rows()) == sorted(expected)
    assert_frame_equal(purchase_latency(purchases_of(rows), as_of), purchase_latency(known, as_of))


def test_a_quarter_back_is_a_quarter_back_whatever_the_rounding() -> None:
    # 1 - 1/10 - ... in factors: .9 * 8/9 * 7/8 ... passes .75 and .5 only up to rounding.
    rows = [(f"c{number}", OPENED, 1) for number in range(20)]
    rows += [(f"c{number}", OPENED + timedelta(number + 1), 1) for number in range(20)]
    quantiles = latency_quantiles(purchase_latency(purchases_of(rows), OPENED + timedelta(50))).collect()
    first = quantiles.filter(transition="first_to_second")
    assert first.select("p25", "p50", "p75", "p90").row(0) == (5, 10, 15, 18)


def test_an_empty_shop_and_a_single_purchase_give_frames_of_one_schema() -> None:
    empty, one = purchases_of([]), purchases_of([("a", OPENED)])
    assert purchase_latency(empty, OPENED).collect().is_empty()
    assert latency_quantiles(purchase_latency(empty, OPENED)).collect().is_empty()
    assert observed_gaps(empty).collect().is_empty()
    single = purchase_latency(one, OPENED).collect()
    assert single.rows() == [(OPENED, "first_to_second", 0, 1, 0, 1, 1.0, None, None)]
    assert purchase_latency(empty, OPENED).collect().schema == single.schema
    assert latency_quantiles(purchase_latency(one, OPENED)).collect().row(0)[2:] == (None,) * 4
    assert observed_gaps(one).collect().is_empty()
