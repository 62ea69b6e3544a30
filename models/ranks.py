"""Scores by rank: equal groups where values differ, equal scores where they don't.

Ranks are averaged over ties and then cut. A plain quantile cut puts several cut points on one value as
soon as it is common (one order, zero spend), and whole scores vanish. What scores mean belongs elsewhere.
"""

from __future__ import annotations

import polars as pl


def rank_score(values: pl.Expr, groups: int) -> pl.Expr:
    """Score 1 to `groups` by average rank; the highest values get the highest score.

    Parameters
    ----------
    values
        What to rank. Equal values always get equal scores.
    groups
        Number of scores: 3 for thirds, 5 for quintiles, 10 for deciles.

    Returns
    -------
    pl.Expr
        Int8. The score of the group that holds the middle of the tied ranks, so that a shop in which all
        are equal sits in the middle, not at an end.
    """
    # Twice the average rank is whole, which keeps the cut exact: floor(groups * (rank - 1/2) / n) + 1.
    doubled = (values.rank("average") * 2).cast(pl.Int64)
    return ((groups * (doubled - 1)) // (2 * values.count().cast(pl.Int64)) + 1).cast(pl.Int8)
