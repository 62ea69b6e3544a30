"""Refit: whether a night fits its models anew, or scores with those of an earlier night, and why.

Fitting and back-testing cost more than scoring, and numbers that jump every night for no reason make people distrust
them. So models are fitted weekly, when the shop has drifted away from what they were fitted on, or when somebody asks.

What does not belong here: fitting itself, and where fitted models are kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["LARGEST_SHIFT", "REFIT_DAYS", "LastFit", "Shape", "why_refit"]

FloatArray = npt.NDArray[np.float64]

REFIT_DAYS: Final = 7
LARGEST_SHIFT: Final = 0.25
"""Population stability index from which a shop counts as changed: the usual bound for a major shift (Siddiqi 2006,
Credit Risk Scorecards, chapter 8)."""

_BINS: Final = 10
_WATCHED: Final = ("frequency", "recency", "T", "monetary_value")
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class Shape:
    """How the customers that models were fitted on are spread over what the models look at.

    Attributes
    ----------
    edges
        Of each watched column, inner edges of its tenths.
    shares
        Of each watched column, share of customers between the edges, those without a value last.
    customers
        How many there were.
    """

    edges: dict[str, list[float]]
    shares: dict[str, list[float]]
    customers: int

    @classmethod
    def of(cls, summary: pl.DataFrame) -> Shape:
        """Take the shape of a customer summary (`models.summary.customer_summary`)."""
        edges = {name: _edges(summary[name]) for name in _WATCHED}
        shares = {name: _shares(summary[name], edges[name]).tolist() for name in _WATCHED}
        return cls(edges, shares, summary.height)

    def shift(self, summary: pl.DataFrame) -> dict[str, float]:
        """Population stability index of each watched column, between this shape and a summary of today.

        The sum over tenths of (share now - share then) x ln(share now / share then); half a customer is added to each
        tenth, so that an empty one is no infinity.
        """
        found: dict[str, float] = {}
        for name in _WATCHED:
            now = _smoothed(_shares(summary[name], self.edges[name]), summary.height)
            then = _smoothed(np.array(self.shares[name]), self.customers)
            found[name] = float(((now - then) * np.log(now / then)).sum())
        return found

    def to_json(self) -> str:
        """Write the shape as JSON text."""
        return json.dumps({"edges": self.edges, "shares": self.shares, "customers": self.customers})

    @classmethod
    def from_json(cls, text: str) -> Shape:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class LastFit:
    """The newest fit before today.

    Attributes
    ----------
    fitted_as_of
        Last day that its models knew.
    program
        What made them: code, settings and the contract of the data, as a checksum.
    shape
        Of the customers they were fitted on.
    """

    fitted_as_of: date
    program: str
    shape: Shape


def why_refit(
    as_of: date, last: LastFit | None, summary: pl.DataFrame, *, program: str, is_requested: bool = False
) -> str | None:
    """Say why models are fitted anew at `as_of`; None where those of the last fit do.

    Parameters
    ----------
    last
        The newest fit of an earlier day; None where there is none.
    summary
        Today's customer summary.
    program
        Checksum of what makes the models now.
    is_requested
        Somebody asked for it.

    Returns
    -------
    str or None
        The reason, with its numbers.
    """
    if is_requested:
        return "requested"
    if last is None:
        return "no models were fitted before"
    age = (as_of - last.fitted_as_of).days
    if age >= REFIT_DAYS:
        return f"weekly: the last fit is {age} days old"
    if program != last.program:
        return "the program, its settings or the contract of the data changed"
    shift = last.shape.shift(summary)
    column = max(shift, key=lambda name: shift[name])
    if shift[column] > LARGEST_SHIFT:
        return (
            f"drift: {column} of the {summary.height:,} customers moved by a stability index of {shift[column]:.2f} "
            f"since {last.fitted_as_of}; up to {LARGEST_SHIFT} is borne"
        )
    return None


def _edges(values: pl.Series) -> list[float]:
    known = values.drop_nulls().to_numpy()
    if not len(known):
        return []
    return np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS)).tolist()


def _shares(values: pl.Series, edges: list[float]) -> FloatArray:
    known = values.drop_nulls().to_numpy()
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return np.append(counts, values.null_count()) / max(values.len(), 1)


def _smoothed(shares: FloatArray, customers: int) -> FloatArray:
    counts = shares * customers + _HALF
    return counts / counts.sum()
