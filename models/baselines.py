"""Baselines: what any shop could predict with a spreadsheet. A model that does not beat them is not used.

Each baseline puts customers into groups and expects of a group what such a group did last time: the shop is
put back to the start of a window as long as the horizon, customers known then are grouped as they stood
then, and the window shows what they went on to do. All of that is known at `as_of`.

- `GlobalMean`: one group.
- `LastTwelveMonths`: value is the customer's own net of the last 12 months, scaled to the horizon;
  probability by whether they bought in those months.
- `RfmCellMean`: groups are the 27 RFM codes (`models.rfm`).

A history shorter than two horizons gets the longest window it allows, half its length; values are scaled up
to the horizon in proportion, probabilities by a constant chance per day. Models with parameters do not
belong here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date, timedelta
from typing import Self

import polars as pl

from models.candidates import PREDICTION_COLUMNS
from models.errors import NotEnoughDataError
from models.known import Known
from models.rfm import rfm

# A year in the glossary's horizons.
YEAR_DAYS = 365
SMALLEST_GROUP = 30


class Baseline(ABC):
    """Groups of customers, and what such groups did in the window before `as_of`; see `Candidate`.

    Groups with fewer than 30 customers when the window began are expected to do what everybody did.
    Shares are (buyers + 1/2) / (customers + 1), so that no group is certain.
    """

    name: str

    _purchases: pl.LazyFrame
    _as_of: date
    _history_days: int

    def fit(self, known: Known) -> Self:
        """Keep what was known.

        Raises
        ------
        NotEnoughDataError
            If the history is shorter than two days.
        """
        self._purchases = known.purchases.filter(pl.col("order_day") <= known.as_of)
        self._as_of = known.as_of
        first_day = self._purchases.select(pl.col("order_day").min()).collect().item()
        self._history_days = (known.as_of - first_day).days if isinstance(first_day, date) else 0
        if self._history_days < 2:
            raise NotEnoughDataError(
                f"A baseline needs two days of history, and there are {self._history_days}."
            )
        return self

    def predict(self, horizon_days: int) -> pl.DataFrame:
        """Expect of each customer's group what such a group did last time; see `Candidate.predict`."""
        window_days = min(horizon_days, self._history_days // 2)
        stretch = horizon_days / window_days
        start = self._as_of - timedelta(days=window_days)
        then = _with_outcomes(self._groups(start), self._purchases, start)
        groups, everybody = _rates(then, "group"), _rates(then, pl.lit(0).alias("everybody"))
        return (
            self._groups(self._as_of)
            .join(groups.filter(pl.col("customers") >= SMALLEST_GROUP), on="group", how="left")
            .join(everybody.select(all_value="value", all_share="share"), how="cross")
            .with_columns(value=pl.coalesce("value", "all_value"), share=pl.coalesce("share", "all_share"))
            .with_columns(
                predicted_value=self._value(pl.col("value") * stretch, horizon_days),
                purchase_probability=1 - (1 - pl.col("share")).pow(stretch),
                model=pl.lit(self.name),
            )
            .select(PREDICTION_COLUMNS)
            .sort("customer_key")
            .collect()
        )

    @abstractmethod
    def _groups(self, as_of: date) -> pl.LazyFrame:
        """Everybody known at `as_of` with their group then: customer_key, group, whatever `_value` needs."""

    def _value(self, group_mean: pl.Expr, horizon_days: int) -> pl.Expr:
        return group_mean


class GlobalMean(Baseline):
    """Everybody is expected to do what everybody did on average."""

    name = "global_mean"

    def _groups(self, as_of: date) -> pl.LazyFrame:
        known = self._purchases.filter(pl.col("order_day") <= as_of)
        return known.select("customer_key").unique().with_columns(group=pl.lit(0))


class LastTwelveMonths(Baseline):
    """Everybody is expected to spend on as in the last 12 months, or in the whole history if shorter."""

    name = "last_12_months"

    def _groups(self, as_of: date) -> pl.LazyFrame:
        is_recent = pl.col("order_day") > as_of - timedelta(days=YEAR_DAYS)
        return (
            self._purchases.filter(pl.col("order_day") <= as_of)
            .group_by("customer_key")
            .agg(
                group=is_recent.any(),
                # Zero before summing rather than filtering: a filter inside agg holds a list per group.
                recent_net=pl.when(is_recent).then("net").otherwise(0).sum().cast(pl.Float64),
            )
        )

    def _value(self, group_mean: pl.Expr, horizon_days: int) -> pl.Expr:
        return pl.col("recent_net") * (horizon_days / min(YEAR_DAYS, self._history_days))


class RfmCellMean(Baseline):
    """Everybody is expected to do what customers with the same RFM code did."""

    name = "rfm_cell_mean"

    def _groups(self, as_of: date) -> pl.LazyFrame:
        code = pl.col("r").cast(pl.Int32) * 100 + pl.col("f") * 10 + pl.col("m")
        return rfm(self._purchases, as_of).select("customer_key", group=code)


def _with_outcomes(groups: pl.LazyFrame, purchases: pl.LazyFrame, start: date) -> pl.LazyFrame:
    """Add what each customer did after `start`: net and whether they bought."""
    after = (
        purchases.filter(pl.col("order_day") > start).group_by("customer_key").agg(net=pl.col("net").sum())
    )
    return groups.select("customer_key", "group").join(after, on="customer_key", how="left")


def _rates(customers: pl.LazyFrame, by: str | pl.Expr) -> pl.LazyFrame:
    """Count customers and take their mean net and smoothed share of buyers, by group."""
    size, buyers = pl.len(), pl.col("net").count()
    return customers.group_by(by).agg(
        customers=size,
        # The exact sum first: a mean of floats would depend on the order of rows.
        value=pl.col("net").sum().cast(pl.Float64) / size,
        share=(buyers + 0.5) / (size + 1),
    )
