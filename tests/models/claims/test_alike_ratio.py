"""Ratios between alike rows against plain loops, and how often their intervals hold the truth."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.claims._alike_ratio import alike_ratio, numbered, text_code
from models.standardised import AT_LEAST, standardised_difference


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.booleans(), st.integers(0, 30)), max_size=80))
def test_rates_are_those_of_a_plain_loop_over_strata(rows: list[tuple[int, bool, bool, int]]) -> None:
    stratum, event, outcome, person = (np.array([row[i] for row in rows]) for i in range(4))
    event, outcome = event.astype(bool), outcome.astype(bool)
    found = alike_ratio(stratum.astype(np.int64), event, outcome, person.astype(np.int64))
    n = hits = 0
    expected = 0.0
    for s in set(stratum.tolist()):
        with_it = [o for t, e, o, _ in rows if t == s and e]
        without = [o for t, e, o, _ in rows if t == s and not e]
        if with_it and len(without) >= AT_LEAST:
            n += len(with_it)
            hits += sum(with_it)
            expected += len(with_it) * sum(without) / len(without)
    if n == 0:
        assert found.ratio is None
        return
    assert found.n_with == n and found.rate_with is not None and found.rate_without is not None
    assert found.rate_with == pytest.approx(hits / n)
    assert found.rate_without == pytest.approx(expected / n)
    difference = standardised_difference(stratum, event, outcome, person)
    assert found.rate_with - found.rate_without == pytest.approx(difference.difference)
    if found.ratio is not None:
        value, low, high = found.ratio
        assert low is None or high is None or 0 <= low <= value <= high < math.inf


def test_intervals_hold_the_truth_where_rows_of_a_person_hang_together() -> None:
    generator = np.random.default_rng(7)
    held, rounds, people, each = 0, 300, 300, 3
    for _ in range(rounds):
        person = np.repeat(np.arange(people), each)
        stratum = np.repeat(generator.integers(0, 3, people), each)
        event = generator.random(people * each) < 0.2 + 0.2 * stratum
        # A person's rows share a mood, so that they say less than as many people would.
        mood = np.repeat(generator.beta(4, 4, people), each)
        outcome = generator.random(people * each) < mood * np.where(event, 0.9, 0.6)
        found = alike_ratio(stratum, event, outcome, person)
        assert found.ratio is not None and found.ratio.low is not None and found.ratio.high is not None
        held += found.ratio.low <= 1.5 <= found.ratio.high
    assert 0.92 <= held / rounds <= 1.0


def test_combinations_are_numbered_from_zero_and_null_is_one_of_its_own() -> None:
    frame = pl.DataFrame({"a": [3, 3, None, 3], "b": ["x", "y", "x", "x"]})
    numbers = frame.select(numbered(pl.col("a"), text_code("b"))).to_series().to_list()
    assert sorted(set(numbers)) == [0, 1, 2]
    assert numbers[0] == numbers[3]
