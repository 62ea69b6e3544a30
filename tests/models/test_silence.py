"""Coming back after a silence: against a published survival table and a plain recomputation."""

from __future__ import annotations

from datetime import date
from math import exp, log, sqrt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.intervals import normal_quantile
from models.latency import purchase_latency
from models.silence import back_after_silence
from tests.models.shops import OPENED, as_of_days, purchase_days, purchases_of

FEW = settings(max_examples=50, deadline=None)
Rows = list[tuple[str, date, int]]


def _waits(rows: Rows, as_of: date) -> dict[str, list[tuple[int, bool]]]:
    own: dict[str, list[date]] = {}
    for key, day, _ in sorted(rows, key=lambda row: row[1]):
        if day <= as_of:
            own.setdefault(key, []).append(day)
    waits: dict[str, list[tuple[int, bool]]] = {"first_to_second": [], "later": []}
    for days in own.values():
        for number, day in enumerate(days):
            is_over = number + 1 < len(days)
            until = days[number + 1] if is_over else as_of
            waits["later" if number else "first_to_second"].append(((until - day).days, is_over))
    return waits


@FEW
@given(purchase_days(days=200), as_of_days(200), st.integers(0, 120), st.integers(1, 90))
def test_shares_equal_the_recomputation_among_those_still_silent(
    rows: Rows, as_of: date, silent: int, within: int
) -> None:
    latency = purchase_latency(purchases_of(rows), as_of)
    made = back_after_silence(latency, silent_days=[silent], within_days=within).collect()
    found = {row["transition"]: row for row in made.to_dicts()}
    for transition, waits in _waits(rows, as_of).items():
        left = [(days, is_over) for days, is_over in waits if days > silent]
        assert (transition in found) == bool(left)
        if not left:
            continue
        survival, greenwood = 1.0, 0.0
        for day in range(silent + 1, silent + within + 1):
            at_risk = sum(days >= day for days, _ in left)
            ended = sum(days == day and is_over for days, is_over in left)
            if ended:
                survival *= 1 - ended / at_risk
                greenwood += ended / (at_risk * (at_risk - ended)) if at_risk > ended else float("inf")
        row = found[transition]
        assert row["n"] == len(left)
        if survival > 0 and max(days for days, _ in left) < silent + within:
            assert (row["rate"], row["low"], row["high"]) == (None, None, None)
        elif 0 < survival < 1:
            spread = normal_quantile(0.95) * sqrt(greenwood) / abs(log(survival))
            expected = (1 - survival, 1 - survival ** exp(-spread), 1 - survival ** exp(spread))
            assert (row["rate"], row["low"], row["high"]) == pytest.approx(expected, abs=1e-12)
        else:
            assert row["rate"] == pytest.approx(1 - survival)
            assert row["low"] is None


def test_without_a_silence_it_is_the_curve_itself_and_after_one_the_rest_of_it() -> None:
    # Survival of the 6-mercaptopurine patients of Freireich et al. 1963 by week: 7 of 21 relapse by week 10, S .7529,
    # and S(22) is .5378 (Stata, `sts list`).
    weeks = [6, 7, 10, 13, 16, 22, 23]
    table = {6: (21, 3, 1), 7: (17, 1, 0), 9: (16, 0, 1), 10: (15, 1, 1), 11: (13, 0, 1), 13: (12, 1, 0)}
    table |= {16: (11, 1, 0), 17: (10, 0, 1), 19: (9, 0, 1), 20: (8, 0, 1), 22: (7, 1, 0), 23: (6, 1, 0)}
    table |= {25: (5, 0, 1), 32: (4, 0, 2), 34: (2, 0, 1), 35: (1, 0, 1)}
    assert all(table[week][1] for week in weeks)
    latency = pl.LazyFrame(
        [
            {"as_of": OPENED, "transition": "later", "day": day, "at_risk": at_risk, "events": events}
            for day, (at_risk, events, _) in table.items()
        ],
        schema_overrides={"day": pl.Int32},
    )
    made = back_after_silence(latency, silent_days=[0, 10], within_days=22).collect()
    rates = dict(zip(made["silent_days"], made["rate"], strict=True))
    assert rates[0] == pytest.approx(1 - 0.5378, abs=5e-5)
    assert rates[10] == pytest.approx(1 - 0.4482 / 0.7529, abs=2e-4)
    assert made["n"].to_list() == [21, 13]


def test_nobody_waits_in_a_shop_without_orders() -> None:
    made = back_after_silence(purchase_latency(purchases_of([]), OPENED)).collect()
    assert made.is_empty()
    assert made.schema["rate"] == pl.Float64


@pytest.mark.parametrize(("silent", "within"), [([-1], 90), ([0], 0)])
def test_days_that_are_no_span_are_refused(silent: list[int], within: int) -> None:
    latency = purchase_latency(purchases_of([]), OPENED)
    with pytest.raises(ValueError, match="must not be negative"):
        back_after_silence(latency, silent_days=silent, within_days=within)
