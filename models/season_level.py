"""The season: what a candidate got wrong in the same days a year ago, it is expected to get wrong again.

Purchase models know a customer's pace and no calendar: before Christmas they say too little, after it too much. Put
back a year, the same model predicts days that are known by now; actual over predicted is the level of the season, and
of whatever else the model misses year after year. One number for all, so the order of customers stays as it is, and
their probabilities are left alone: a curve learnt from a single season a year ago says less than the model itself.

Nothing after `as_of` is used. A shop younger than a year and a quarter has no such days, and is refused with the
numbers. Below two years the history that the model had a year ago shows no whole year: seasons are mixed in it
otherwise than in today's, the level is less sure, and a warning says so.

What does not belong here: the candidates that are put back (`models.candidates`, `models.baselines`).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Self

import polars as pl

from models.baselines import YEAR_DAYS, LastTwelveMonths
from models.candidates import PREDICTION_COLUMNS, Candidate
from models.errors import ApproximationWarning, NotEnoughDataError
from models.every_order_spend import EveryOrderSpend
from models.known import Known, known_at

__all__ = ["Level", "MeanOf", "SeasonLevel", "mbg_nbd_season", "season_mean"]

_LEAD_DAYS: Final = 90
"""History before the day a year ago, so that its customers have something to be known by (ours)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Actual against predicted value in the days a whole number of years before the horizon.

    Attributes
    ----------
    cut, horizon_days
        The days (cut, cut + horizon_days].
    customers
        Known at the cut.
    actual, predicted
        Totals of these customers, shop currency.
    """

    cut: date
    horizon_days: int
    customers: int
    actual: float
    predicted: float

    @property
    def ratio(self) -> float:
        """What predictions are multiplied by."""
        return self.actual / self.predicted


class SeasonLevel:
    """A candidate whose values are multiplied by its level a year ago; see `models.candidates.Candidate`.

    Parameters
    ----------
    name
        Name under which it is measured and published.
    candidate
        Makes the candidate; one is fitted on what is known now, one on what was known a year before.

    Attributes
    ----------
    fitted_ : Candidate
        The one fitted on what is known now.
    """

    _known: Known
    _first_day: date
    fitted_: Candidate

    def __init__(self, name: str, candidate: Callable[[], Candidate]) -> None:
        self.name = name
        self.candidate = candidate

    def fit(self, known: Known) -> Self:
        """Fit the candidate on what is known.

        Raises
        ------
        NotEnoughDataError
            No day a year ago with 90 days of history before it.
        """
        self._known = known
        first_day = known.purchases.select(pl.col("order_day").min()).collect().item()
        # Without any purchase there is no history at all.
        self._first_day = first_day if isinstance(first_day, date) else known.as_of
        self._day_years_ago(1)
        self.fitted_ = self.candidate().fit(known)
        return self

    def predict(self, horizon_days: int) -> pl.DataFrame:
        """Predict by the candidate and the level of the season; see `models.candidates.Candidate.predict`.

        Raises
        ------
        NotEnoughDataError
            See `level`.
        """
        ratio = self.level(horizon_days).ratio
        return self.fitted_.predict(horizon_days).with_columns(
            pl.col("predicted_value") * ratio, model=pl.lit(self.name)
        )

    def level(self, horizon_days: int) -> Level:
        """Put the candidate back by as many years as the horizon fits into, at least one, and compare totals.

        Raises
        ------
        NotEnoughDataError
            The history is too short for that, or nothing was bought or predicted there.

        Warns
        -----
        ApproximationWarning
            The history before that day shows no whole year.
        """
        cut = self._day_years_ago(math.ceil(horizon_days / YEAR_DAYS))
        self._warn_of_part_of_a_year(cut)
        before, end = _put_back(self._known, cut), cut + timedelta(horizon_days)
        predicted = self.candidate().fit(before).predict(horizon_days)
        actual = (
            _put_back(self._known, end)
            .purchases.filter((pl.col("order_day") > cut) & (pl.col("order_day") <= end))
            .join(before.purchases.select("customer_key").unique(), on="customer_key", how="semi")
            .select(pl.col("net").sum().cast(pl.Float64))
            .collect()
            .item()
        )
        level = Level(
            cut=cut,
            horizon_days=horizon_days,
            customers=predicted.height,
            actual=float(actual or 0.0),
            predicted=float(predicted["predicted_value"].sum()),
        )
        if not (level.actual > 0 and level.predicted > 0):
            raise NotEnoughDataError(
                f"No level of the season: in the {horizon_days} days after {cut} the {level.customers:,} customers "
                f"known then spent {level.actual:,.2f}, and {self.name} predicted {level.predicted:,.2f}. "
                "Use a model without season."
            )
        return level

    def _warn_of_part_of_a_year(self, cut: date) -> None:
        history_days = (cut - self._first_day).days
        if history_days < YEAR_DAYS:
            sound = self._known.as_of + timedelta(YEAR_DAYS - history_days)
            warnings.warn(
                f"{self.name} compares with {cut}, when {history_days} days were known and not every season: what it "
                f"takes for the season may in part be that. Its level is sound from {sound} on; until then rely on "
                "the back-test.",
                ApproximationWarning,
                stacklevel=3,
            )

    def _day_years_ago(self, years: int) -> date:
        as_of = self._known.as_of
        day = as_of - timedelta(years * YEAR_DAYS)
        if day < self._first_day + timedelta(_LEAD_DAYS):
            raise NotEnoughDataError(
                f"{self.name} looks {years * YEAR_DAYS} days back and needs {_LEAD_DAYS} days of orders before; from "
                f"{self._first_day} to {as_of} there are {(as_of - self._first_day).days}. Wait, or use a "
                "model without season."
            )
        return day


class MeanOf:
    """The mean of several candidates' values; probabilities are the first one's.

    Errors that are not shared cancel out in part, and weights fitted on little data rarely do better than equal ones
    (Bates & Granger 1969, The Combination of Forecasts, Operational Research Quarterly 20, 451-468).

    Parameters
    ----------
    name
        Name under which it is measured and published.
    parts
        Makes the candidates; all predict values.

    Attributes
    ----------
    parts_ : sequence of Candidate
        As fitted.
    """

    parts_: Sequence[Candidate]

    def __init__(self, name: str, parts: Callable[[], Sequence[Candidate]]) -> None:
        self.name = name
        self.parts = parts

    def fit(self, known: Known) -> Self:
        """Fit every part; see `models.candidates.Candidate.fit`."""
        self.parts_ = [part.fit(known) for part in self.parts()]
        return self

    def predict(self, horizon_days: int) -> pl.DataFrame:
        """Average the parts; see `models.candidates.Candidate.predict`."""
        first, *others = (part.predict(horizon_days) for part in self.parts_)
        joined, places = first.sort("customer_key"), range(len(others))
        for place, other in zip(places, others, strict=True):
            own = other.select("customer_key", pl.col("predicted_value").alias(f"of_{place}"))
            joined = joined.join(own, on="customer_key", how="left", validate="1:1", maintain_order="left")
        values = [pl.col("predicted_value"), *(pl.col(f"of_{place}") for place in places)]
        total = pl.sum_horizontal(values, ignore_nulls=False)
        return joined.with_columns(predicted_value=total / len(values), model=pl.lit(self.name)).select(
            PREDICTION_COLUMNS
        )


def _put_back(known: Known, day: date) -> Known:
    """As known at an earlier day; where only purchases are told, with refunds as known now."""
    if known.tables is None:
        return Known.of_purchases(known.purchases, day)
    return known_at(day, **known.tables)


def mbg_nbd_season() -> SeasonLevel:
    """MBG/NBD times Gamma-Gamma over every order day, at the level of the season."""
    return SeasonLevel("mbg_nbd_season", lambda: EveryOrderSpend("mbg_nbd_every_order"))


def season_mean() -> MeanOf:
    """The mean of `mbg_nbd_season` and last-12-months spend, each at its level of the season."""
    return MeanOf(
        "season_mean", lambda: [mbg_nbd_season(), SeasonLevel("last_12_months_season", LastTwelveMonths)]
    )
