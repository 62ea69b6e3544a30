"""Which training rows fit, which say when to stop, which are held back: by time, never at random.

The latest cut is held back for calibration and importances, the one before says when to stop. Where horizons of cuts
overlap, the same purchase of the same person would stand on both sides; then a quarter of the people, drawn by a hash
of their keys, is kept for stopping and calibration alone.

What does not belong here: where the cuts lie (`models.training_rows`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import polars as pl

from models.errors import NotEnoughDataError
from models.training_rows import LABELS

__all__ = ["Split", "require_both", "split_by_time"]

FEWEST: Final = 50
"""Customers that bought, and that did not, which each part must have (ours)."""
_APART: Final = 4
_FEWEST_CUTS: Final = 3


@dataclass(frozen=True, slots=True)
class Split:
    """Training rows by what they are for.

    Attributes
    ----------
    early
        All cuts but the last two.
    stopping
        The last cut but one: how many trees are best there.
    fitting
        All cuts but the last: what the model is fitted on in the end.
    held_back
        The last cut: calibration, importances.
    spans_a_year
        Whether the cuts fitted on show every season.
    """

    early: pl.DataFrame
    stopping: pl.DataFrame
    fitting: pl.DataFrame
    held_back: pl.DataFrame
    spans_a_year: bool

    def of_buyers(self) -> Split:
        """The same for those who bought in their horizon."""
        early, stopping, fitting, held_back = (
            part.filter("bought") for part in (self.early, self.stopping, self.fitting, self.held_back)
        )
        return Split(early, stopping, fitting, held_back, self.spans_a_year)


def split_by_time(rows: pl.DataFrame, horizon_days: int, seed: int) -> Split:
    """Split training rows, whatever order they come in.

    Raises
    ------
    ValueError
        Columns are missing.
    NotEnoughDataError
        Fewer than three cuts.
    """
    if missing := [name for name in LABELS if name not in rows.columns]:
        raise ValueError(
            f"Training rows lack {', '.join(missing)}; make them with models.training_rows.training_rows."
        )
    rows = rows.sort("cut", "customer_key")
    cuts = rows["cut"].unique().sort().to_list()
    if len(cuts) < _FEWEST_CUTS:
        raise NotEnoughDataError(
            f"Training rows are of {len(cuts)} cuts; at least {_FEWEST_CUTS} are needed: to fit, to stop, to calibrate."
        )
    steps = [(later - earlier).days for earlier, later in pairwise(cuts)]
    kept = fitted = pl.lit(True)
    if min(steps) < horizon_days:
        # Not the hash that a sample of customers is drawn by: its lowest would all be in it.
        kept = pl.col("customer_key").hash(seed + 1) % _APART == 0
        fitted = ~kept
    cut = pl.col("cut")
    return Split(
        early=rows.filter((cut < cuts[-2]) & fitted),
        stopping=rows.filter((cut == cuts[-2]) & kept),
        fitting=rows.filter((cut < cuts[-1]) & fitted),
        held_back=rows.filter((cut == cuts[-1]) & kept),
        spans_a_year=(cuts[-2] - cuts[0]).days >= 365 - max(steps),
    )


def require_both(split: Split) -> None:
    """Refuse parts in which too few bought, or too few did not.

    Raises
    ------
    NotEnoughDataError
        With the numbers of each part.
    """
    parts = {"to fit": split.early, "to stop": split.stopping, "to calibrate": split.held_back}
    counts = {name: (int(part["bought"].sum()), part.height) for name, part in parts.items()}
    if any(min(bought, n - bought) < FEWEST for bought, n in counts.values()):
        told = "; ".join(f"{name} {bought:,} of {n:,} bought" for name, (bought, n) in counts.items())
        raise NotEnoughDataError(
            f"Each part needs at least {FEWEST} customers who bought and {FEWEST} who did not: {told}. "
            "Wait for more customers, or change the horizon."
        )
