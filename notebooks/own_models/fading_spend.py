"""Fading spend: what somebody spent counts less the longer ago it was.

`last_12_months` counts an order of yesterday and one of eleven months ago alike, and one of
thirteen months ago not at all. Here each order's net is halved every so many days. How fast it
fades is learnt on a time split of the model's own: the shop is put back by the horizon, and the
half-life wins that ranks best what then happened. The future asked about has no part in it.

`FadingSpend` is the idea alone. `FadingMean` is what competes: the idea and MBG/NBD, each at the
level of the season, averaged. Two models that err for different reasons err less together.
"""

import math
from datetime import timedelta

import polars as pl

from models.errors import NotEnoughDataError
from models.metrics import ValueAccuracy
from models.season_level import MeanOf, SeasonLevel, mbg_nbd_season

HALF_LIVES = (60, 90, 120, 180, 270, 365)
LEAST_DAYS = 60


class FadingSpend:
    """Net a day, faded by its age, times the days ahead; see `models.candidates.Candidate`."""

    name = "fading_spend"

    def fit(self, known):
        """Keep what was known; how fast it fades depends on the horizon."""
        self.as_of = known.as_of
        self.purchases = known.purchases.collect()
        self.first_day = self.purchases["order_day"].min()
        if (self.as_of - self.first_day).days < LEAST_DAYS:
            raise NotEnoughDataError(f"{self.name} needs {LEAST_DAYS} days before {self.as_of}.")
        return self

    def predict(self, horizon_days):
        """Choose the half-life by what is known, then look ahead with it."""
        window_days = min(horizon_days, (self.as_of - self.first_day).days // 2)
        cut = self.as_of - timedelta(window_days)
        self.half_life_ = max(HALF_LIVES, key=lambda days: self._ranks_how_well(cut, days))
        return self._faded(self.as_of, self.half_life_).select(
            "customer_key",
            predicted_value=pl.col("a_day") * horizon_days,
            purchase_probability=pl.lit(None, pl.Float64),
            model=pl.lit(self.name),
        )

    def _ranks_how_well(self, cut, half_life):
        after = self.purchases.filter(pl.col("order_day") > cut)
        spent = after.group_by("customer_key").agg(pl.col("net").sum().cast(pl.Float64))
        then = self._faded(cut, half_life)
        then = then.join(spent, on="customer_key", how="left", maintain_order="left")
        came = then["net"].fill_null(0).to_numpy()
        return ValueAccuracy(came, then["a_day"].to_numpy()).measure()["normalised_gini"]

    def _faded(self, day, half_life):
        """Net a day of everybody known by then; sorted, because rows come in any order."""
        faded = 0.5 ** ((pl.lit(day) - pl.col("order_day")).dt.total_days() / half_life)
        # What a day of history counts as, added up: the same fading for everybody.
        days = half_life / math.log(2) * (1 - 0.5 ** ((day - self.first_day).days / half_life))
        known = self.purchases.filter(pl.col("order_day") <= day)
        a_day = (pl.col("net").cast(pl.Float64) * faded).sum() / days
        return known.group_by("customer_key").agg(a_day=a_day).sort("customer_key")


class FadingMean(MeanOf):
    """Fading spend and MBG/NBD at the level of the season; probabilities are MBG/NBD's."""

    def __init__(self):
        super().__init__("fading_mean", self._parts)

    def _parts(self):
        return [mbg_nbd_season(), SeasonLevel("fading_spend_season", FadingSpend)]
