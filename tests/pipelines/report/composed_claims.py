"""Rows of the table claims, composed: one of each status."""

from typing import Any

import polars as pl

from tests.pipelines.report.composed_tables import AS_OF, frame


def claim(which: int, part: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "as_of": AS_OF,
        "claim": which,
        "part": part,
        "claim_says": f"What is said {which}",
        "status": status,
        "definition": f"counted as in part {part}",
        "says": f"What was found of {part}.",
    } | more


def measured(which: int, part: str, status: str, value: float, half: float, **more: Any) -> dict[str, Any]:
    numbers = {"number": value, "low": value - half, "high": value + half, "n": 1200, "n_of": "customers"}
    figure = {"claimed_low": 3.0, "claimed_high": 3.0, "sense": "at least", "unit": "times"}
    return claim(which, part, status, **{**numbers, **figure, **more})


ROWS = [
    measured(3, "per order", "does not hold", 1.2, 0.1),
    measured(3, "per customer", "holds", 4.1, 0.3, claimed_by="Somebody"),
    measured(
        4,
        "active",
        "cannot tell",
        0.37,
        0.05,
        claimed_low=0.35,
        claimed_high=0.41,
        sense="about",
        unit="share",
    ),
    measured(
        9, "alike people", "does not hold", -0.02, 0.01, claimed_low=0.05, claimed_high=0.05, unit="points"
    ),
    claim(11, "views", "cannot be tested", needs="tracking_views"),
]


def claims(rows: list[dict[str, Any]] = ROWS) -> pl.LazyFrame:
    return frame("claims", rows)
