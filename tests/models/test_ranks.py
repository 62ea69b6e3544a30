"""Rank scores agree with ranks counted by hand."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ranks import rank_score


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.sampled_from([3, 5]))
def test_scores_agree_with_ranks_counted_by_hand(values: list[int], groups: int) -> None:
    scores = pl.DataFrame({"value": values}).select(rank_score(pl.col("value"), groups)).to_series()
    for value, score in zip(values, scores, strict=True):
        below = sum(other < value for other in values)
        middle = below + values.count(value) / 2
        assert score == int(groups * middle / len(values)) + 1


def test_distinct_values_split_into_equal_thirds() -> None:
    scores = pl.DataFrame({"value": range(9)}).select(rank_score(pl.col("value"), 3)).to_series()
    assert scores.to_list() == [1, 1, 1, 2, 2, 2, 3, 3, 3]
