"""Stage cuts agree with NumPy's quantiles of the gaps known at each month's start, and never look ahead."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.stage_cuts import CutRules, stage_cuts
from tests.models.composed_purchases import Shop, day, one_order_each, purchases, shops

ANY_NUMBER = CutRules(min_customers=1)


def slow_cuts(shop: Shop, month: date, rules: CutRules) -> dict[str, object]:
    gaps: dict[str, list[int]] = {"first": [], "later": []}
    customers = {"first": 0, "later": 0}
    for days in shop.values():
        known = [number for number in sorted(days) if day(number) < month]
        lengths = [after - before for before, after in pairwise(known)]
        gaps["first"] += lengths[:1]
        gaps["later"] += lengths[1:]
        customers["first"] += len(lengths) >= 1
        customers["later"] += len(lengths) >= 2
    row: dict[str, object] = {"month": month}
    for kind in ("first", "later"):
        is_fallback = customers[kind] < rules.min_customers
        p75 = rules.fallback_p75 if is_fallback else float(np.quantile(gaps[kind], 0.75))
        p90 = rules.fallback_p90 if is_fallback else float(np.quantile(gaps[kind], 0.90))
        row |= {f"p75_{kind}": p75, f"p90_{kind}": p90, f"is_fallback_{kind}": is_fallback}
        row[f"dormant_after_{kind}"] = max(rules.min_dormant_after, 2 * p90)
    return row | {"returning_customers": customers["first"], "later_customers": customers["later"]}


@settings(max_examples=40, deadline=None)
@given(shops(customers=8), st.integers(0, 1600), st.integers(1, 3))
def test_agrees_with_numpy_quantiles_of_the_gaps_known_at_each_months_start(
    shop: Shop, last: int, min_customers: int
) -> None:
    rules = CutRules(min_customers=min_customers)
    as_of = day(last)
    cuts = stage_cuts(purchases(shop), as_of, rules=rules).collect()
    ordered = [day(number) for days in shop.values() for number in days if day(number) <= as_of]
    if not ordered:
        assert cuts.is_empty()
        return
    month = min(ordered).replace(day=1)
    months: list[date] = []
    while month <= as_of:
        months.append(month)
        month = (month + timedelta(days=31)).replace(day=1)
    expected = pl.DataFrame([slow_cuts(shop, month, rules) for month in months])
    assert_frame_equal(cuts, expected, check_column_order=False, abs_tol=1e-9)


@settings(max_examples=30, deadline=None)
@given(shops(customers=8), st.integers(0, 1500), st.integers(0, 400))
def test_later_orders_change_no_earlier_month(shop: Shop, last: int, further: int) -> None:
    earlier = stage_cuts(purchases(shop), day(last), rules=ANY_NUMBER).collect()
    later = stage_cuts(purchases(shop), day(last + further), rules=ANY_NUMBER).collect()
    known = later.filter(pl.col("month") <= day(last).replace(day=1))
    assert_frame_equal(earlier, known.filter(earlier.height > 0))


def test_a_gap_counts_from_the_month_after_it_ended() -> None:
    # Ordered on January 15th and February 14th: the 30 days are known from March on.
    cuts = stage_cuts(purchases(one_order_each({"a": [0, 30]})), day(60), rules=ANY_NUMBER).collect()
    assert cuts["month"].to_list() == [date(2020, 1, 1), date(2020, 2, 1), date(2020, 3, 1)]
    assert cuts["p75_first"].to_list() == [90.0, 90.0, 30.0]
    assert cuts["returning_customers"].to_list() == [0, 0, 1]


@pytest.mark.parametrize(("returning", "p75"), [(99, 90.0), (100, 10.0)])
def test_under_100_returning_customers_the_cuts_are_90_180_365(returning: int, p75: float) -> None:
    shop = one_order_each({f"customer {number}": [0, 10] for number in range(returning)})
    row = stage_cuts(purchases(shop), day(31)).collect().row(-1, named=True)
    assert (row["returning_customers"], row["p75_first"]) == (returning, p75)
    assert row["is_fallback_first"] == (returning < 100)
    assert row["dormant_after_first"] == 365.0
    # Nobody has a later gap yet, so regulars get the fallback in either shop.
    assert (row["p75_later"], row["p90_later"], row["dormant_after_later"]) == (90.0, 180.0, 365.0)


def test_a_slow_shop_waits_twice_its_p90_before_it_calls_anyone_dormant() -> None:
    shop = one_order_each({f"customer {number}": [0, 400] for number in range(100)})
    row = stage_cuts(purchases(shop), day(450)).collect().row(-1, named=True)
    assert (row["p90_first"], row["dormant_after_first"]) == (400.0, 800.0)


def test_a_shop_without_orders_has_no_cuts() -> None:
    assert stage_cuts(purchases({}), day(0)).collect().is_empty()
